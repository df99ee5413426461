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
  /** By address, then by hop. */
  const places = new Map<number, Summed[][]>()
  let [lastAddress, lastPlace]: [number, Summed[][]] = [Number.NaN, []]
  let dust = 0n

  /** Several lots end at one address at a time, so the last one is kept at hand. */
  function placeOf(address: number): Summed[][] {
    if (address === lastAddress) return lastPlace
    const known = places.get(address) ?? []
    if (known.length === 0) places.set(address, known)
    lastAddress = address
    lastPlace = known
    return known
  }

  function others(address: number, hop: number): Summed[] {
    const place = placeOf(address)
    while (place.length <= hop) place.push([])
    return place[hop] as Summed[]
  }

  return {
    all,
    get dust() {
      return dust
    },
    add(part, explanation = nothing) {
      if (part.outcome === 'dust') dust += part.face
      const near = others(part.address, part.hop)
      for (const known of near) {
        if (!isAlike(known, part, explanation)) continue
        known.units += part.units
        known.face += part.face
        return
      }
      const made = { ...part, ...explanation }
      all.push(made)
      near.push(made)
    },
  }
}

const nothing: Explanation = {}

type Summed = Omit<Ending, 'units' | 'face'> & { units: bigint; face: bigint }

function isAlike(
  known: Summed,
  part: Omit<Ending, keyof Explanation>,
  explanation: Explanation,
): boolean {
  return (
    known.outcome === part.outcome &&
    known.asset === part.asset &&
    known.seed === part.seed &&
    known.reason === explanation.reason &&
    known.receipt === explanation.receipt &&
    (known.stop === undefined) === (explanation.stop === undefined) &&
    known.candidates === explanation.candidates &&
    (part.outcome !== 'ledger_gap' || known.block === part.block)
  )
}
