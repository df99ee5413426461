import { type Method, type Parcel, type Pile, splitParcel } from './parcels.ts'

/** Two queues, of which the lots pay first. */
export const taintedFirst: Method = { backward: false, pile: () => new TwoQueues('lots') }

/**
 * Two queues, of which the clean money pays first: what is left of lots after a payment a is min(T, B − a), the
 * lowest intermediate balance rule.
 */
export const cleanFirst: Method = { backward: false, pile: () => new TwoQueues('clean') }

type Kind = 'lots' | 'clean'

const kindOf = (parcel: Parcel): Kind => (parcel.lot ? 'lots' : 'clean')

/** One list in order of arrival with a cursor for each kind, so that parts keep the order in which they came. */
class TwoQueues implements Pile {
  readonly #order: readonly [Kind, Kind]
  #parcels: (Parcel | undefined)[] = []
  readonly #cursor = { lots: 0, clean: 0 }
  readonly #count = { lots: 0, clean: 0 }

  constructor(first: Kind) {
    this.#order = first === 'lots' ? ['lots', 'clean'] : ['clean', 'lots']
  }

  get hasLots(): boolean {
    return this.#count.lots > 0
  }

  get parcels(): readonly Parcel[] {
    return this.#parcels.filter((parcel) => parcel !== undefined)
  }

  push(parcel: Parcel): void {
    if (parcel.units === 0n) return
    const last = this.#parcels.at(-1)
    if (!parcel.lot && last && !last.lot) {
      this.#parcels[this.#parcels.length - 1] = { units: last.units + parcel.units }
      return
    }
    this.#parcels.push(parcel)
    this.#count[kindOf(parcel)]++
  }

  take(units: bigint, parts: Parcel[]): bigint {
    const taken: { readonly at: number; readonly part: Parcel }[] = []
    let missing = units
    for (const kind of this.#order) missing = this.#takeOf(kind, missing, taken)
    taken.sort((a, b) => a.at - b.at)
    for (const { part } of taken) parts.push(part)
    this.#compact()
    return missing
  }

  #takeOf(kind: Kind, units: bigint, taken: { at: number; part: Parcel }[]): bigint {
    let missing = units
    while (missing > 0n && this.#count[kind] > 0) {
      const at = this.#cursor[kind]
      const parcel = this.#parcels[at]
      if (parcel === undefined || kindOf(parcel) !== kind) {
        this.#cursor[kind]++
      } else if (parcel.units <= missing) {
        taken.push({ at, part: parcel })
        missing -= parcel.units
        this.#parcels[at] = undefined
        this.#count[kind]--
      } else {
        const [part, rest] = splitParcel(parcel, missing)
        taken.push({ at, part })
        this.#parcels[at] = rest
        missing = 0n
      }
    }
    return missing
  }

  #compact(): void {
    const live = this.#count.lots + this.#count.clean
    if (this.#parcels.length < 64 || live * 2 > this.#parcels.length) return
    this.#parcels = [...this.parcels]
    this.#cursor.lots = 0
    this.#cursor.clean = 0
  }
}
