/**
 * The transfers that can be part of a path between two sets of addresses: one sweep from either side, and what lies
 * between both. Everything dear is done on these alone. A path has no address of either set but its first and its
 * last, so transfers into the one or out of the other are not among them.
 *
 * The corridor is always looked at from the side where a search begins: backward, that is the end, and every transfer
 * stands with its receiver first and the latest one first.
 */

import { hasBit } from './bits.ts'
import { type Sliced, shortSlice } from './slices.ts'
import { arrivalSize, type SweepRange, type Swept, sweep } from './sweep.ts'
import { always, type SweepStops } from './sweepStops.ts'

/** Per place in the corridor, ascending in the order of the search. */
export interface Corridor {
  readonly length: number
  readonly transfer: Int32Array
  readonly transaction: Int32Array
  /** Numbers of the corridor's own, from 0: (address, asset) and address on the near and the far side. */
  readonly nearHolding: Int32Array
  readonly farHolding: Int32Array
  readonly nearAddress: Int32Array
  readonly farAddress: Int32Array
  readonly holdings: number
  readonly addresses: number
  /** By number of an address: where searches begin and end. */
  readonly begins: Uint8Array
  readonly ends: Uint8Array
}

export interface Sides {
  /** Addresses where the search begins, and where it ends. */
  readonly near: readonly number[]
  readonly far: readonly number[]
}

/**
 * Cost: two sweeps and one pass more; memory as a sweep, then 24 bytes a transfer of the corridor.
 */
export function* corridor(range: SweepRange, sides: Sides): Sliced<Corridor> {
  const near = yield* sweep(range, sourcesAt(sides.near))
  // Stops were judged on the way there; on the way back everything counts, and what was never reached falls away.
  const other = { ...range, backward: !range.backward, stops: noStops }
  const far = yield* sweep(other, sourcesAt(sides.far))
  const arrivals = firstArrivals(range, near)
  const departures = firstArrivals(range, far)
  const sign = range.backward ? -1 : 1
  const { graph, moves } = range
  const { holdingAddress } = graph.columns
  const nearColumn = range.backward ? graph.columns.to : graph.columns.from
  const farColumn = range.backward ? graph.columns.from : graph.columns.to
  const isNear = new Set(sides.near)
  const isFar = new Set(sides.far)

  /** Reached from the near side before the transfer, and able to reach the far side after it. */
  function isBetween(holding: number, transfer: number, target: number): boolean {
    const arrival = arrivals[holding] as number
    if (near.state[holding * 2 + 1] !== 0 && sign * (transfer - arrival) <= 0) return false
    const departure = departures[target] as number
    return far.state[target * 2 + 1] === 0 || sign * (departure - transfer) > 0
  }

  function belongs(transfer: number): boolean {
    if (!hasBit(moves, transfer)) return false
    const holding = nearColumn[transfer] as number
    const target = farColumn[transfer] as number
    if (!hasBit(near.reached, holding) || !hasBit(far.reached, target)) return false
    if (!isBetween(holding, transfer, target)) return false
    const next = holdingAddress[target] as number
    if (isNear.has(next) || isFar.has(holdingAddress[holding] as number)) return false
    return isFar.has(next) || range.stops.continues(next, transfer)
  }

  const found: number[] = []
  for (let transfer = range.start; transfer < range.end; transfer++) {
    if ((transfer - range.start) % shortSlice === 0) yield
    if (belongs(transfer)) found.push(transfer)
  }
  if (range.backward) found.reverse()
  return yield* numbered(range, found, { isNear, isFar })
}

/** By holding the transfer by which it was reached first. */
function firstArrivals({ graph }: SweepRange, { arrivals }: Swept): Int32Array {
  const first = new Int32Array(graph.columns.holdingAddress.length)
  for (let at = arrivals.length - arrivalSize; at >= 0; at -= arrivalSize)
    first[arrivals[at] as number] = arrivals[at + 1] as number
  return first
}

const noStops: SweepStops = {
  continues: () => true,
  verdict: () => always,
  isQuiet: () => true,
  at: () => undefined,
}

const sourcesAt = (addresses: readonly number[]) =>
  addresses.map((address) => ({ address, bits: 1 }))

function* numbered(
  { graph, backward }: SweepRange,
  transfers: readonly number[],
  sides: { readonly isNear: ReadonlySet<number>; readonly isFar: ReadonlySet<number> },
): Sliced<Corridor> {
  const { from, to, holdingAddress } = graph.columns
  const holdings = new Map<number, number>()
  const addresses = new Map<number, number>()
  const { length } = transfers
  const column = () => new Int32Array(length)
  const corridor = {
    length,
    transfer: Int32Array.from(transfers),
    transaction: column(),
    nearHolding: column(),
    farHolding: column(),
    nearAddress: column(),
    farAddress: column(),
  }
  for (const [place, transfer] of transfers.entries()) {
    if (place % shortSlice === 0) yield
    const near = (backward ? to : from)[transfer] as number
    const far = (backward ? from : to)[transfer] as number
    corridor.transaction[place] = graph.transactionOf(transfer)
    corridor.nearHolding[place] = numberOf(holdings, near)
    corridor.farHolding[place] = numberOf(holdings, far)
    corridor.nearAddress[place] = numberOf(addresses, holdingAddress[near] as number)
    corridor.farAddress[place] = numberOf(addresses, holdingAddress[far] as number)
  }
  return {
    ...corridor,
    holdings: holdings.size,
    addresses: addresses.size,
    begins: Uint8Array.from(addresses.keys(), (address) => (sides.isNear.has(address) ? 1 : 0)),
    ends: Uint8Array.from(addresses.keys(), (address) => (sides.isFar.has(address) ? 1 : 0)),
  }
}

function numberOf(known: Map<number, number>, key: number): number {
  const number = known.get(key) ?? known.size
  known.set(key, number)
  return number
}
