import { type Lot, type Method, type Parcel, type Pile, splitParcel } from './parcels.ts'

/** Pro rata: a payment of a out of a balance B carries a/B of every lot. */
export const haircut: Method = { backward: true, pile: () => new Mixture() }

/**
 * Money that has been stirred: lots merged by (seed, hop), clean money last. Of an outflow a, parcel i gives
 * ⌊a·Sᵢ/B⌋ − ⌊a·Sᵢ₋₁/B⌋ with Sᵢ the running sum, so that all lots together give ⌊a·T/B⌋ however they are labelled.
 */
class Mixture implements Pile {
  /** By seed, then hop. */
  #lots: { units: bigint; lot: Lot }[] = []
  #clean = 0n
  #balance = 0n

  get hasLots(): boolean {
    return this.#lots.length > 0
  }

  get parcels(): readonly Parcel[] {
    return this.#clean > 0n ? [...this.#lots, { units: this.#clean }] : this.#lots
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
    if (known && known.lot.seed === lot.seed && known.lot.hop === lot.hop) {
      // Covered from the earlier block on is the claim that holds for both.
      const block = Math.min(known.lot.block, lot.block)
      const face = known.lot.face + lot.face
      this.#lots[at] = { units: known.units + units, lot: { ...lot, face, block } }
    } else this.#lots.splice(at, 0, { units, lot })
  }

  take(units: bigint, parts: Parcel[]): bigint {
    if (units >= this.#balance) return this.#takeAll(units, parts)
    const rests: { units: bigint; lot: Lot }[] = []
    let sum = 0n
    let given = 0n
    for (const parcel of this.#lots) {
      sum += parcel.units
      const until = (units * sum) / this.#balance
      const part = until - given
      given = until
      if (part === 0n) rests.push(parcel)
      else if (part === parcel.units) parts.push(parcel)
      else {
        const [paid, rest] = splitParcel(parcel, part)
        parts.push(paid)
        if (rest.lot) rests.push({ units: rest.units, lot: rest.lot })
      }
    }
    const clean = units - given
    if (clean > 0n) parts.push({ units: clean })
    this.#lots = rests
    this.#clean -= clean
    this.#balance -= units
    return 0n
  }

  #takeAll(units: bigint, parts: Parcel[]): bigint {
    parts.push(...this.parcels)
    const missing = units - this.#balance
    this.#lots = []
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
      const { lot } = this.#lots[middle] as { lot: Lot }
      if (lot.seed < seed || (lot.seed === seed && lot.hop < hop)) low = middle + 1
      else high = middle
    }
    return low
  }
}
