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
  const { seed, hop, face: whole, block } = parcel.lot
  // Until something is converted, face and units are one number.
  const face = whole === parcel.units ? units : (whole * units) / parcel.units
  return [
    { units, lot: { seed, hop, face, block } },
    { units: rest, lot: { seed, hop, face: whole - face, block } },
  ]
}
