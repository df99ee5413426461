/**
 * One pass over the ledger in its order (or against it) from a set of addresses: which others money can have come to,
 * by transfers of which each comes after the one before. Least hops are exact in the same pass, since everything that
 * happened before a transfer is already known when it is looked at (one-pass algorithms of Wu et al., "Path problems in
 * temporal graphs", VLDB 2014).
 *
 * What arrives at an address in one asset may leave it in any other that is followed, but only in a later transaction:
 * no result depends on the order between different assets of one transaction (design section 3).
 *
 * Nearly all time goes into reading memory at random, so what is read of a holding lies together, two bits per holding,
 * which fit a cache, spare most of these readings, and what is only wanted of a few of them later is written one behind
 * the other.
 *
 * While few are reached only their own transfers are looked at: whoever is reached has the later ones put down as bits,
 * which are gone through in the same order. What is passed over are transfers of payers whom nothing has reached, which
 * do nothing; so the answer is the same. Once the transfers put down are a good part of all, all are gone through.
 */
import type { WholeGraph } from '../graph/graph.ts'
import { addBit, emptyBits, hasBit, wordWithin } from './bits.ts'
import { type Sliced, sliceLength } from './slices.ts'
import { always, byTime, type SweepStops } from './sweepStops.ts'

/** What a sweep may go over. */
export interface SweepRange {
  readonly graph: WholeGraph
  /** By asset number: whether its transfers are followed. */
  readonly follows: readonly boolean[]
  readonly stops: SweepStops
  /** As `plainHoldings` gives them: of no stops, without another holding that is followed. */
  readonly plain: Int32Array
  readonly backward: boolean
  /** As `movements` gives them: one bit per transfer that counts. */
  readonly moves: Int32Array
  /** Transfers from `start` up to but not including `end`. */
  readonly start: number
  readonly end: number
}

export interface Source {
  readonly address: number
  /** Bits to spread from it, of 32. */
  readonly bits: number
}

/** How an address was reached. */
export interface Note {
  /** Bits of the sources that reach it. */
  readonly bits: number
  /** Fewest transfers from any source, 0 for sources themselves. */
  readonly hops: number
  /** First transfer by which it is reached in so few hops, and by which it is reached at all; −1 for sources. */
  readonly transfer: number
  readonly arrival: number
}

export interface Swept {
  /** Two numbers per holding: bits (0: not reached) and hops. */
  readonly state: Int32Array
  /** One bit per holding: whether it has any. */
  readonly reached: Int32Array
  /** Arrivals by fewer hops than any before, as they happened: holding, transfer and hops of each. */
  readonly arrivals: Int32Array
  /** By holding: notes of those where what is reached and what goes on are not the same. */
  readonly aside: ReadonlyMap<number, Note>
}

/** Numbers that an arrival takes in `arrivals`. */
export const arrivalSize = 3

/** More hops than there can be. */
export const unlimited = 0x7fffffff

/** Of the transfers of a range: more than this share put down one by one take longer than all in a row. */
const fewShare = 1 / 8

/**
 * Cost: O(transfers of those that are reached), at most O(transfers of the range), for those that bring something new
 * two random reads; memory 8 bytes a holding and 12 an arrival.
 *
 * @param given.maxHops - paths of more transfers do not count; then all sources must have the same bits.
 * @param given.few - so many transfers are put down one by one before all are gone through. It changes nothing but the
 * time.
 */
export function* sweep(
  range: SweepRange,
  sources: readonly Source[],
  given: { readonly maxHops?: number | undefined; readonly few?: number } = {},
): Sliced<Swept> {
  const { maxHops = unlimited, few = Math.floor((range.end - range.start) * fewShare) } = given
  const pass = createPass(range, sources, { maxHops, few })
  const { start, end, backward } = range
  for (let done = 0; done < end - start; done += sliceLength) {
    if (backward) pass.goBack(Math.max(start, end - done - sliceLength), end - done)
    else pass.go(start + done, Math.min(start + done + sliceLength, end))
    yield
  }
  return pass.swept()
}

/** Bits of the sources that reach an address, over all assets; 0 where none does. */
export function bitsAt({ graph }: SweepRange, { state, aside }: Swept, address: number): number {
  const { start, end } = graph.holdingsOf(address)
  let bits = 0
  for (let holding = start; holding < end; holding++)
    bits |= (state[holding * 2] as number) | (aside.get(holding)?.bits ?? 0)
  return bits
}

