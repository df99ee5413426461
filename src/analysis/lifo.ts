import { type Method, type Parcel, type Pile, splitParcel } from './parcels.ts'

/** Last in, first out: the newest money pays, as with mules who pass on at once what they get. */
export const lifo: Method = { backward: true, pile: () => new Stack() }

/** Money in order of arrival, given from its end. */
class Stack implements Pile {
  readonly #parcels: Parcel[] = []
  #lots = 0

  get hasLots(): boolean {
    return this.#lots > 0
  }

  get parcels(): readonly Parcel[] {
    return this.#parcels
  }

  push(parcel: Parcel): void {
    if (parcel.units === 0n) return
    const last = this.#parcels.at(-1)
    if (!parcel.lot && last && !last.lot) {
      this.#parcels[this.#parcels.length - 1] = { units: last.units + parcel.units }
      return
    }
    this.#parcels.push(parcel)
    if (parcel.lot) this.#lots++
  }

  take(units: bigint, parts: Parcel[]): bigint {
    let missing = units
    const taken: Parcel[] = []
    for (let last = this.#parcels.at(-1); missing > 0n && last; last = this.#parcels.at(-1)) {
      if (last.units <= missing) {
        this.#parcels.pop()
        taken.push(last)
        missing -= last.units
        if (last.lot) this.#lots--
      } else {
        const [part, rest] = splitParcel(last, missing)
        taken.push(part)
        this.#parcels[this.#parcels.length - 1] = rest
        missing = 0n
      }
    }
    parts.push(...taken.reverse())
    return missing
  }
}
