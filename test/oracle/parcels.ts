/**
 * Parcels of one account and what the five methods of design 8.1 take from them. A parcel is clean money, or a lot.
 * Lists stand in order of arrival; with haircut they are merged by (seed, hop), clean last.
 */
import type { Method } from './question.ts'

export interface Lot {
  readonly seed: number
  readonly hop: number
  /** In units of the seed. */
  readonly face: bigint
}

export interface Parcel {
  readonly units: bigint
  readonly lot?: Lot
}

/** How a pass rounds: as the design says, or not at all (see rationals.ts). */
export interface Rounding {
  /** ⌊product / by⌋ where faces are divided. */
  readonly face: (product: bigint, by: bigint) => bigint
  /** ⌊product / by⌋ where units are divided. */
  readonly units: (product: bigint, by: bigint) => bigint
  /** Is told of each lot that was divided or lost its units. */
  readonly divided: (lot: Lot, units: bigint) => void
}

export function sum(parcels: readonly Parcel[]): bigint {
  return parcels.reduce((all, { units }) => all + units, 0n)
}

export function faceOf(parcels: readonly Parcel[]): bigint {
  return parcels.reduce((all, { lot }) => all + (lot?.face ?? 0n), 0n)
}

export function hasLot(parcels: readonly Parcel[]): boolean {
  return parcels.some(({ lot }) => lot !== undefined)
}

/** With haircut one parcel for each (seed, hop) in this order, clean money last; else as they arrived. */
export function arranged(parcels: readonly Parcel[], method: Method): Parcel[] {
  const present = parcels.filter(isSome)
  if (method !== 'haircut') return present
  const merged = new Map<string, Parcel>()
  for (const { units, lot } of present) {
    const key = lot ? `${lot.seed} ${lot.hop}` : 'clean'
    const known = merged.get(key)
    merged.set(key, {
      units: units + (known?.units ?? 0n),
      ...(lot ? { lot: { ...lot, face: lot.face + (known?.lot?.face ?? 0n) } } : {}),
    })
  }
  return [...merged.values()].sort(bySeedAndHop)
}

function bySeedAndHop(a: Parcel, b: Parcel): number {
  if (!a.lot || !b.lot) return Number(!a.lot) - Number(!b.lot)
  return a.lot.seed - b.lot.seed || a.lot.hop - b.lot.hop
}

/** What an outflow takes from parcels, all if it is more: the parts paid and those that stay, in the order given. */
export function take(
  parcels: readonly Parcel[],
  amount: bigint,
  method: Method,
  rounding: Rounding,
): { paid: Parcel[]; stay: Parcel[] } {
  if (amount === 0n) return { paid: [], stay: [...parcels] }
  if (amount >= sum(parcels)) return { paid: [...parcels], stay: [] }
  const paid: Parcel[] = []
  const stay: Parcel[] = []
  const taken =
    method === 'haircut' ? proRata(parcels, amount, rounding) : inTurn(parcels, amount, method)
  for (const [i, parcel] of parcels.entries()) {
    const units = taken[i] ?? 0n
    const { lot } = parcel
    const rest = parcel.units - units
    if (!lot) {
      paid.push({ units })
      stay.push({ units: rest })
      continue
    }
    if (method === 'haircut' || (units > 0n && rest > 0n)) rounding.divided(lot, parcel.units)
    // "Splitting a lot rounds the first part's face down": the part that is paid out is the first.
    const face = rounding.face(lot.face * units, parcel.units)
    paid.push({ units, lot: { ...lot, face } })
    stay.push({ units: rest, lot: { ...lot, face: lot.face - face } })
  }
  return { paid: paid.filter(isSome), stay: stay.filter(isSome) }
}

function isSome({ units }: Parcel): boolean {
  return units > 0n
}

/** "⌊a·Sᵢ/B⌋ − ⌊a·Sᵢ₋₁/B⌋, Sᵢ the running sum over parcels". */
function proRata(parcels: readonly Parcel[], amount: bigint, rounding: Rounding): bigint[] {
  const whole = sum(parcels)
  let running = 0n
  return parcels.map(({ units }) => {
    const before = rounding.units(amount * running, whole)
    running += units
    return rounding.units(amount * running, whole) - before
  })
}

type Queue = Exclude<Method, 'haircut'>

/** Each parcel gives all it has, in the method's order, until the amount is reached. */
function inTurn(parcels: readonly Parcel[], amount: bigint, method: Queue): bigint[] {
  const oldest = parcels.map((_, i) => i)
  const lots = oldest.filter((i) => parcels[i]?.lot)
  const clean = oldest.filter((i) => !parcels[i]?.lot)
  const order = {
    fifo: oldest,
    lifo: oldest.toReversed(),
    'tainted-first': [...lots, ...clean],
    'clean-first': [...clean, ...lots],
  }[method]
  const taken = parcels.map(() => 0n)
  let left = amount
  for (const i of order) {
    const units = parcels[i]?.units ?? 0n
    taken[i] = units < left ? units : left
    left -= taken[i]
  }
  return taken
}

/**
 * Parts worth `from` units of X as `to` units of Y, in their order. "Lots with running sum Sᵢ become
 * ⌊N_Y·Sᵢ/N_X⌋ − ⌊N_Y·Sᵢ₋₁/N_X⌋ of Y, keep face, seed and hop; the rest is clean": it gets the same with ⌈⌉, so that
 * both together are N_Y.
 *
 * @returns also the lots that became zero units, with their units of X.
 */
export function converted(
  parts: readonly Parcel[],
  from: bigint,
  to: bigint,
  rounding: Rounding,
): { parcels: Parcel[]; vanished: Parcel[] } {
  const parcels: Parcel[] = []
  const vanished: Parcel[] = []
  let lots = 0n
  let clean = 0n
  // ⌈N_Y·K/N_X⌉ is what ⌊⌋ leaves of N_Y for the other N_X − K units.
  const cleanUnits = (units: bigint): bigint => to - rounding.units(to * (from - units), from)
  for (const { units, lot } of parts) {
    if (lot) {
      const before = rounding.units(to * lots, from)
      lots += units
      const became = rounding.units(to * lots, from) - before
      if (became > 0n) parcels.push({ units: became, lot })
      else {
        vanished.push({ units, lot })
        rounding.divided(lot, 1n)
      }
    } else {
      const before = cleanUnits(clean)
      clean += units
      const became = cleanUnits(clean) - before
      if (became > 0n) parcels.push({ units: became })
    }
  }
  return { parcels, vanished }
}
