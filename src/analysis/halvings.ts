/**
 * How far the share is halved until what is left out is little enough (design 8.2). The answer is the pass of the first
 * halving whose dust is at most `minShare` of the seeds; these are the rules by which passes before it need not be run.
 *
 * For one seed and a method under which it does not matter what is traced, as long as a finer pass is *plain* (all its
 * lots were converted one for one, none crossed a bridge or ended where several conversions are credible), so that face
 * and units are one number:
 *
 * - Nothing a coarser pass does is missing from it. Let S(k) be the units of lots with at most k hops in a pile. Under
 *   haircut a payment gives ⌊a·S(k)/B⌋ and leaves S(k) − ⌊a·S(k)/B⌋, and both grow with S(k); under fifo and lifo the same
 *   units are lots. Endings take whole accounts or the highest hops. So each S(k), with it what reached each address,
 *   who is followed and which transactions are visited, is at most that of the finer pass: a coarser pass keeps within
 *   every budget that the finer one keeps, and is plain too.
 * - Its dust is at most that of a coarser pass and some units. Without rounding, what a coarser pass does not leave out
 *   takes the same way to the same end where more is followed. Rounding moves at most one unit of each lot, up and
 *   down, in each payment that takes a part of a pile, and what was moved only ever goes where money goes: it changes
 *   the dust by its own amount at most. A payment empties all piles but the last one it takes from; a pile has no more
 *   lots than there are hops; and the coarser pass makes no payment that the finer one does not.
 *
 * So once a fine pass is known, a coarser one only has to be shown to leave out too much, which its first part shows.
 */
import { KnownError } from '../ledger/errors.ts'
import { followThreshold, isAtMostShare } from './followThreshold.ts'
import { followPass, leavesOutMore, type PassPlan, type PassResult } from './pass.ts'

export interface Halved {
  readonly result: PassResult
  readonly halvings: number
  /** As many as there would be, were none left out. */
  readonly passes: number
  readonly budget: 'addresses' | 'transactions' | null
}

type Tried = ReturnType<typeof followPass>

/** A pass that leaves out too much: at least `dust`. It has no result where only that was asked. */
interface Coarse {
  readonly halvings: number
  readonly result?: PassResult
  readonly dust: bigint
}

/** A pass that is the answer, or comes after it. */
interface Fine {
  readonly halvings: number
  readonly result: Tried
}

interface Share {
  readonly minShare: number
  readonly seedTotal: bigint
}

/**
 * The pass that is the answer: the first one whose dust together is small. A pass that would exceed a budget is
 * dropped: the last one within it is the answer, and its dust is `budget`. Where even the first is too much, the share
 * is doubled instead, until one fits.
 *
 * Cost: about three passes where the rules above hold, else one for each halving.
 *
 * @throws KnownError `request.timeout`, `trace.unsupported` where the budgets do not even let the seeds be looked at
 */
export function halve(plan: Omit<PassPlan, 'threshold'>, share: Share): Halved {
  const at = (halvings: number): PassPlan => ({ ...plan, threshold: thresholdAt(share, halvings) })
  const run = (halvings: number): Tried => followPass(at(halvings))
  const isLittle = (dust: bigint): boolean => isAtMostShare(dust, share.minShare, share.seedTotal)
  const isLinear = plan.seeds.size === 1 && plan.method.backward && plan.maxIdle === undefined
  let inOrder = !isLinear
  // No pass up to `coarse` is the answer, and all of them keep within the budgets.
  let coarse: Coarse | undefined
  let fine: Fine | undefined
  let slope = usualSlope

  /** The next pass to run; on the way there, coarser ones may be shown to leave out too much. */
  function choose(): number {
    for (;;) {
      const first = (coarse?.halvings ?? -1) + 1
      if (inOrder || !coarse || fine?.halvings === first) return first
      const likely = guess({ coarse, fine, share, slope })
      const bound = boundOf(plan, fine, thresholdAt(share, 0))
      if (!bound || likely === first) return likely
      if (!leavesOutMore(at(likely - 1), bound)) return likely - 1
      coarse = { halvings: likely - 1, dust: bound.enough }
    }
  }

  for (;;) {
    const halvings = choose()
    if (fine?.halvings === halvings) return answerOf(coarse, fine, run)
    const result = run(halvings)
    const dust = typeof result === 'string' ? 0n : dustOf(result)
    if (typeof result === 'string' || thresholdAt(share, halvings) <= 1n || isLittle(dust)) {
      fine = { halvings, result }
    } else if (
      halvings === (coarse?.halvings ?? -1) + 1 ||
      (result.isPlain && !isLittle(dust - roundedBy(plan, result)))
    ) {
      if (coarse) slope = (logOf(coarse.dust) - logOf(dust)) / (halvings - coarse.halvings)
      coarse = { halvings, result, dust }
    } else inOrder = true
  }
}

