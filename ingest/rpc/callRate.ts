import type { Clock } from './clock.ts'

/** What is known of an endpoint's limit, in a form that can be kept. */
export interface KnownRate {
  /** Calls per second that it takes; null while it has refused none. */
  readonly perSecond: number | null
  /** Calls that it takes at once. */
  readonly burst: number | null
  /** Milliseconds without a refusal after which more is tried. */
  readonly patienceMs: number
}

/**
 * How often an endpoint may be asked, learned from its refusals. Nothing is held back before the first one; from then
 * on never more than the endpoint was seen to take in a second. What it takes more is tried later and later, so that
 * hardly a call in a hundred is refused.
 */
export interface CallRate {
  /** Calls that may go at once; a batch counts as many as it holds. */
  readonly burst: number
  /** Resolves when so many calls may be sent, in the order of asking. */
  take(calls: number, signal?: AbortSignal): Promise<void>
  accepted(sentAt: number): void
  refused(sentAt: number, hint?: { readonly waitMs?: number; readonly perSecond?: number }): void
  known(): KnownRate
}

/** Where our second and the endpoint's differ, ours is the longer. */
const margin = 1.005
const firstPatienceMs = 5_000
const longestPatienceMs = 3_600_000
const longestWaitMs = 60_000
const slowest = 0.05

/** Where nothing is said, the limit of a second is over in one. */
const usualWaitMs = 1_000

export function createCallRate(clock: Clock, known?: KnownRate): CallRate {
  let perSecond = known?.perSecond ?? undefined
  let burst = known?.burst ?? Number.POSITIVE_INFINITY
  let patienceMs = known?.patienceMs ?? firstPatienceMs
  let lower: number | undefined
  let triedMoreAt = clock.now()
  let learnedAt = Number.NEGATIVE_INFINITY
  let closedUntil = 0
  let inRow = 0
  let sent: number[] = []
  let taken: number[] = []
  let turn: Promise<unknown> = Promise.resolve()

  function atOnce(): number {
    if (perSecond === undefined) return Number.POSITIVE_INFINITY
    return Math.max(1, Math.min(burst, Math.ceil(perSecond)))
  }

  /** When so many calls may go: as many as may go at once are never closer together than the rate has it. */
  function earliest(calls: number): number {
    if (perSecond === undefined) return closedUntil
    const most = atOnce()
    const before = sent.at(-(most - Math.min(calls, most) + 1))
    const spanMs = (Math.max(most, calls) / perSecond) * 1000 * margin
    return Math.max(closedUntil, before === undefined ? 0 : before + spanMs)
  }

  async function waitTurn(calls: number, signal?: AbortSignal): Promise<void> {
    for (;;) {
      signal?.throwIfAborted()
      const waitMs = earliest(calls) - clock.now()
      if (waitMs <= 0) break
      await clock.sleep(waitMs, signal)
    }
    const now = clock.now()
    for (let i = 0; i < calls; i++) sent.push(now)
    if (sent.length > 4_096) sent = sent.slice(-2_048)
  }

  function tryMore(now: number): void {
    if (perSecond === undefined || now - triedMoreAt < patienceMs) return
    triedMoreAt = now
    lower = perSecond
    perSecond *= 1.05
  }

  function learn(measured: number, sentAt: number): void {
    if (perSecond === undefined) {
      perSecond = Math.max(measured, 1)
      return
    }
    if (lower !== undefined) {
      // More was tried and is not taken: as before, and longer.
      perSecond = lower
      lower = undefined
      patienceMs = Math.min(patienceMs * 2, longestPatienceMs)
    } else if (measured < perSecond * 0.8 && atOnce() > 1 && sentInSecond(sentAt) < perSecond) {
      // Refused though the second was not full: it was too much at once.
      burst = Math.max(1, atOnce() >> 1)
    } else
      perSecond = Math.max(slowest, Math.min(perSecond * 0.98, Math.max(measured, perSecond / 2)))
  }

  function sentInSecond(at: number): number {
    return sent.filter((time) => time > at - 1000 && time <= at).length
  }

  return {
    get burst() {
      return atOnce()
    },
    take(calls, signal) {
      const mine = turn.then(() => waitTurn(calls, signal))
      turn = mine.catch(() => undefined)
      return mine
    },
    accepted(sentAt) {
      inRow = 0
      taken.push(sentAt)
      if (taken.length > 4_096) taken = taken.slice(-2_048)
      tryMore(clock.now())
    },
    refused(sentAt, hint = {}) {
      const now = clock.now()
      inRow++
      const waitMs =
        hint.waitMs ?? Math.min(usualWaitMs * 2 ** Math.min(inRow - 1, 10), longestWaitMs)
      // Calls that were under way when this was learned say nothing new.
      if (sentAt < learnedAt) return
      closedUntil = Math.max(closedUntil, now + Math.min(waitMs, longestWaitMs * 60))
      const measured = taken.filter((time) => time > sentAt - 1000 && time <= sentAt).length
      if (hint.perSecond === undefined) learn(measured, sentAt)
      else perSecond = hint.perSecond
      learnedAt = now
      triedMoreAt = now
    },
    known: () => ({
      perSecond: perSecond ?? null,
      burst: Number.isFinite(burst) ? burst : null,
      patienceMs,
    }),
  }
}
