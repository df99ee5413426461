import { createHash } from 'node:crypto'
import { KnownError } from '../../src/ledger/errors.ts'
import type { Resolve } from './addressGuard.ts'
import { batchAnswer, type CallAnswer, singleAnswer } from './answers.ts'
import { createCallRate, type KnownRate } from './callRate.ts'
import { type Clock, wallClock } from './clock.ts'
import { AnswerTooLarge, createExchange, type Exchange, NoAnswer } from './exchange.ts'
import { kindOfRefusal, type RefusalKind, rateOf } from './refusals.ts'

/** A method with its parameters. */
export type RpcCall = readonly [method: string, params: readonly unknown[]]

/** One JSON-RPC endpoint. Its URL may carry a key, so it is never shown: {@link RpcNode.name} stands for it. */
export interface RpcNode {
  /** Stable name without secrets. */
  readonly name: string
  /** Calls made so far, refused ones included. */
  readonly calls: number
  /** Whether {@link RpcNode.batch} is one request at present, and so the answer of one backend. */
  readonly batches?: boolean
  /** Calls that keep it busy when they are under way at once; more would only wait. */
  readonly atOnce?: number
  /**
   * @throws KnownError `rpc.refused` ({@link RpcRefusal}) when the node says no for good, `rpc.unavailable`
   * (retryable) when it does not answer after some tries, `rpc.invalid-answer` when what comes is no JSON-RPC answer,
   * `rpc.parked` while nothing helps: a wrong key, a plan that is used up
   */
  call(method: string, params: readonly unknown[]): Promise<unknown>
  /**
   * Several calls, in one request where the endpoint takes that; results in the order of the calls. One backend
   * answers a request, so what is asked together fits together.
   *
   * @throws as {@link RpcNode.call} for the first that fails
   */
  readonly batch?: (calls: readonly RpcCall[]) => Promise<readonly unknown[]>
}

/** What is worth keeping about an endpoint for the next start. */
export interface KnownEndpoint {
  readonly rate?: KnownRate
  /** Whether several calls go in one request: not once it refused that, nor to this machine, where nothing is gained. */
  readonly batches?: boolean
}

/** An endpoint that is asked over HTTP, with what was learned about it. */
export interface Endpoint extends RpcNode {
  readonly batch: (calls: readonly RpcCall[]) => Promise<readonly unknown[]>
  /** Refused calls so far. */
  readonly refusals: number
  /** Why nothing is asked of it at present. */
  readonly parked: { readonly reason: string; readonly until: number } | undefined
  known(): KnownEndpoint
}

export interface NodeOptions {
  readonly signal?: AbortSignal
  /** Bytes of one answer. Default 64 MiB. */
  readonly maxAnswerBytes?: number
  /** Milliseconds for one try. Default 60 s. */
  readonly timeoutMs?: number
  /** Tries of one call while the endpoint does not answer. Default 6. */
  readonly tries?: number
  /** Take a name that stands for an address of a private network. */
  readonly allowPrivate?: boolean
  readonly known?: KnownEndpoint
  /** For tests: time, the wire, the resolver. */
  readonly clock?: Clock
  readonly exchange?: Exchange
  readonly resolve?: Resolve
}

const usualMaxAnswerBytes = 64 * 2 ** 20
const mostInBatch = 20
const mostAtOnce = 8
const longestPauseMs = 30_000

/** Methods whose answer takes the longer the more blocks are asked for. */
const overRanges = new Set(['eth_getLogs', 'trace_filter'])

/** A rate limit passes by itself: more patience than with an endpoint that does not answer. */
const mostRateRefusals = 12

/** A plan that is used up begins anew some time; a key may be paid for. */
const parkedMs = 3_600_000

/**
 * A transport of our own: ethers' waits two milliseconds on `Retry-After: 2`, follows redirects, is killed by a
 * compressed bomb and has no size limit.
 *
 * @param url - http(s); never told in errors, answers or logs.
 */
