import type { Parcel } from './parcels.ts'

/**
 * What parts of one asset become in another (design 8.2): lots with running sum Sᵢ become ⌊Ny·Sᵢ/Nx⌋ − ⌊Ny·Sᵢ₋₁/Nx⌋ and
 * keep face, seed and hop; the rest is clean. Parts keep their order, so that a conversion of one to one changes
 * nothing: clean parts become what the rounding of the lots leaves, ⌈Ny·Kᵢ/Nx⌉ − ⌈Ny·Kᵢ₋₁/Nx⌉.
 *
 * @param parts - they add up to `amounts.gives`.
 * @returns parts that add up to `amounts.gets`, and lots that became no unit at all, in units of what was given.
 */
export function convertParts(
  parts: readonly Parcel[],
  amounts: { readonly gives: bigint; readonly gets: bigint },
): { readonly arriving: readonly Parcel[]; readonly lost: readonly Parcel[] } {
  const { gives, gets } = amounts
  const arriving: Parcel[] = []
  const lost: Parcel[] = []
  let lots = 0n
  let clean = 0n
  for (const part of parts) {
    if (part.lot) {
      const units = (gets * (lots + part.units)) / gives - (gets * lots) / gives
      lots += part.units
      if (units === 0n) lost.push(part)
      else arriving.push({ units, lot: part.lot })
    } else {
      const units = up(gets * (clean + part.units), gives) - up(gets * clean, gives)
      clean += part.units
      if (units > 0n) arriving.push({ units })
    }
  }
  return { arriving, lost }
}

function up(numerator: bigint, denominator: bigint): bigint {
  return (numerator + denominator - 1n) / denominator
}
