/**
 * What an account holds, in order of arrival (design 8.1). An account here is one holding: an address and an asset.
 */

/** A part of a seed's money on its way. */
export interface Lot {
  /** Number of the seed, in ledger order. */
  readonly seed: number
  /** Transfers since the seed's. */
  readonly hop: number
  /** Value in units of the seeds' asset. */
  readonly face: bigint
  /** Block in which it reached the account where it is. */
  readonly block: number
}

/** A stretch of money of one kind. Clean money has no lot. */
export interface Parcel {
  readonly units: bigint
  readonly lot?: Lot
}

/** A parcel and its lot as one object: a trace makes and drops millions of them. */
class LotParcel implements Parcel, Lot {
  readonly units: bigint
  readonly seed: number
  readonly hop: number
  readonly face: bigint
  readonly block: number

  constructor(units: bigint, { seed, hop, block }: Omit<Lot, 'face'>, face: bigint) {
    this.units = units
    this.seed = seed
    this.hop = hop
    this.face = face
    this.block = block
  }

  get lot(): Lot {
    return this
  }
}

/** Units of a lot, with another face than the lot has. */
export function lotParcel(units: bigint, lot: Omit<Lot, 'face'>, face: bigint): Parcel {
  return new LotParcel(units, lot, face)
}

/** The same units one transfer later. */
export function movedParcel(units: bigint, { seed, hop, face, block }: Lot, into = block): Parcel {
  return new LotParcel(units, { seed, hop: hop + 1, block: into }, face)
}

/** Money of one account, or one inflow of it, from which a method takes. */
export interface Pile {
  readonly hasLots: boolean
  /** In order of arrival. */
  readonly parcels: readonly Parcel[]
  push(parcel: Parcel): void
  /**
   * Takes up to `units` and adds what it took to `parts`, in the order in which it had arrived.
   *
   * @returns what was not there.
   */
  take(units: bigint, parts: Parcel[]): bigint
}

/** A method of allocation: everything about it is in which parcels its piles give first. */
export interface Method {
  /** False where which money pays depends on what is traced: such a method has no backward form. */
  readonly backward: boolean
  readonly pile: () => Pile
}

/**
 * Splits a parcel; the first part's face is rounded down and the rest keeps the remainder, so faces always add up.
 * The first part is the one that leaves, whichever end of the pile it is taken from.
 *
 * @param units - size of the first part, more than 0 and less than the parcel.
 */
export function splitParcel(parcel: Parcel, units: bigint): readonly [Parcel, Parcel] {
  const rest = parcel.units - units
  if (!parcel.lot) return [{ units }, { units: rest }]
  const { lot } = parcel
  const whole = lot.face
  // Until something is converted, face and units are one number.
  const face = whole === parcel.units ? units : (whole * units) / parcel.units
  return [lotParcel(units, lot, face), lotParcel(rest, lot, whole - face)]
}