export function createNode(url: string, options: NodeOptions = {}): Endpoint {
  const clock = options.clock ?? wallClock
  const exchange = options.exchange ?? exchangeWith(url, options)
  const rate = createCallRate(clock, options.known?.rate)
  const tell = hiding(url)
  const state = {
    calls: 0,
    refusals: 0,
    id: 0,
    batches: options.known?.batches ?? !isOnThisMachine(url),
    tookMs: 0,
  }
  let parked: Endpoint['parked']

  function checkParked(): void {
    if (parked && clock.now() >= parked.until) parked = undefined
    if (parked) throw parkedError(parked.reason)
  }

  /** The result; anything else is thrown as what it means. */
  function understood(answer: CallAnswer, sentAt: number): unknown {
    const tookMs = clock.now() - sentAt
    state.tookMs = state.tookMs === 0 ? tookMs : state.tookMs * 0.9 + tookMs * 0.1
    if ('result' in answer) {
      rate.accepted(sentAt)
      return answer.result
    }
    state.refusals++
    const refused = { ...answer.refused, message: tell(answer.refused.message) }
    const kind = kindOfRefusal(refused)
    if (kind === 'rate') {
      const hint = rateOf(refused)
      const waitMs = hint.waitMs ?? answer.retryAfterMs
      rate.refused(sentAt, { ...hint, ...(waitMs === undefined ? {} : { waitMs }) })
      throw new TooOften(refused.message)
    }
    rate.accepted(sentAt)
    if (kind === 'exhausted' || kind === 'key') {
      parked = { reason: refused.message.slice(0, 200), until: clock.now() + parkedMs }
      throw parkedError(parked.reason)
    }
    if (kind === 'passing') throw new NoAnswer(refused.message.slice(0, 200))
    throw new RpcRefusal(refused.code, refused.message, kind, refused.data)
  }

  async function once([method, params]: RpcCall): Promise<unknown> {
    await rate.take(1, options.signal)
    checkParked()
    state.calls++
    const id = ++state.id
    const sentAt = clock.now()
    const body = JSON.stringify({ jsonrpc: '2.0', id, method, params })
    return understood(singleAnswer(await exchange(body, options.signal), id), sentAt)
  }

  async function call(method: string, params: readonly unknown[]): Promise<unknown> {
    const tries = { silent: 0, often: 0 }
    for (;;) {
      options.signal?.throwIfAborted()
      try {
        return await once([method, params])
      } catch (error) {
        options.signal?.throwIfAborted()
        await pauseBefore(error, method, tries)
      }
    }
  }

  /** Waits before the next try; throws where there is none. */
  async function pauseBefore(
    error: unknown,
    method: string,
    tries: { silent: number; often: number },
  ): Promise<void> {
    if (error instanceof TooOften) {
      // The rate itself holds the next call back.
      if (++tries.often >= mostRateRefusals) throw unavailable(method, `refused: ${error.message}`)
      return
    }
    if (!(error instanceof NoAnswer)) throw error
    tries.silent++
    const allowed = options.tries ?? 6
    // A range that took too long takes too long again; a smaller one is the caller's to ask.
    const most = error.timedOut && overRanges.has(method) ? Math.min(2, allowed) : allowed
    if (tries.silent >= most) throw unavailable(method, error.reason, error)
    const pauseMs = error.pauseMs ?? 200 * 2 ** tries.silent
    await clock.sleep(Math.min(pauseMs, longestPauseMs), options.signal)
  }

  async function together(calls: readonly RpcCall[]): Promise<readonly unknown[]> {
    const [only] = calls
    const alone = (): Promise<unknown[]> =>
      Promise.all(calls.map(([method, params]) => call(method, params)))
    if (only === undefined || calls.length === 1 || !state.batches) return alone()
    await rate.take(calls.length, options.signal)
    checkParked()
    state.calls += calls.length
    const sentAt = clock.now()
    const first = state.id + 1
    state.id += calls.length
    const body = calls.map(([method, params], i) => ({
      jsonrpc: '2.0',
      id: first + i,
      method,
      params,
    }))
    const answers = await exchange(JSON.stringify(body), options.signal)
      .then((exchanged) => batchAnswer(exchanged, first, calls.length))
      .catch((error: unknown) => {
        if (error instanceof NoAnswer || error instanceof AnswerTooLarge) return undefined
        throw error
      })
    if (answers === 'no batch') state.batches = false
    if (!Array.isArray(answers)) return alone()
    // What did not succeed is asked alone: there each fault has its own answer.
    return Promise.all(
      answers.map(async (answer: CallAnswer | undefined, i) => {
        const [method, params] = calls[i] ?? only
        try {
          if (answer) return understood(answer, sentAt)
        } catch (error) {
          if (!(error instanceof TooOften) && !(error instanceof NoAnswer)) throw error
        }
        return call(method, params)
      }),
    )
  }

  return {
    name: endpointName(url),
    get calls() {
      return state.calls
    },
    get refusals() {
      return state.refusals
    },
    get batches() {
      return state.batches && rate.burst > 1
    },
    get atOnce() {
      const { perSecond } = rate.known()
      if (perSecond === null) return mostAtOnce
      return Math.min(mostAtOnce, Math.ceil((perSecond * state.tookMs) / 1000) + 1)
    },
    get parked() {
      return parked
    },
    call,
    async batch(calls) {
      const results: unknown[] = []
      for (let start = 0; start < calls.length; ) {
        const size = Math.min(mostInBatch, rate.burst)
        results.push(...(await together(calls.slice(start, start + size))))
        start += size
      }
      return results
    },
    known: () => ({ rate: rate.known(), batches: state.batches }),
  }
}

