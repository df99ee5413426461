import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { KnownError } from '../../src/ledger/errors.ts'

/** One explorer's API. Its URL and key are never shown: {@link ExplorerRequests.name} stands for it. */
export interface ExplorerRequests {
  /** Stable name without secrets. */
  readonly name: string
  /** Calls made so far, refused ones included. */
  readonly calls: number
  /**
   * Asks once more, later, for what may pass.
   *
   * @param read - takes the answer apart; it throws {@link Passing} where asking again may help.
   * @throws KnownError `rpc.refused` for good, `rpc.unavailable` (retryable) after some tries, or what `read` throws
   */
  get<T>(
    path: string,
    params: Readonly<Record<string, string>>,
    read: (body: unknown, status: number) => T,
  ): Promise<T>
}

export interface RequestOptions {
  /** `etherscan` or `blockscout`: part of the name. */
  readonly dialect: string
  readonly url: string
  readonly key?: string | undefined
  /** As a parameter `apikey`, or as a bearer token, which no log of URLs ever holds. */
  readonly keyPlace: 'parameter' | 'header'
  /** Lowered when the explorer says that it is too much. */
  readonly callsPerSecond: number
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal | undefined
  readonly tries?: number | undefined
  /** Milliseconds for one try. Default 60 s. */
  readonly timeoutMs?: number | undefined
  /** Bytes of one answer. Default 64 MiB: ten thousand rows are ten. */
  readonly maxAnswerBytes?: number | undefined
}

/**
 * A fault that may pass: `waitMs` when the explorer said for how long, `perSecond` when it said how many it takes,
 * `isHurried` when it said only that these were too many.
 */
export class Passing extends Error {
  readonly waitMs: number | undefined
  readonly perSecond: number | undefined
  readonly isHurried: boolean

  constructor(
    message: string,
    told: {
      readonly waitMs?: number
      readonly perSecond?: number
      readonly isHurried?: boolean
    } = {},
  ) {
    super(message)
    this.waitMs = told.waitMs
    this.perSecond = told.perSecond
    this.isHurried = told.isHurried ?? false
  }
}

const longestWaitMs = 60_000

/** However often it was too much: one call in two seconds is taken everywhere. */
const mostApartMs = 2_000

export function createRequests(options: RequestOptions): ExplorerRequests {
  const base = new URL(options.url)
  const name = `${options.dialect}:${createHash('sha256').update(base.host).digest('hex').slice(0, 12)}`
  const tries = options.tries ?? 8
  const turn = createTurns(options.callsPerSecond)
  let calls = 0

  async function once<T>(url: URL, read: (body: unknown, status: number) => T): Promise<T> {
    calls++
    const timeout = AbortSignal.timeout(options.timeoutMs ?? 60_000)
    const response = await fetch(url, {
      headers: {
        accept: 'application/json',
        ...options.headers,
        ...(options.key !== undefined && options.keyPlace === 'header'
          ? { authorization: `Bearer ${options.key}` }
          : {}),
      },
      redirect: 'error',
      signal: options.signal ? AbortSignal.any([timeout, options.signal]) : timeout,
    })
    const { status } = response
    const text = await limitedText(response, options.maxAnswerBytes ?? 64 * 2 ** 20)
    if (status === 429 || status >= 500)
      throw new Passing(`HTTP ${status}`, {
        ...retryAfter(response.headers),
        isHurried: status === 429,
      })
    if (status === 401 || status === 402 || status === 403)
      throw refused(`HTTP ${status}`, 'Check the key and what it may read.')
    return read(parsed(text, status), status)
  }

  return {
    name,
    get calls() {
      return calls
    },
    async get(path, params, read) {
      const url = urlOf(base, path, params)
      if (options.key !== undefined && options.keyPlace === 'parameter')
        url.searchParams.set('apikey', options.key)
      for (let attempt = 1; ; attempt++) {
        await turn.take(options.signal)
        try {
          const answer = await once(url, read)
          turn.ease()
          return answer
        } catch (error) {
          if (error instanceof KnownError || error instanceof Narrower) throw error
          options.signal?.throwIfAborted()
          if (attempt >= tries) throw unavailable(error)
          turn.pause(error, attempt)
        }
      }
    },
  }
}

/** The explorer has the rows but not so many at once: `timeout` when its query took too long, `window` by number. */
export class Narrower extends Error {
  readonly reason: 'timeout' | 'window'

  constructor(reason: 'timeout' | 'window', message: string) {
    super(message)
    this.reason = reason
  }
}

/** @param why - the explorer's words, without what they repeat of the question. */
export function refused(why: string, hint: string): KnownError {
  return new KnownError('rpc.refused', `the explorer refuses: ${why.slice(0, 300)}`, { hint })
}

export function unbelievable(what: string): KnownError {
  return new KnownError('rpc.invalid-answer', `the explorer's answer cannot be right: ${what}`, {
    hint: 'Nothing of it was stored. Use another source if this goes on.',
  })
}

function unavailable(cause: unknown): KnownError {
  const why =
    cause instanceof Passing ? cause.message : cause instanceof Error ? cause.name : 'unknown fault'
  return new KnownError('rpc.unavailable', `the explorer does not answer (${why.slice(0, 200)})`, {
    hint: 'Check its address; a free key may be used up for today.',
    retryable: true,
  })
}

function urlOf(base: URL, path: string, params: Readonly<Record<string, string>>): URL {
  const url = new URL(base)
  if (path !== '') url.pathname = `${url.pathname.replace(/\/$/, '')}/${path}`
  for (const [name, value] of Object.entries(params)) url.searchParams.set(name, value)
  return url
}

/** Calls one after another, no faster than so many a second. */
function createTurns(perSecond: number): {
  take(signal: AbortSignal | undefined): Promise<void>
  /** After an answer: what was slowed without a word why is tried a little faster again. */
  ease(): void
  /** After a fault that may pass: as long as the explorer said, else longer with each attempt. */
  pause(fault: unknown, attempt: number): void
} {
  let leastMs = 1000 / perSecond
  let apartMs = leastMs
  let next = 0
  return {
    async take(signal) {
      signal?.throwIfAborted()
      const now = performance.now()
      const at = Math.max(now, next)
      next = at + apartMs
      if (at > now) await sleep(at - now, undefined, signal ? { signal } : {})
    },
    ease() {
      apartMs = Math.max(leastMs, apartMs * 0.98)
    },
    pause(fault, attempt) {
      const {
        waitMs,
        perSecond: allowed,
        isHurried,
      } = fault instanceof Passing ? fault : new Passing('')
      // A little slower than told: the explorer's seconds do not begin when ours do.
      if (allowed) leastMs = Math.max(leastMs, 1100 / allowed)
      else if (isHurried) apartMs = Math.min(apartMs * 1.3, mostApartMs)
      apartMs = Math.max(apartMs, leastMs)
      const wait = Math.min(waitMs ?? 250 * 2 ** attempt, longestWaitMs)
      next = Math.max(next, performance.now() + wait)
    },
  }
}

function retryAfter(headers: Headers): { readonly waitMs?: number } {
  const text = headers.get('retry-after')
  if (text === null) return {}
  const waitMs = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now()
  return Number.isFinite(waitMs) && waitMs > 0 ? { waitMs } : {}
}

async function limitedText(response: Response, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.length
    if (size > maxBytes) {
      await response.body?.cancel().catch(() => undefined)
      throw unbelievable(`it is larger than ${maxBytes} bytes`)
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function parsed(text: string, status: number): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // A page of HTML, a cut answer, an empty body.
    throw new Passing(`HTTP ${status} without a JSON answer`)
  }
}
