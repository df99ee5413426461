import { type Lot, lotParcel, type Method, type Parcel, type Pile } from './parcels.ts'

/** Pro rata: a payment of a out of a balance B carries a/B of every lot. */
export const haircut: Method = { backward: true, pile: () => new Mixture() }

/** A merged lot while it is in the pile: changed in place, since under this method every payment changes all of them. */
type Held = { units: bigint } & { -readonly [K in keyof Lot]: Lot[K] }

/**
 * Money that has been stirred: lots merged by (seed, hop), clean money last. Of an outflow a, parcel i gives
 * ⌊a·Sᵢ/B⌋ − ⌊a·Sᵢ₋₁/B⌋ with Sᵢ the running sum, so that all lots together give ⌊a·T/B⌋ however they are labelled.
 */
class Mixture implements Pile {
  /** By seed, then hop. */
  readonly #lots: Held[] = []
  #clean = 0n
  #balance = 0n

  get hasLots(): boolean {
    return this.#lots.length > 0
  }

  get parcels(): readonly Parcel[] {
    const parcels: Parcel[] = this.#lots.map(parcelOf)
    if (this.#clean > 0n) parcels.push({ units: this.#clean })
    return parcels
  }

  push({ units, lot }: Parcel): void {
    this.#balance += units
    if (!lot) {
      this.#clean += units
      return
    }
    if (units === 0n) return
    const at = this.#place(lot)
    const known = this.#lots[at]
    if (known && known.seed === lot.seed && known.hop === lot.hop) {
      const isPlain = known.face === known.units && lot.face === units
      known.units += units
      known.face = isPlain ? known.units : known.face + lot.face
      // Covered from the earlier block on is the claim that holds for both.
      known.block = Math.min(known.block, lot.block)
    } else {
      const { seed, hop, face, block } = lot
      this.#lots.splice(at, 0, { units, seed, hop, face, block })
    }
  }

  take(units: bigint, parts: Parcel[]): bigint {
    if (units >= this.#balance) return this.#takeAll(units, parts)
    const lots = this.#lots
    let kept = 0
    let sum = 0n
    let given = 0n
    for (const held of lots) {
      sum += held.units
      const until = (units * sum) / this.#balance
      const part = until - given
      given = until
      if (part === held.units) {
        parts.push(parcelOf(held))
        continue
      }
      if (part > 0n) parts.push(split(held, part))
      lots[kept++] = held
    }
    lots.length = kept
    const clean = units - given
    if (clean > 0n) parts.push({ units: clean })
    this.#clean -= clean
    this.#balance -= units
    return 0n
  }

  #takeAll(units: bigint, parts: Parcel[]): bigint {
    parts.push(...this.parcels)
    const missing = units - this.#balance
    this.#lots.length = 0
    this.#clean = 0n
    this.#balance = 0n
    return missing
  }

  /** Where the lot stands or would stand. */
  #place({ seed, hop }: Lot): number {
    let low = 0
    let high = this.#lots.length
    while (low < high) {
      const middle = (low + high) >> 1
      const held = this.#lots[middle] as Held
      if (held.seed < seed || (held.seed === seed && held.hop < hop)) low = middle + 1
      else high = middle
    }
    return low
  }
}

function parcelOf(held: Held): Parcel {
  return lotParcel(held.units, held, held.face)
}

/** As `splitParcel`, but what stays is changed in place. Until something is converted, face and units are one number. */
function split(held: Held, units: bigint): Parcel {
  const isPlain = held.face === held.units
  const face = isPlain ? units : (held.face * units) / held.units
  held.units -= units
  held.face = isPlain ? held.units : held.face - face
  return lotParcel(units, held, face)
}
