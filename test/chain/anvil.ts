import { type ChildProcess, spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createNode } from '../../ingest/rpc/node.ts'

/** A real EVM node of our own, on a port of its own. */
export interface Anvil {
  readonly url: string
  call(method: string, params?: readonly unknown[]): Promise<unknown>
  stop(): Promise<void>
}

function anvilBinary(): string {
  const require = createRequire(import.meta.url)
  const name = `@foundry-rs/anvil-${process.platform}-${process.arch === 'x64' ? 'amd64' : process.arch}`
  return join(dirname(require.resolve(`${name}/package.json`)), 'bin', 'anvil')
}

async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}

/** Starts anvil and makes sure that it is this one which answers: its chain id is drawn for the run. */
export async function startAnvil(args: readonly string[] = []): Promise<Anvil> {
  const port = await freePort()
  const chainId = 1_000_000 + Math.floor(Math.random() * 1_000_000)
  const child: ChildProcess = spawn(
    anvilBinary(),
    [
      '--port',
      String(port),
      '--chain-id',
      String(chainId),
      '--silent',
      '--accounts',
      '20',
      ...args,
    ],
    { stdio: 'ignore' },
  )
  const url = `http://127.0.0.1:${port}`
  const node = createNode(url, { tries: 2, timeoutMs: 30_000 })
  for (let attempt = 0; ; attempt++) {
    try {
      if (Number(await node.call('eth_chainId', [])) === chainId) break
    } catch (error) {
      if (attempt > 40) throw error
    }
    await sleep(100)
  }
  return {
    url,
    call: (method, params = []) => node.call(method, params),
    async stop() {
      const gone = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGKILL')
      await gone
    },
  }
}
