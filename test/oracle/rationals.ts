/**
 * The same steps without rounding: amounts are counted in grains, so many to a base unit that every division of the
 * pass comes out even. A remainder says how much finer the grain must be, and the pass begins anew.
 */
import type { Lot, Rounding } from './parcels.ts'
import { type OracleAnswer, onePass } from './pass.ts'
import type { OracleQuestion } from './question.ts'
import type { Step } from './steps.ts'
import { halvingsOf, type Prepared, prepare } from './trace.ts'

export interface ExactAnswer {
  readonly integers: OracleAnswer
  /** Faces of {@link OracleAnswer.outcomes}, but in grains. */
  readonly outcomes: ReadonlyMap<string, bigint>
  /** Grains of one base unit. */
  readonly grain: bigint
  /** No outcome of the integers is further than this, in base units of the seed, from the exact one. */
  readonly bound: bigint
}

/**
 * The trace in integers and as exact rationals. What depends on amounts in between (who is followed, who was idle) is
 * decided by the integers, so that both play the same events. Queues move whole units of every asset, haircut shares.
 */
export function exactTrace(question: OracleQuestion): ExactAnswer {
  const prepared = prepare(question)
  const halvings = halvingsOf(prepared)
  const decisions: boolean[] = []
  let bound = 0n
  const integers = onePass({
    ...prepared,
    halvings,
    rounding: {
      face: (product, by) => product / by,
      units: (product, by) => product / by,
      divided: (lot, units) => {
        bound += roundedAway(lot, units, question)
      },
    },
    decide: (judge) => {
      const judged = judge()
      decisions.push(judged)
      return judged
    },
  })
  for (let grain = 1n; ; ) {
    const { outcomes, finer } = inGrains(prepared, { grain, halvings, decisions })
    if (finer === 1n) return { integers, outcomes, grain, bound }
    grain *= finer
  }
}

/**
 * How far one division can move face from one part of a lot to the other. Where units are whole by definition, or the
 * lot is in units of its seed, less than one; where haircut rounds units of another asset, one such unit's face more.
 */
function roundedAway({ face }: Lot, units: bigint, { method }: OracleQuestion): bigint {
  if (method !== 'haircut' || face === units) return 1n
  return (face + units - 1n) / units + 1n
}

function inGrains(
  prepared: Prepared,
  given: {
    readonly grain: bigint
    readonly halvings: bigint
    readonly decisions: readonly boolean[]
  },
): { readonly outcomes: ReadonlyMap<string, bigint>; readonly finer: bigint } {
  const { grain, halvings, decisions } = given
  let finer = 1n
  let decided = 0
  const even = (product: bigint, by: bigint): bigint => {
    if (finer === 1n && product % by !== 0n) finer = by / commonDivisor(product, by)
    return product / by
  }
  const rounding: Rounding = {
    face: even,
    units:
      prepared.question.method === 'haircut'
        ? even
        : (product, by) => (product / (by * grain)) * grain,
    divided: () => undefined,
  }
  const scaled = (step: Step): Step => ({
    ...step,
    given: step.given * grain,
    got: step.got * grain,
  })
  const { outcomes } = onePass({
    ...prepared,
    transactions: prepared.transactions.map((steps) => steps.map(scaled)),
    seedTotal: prepared.seedTotal * grain,
    opening: (account, asset) => prepared.opening(account, asset) * grain,
    bridges: new Map([...prepared.bridges].map(([id, step]) => [id, scaled(step)])),
    halvings,
    rounding,
    decide: () => decisions[decided++] === true,
  })
  return { outcomes, finer }
}

function commonDivisor(a: bigint, b: bigint): bigint {
  return b === 0n ? a : commonDivisor(b, a % b)
}