/** Several calls of any node, in one request where it can. */
export async function callAll(
  node: RpcNode,
  calls: readonly RpcCall[],
): Promise<readonly unknown[]> {
  return node.batch
    ? node.batch(calls)
    : Promise.all(calls.map(([method, params]) => node.call(method, params)))
}

function exchangeWith(url: string, options: NodeOptions): Exchange {
  return createExchange(url, {
    maxAnswerBytes: options.maxAnswerBytes ?? usualMaxAnswerBytes,
    timeoutMs: options.timeoutMs ?? 60_000,
    ...(options.allowPrivate === undefined ? {} : { allowPrivate: options.allowPrivate }),
    ...(options.resolve === undefined ? {} : { resolve: options.resolve }),
  })
}

/** The endpoint refused. Its words are kept, without what the URL keeps secret. */
export class RpcRefusal extends KnownError {
  readonly rpcCode: number
  readonly kind: RefusalKind
  readonly words: string
  /** What came with the refusal, such as the data of a revert. */
  readonly data: unknown

  constructor(
    rpcCode: number,
    message: string,
    kind: RefusalKind = kindOfRefusal({ code: rpcCode, message }),
    data?: unknown,
  ) {
    super('rpc.refused', `the node refuses: ${message.slice(0, 300)}`, {
      facts: { rpcCode },
      hint: hints[kind],
      retryable: kind === 'behind' || kind === 'passing',
    })
    this.rpcCode = rpcCode
    this.kind = kind
    this.words = message
    this.data = data
  }
}

const hints: Readonly<Record<RefusalKind, string>> = {
  range: 'Ask for fewer blocks at once.',
  wallets: 'Ask for fewer wallets at once.',
  rate: 'Ask less often.',
  passing: 'Try again later.',
  behind: 'It may be behind: try again later, or use another endpoint.',
  history: 'Use an archive node, or another endpoint, for these blocks.',
  exhausted: 'Wait until the plan begins anew, buy more calls, or add another endpoint.',
  key: 'Check the key in the URL.',
  missing: 'Check what this node offers.',
  refused: 'Check what this node offers.',
}

/** Refused for the number of calls. */
class TooOften extends Error {}

function isOnThisMachine(url: string): boolean {
  return /^(?:localhost|127\.|\[::1\])/.test(new URL(url).hostname)
}

/** By the host alone: another key is the same endpoint. */
export function endpointName(url: string): string {
  return `node:${createHash('sha256').update(new URL(url).host).digest('hex').slice(0, 12)}`
}

/** Takes out of a node's words whatever its URL keeps secret: some repeat the key that they refuse. */
function hiding(address: string): (words: string) => string {
  const url = new URL(address)
  const parts = [
    decodeURIComponent(url.password),
    decodeURIComponent(url.username),
    ...url.pathname.split('/'),
    ...url.searchParams.values(),
    url.host,
  ]
  const secrets = parts.filter((part) => part.length >= 6).sort((a, b) => b.length - a.length)
  return (words) => secrets.reduce((text, secret) => text.replaceAll(secret, '…'), words)
}

function unavailable(
  method: string,
  why: string,
  { timedOut = false, isForeign = false }: Partial<NoAnswer> = {},
): KnownError {
  const code = isForeign ? 'rpc.invalid-answer' : 'rpc.unavailable'
  return new KnownError(code, `the node does not answer ${method} (${why})`, {
    facts: { method, ...(timedOut ? { timedOut: 1 } : {}) },
    hint: 'Check that it runs and that its address is right.',
    retryable: true,
  })
}

function parkedError(reason: string): KnownError {
  return new KnownError('rpc.parked', `the node is left alone: ${reason}`, {
    hint: 'Check the key and the plan of this endpoint, or add another one.',
    retryable: true,
  })
}
