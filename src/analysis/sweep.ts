/**
 * One pass over the ledger in its order (or against it) from a set of addresses: which others money can have come to,
 * by transfers of which each comes after the one before. Least hops are exact in the same pass, since everything that
 * happened before a transfer is already known when it is looked at (one-pass algorithms of Wu et al., "Path problems in
 * temporal graphs", VLDB 2014).
 *
 * What arrives at an address in one asset may leave it in any other that counts, but only in a later transaction: no
 * result depends on the order between different assets of one transaction (design section 3).
 */
import type { WholeGraph } from '../graph/graph.ts'
import { type Sliced, sliceLength } from './slices.ts'
import type { SweepStops } from './sweepStops.ts'

/** What a sweep may go over. */
export interface SweepRange {
  readonly graph: WholeGraph
  /** By asset number: whether its transfers are followed. */
  readonly follows: readonly boolean[]
  readonly stops: SweepStops
  readonly backward: boolean
  /** Transfers from `start` up to but not including `end`. */
  readonly start: number
  readonly end: number
  /** True for transactions beyond the as-of block. */
  readonly isBeyond: (transaction: number) => boolean
}

export interface Sources {
  readonly address: number
  /** Bits to spread from it, at most 32. */
  readonly bits: number
}

/** Per address, by number. */
export interface Swept {
  /** Bits of the sources that reach it. */
  readonly bits: Int32Array
  /** Fewest transfers from any source, 0 for sources themselves, `unreached` where none reaches it. */
  readonly hops: Int32Array
  /** First transfer by which it is reached in so few hops, and by which it is reached at all; −1 for none. */
  readonly transfer: Int32Array
  readonly arrival: Int32Array
}

export const unreached = 0x7fffffff

/**
 * Cost: O(transfers of the range), one random read or two per transfer; memory 8 bytes a holding, 16 an address.
 *
 * @param maxHops - paths of more transfers do not count.
 */
export function* sweep(
  range: SweepRange,
  sources: readonly Sources[],
  maxHops: number = unreached,
): Sliced<Swept> {
  const pass = createPass(range, sources, maxHops)
  const count = Math.max(0, range.end - range.start)
  for (let done = 0; done < count; done += sliceLength) {
    pass.go(done, Math.min(done + sliceLength, count))
    yield
  }
  return pass.swept
}

interface Waiting {
  readonly address: number
  readonly bits: number
  readonly hops: number
}

function createPass(range: SweepRange, sources: readonly Sources[], maxHops: number) {
  const { graph, follows, stops, backward, start, end } = range
  const { amount, holdingAddress, holdingAsset, addressFirst } = graph.columns
  const payers = backward ? graph.columns.to : graph.columns.from
  const receivers = backward ? graph.columns.from : graph.columns.to
  const swept = nothingReached(graph.addressCount)
  /** Bits and hops per holding, side by side: what can leave it. */
  const state = new Int32Array(holdingAddress.length * 2)
  const waiting: Waiting[] = []
  let waitingUntil = unreached

  function arrive(holding: number, bits: number, hops: number): void {
    const at = holding * 2
    if (state[at] === 0 || hops < (state[at + 1] as number)) state[at + 1] = hops
    state[at] = (state[at] as number) | bits
  }

  function arriveAtAll({ address, bits, hops }: Waiting): void {
    const last = addressFirst[address + 1] as number
    for (let holding = addressFirst[address] as number; holding < last; holding++)
      if (follows[holdingAsset[holding] as number] === true) arrive(holding, bits, hops)
  }

  function holdsAnother(address: number, holding: number): boolean {
    const last = addressFirst[address + 1] as number
    for (let other = addressFirst[address] as number; other < last; other++)
      if (other !== holding && follows[holdingAsset[other] as number] === true) return true
    return false
  }

  /** What another asset brought in the transaction before can be spent now. */
  function letGo(): void {
    for (const each of waiting) arriveAtAll(each)
    waiting.length = 0
    waitingUntil = unreached
  }

  function reach(place: number, transfer: number): void {
    if (isZero(amount, transfer) || range.isBeyond(graph.transactionOf(transfer))) return
    const holding = receivers[transfer] as number
    const address = holdingAddress[holding] as number
    const from = (payers[transfer] as number) * 2
    const bits = state[from] as number
    const hops = (state[from + 1] as number) + 1
    note(swept, { address, transfer, bits, hops })
    if (hops >= maxHops || !stops.continues(address, transfer)) return
    arrive(holding, bits, hops)
    if (!holdsAnother(address, holding)) return
    const legs = graph.legs(graph.transactionOf(transfer))
    waiting.push({ address, bits, hops })
    waitingUntil = place + (backward ? transfer - legs.start : legs.end - 1 - transfer)
  }

  for (const { address, bits } of sources) {
    swept.bits[address] = (swept.bits[address] as number) | bits
    swept.hops[address] = 0
    arriveAtAll({ address, bits, hops: 0 })
  }

  /** Looks at the transfers at these places of the range, counted from where the sweep begins. */
  function go(first: number, last: number): void {
    for (let place = first; place < last; place++) {
      if (place > waitingUntil) letGo()
      const transfer = backward ? end - 1 - place : start + place
      const from = payers[transfer] as number
      if (from < 0) continue
      const bits = state[from * 2] as number
      if (bits === 0) continue
      const to = receivers[transfer] as number
      if (to < 0 || to === from) continue
      const brought = bits & ~(state[to * 2] as number)
      if (brought === 0 && (state[from * 2 + 1] as number) + 1 >= (state[to * 2 + 1] as number))
        continue
      reach(place, transfer)
    }
  }

  return { go, swept }
}

function nothingReached(addresses: number): Swept {
  return {
    bits: new Int32Array(addresses),
    hops: new Int32Array(addresses).fill(unreached),
    transfer: new Int32Array(addresses).fill(-1),
    arrival: new Int32Array(addresses).fill(-1),
  }
}

function note(
  swept: Swept,
  by: {
    readonly address: number
    readonly transfer: number
    readonly bits: number
    readonly hops: number
  },
): void {
  const { address, transfer, hops } = by
  if (swept.arrival[address] === -1) swept.arrival[address] = transfer
  swept.bits[address] = (swept.bits[address] as number) | by.bits
  if (hops >= (swept.hops[address] as number)) return
  swept.hops[address] = hops
  swept.transfer[address] = transfer
}

function isZero(amount: Uint32Array, transfer: number): boolean {
  const at = transfer * 4
  return amount[at] === 0 && amount[at + 1] === 0 && amount[at + 2] === 0 && amount[at + 3] === 0
}