/** Fewest hops to an address that was reached, over all assets. */
export function hopsAt({ graph }: SweepRange, { state, aside }: Swept, address: number): number {
  const { start, end } = graph.holdingsOf(address)
  let hops = unlimited
  for (let holding = start; holding < end; holding++) {
    if (state[holding * 2] !== 0) hops = Math.min(hops, state[holding * 2 + 1] as number)
    hops = Math.min(hops, aside.get(holding)?.hops ?? unlimited)
  }
  return hops
}

/**
 * How addresses were reached, over all assets; without those that were not.
 *
 * Cost: one look at each arrival, whatever the number of addresses.
 */
export function notesOf(
  range: SweepRange,
  swept: Swept,
  addresses: readonly number[],
): ReadonlyMap<number, Note> {
  const { graph } = range
  const { state, arrivals, aside } = swept
  const wanted = emptyBits(graph.columns.holdingAddress.length)
  for (const address of addresses) {
    const { start, end } = graph.holdingsOf(address)
    for (let holding = start; holding < end; holding++) addBit(wanted, holding)
  }
  const byHolding = new Map<number, Note>()
  for (let at = 0; at < arrivals.length; at += arrivalSize) {
    const holding = arrivals[at] as number
    if (!hasBit(wanted, holding)) continue
    const [transfer, hops] = [arrivals[at + 1] as number, arrivals[at + 2] as number]
    const bits = state[holding * 2] as number
    const arrival = byHolding.get(holding)?.arrival ?? transfer
    byHolding.set(holding, { bits, hops, transfer, arrival })
  }
  const notes = new Map<number, Note>()
  for (const address of addresses) {
    const { start, end } = graph.holdingsOf(address)
    let note: Note | undefined
    for (let holding = start; holding < end; holding++) {
      note = merged(range, note, byHolding.get(holding))
      note = merged(range, note, aside.get(holding))
    }
    if (note) notes.set(address, note)
  }
  return notes
}

function merged(
  { backward }: Pick<SweepRange, 'backward'>,
  a: Note | undefined,
  b: Note | undefined,
): Note | undefined {
  if (!a || !b) return a ?? b
  const sooner = (x: number, y: number): number => (x < y === backward ? y : x)
  const bits = a.bits | b.bits
  const arrival = sooner(a.arrival, b.arrival)
  if (a.hops !== b.hops) return { ...(a.hops < b.hops ? a : b), bits, arrival }
  return { bits, hops: a.hops, transfer: sooner(a.transfer, b.transfer), arrival }
}

