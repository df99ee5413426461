import { type Method, type Parcel, type Pile, splitParcel } from './parcels.ts'

/** First in, first out: the oldest money pays (Clayton's case, 1816). */
export const fifo: Method = { backward: true, pile: () => new Queue() }

/** Money in order of arrival. Clean money next to clean money is one parcel; lots are never merged. */
class Queue implements Pile {
  #parcels: Parcel[] = []
  #head = 0
  #lots = 0

  get hasLots(): boolean {
    return this.#lots > 0
  }

  get parcels(): readonly Parcel[] {
    return this.#parcels.slice(this.#head)
  }

  push(parcel: Parcel): void {
    if (parcel.units === 0n) return
    const last = this.#parcels.length > this.#head ? this.#parcels.at(-1) : undefined
    if (!parcel.lot && last && !last.lot) {
      this.#parcels[this.#parcels.length - 1] = { units: last.units + parcel.units }
      return
    }
    this.#parcels.push(parcel)
    if (parcel.lot) this.#lots++
  }

  take(units: bigint, parts: Parcel[]): bigint {
    let missing = units
    while (missing > 0n && this.#head < this.#parcels.length) {
      const parcel = this.#parcels[this.#head] as Parcel
      if (parcel.units <= missing) {
        parts.push(parcel)
        missing -= parcel.units
        this.#head++
        if (parcel.lot) this.#lots--
      } else {
        const [part, rest] = splitParcel(parcel, missing)
        parts.push(part)
        this.#parcels[this.#head] = rest
        missing = 0n
      }
    }
    if (this.#head > 64 && this.#head * 2 > this.#parcels.length) {
      this.#parcels = this.#parcels.slice(this.#head)
      this.#head = 0
    }
    return missing
  }
}
