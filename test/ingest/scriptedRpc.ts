import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'

/** One call of a request, which holds one or, in a batch, several. */
export interface AskedCall {
  readonly id: unknown
  readonly method: string
  readonly params: readonly unknown[]
}

export interface Asked {
  readonly calls: readonly AskedCall[]
  readonly isBatch: boolean
  /** Requests before this one. */
  readonly before: number
  readonly request: IncomingMessage
}

/** Whatever a server may do with a request. */
export type Reply = (response: ServerResponse, asked: Asked) => void | Promise<void>

/** What a method gives, or the error in its place. */
type Outcome = { readonly result: unknown } | { readonly error: object }

/** A server that speaks JSON-RPC as badly as it is told to. */
export interface ScriptedRpc {
  /** Carries a key, as URLs of providers do. */
  readonly url: string
  /** Requests so far. */
  readonly asked: () => number
  /** Calls so far, each of a batch one. */
  readonly calls: () => readonly AskedCall[]
  stop(): Promise<void>
}

export const secretKey = 'secret-key-0123456789'

/**
 * Starts a server that replies as `choose` says, request by request.
 *
 * @example startScriptedRpc(inTurn(faults.html(), answering(() => ({ result: '0x7' }))))
 */
export async function startScriptedRpc(choose: (asked: Asked) => Reply): Promise<ScriptedRpc> {
  let before = 0
  const calls: AskedCall[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString()) as AskedCall | AskedCall[]
      const asked = {
        calls: Array.isArray(body) ? body : [body],
        isBatch: Array.isArray(body),
        before: before++,
        request,
      }
      calls.push(...asked.calls)
      Promise.resolve(choose(asked)(response, asked)).catch(() => response.destroy())
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}/v3/${secretKey}`,
    asked: () => before,
    calls: () => calls,
    stop() {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

/** These replies one after another, the last one for ever. */
export function inTurn(...replies: readonly Reply[]): (asked: Asked) => Reply {
  return ({ before }) => replies[Math.min(before, replies.length - 1)] ?? faults.silence()
}

/** A proper answer to each call, also in a batch. */
export function answering(outcome: (call: AskedCall) => Outcome | Promise<Outcome>): Reply {
  return async (response, { calls, isBatch }) => {
    const answers = await Promise.all(
      calls.map(async (call) => ({ jsonrpc: '2.0', id: call.id, ...(await outcome(call)) })),
    )
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(isBatch ? answers : answers[0]))
  }
}

export function body(
  text: string,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): Reply {
  return (response) => {
    response.writeHead(status, headers).end(text)
  }
}

/** What goes wrong between a program and a node. */
export const faults = {
  /** HTTP 429; `retryAfter` as the header has it. */
  tooMany: (retryAfter?: string): Reply =>
    body('slow down', 429, retryAfter === undefined ? {} : { 'retry-after': retryAfter }),
  /** 429 as a body under HTTP 200. */
  tooManyInside: (): Reply => body('{"code":429,"message":"Too many requests"}'),
  error: (error: object): Reply => answering(() => ({ error })),
  status: (status: number): Reply => body('busy', status),
  html: (status = 200): Reply => body('<html><body>gateway</body></html>', status),
  silence: (): Reply => () => undefined,
  closed: (): Reply => (response) => {
    response.destroy()
  },
  truncated: (): Reply => body('{"jsonrpc":"2.0","id":1,"resu'),
  /** Fewer bytes than were announced. */
  cut: (): Reply => (response) => {
    response.writeHead(200, { 'content-length': '1000' })
    response.write('{"jsonrpc":"2.0"', () => response.destroy())
  },
  empty: (): Reply => body(''),
  wrongId: (): Reply => body(JSON.stringify({ jsonrpc: '2.0', id: 999_999, result: '0x7' })),
  nothing: (): Reply => answering(() => ({ result: null })),
  gzipBomb: (bytes: number): Reply => {
    const bomb = gzipSync(Buffer.alloc(bytes, 0x20))
    return (response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb)
    }
  },
  /** A byte at a time. */
  slowLoris:
    (everyMs: number): Reply =>
    (response) => {
      response.writeHead(200)
      const drip = setInterval(() => response.write(' '), everyMs)
      response.once('close', () => clearInterval(drip))
    },
  redirect: (to: string, status = 307): Reply => body('', status, { location: to }),
}