/** What a fine pass says of coarser ones: what reaches an address at most, and a dust that is surely too much. */
function boundOf(
  plan: Pick<PassPlan, 'maxHops'>,
  fine: Fine | undefined,
  mostDust: bigint,
): { readonly reached: PassResult['reached']; readonly enough: bigint } | undefined {
  const result = fine?.result
  if (result === undefined || typeof result === 'string' || !result.isPlain) return undefined
  return { reached: result.reached, enough: mostDust + roundedBy(plan, result) }
}

/** More than rounding can have changed the dust of this pass and of a coarser one, units. */
function roundedBy({ maxHops }: Pick<PassPlan, 'maxHops'>, { payments }: PassResult): bigint {
  return 2n * BigInt(maxHops + 1) * BigInt(payments)
}

/** What the dust shrinks by with a halving, as a logarithm: seen on made ledgers. No answer depends on a guess. */
const usualSlope = 0.4
const leastSlope = 0.1
/** A guess from one pass reaches no further. */
const mostAtOnce = 11

/** Where the answer may be, as far as the dust goes on shrinking as it did: beyond `coarse`, `fine` at the latest. */
function guess(given: {
  readonly coarse: Coarse
  readonly fine: Fine | undefined
  readonly share: Share
  readonly slope: number
}): number {
  const { coarse, fine, share } = given
  const from = coarse.halvings
  const tooMuch = logOf(coarse.dust) - Math.log(share.minShare) - logOf(share.seedTotal)
  if (!fine) {
    const steps = Math.round(tooMuch / Math.max(leastSlope, given.slope))
    return from + Math.min(mostAtOnce, Math.max(1, steps))
  }
  const dust = typeof fine.result === 'string' ? 0n : dustOf(fine.result)
  if (dust === 0n) return (from + fine.halvings) >> 1
  const slope = (logOf(coarse.dust) - logOf(dust)) / (fine.halvings - from)
  return Math.min(fine.halvings, from + Math.max(1, Math.ceil(tooMuch / slope)))
}

function logOf(units: bigint): number {
  return Math.log(Number(units))
}

function answerOf(
  coarse: Coarse | undefined,
  { halvings, result }: Fine,
  run: (halvings: number) => Tried,
): Halved {
  const passes = halvings + 1
  if (typeof result !== 'string') return { result, halvings, passes, budget: null }
  if (!coarse) return { ...doubled(run, halvings), passes, budget: result }
  const within = coarse.result ?? run(coarse.halvings)
  if (typeof within === 'string') throw new RangeError('a coarser pass went beyond a budget')
  return { result: within, halvings: coarse.halvings, passes, budget: result }
}

function thresholdAt({ minShare, seedTotal }: Share, halvings: number): bigint {
  if (halvings >= 0) return followThreshold(seedTotal, minShare, halvings)
  const doubledShare = followThreshold(seedTotal << BigInt(-halvings), minShare, 0)
  // A share of zero cannot be doubled: it grows from one unit instead.
  return doubledShare > 0n ? doubledShare : 1n << BigInt(-halvings - 1)
}

/** The first pass of larger and larger shares that fits the budgets; at the latest the one that follows nobody. */
function doubled(
  run: (halvings: number) => Tried,
  start: number,
): { readonly result: PassResult; readonly halvings: number } {
  for (let halvings = start - 1; halvings > -300; halvings--) {
    const result = run(halvings)
    if (typeof result !== 'string') return { result, halvings }
  }
  throw new KnownError(
    'trace.unsupported',
    'the budgets are too small for even one step of this trace',
    {
      hint: 'Raise maxAddresses or maxTransactions, or name fewer seeds.',
    },
  )
}

function dustOf({ dust, resting }: PassResult): bigint {
  return resting.reduce((sum, { followed, lot }) => (followed ? sum : sum + lot.face), dust)
}
