import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, test } from 'vitest'
import { suggestedRange } from '../../ingest/rpc/chainReader.ts'
import { createNode, type NodeOptions, RpcRefusal } from '../../ingest/rpc/node.ts'

type Reply = (response: ServerResponse, id: number, request: IncomingMessage) => void

const servers: Server[] = []

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

/** A node that gives these replies one after another, the last one for ever. */
async function scripted(
  ...replies: readonly Reply[]
): Promise<{ url: string; asked: () => number }> {
  let asked = 0
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { id } = JSON.parse(Buffer.concat(chunks).toString()) as { id: number }
      replies[Math.min(asked++, replies.length - 1)]?.(response, id, request)
    })
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  return { url: `http://127.0.0.1:${port}/v3/secret-key`, asked: () => asked }
}

const body =
  (text: string, status = 200, headers: Readonly<Record<string, string>> = {}): Reply =>
  (response) =>
    response.writeHead(status, headers).end(text)

const answer =
  (given: object): Reply =>
  (response, id) =>
    response.end(JSON.stringify({ jsonrpc: '2.0', id, ...given }))

const good = answer({ result: '0x7' })

async function call(url: string, options: NodeOptions = {}): Promise<unknown> {
  return createNode(url, { tries: 2, timeoutMs: 2_000, ...options }).call('eth_blockNumber', [])
}

describe('what may pass is tried again', () => {
  test.each<[string, Reply]>([
    ['HTTP 503', body('busy', 503)],
    ['HTTP 429', body('slow down', 429)],
    ['a page of HTML', body('<html>gateway</html>')],
    ['half an answer', body('{"jsonrpc":"2.0","res')],
    ['no answer', body('')],
    ['a closed connection', (response) => response.destroy()],
    ['"limit exceeded" (-32005)', answer({ error: { code: -32005, message: 'limit exceeded' } })],
  ])('%s', async (_, fault) => {
    const { url, asked } = await scripted(fault, good)
    expect(await call(url)).toBe('0x7')
    expect(asked()).toBe(2)
  })

  test('after as many seconds as the node asks for', async () => {
    const { url } = await scripted(body('', 429, { 'retry-after': '1' }), good)
    const started = performance.now()
    expect(await call(url)).toBe('0x7')
    expect(performance.now() - started).toBeGreaterThan(950)
  })

  test('error: a node that never answers is unavailable, and its key is not told', async () => {
    const { url } = await scripted(() => undefined)
    const failed = await call(url, { timeoutMs: 100 }).catch((error: unknown) => error)
    expect(failed).toMatchObject({ code: 'rpc.unavailable', retryable: true })
    expect(JSON.stringify(failed) + String(failed)).not.toContain('secret-key')
  })
})

describe('what cannot be right is not believed', () => {
  test('error: a refusal is told with the words of the node, and not repeated', async () => {
    const refusal = { code: -32601, message: 'the method does not exist' }
    const { url, asked } = await scripted(answer({ error: refusal }))
    await expect(call(url)).rejects.toMatchObject({ code: 'rpc.refused', rpcCode: -32601 })
    expect(asked()).toBe(1)
  })

  test('error: the answer to another call', async () => {
    const { url } = await scripted((response) =>
      response.end(JSON.stringify({ jsonrpc: '2.0', id: 999, result: '0x7' })),
    )
    await expect(call(url)).rejects.toMatchObject({ code: 'rpc.invalid-answer' })
  })

  test('error: an answer that is too large, also when it was compressed', async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 2 ** 20))
    const { url } = await scripted((response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb),
    )
    await expect(call(url, { maxAnswerBytes: 2 ** 20 })).rejects.toMatchObject({
      code: 'rpc.invalid-answer',
    })
  })

  test('error: a node that sends the call elsewhere is not followed', async () => {
    const elsewhere = await scripted(good)
    const { url } = await scripted(body('', 307, { location: elsewhere.url }))
    await expect(call(url)).rejects.toMatchObject({ code: 'rpc.unavailable' })
    expect(elsewhere.asked()).toBe(0)
  })
})

test('a call under way ends when the worker is told to stop', async () => {
  const { url } = await scripted(() => undefined)
  const stop = new AbortController()
  setTimeout(() => stop.abort(), 50)
  const started = performance.now()
  await expect(call(url, { signal: stop.signal, timeoutMs: 60_000 })).rejects.toThrow()
  expect(performance.now() - started).toBeLessThan(5_000)
})

test('an endpoint has one name, and the name tells no key', async () => {
  const one = createNode('https://node.example/v3/secret-key')
  expect(one.name).toBe(createNode('https://node.example/v3/other-key').name)
  expect(one.name).toMatch(/^node:[0-9a-f]{12}$/)
})

test.each([
  ['block range too large, currently limited to 300', 300],
  ['eth_getLogs is limited to a 10,000 range', 10_000],
  ['requested too many blocks from 1 to 9, maximum is set to 2048', 2048],
  ['range 1000000 exceeds limit of 10000', 10_000],
  ['You can make eth_getLogs requests with up to a 10 block range.', 10],
  ['maximum block range: 50000', 50_000],
  ['Block range is too large', undefined],
])('the range that a node would take is read from "%s"', (message, blocks) => {
  expect(suggestedRange(new RpcRefusal(-32602, message))).toBe(blocks)
})
