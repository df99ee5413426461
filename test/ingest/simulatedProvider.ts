import type { Clock } from '../../ingest/rpc/clock.ts'
import type { Exchange } from '../../ingest/rpc/exchange.ts'
import { createRandomNumbers } from '../../src/sample/randomNumbers.ts'
import type { AskedCall } from './scriptedRpc.ts'

/** How a provider limits calls. */
export interface ProviderLimits {
  readonly perSecond: number
  /** By the second of its clock, over any second, or out of a bucket that refills. */
  readonly counts: 'second' | 'sliding' | 'bucket'
  /** Size of the bucket. */
  readonly burst?: number
  readonly retryAfterSeconds?: number
}

export interface SimulatedProvider {
  readonly exchange: Exchange
  counts(): { readonly accepted: number; readonly refused: number }
}

export interface ProviderOptions {
  readonly clock: Clock
  readonly limits: ProviderLimits
  readonly seed: number
  /** A result, or an error, which counts as refused. */
  readonly answer: (call: AskedCall) => { readonly result: unknown } | { readonly error: object }
  /** There and back, milliseconds; a tenth more or less by chance. */
  readonly latencyMs?: number
}

/** A provider in virtual time: an exchange that takes the place of the wire. Calls of a batch count one by one. */
export function createProvider(options: ProviderOptions): SimulatedProvider {
  const { clock, limits, answer, latencyMs = 100 } = options
  const random = createRandomNumbers(options.seed)
  const isTaken = createLimiter(limits, clock)
  const counts = { accepted: 0, refused: 0 }
  const onTheWay = (): Promise<void> =>
    clock.sleep(latencyMs * (0.45 + random.below(1_000) / 10_000))
  const refusal = { error: { code: 429, message: 'Too many requests' } }
  const outcomeOf = (call: AskedCall): { result: unknown } | { error: object } => {
    const outcome = isTaken() ? answer(call) : refusal
    counts['error' in outcome ? 'refused' : 'accepted']++
    return outcome
  }
  return {
    counts: () => ({ ...counts }),
    async exchange(text) {
      await onTheWay()
      const body = JSON.parse(text) as AskedCall | AskedCall[]
      const answers = [body].flat().map((call) => ({ id: call.id, ...outcomeOf(call) }))
      await onTheWay()
      const isRefused = answers.some((one) => 'error' in one && one.error === refusal.error)
      return {
        status: isRefused && !Array.isArray(body) ? 429 : 200,
        text: JSON.stringify(Array.isArray(body) ? answers : answers[0]),
        ...(isRefused && limits.retryAfterSeconds !== undefined
          ? { retryAfterMs: limits.retryAfterSeconds * 1000 }
          : {}),
      }
    },
  }
}

/** Refused calls are not counted. */
function createLimiter({ perSecond, counts, burst = perSecond }: ProviderLimits, clock: Clock) {
  let taken: number[] = []
  let tokens = burst
  let filledAt = clock.now()
  return (): boolean => {
    const now = clock.now()
    if (counts === 'bucket') {
      tokens = Math.min(burst, tokens + ((now - filledAt) / 1000) * perSecond)
      filledAt = now
      if (tokens < 1) return false
      tokens--
      return true
    }
    const since = counts === 'second' ? Math.floor(now / 1000) * 1000 : now - 1000 + 1e-6
    taken = taken.filter((at) => at >= since)
    if (taken.length >= perSecond) return false
    taken.push(now)
    return true
  }
}
