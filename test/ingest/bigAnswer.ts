import { spawn } from 'node:child_process'
import { createServer } from 'node:http'
import { resolve } from 'node:path'
import { createGzip } from 'node:zlib'
import { transferTopic } from '../../ingest/decode/tokenLog.ts'

export interface BigAnswer {
  readonly logs?: number
  readonly code?: string
  readonly message?: string
  /** Most memory that the reading process held. */
  readonly residentMiB: number
}

const word = (n: number): string => `0x${n.toString(16).padStart(64, '0')}`

/** A process asks a node for logs, and the answer is so long; compressed it is a fraction of that on the wire. */
export async function readBigAnswer(megabytes: number, isCompressed = false): Promise<BigAnswer> {
  const log = (n: number): string =>
    JSON.stringify({
      address: `0x${'70'.repeat(20)}`,
      topics: [transferTopic, word(n), word(n + 1)],
      data: word(n),
      blockNumber: '0x1',
      blockHash: word(7),
      transactionHash: word(n),
      transactionIndex: '0x0',
      logIndex: `0x${n.toString(16)}`,
      removed: false,
    })
  const count = Math.floor((megabytes * 1e6) / (log(100_000).length + 1))
  const server = createServer((_, response) => {
    response.writeHead(200, isCompressed ? { 'content-encoding': 'gzip' } : {})
    const out = isCompressed ? createGzip({ level: 1 }) : response
    if (out !== response) out.pipe(response)
    out.write('{"jsonrpc":"2.0","id":1,"result":[')
    let sent = 0
    const more = (): void => {
      while (sent < count) {
        const some = Array.from({ length: Math.min(500, count - sent) }, (_item, i) =>
          log(sent + i),
        )
        sent += some.length
        if (!out.write(some.join(',') + (sent < count ? ',' : ''))) {
          out.once('drain', more)
          return
        }
      }
      out.end(']}')
    }
    more()
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const script = resolve(import.meta.dirname, '../bench/readBigAnswer.ts')
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', script, `http://127.0.0.1:${port}`],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  let text = ''
  for await (const chunk of child.stdout) text += String(chunk)
  server.closeAllConnections()
  server.close()
  return JSON.parse(text) as BigAnswer
}
