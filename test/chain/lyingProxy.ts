import { createServer } from 'node:http'
import type { Anvil } from './anvil.ts'

export interface LyingProxy {
  readonly url: string
  /** How often each method was asked for. */
  readonly asked: ReadonlyMap<string, number>
  close(): void
}

/** Changes a result that the real node gave; undefined leaves it as it is, an {@link Error} refuses the call. */
export type Lie = (method: string, params: readonly unknown[], result: unknown) => unknown

function toldAs(answer: object, told: unknown): object {
  if (told === undefined) return answer
  if (!(told instanceof Error)) return { ...answer, result: told }
  const { result: _, ...rest } = answer as { readonly result?: unknown }
  return { ...rest, error: { code: -32000, message: told.message } }
}

/** An endpoint of its own before a real node, which tells its answers with lies in them. */
export async function lyingProxy(anvil: Anvil, lie: Lie = () => undefined): Promise<LyingProxy> {
  const asked = new Map<string, number>()
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', async () => {
      const body = Buffer.concat(chunks).toString()
      const { method, params } = JSON.parse(body) as { method: string; params: unknown[] }
      asked.set(method, (asked.get(method) ?? 0) + 1)
      const headers = { 'content-type': 'application/json' }
      const answer = (await (await fetch(anvil.url, { method: 'POST', headers, body })).json()) as {
        result?: unknown
      }
      const told = 'result' in answer ? lie(method, params, answer.result) : undefined
      response.end(JSON.stringify(toldAs(answer, told)))
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}
