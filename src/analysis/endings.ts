import type { Stop } from './stops.ts'
import type { Outcome } from './traceAnswer.ts'

/** Parts of lots that have come to their end at one place for one reason. */
export interface Ending {
  readonly outcome: Outcome
  readonly address: number
  readonly asset: number
  readonly units: bigint
  readonly face: bigint
  readonly hop: number
  readonly seed: number
  readonly stop?: Stop
  readonly reason?: string
  /** Asset issued to the payer in the transaction of a deposit. */
  readonly receipt?: number
  readonly candidates?: readonly number[]
  /** Block of the transaction in which the first of them ended. Lots from nowhere differ by it. */
  readonly block?: number
}

/** What explains an ending. */
export type Explanation = Partial<Pick<Ending, 'stop' | 'reason' | 'receipt' | 'candidates'>>

/** Endings of one pass, added up as they come: an account that pays every day ends the same lots again and again. */
export interface Endings {
  /** In the order in which the first part of each ended. */
  readonly all: readonly Ending[]
  /** Face that ended as dust. */
  readonly dust: bigint
  /** Cost: O(1); parts that are explained alike are one ending, with the stop of the first. */
  add(part: Omit<Ending, keyof Explanation>, explanation?: Explanation): void
}

export function createEndings(): Endings {
  const all: Summed[] = []
  const places = new Map<number, Summed[]>()
  let dust = 0n

  /** Those of one address and hop, and of one of a few dozen seeds. */
  function near({ address, hop, seed }: Omit<Ending, keyof Explanation>): Summed[] {
    const key = ((address + 1) * 128 + hop) * 64 + (seed % 64)
    const known = places.get(key)
    if (known) return known
    const made: Summed[] = []
    places.set(key, made)
    return made
  }

  return {
    all,
    get dust() {
      return dust
    },
    add(part, explanation = {}) {
      if (part.outcome === 'dust') dust += part.face
      const others = near(part)
      const known = others.find((other) => isAlike(other, part, explanation))
      if (known) {
        known.units += part.units
        known.face += part.face
        return
      }
      const made = { ...part, ...explanation }
      all.push(made)
      others.push(made)
    },
  }
}

type Summed = Omit<Ending, 'units' | 'face'> & { units: bigint; face: bigint }

function isAlike(
  known: Summed,
  part: Omit<Ending, keyof Explanation>,
  explanation: Explanation,
): boolean {
  return (
    known.outcome === part.outcome &&
    known.asset === part.asset &&
    known.address === part.address &&
    known.hop === part.hop &&
    known.seed === part.seed &&
    known.reason === explanation.reason &&
    known.receipt === explanation.receipt &&
    (known.stop === undefined) === (explanation.stop === undefined) &&
    known.candidates === explanation.candidates &&
    (part.outcome !== 'ledger_gap' || known.block === part.block)
  )
}
