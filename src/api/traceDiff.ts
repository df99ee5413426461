import type { Outcome, TraceAnswer } from '../analysis/traceAnswer.ts'
import { compareText } from '../ledger/order.ts'
import type { Knowledge } from './knowledge.ts'
import { readPin, replayTrace } from './pinnedTraces.ts'
import { type TracedMoment, traceMoment } from './runTrace.ts'
import type { NamedTrace } from './traceId.ts'
import type { TraceWatch } from './watchedTrace.ts'

/** Faces before and after, decimal strings of base units of the seeds' asset; `change` may be negative. */
interface Moved {
  readonly before: string
  readonly after: string
  readonly change: string
}

/** What became of the same seeds since a trace was pinned. */
export interface TraceDiff {
  readonly id: string
  /** Id of the trace as it is now. */
  readonly now: string
  /** What differs, in the order of outcome, account, asset, seed; empty when nothing moved. */
  readonly moved: readonly ({
    readonly outcome: Outcome
    readonly account: string
    readonly asset: string
    readonly seed: string
    /** Units of `asset` itself, where a conversion made it another one than the seeds'. */
    readonly amountBefore: string
    readonly amountAfter: string
  } & Moved)[]
  /** Per outcome, those that did not change among them. */
  readonly totals: readonly ({ readonly outcome: Outcome } & Moved)[]
  readonly seedTotal: Moved
}

/**
 * Compares a pinned trace with the same seeds and parameters on the newest data. As-of blocks are those of the newest
 * data, and where a deadline stopped the pinned trace, the new one goes on.
 *
 * @returns also the new trace, so that it can be pinned.
 * @throws KnownError `trace.not-found`, `trace.not-replayable`, and `seed.not-found` where a reorganisation took a seed
 */
export async function diffTrace(
  knowledge: Knowledge,
  id: string,
  watch?: TraceWatch,
): Promise<{ readonly diff: TraceDiff; readonly now: TracedMoment }> {
  const { query } = await readPin(knowledge.store, id)
  const { asOf: _, throughTransfer: __, ...request } = query
  const before = await replayTrace(knowledge, id, watch)
  const now = await traceMoment(knowledge, request, watch)
  return { diff: diffOf(before, now.answer), now }
}

/** Differences between two answers; hops and reasons do not count. */
export function diffOf(before: NamedTrace, after: NamedTrace): TraceDiff {
  const places = new Map<string, Place>()
  addPlaces(places, before, 'before')
  addPlaces(places, after, 'after')
  const moved = [...places.values()]
    .filter(({ faces, units }) => faces.before !== faces.after || units.before !== units.after)
    .map(({ outcome, account, asset, seed, faces, units }) => ({
      outcome,
      account,
      asset,
      seed,
      ...movedOf(faces),
      amountBefore: units.before.toString(),
      amountAfter: units.after.toString(),
    }))
    .sort(
      (a, b) =>
        compareText(a.outcome, b.outcome) ||
        compareText(a.account, b.account) ||
        compareText(a.asset, b.asset) ||
        compareText(a.seed, b.seed),
    )
  return {
    id: before.id,
    now: after.id,
    moved,
    totals: totalsOf(before, after),
    seedTotal: movedOf({ before: BigInt(before.seedTotal), after: BigInt(after.seedTotal) }),
  }
}

type Sums = Record<'before' | 'after', bigint>

interface Place {
  readonly outcome: Outcome
  readonly account: string
  readonly asset: string
  readonly seed: string
  readonly faces: Sums
  readonly units: Sums
}

function addPlaces(
  places: Map<string, Place>,
  answer: Pick<TraceAnswer, 'outcomes'>,
  side: keyof Sums,
): void {
  for (const { outcome, account, asset, seed, face, amount } of answer.outcomes) {
    const key = JSON.stringify([outcome, account, asset, seed])
    const place = places.get(key) ?? { outcome, account, asset, seed, faces: none(), units: none() }
    place.faces[side] += BigInt(face)
    place.units[side] += BigInt(amount)
    places.set(key, place)
  }
}

function totalsOf(before: TraceAnswer, after: TraceAnswer): TraceDiff['totals'] {
  const sums = new Map<Outcome, Sums>()
  for (const [side, { totals }] of [
    ['before', before],
    ['after', after],
  ] as const) {
    for (const { outcome, face } of totals) {
      const known = sums.get(outcome) ?? none()
      known[side] += BigInt(face)
      sums.set(outcome, known)
    }
  }
  return [...sums]
    .sort(([a], [b]) => compareText(a, b))
    .map(([outcome, faces]) => ({ outcome, ...movedOf(faces) }))
}

function none(): Sums {
  return { before: 0n, after: 0n }
}

function movedOf({ before, after }: Sums): Moved {
  return {
    before: before.toString(),
    after: after.toString(),
    change: (after - before).toString(),
  }
}
