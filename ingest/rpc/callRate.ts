import type { Clock } from './clock.ts'

/** What is known of an endpoint's limit, in a form that can be kept. */
export interface KnownRate {
  /** Calls per second that it takes; null while it has refused none. */
  readonly perSecond: number | null
  /** Milliseconds without a refusal after which more is tried. */
  readonly patienceMs: number
  /** By which factor more is tried. */
  readonly step: number
}

/**
 * How often an endpoint may be asked, learned from its refusals. Nothing is held back before the first one; from then
 * on calls go evenly, which every way of counting takes: by the second, over any second, out of a bucket. Whether it takes more is tried in smaller and smaller steps, later and later, so that hardly a call in a hundred is refused.
 */
export interface CallRate {
  /** Calls that may go at once: where they are counted a batch is too many, as many as it holds. */
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

/** Steps upwards: wide after a guess from the first moments, narrow near what was refused. */
const widestStep = 1.5
const narrowestStep = 1.02
const longestPatienceMs = 3_600_000
const longestWaitMs = 60_000
const slowest = 0.05

/** Where nothing is said, the limit of a second is over in one; near the limit half of it is left. */
const usualWaitMs = 1_000
const shortWaitMs = 500

const strayMs = 60_000

export function createCallRate(clock: Clock, known?: KnownRate): CallRate {
  let perSecond = known?.perSecond ?? undefined
  let patienceMs = known?.patienceMs ?? firstPatienceMs
  let step = known?.step ?? widestStep
  let lower: number | undefined
  const startedAt = clock.now()
  let triedMoreAt = clock.now()
  let learnedAt = Number.NEGATIVE_INFINITY
  let closedUntil = 0
  let inRow = 0
  /** When the next call has its place. */
  let dueAt = Number.NEGATIVE_INFINITY
  let strayAt = Number.NEGATIVE_INFINITY
  let taken: number[] = []
  let turn: Promise<unknown> = Promise.resolve()

  /** When so many calls may go: each has its own place. */
  function earliest(calls: number): number {
    return perSecond === undefined
      ? closedUntil
      : Math.max(closedUntil, dueAt + (calls - 1) * spacing(perSecond))
  }

  async function waitTurn(calls: number, signal?: AbortSignal): Promise<void> {
    for (;;) {
      signal?.throwIfAborted()
      const waitMs = earliest(calls) - clock.now()
      if (waitMs <= 0) break
      await clock.sleep(waitMs, signal)
    }
    const now = clock.now()
    dueAt = perSecond === undefined ? now : now + spacing(perSecond)
  }

  function tryMore(now: number): void {
    if (perSecond === undefined || now - triedMoreAt < patienceMs) return
    triedMoreAt = now
    lower = perSecond
    perSecond *= step
  }

  function learn(measured: number, sentAt: number): void {
    if (perSecond === undefined) {
      perSecond = Math.max(measured, 1)
      // After a full second what was taken in it is the limit, or near it.
      if (sentAt - startedAt >= 1000) step = 1 + (widestStep - 1) / 4
      return
    }
    if (lower !== undefined) {
      // More was tried and is not taken: as before; next time less of it, and later.
      perSecond = lower
      lower = undefined
      patienceMs = Math.min(patienceMs * 2, longestPatienceMs)
      step = Math.max(narrowestStep, 1 + (step - 1) / 2)
    } else {
      // One alone may have met another on the way; the rate is too high when it happens again soon.
      if (sentAt - strayAt < strayMs) perSecond = Math.max(slowest, perSecond * 0.98)
      strayAt = sentAt
    }
  }

  return {
    get burst() {
      return perSecond === undefined ? Number.POSITIVE_INFINITY : 1
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
        hint.waitMs ??
        Math.min(
          (perSecond === undefined ? usualWaitMs : shortWaitMs) * 2 ** Math.min(inRow - 1, 10),
          longestWaitMs,
        )
      // Calls that were under way when this was learned say nothing new.
      if (sentAt < learnedAt) return
      closedUntil = Math.max(closedUntil, now + Math.min(waitMs, longestWaitMs * 60))
      const measured = taken.filter((time) => time > sentAt - 1000 && time <= sentAt).length
      // What it says of itself is believed with a little to spare.
      if (hint.perSecond === undefined) learn(measured, sentAt)
      else perSecond = hint.perSecond * 0.99
      learnedAt = now
      triedMoreAt = now
    },
    known: () => ({
      perSecond: perSecond ?? null,
      patienceMs,
      step,
    }),
  }
}

function spacing(perSecond: number): number {
  return (1000 / perSecond) * margin
}
