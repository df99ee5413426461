import type { Account } from '../../src/ledger/account.ts'
import type { Lot, Parcel } from './parcels.ts'

/** Where lots ended so far: the outcomes of a trace. */
export interface Endings {
  /** `outcome account asset seed hop` to face. */
  readonly faces: ReadonlyMap<string, bigint>
  /** The same keys to base units of the asset. */
  readonly units: ReadonlyMap<string, bigint>
  readonly end: (outcome: string, at: Spot, parcels: readonly Parcel[]) => void
  /** Ends the lots for which there is a reason; their money is clean from then on. */
  readonly endWhere: (
    parcels: readonly Parcel[],
    at: Spot,
    reason: (lot: Lot) => string | undefined,
  ) => readonly Parcel[]
}

/** Empty where the money is nobody's. */
export interface Spot {
  readonly account: Account | ''
  readonly asset: string
}

export function createEndings(): Endings {
  const faces = new Map<string, bigint>()
  const units = new Map<string, bigint>()

  function end(outcome: string, { account, asset }: Spot, parcels: readonly Parcel[]): void {
    for (const parcel of parcels) {
      if (!parcel.lot) continue
      const key = `${outcome} ${account} ${asset} ${parcel.lot.seed} ${parcel.lot.hop}`
      faces.set(key, (faces.get(key) ?? 0n) + parcel.lot.face)
      units.set(key, (units.get(key) ?? 0n) + parcel.units)
    }
  }

  return {
    faces,
    units,
    end,
    endWhere: (parcels, at, reason) =>
      parcels.map((parcel) => {
        const outcome = parcel.lot && reason(parcel.lot)
        if (outcome === undefined) return parcel
        end(outcome, at, [parcel])
        return { units: parcel.units }
      }),
  }
}
