import { createHash } from 'node:crypto'
import { KnownError } from '../../src/ledger/errors.ts'
import { type Clock, wallClock } from './clock.ts'

/** One JSON-RPC endpoint. Its URL may carry a key, so it is never shown: {@link RpcNode.name} stands for it. */
export interface RpcNode {
  /** Stable name without secrets. */
  readonly name: string
  /** Calls made so far, refused ones included. */
  readonly calls: number
  /** Of these, those that the node refused, for good or for now. */
  readonly refusals?: number
  /**
   * @throws KnownError `rpc.refused` when the node says no for good, `rpc.unavailable` (retryable) when it does not
   * answer after some tries, `rpc.invalid-answer` when what comes is no JSON-RPC answer
   */
  call(method: string, params: readonly unknown[]): Promise<unknown>
}

export interface NodeOptions {
  readonly signal?: AbortSignal
  /** Bytes of one answer. Default 256 MiB. */
  readonly maxAnswerBytes?: number
  /** Milliseconds for one try. Default 60 s. */
  readonly timeoutMs?: number
  readonly tries?: number
  /** For tests: time, and the wire. */
  readonly clock?: Clock
  readonly exchange?: Exchange
}

/** One HTTP exchange with the endpoint. */
export type Exchange = (
  body: string,
  signal?: AbortSignal,
) => Promise<{ readonly status: number; readonly text: string; readonly retryAfterMs?: number }>

/** How the endpoint refused: `isLasting` means that asking again changes nothing. */
export class RpcRefusal extends KnownError {
  readonly rpcCode: number

  constructor(rpcCode: number, message: string) {
    super('rpc.refused', `the node refuses: ${message.slice(0, 300)}`, {
      facts: { rpcCode },
      hint: 'Check what this node offers.',
    })
    this.rpcCode = rpcCode
  }
}

/** Answers that another try may change: rate limits and momentary faults. */
const passing = new Set([-32005, 429])

/** Words of refusals that come with the code of a rate limit though only a smaller question helps. */
const askedTooMuch =
  /more than [\d,]+ results|too many (?:results|logs|blocks)|block range|query timeout/i

/**
 * A small transport over fetch: ethers' own waits two milliseconds on `Retry-After: 2`, follows redirects and has no
 * size limit.
 */
export function createNode(url: string, options: NodeOptions = {}): RpcNode {
  const { host } = new URL(url)
  const name = `node:${createHash('sha256').update(host).digest('hex').slice(0, 12)}`
  const tries = options.tries ?? 6
  const clock = options.clock ?? wallClock
  const exchange = options.exchange ?? exchangeWith(url, options)
  let calls = 0
  let refusals = 0
  let id = 0

  async function once(method: string, params: readonly unknown[]): Promise<unknown> {
    calls++
    const mine = ++id
    const body = JSON.stringify({ jsonrpc: '2.0', id: mine, method, params })
    const { status, text, retryAfterMs } = await exchange(body, options.signal)
    if (status === 429 || status >= 500) throw new Passing(`HTTP ${status}`, retryAfterMs)
    return resultOf(text, status, mine)
  }

  return {
    name,
    get calls() {
      return calls
    },
    get refusals() {
      return refusals
    },
    async call(method, params) {
      for (let attempt = 1; ; attempt++) {
        options.signal?.throwIfAborted()
        try {
          return await once(method, params)
        } catch (error) {
          if (error instanceof RpcRefusal || error instanceof Passing) refusals++
          if (error instanceof KnownError) throw error
          options.signal?.throwIfAborted()
          if (attempt >= tries) throw unavailable(method, error)
          const wait =
            error instanceof Passing && error.waitMs !== undefined
              ? error.waitMs
              : 200 * 2 ** attempt
          await clock.sleep(Math.min(wait, 30_000), options.signal)
        }
      }
    },
  }
}

function exchangeWith(url: string, options: NodeOptions): Exchange {
  return async (body, signal) => {
    const timeout = AbortSignal.timeout(options.timeoutMs ?? 60_000)
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body,
      redirect: 'error',
      signal: signal ? AbortSignal.any([timeout, signal]) : timeout,
    })
    const text = await limitedText(response, options.maxAnswerBytes ?? 256 * 2 ** 20)
    const pause = retryAfterMs(response)
    const { status } = response
    return { status, text, ...(pause === undefined ? {} : { retryAfterMs: pause }) }
  }
}

/** A fault that may pass. */
class Passing extends Error {
  readonly waitMs: number | undefined

  constructor(message: string, waitMs?: number) {
    super(message)
    this.waitMs = waitMs
  }
}

function unavailable(method: string, cause: unknown): KnownError {
  const why =
    cause instanceof Passing ? cause.message : cause instanceof Error ? cause.name : 'unknown fault'
  return new KnownError('rpc.unavailable', `the node does not answer ${method} (${why})`, {
    facts: { method },
    hint: 'Check that it runs and that its address is right.',
    retryable: true,
  })
}

function retryAfterMs(response: Response): number | undefined {
  const text = response.headers.get('retry-after')
  if (text === null) return undefined
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now()
  return Number.isFinite(ms) && ms > 0 ? ms : undefined
}

/** Reads a body up to a limit: a node may answer with anything. */
async function limitedText(response: Response, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.length
    if (size > maxBytes) {
      await response.body?.cancel().catch(() => undefined)
      throw new KnownError(
        'rpc.invalid-answer',
        `the node's answer is larger than ${maxBytes} bytes`,
        { hint: 'Ask for fewer blocks at once.' },
      )
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function resultOf(text: string, status: number, id: number): unknown {
  const answer = parsedAnswer(text, status)
  if (answer.error) {
    const code = Number(answer.error.code ?? 0)
    const message = String(answer.error.message ?? 'no reason given')
    if (passing.has(code) && !askedTooMuch.test(message)) throw new Passing(message)
    throw new RpcRefusal(code, message)
  }
  if (answer.id !== id)
    throw new KnownError('rpc.invalid-answer', 'the node answered another call', {
      hint: 'Use another endpoint.',
    })
  return answer.result
}

interface Answer {
  readonly id?: unknown
  readonly result?: unknown
  readonly error?: { readonly code?: unknown; readonly message?: unknown }
}

function parsedAnswer(text: string, status: number): Answer {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  } catch {
    // Told below: a page of HTML, a cut answer, an empty body.
  }
  throw new Passing(`HTTP ${status} without a JSON answer`)
}