function createPass(
  range: SweepRange,
  sources: readonly Source[],
  { maxHops, few }: { readonly maxHops: number; readonly few: number },
) {
  const { graph, follows, stops, plain, moves, backward } = range
  const { holdingAddress, holdingAsset, addressFirst } = graph.columns
  const payers = backward ? graph.columns.to : graph.columns.from
  const receivers = backward ? graph.columns.from : graph.columns.to
  const state = new Int32Array(holdingAddress.length * 2)
  let arrivals = new Int32Array((holdingAddress.length >> 2) + arrivalSize * 1024)
  let length = 0
  const reached = emptyBits(holdingAddress.length)
  const aside = new Map<number, Note>()
  /** Holdings that something can leave. */
  const live = emptyBits(holdingAddress.length)
  const stoppingSources = new Set<number>()
  const waiting: (readonly [address: number, note: Note])[] = []
  let waitingIn = -1
  /** The last transfer that was looked at. */
  let place = backward ? range.end : range.start - 1
  const pending = createPending(range, few)

  function write(holding: number, transfer: number, hops: number): void {
    if (length + arrivalSize > arrivals.length) {
      const longer = new Int32Array(arrivals.length * 2)
      longer.set(arrivals)
      arrivals = longer
    }
    arrivals[length] = holding
    arrivals[length + 1] = transfer
    arrivals[length + 2] = hops
    length += arrivalSize
  }

  function note(holding: number, { bits, hops, transfer }: Note): void {
    const at = holding * 2
    const known = state[at] as number
    state[at] = known | bits
    if (known === 0) addBit(reached, holding)
    else if (hops >= (state[at + 1] as number)) return
    state[at + 1] = hops
    write(holding, transfer, hops)
  }

  function spread(address: number, brought: Note): void {
    const last = addressFirst[address + 1] as number
    for (let holding = addressFirst[address] as number; holding < last; holding++) {
      if (follows[holdingAsset[holding] as number] !== true) continue
      note(holding, brought)
      enliven(holding)
    }
  }

  /** What arrived can leave from here on. */
  function enliven(holding: number): void {
    if (hasBit(live, holding)) return
    addBit(live, holding)
    pending.add(holding, place)
  }

  /** What another asset brought in a transaction can be spent when that is over. */
  function letGo(transfer: number): void {
    if (graph.transactionOf(transfer) === waitingIn) return
    for (const [address, brought] of waiting) spread(address, brought)
    waiting.length = 0
  }

  function holdsAnother(address: number, holding: number): boolean {
    const last = addressFirst[address + 1] as number
    for (let other = addressFirst[address] as number; other < last; other++)
      if (other !== holding && follows[holdingAsset[other] as number] === true) return true
    return false
  }

  /** An arrival of which it is not known yet, or not the same for all, what comes of it. */
  function arrive(holding: number, brought: Note): void {
    const { hops, transfer } = brought
    const address = holdingAddress[holding] as number
    const verdict = stops.verdict(address)
    const isSource = stoppingSources.has(address)
    const continues = hops < maxHops && stops.continues(address, transfer)
    if (verdict === byTime || isSource) {
      const noted = merged(range, aside.get(holding), brought)
      if (noted) aside.set(holding, noted)
    } else note(holding, brought)
    if (!continues) return
    if (verdict === byTime) note(holding, brought)
    enliven(holding)
    if (!holdsAnother(address, holding)) return
    const last = addressFirst[address + 1] as number
    for (let other = addressFirst[address] as number; other < last; other++)
      if (follows[holdingAsset[other] as number] === true) pending.add(other, place)
    waiting.push([address, brought])
    waitingIn = graph.transactionOf(transfer)
  }

  for (const { address, bits } of sources) {
    spread(address, { bits, hops: 0, transfer: -1, arrival: -1 })
    if (stops.verdict(address) !== always) stoppingSources.add(address)
  }

  function bring(transfer: number): void {
    place = transfer
    if (waiting.length > 0) letGo(transfer)
    if (!hasBit(live, payers[transfer] as number)) return
    const from = (payers[transfer] as number) * 2
    const to = receivers[transfer] as number
    const at = to * 2
    const bits = state[from] as number
    const hops = (state[from + 1] as number) + 1
    const known = state[at] as number
    if ((bits & ~known) === 0 && hops >= (state[at + 1] as number)) return
    if (!hasBit(plain, to)) {
      arrive(to, { bits, hops, transfer, arrival: transfer })
      return
    }
    state[at] = known | bits
    if (known === 0) addBit(reached, to)
    else if (hops >= (state[at + 1] as number)) return
    state[at + 1] = hops
    write(to, transfer, hops)
    if (hops < maxHops) enliven(to)
  }

  /** Goes over transfers from the first up to but not including the last. */
  function go(first: number, last: number): void {
    for (let at = first >> 5; at * 32 < last; at++) {
      const all = wordWithin(moves, at, first, last)
      let word = all & pending.word(at)
      while (word !== 0) {
        const bit = 31 - Math.clz32(word & -word)
        bring(at * 32 + bit)
        // What was just put down may stand in the same word.
        word = all & pending.word(at) & ~((2 << bit) - 1)
      }
    }
  }

  /** The same from the last to the first. */
  function goBack(first: number, last: number): void {
    for (let at = (last - 1) >> 5; at >= first >> 5; at--) {
      const all = wordWithin(moves, at, first, last)
      let word = all & pending.word(at)
      while (word !== 0) {
        const bit = 31 - Math.clz32(word)
        bring(at * 32 + bit)
        word = all & pending.word(at) & ((1 << bit) - 1)
      }
    }
  }

  return {
    go,
    goBack,
    swept: (): Swept => ({ state, reached, arrivals: arrivals.subarray(0, length), aside }),
  }
}

/** Which transfers are to be looked at: those put down, or all once these have become many. */
function createPending({ graph, backward, end }: SweepRange, few: number) {
  const { events, holdingFirst } = graph.columns
  const bits = emptyBits(end)
  let left = few
  let isAll = few <= 0
  return {
    /** Puts down the transfers of a holding that come after a place, going backward before it. */
    add(holding: number, place: number): void {
      if (isAll) return
      const first = holdingFirst[holding] as number
      const last = holdingFirst[holding + 1] as number
      const least = backward ? place : place + 1
      let low = first
      let high = last
      while (low < high) {
        const middle = (low + high) >> 1
        if ((events[middle] as number) < least) low = middle + 1
        else high = middle
      }
      const start = backward ? first : low
      const stop = backward ? low : last
      left -= stop - start
      isAll = left < 0
      if (isAll) return
      for (let i = start; i < stop; i++) {
        const transfer = events[i] as number
        if (transfer < end) addBit(bits, transfer)
      }
    },
    word: (at: number): number => (isAll ? -1 : (bits[at] as number)),
  }
}
