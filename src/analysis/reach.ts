import type { WholeGraph } from '../graph/graph.ts'
import { type Account, formatAccount } from '../ledger/account.ts'
import type { TransferId } from '../ledger/transfer.ts'
import { hasBit } from './bits.ts'
import { type Sliced, shortSlice } from './slices.ts'
import type { Stop } from './stops.ts'
import {
  arrivalSize,
  bitsAt,
  hopsAt,
  type Note,
  notesOf,
  type SweepRange,
  type Swept,
  sweep,
} from './sweep.ts'
import {
  addressesOf,
  type SweepContext,
  type SweepFrame,
  type SweepQuery,
  sweepFrame,
  sweepRange,
  writtenQuery,
} from './sweepQuestion.ts'
import { always } from './sweepStops.ts'
import { knowledgeDigest } from './trace.ts'

export interface ReachQuery extends SweepQuery {
  readonly accounts: readonly Account[]
  /** Paths of more transfers do not count; absent: no limit. */
  readonly maxHops?: number
  /** Whether to say which of the accounts reach each. */
  readonly sources: boolean
  /** Most accounts to list, the nearest first. */
  readonly limit: number
}

export interface Reached {
  readonly account: string
  /** Fewest transfers from any of the accounts asked for. */
  readonly hop: number
  /** Last transfer of the first path of so few. */
  readonly transfer: TransferId
  /** First transfer of all by which it was reached; backward the last one by which it was left. */
  readonly arrival: TransferId
  readonly time: number
  /** Why nothing is followed beyond it, as of `transfer`. */
  readonly stop?: Stop
  readonly sources?: readonly string[]
}

/** Reach is no amount: it says that money can have come there in time, not how much of it did. */
export interface ReachAnswer extends SweepFrame {
  readonly version: string
  readonly query: Readonly<Record<string, unknown>>
  readonly reached: readonly Reached[]
  readonly byHop: readonly { readonly hop: number; readonly accounts: number }[]
  /** `listed` of `reached` accounts are in the answer. */
  readonly cut: { readonly reached: number; readonly listed: number }
  readonly tags: string
}

const reachVersion = 'jejak-reach/1'

/** Accounts written down between two yields: checksums take most of the time. */
const writtenAtOnce = 100

/** Sources that one sweep can tell apart. */
const bitsPerSweep = 32

/**
 * Which accounts money of the ones asked for can have come to, in the order of time, with the fewest hops (`poison` of
 * design 8.1: reach only, never an amount); backward, from which it can have come. Stops of the trace are reached and go
 * no further, unless they are asked for or in `continueThrough`.
 *
 * Cost: one sweep of the ledger; with `sources` another per 32 accounts, or per account where `maxHops` is set.
 *
 * @throws KnownError `seed.not-found`
 */
export function* reach(
  graph: WholeGraph,
  context: SweepContext,
  query: ReachQuery,
): Sliced<ReachAnswer> {
  const range = yield* sweepRange(graph, context, query)
  const addresses = addressesOf(graph, query.accounts)
  const go = (from: readonly number[], bit: (place: number) => number): Sliced<Swept> =>
    sweep(
      range,
      from.map((address, place) => ({ address, bits: bit(place) })),
      { maxHops: query.maxHops },
    )
  const perSweep = query.maxHops === undefined ? bitsPerSweep : 1
  const all = yield* go(addresses, (place) => 1 << (addresses.length <= perSweep ? place : 0))
  const byHop = yield* countByHop(range, all)
  const listed = yield* nearest(range, all, { byHop, limit: query.limit })
  const sourcesOf = listed.map((): string[] => [])
  for (let first = 0; query.sources && first < addresses.length; first += perSweep) {
    const some = addresses.slice(first, first + perSweep)
    const swept = some.length === addresses.length ? all : yield* go(some, (place) => 1 << place)
    const names = some.map((address) => formatAccount(graph.account(address)))
    for (const [i, address] of listed.entries()) {
      if (i % shortSlice === 0) yield
      const bits = bitsAt(range, swept, address)
      for (const [place, name] of names.entries())
        if ((bits >>> place) & 1) sourcesOf[i]?.push(name)
    }
    yield
  }
  const notes = notesOf(range, all, listed)
  const reached: Reached[] = []
  for (const [i, address] of listed.entries()) {
    if (i % writtenAtOnce === 0) yield
    const sources = query.sources ? { sources: sourcesOf[i] as readonly string[] } : {}
    reached.push({ ...reachedAs(range, address, notes.get(address) as Note), ...sources })
  }
  const frame = sweepFrame(graph, context, query)
  return {
    version: reachVersion,
    query: {
      ...writtenQuery(query, frame),
      accounts: addresses.map((a) => formatAccount(graph.account(a))),
    },
    reached,
    byHop: byHop.flatMap((found, hop) => (found > 0 ? { hop, accounts: found } : [])),
    cut: { reached: byHop.reduce((sum, found) => sum + found, 0), listed: listed.length },
    ...frame,
    tags: knowledgeDigest(context),
  }
}

function reachedAs(
  range: SweepRange,
  address: number,
  { hops, transfer, arrival }: Note,
): Omit<Reached, 'sources'> {
  const { graph, stops } = range
  // The usual one is no stop at any time: nobody needs to say why.
  const stop = stops.verdict(address) === always ? undefined : stops.at(address, transfer)
  const id = graph.idOf(transfer)
  return {
    account: formatAccount(graph.account(address)),
    hop: hops,
    transfer: id,
    arrival: arrival === transfer ? id : graph.idOf(arrival),
    time: graph.block(graph.blockOf(graph.transactionOf(transfer))).time,
    ...(stop === undefined ? {} : { stop }),
  }
}

/**
 * How many addresses were first reached in each number of hops, from 1 on.
 *
 * Cost: one pass over the holdings that were reached, without an object for any of them.
 */
function* countByHop(range: SweepRange, swept: Swept): Sliced<number[]> {
  const { holdingAddress } = range.graph.columns
  const { state, reached, aside } = swept
  const counts: number[] = []
  const count = (hops: number): void => {
    while (counts.length <= hops) counts.push(0)
    if (hops > 0) counts[hops] = (counts[hops] as number) + 1
  }
  const apart = new Set([...aside.keys()].map((holding) => holdingAddress[holding] as number))
  for (const address of apart) count(hopsAt(range, swept, address))
  let last = -1
  for (let place = 0; place < reached.length; place++) {
    if (place % shortSlice === 0) yield
    for (let word = reached[place] as number; word !== 0; word &= word - 1) {
      const holding = place * 32 + 31 - Math.clz32(word & -word)
      if (hasBit(range.plain, holding)) {
        count(state[holding * 2 + 1] as number)
        continue
      }
      // The holdings of an address stand side by side: it is counted with the first that was reached.
      const address = holdingAddress[holding] as number
      if (address !== last && !apart.has(address)) count(hopsAt(range, swept, address))
      last = address
    }
  }
  return counts
}

/**
 * The nearest addresses: fewest hops first, then in the order of the transfers by which they were first reached in so
 * few.
 *
 * Cost: one pass over all arrivals, and sorting what lies near enough.
 */
function* nearest(
  range: SweepRange,
  swept: Swept,
  { byHop, limit }: { readonly byHop: readonly number[]; readonly limit: number },
): Sliced<number[]> {
  let farthest = 0
  for (let sum = 0; farthest + 1 < byHop.length && sum < limit; ) sum += byHop[++farthest] as number
  const { holdingAddress } = range.graph.columns
  const { state, arrivals, aside } = swept
  const lists = Array.from({ length: farthest + 1 }, (): number[] => [])
  /** Transfers to addresses that have been reached in several assets, or by stops that depend on the time. */
  const several = new Map<number, { readonly hops: number; readonly transfer: number }>()
  const offer = (holding: number, hops: number, transfer: number): void => {
    const address = holdingAddress[holding] as number
    if (hops !== hopsAt(range, swept, address)) return
    const known = several.get(address)?.transfer
    if (known === undefined || transfer < known !== range.backward)
      several.set(address, { hops, transfer })
  }
  for (let at = 0; at < arrivals.length; at += arrivalSize) {
    if (at % (shortSlice * arrivalSize) === 0) yield
    const hops = arrivals[at + 2] as number
    if (hops === 0 || hops > farthest) continue
    const holding = arrivals[at] as number
    // It was reached in fewer hops later.
    if (state[holding * 2 + 1] !== hops) continue
    const transfer = arrivals[at + 1] as number
    if (hasBit(range.plain, holding)) lists[hops]?.push(transfer)
    else offer(holding, hops, transfer)
  }
  for (const [holding, { hops, transfer }] of aside)
    if (hops > 0 && hops <= farthest) offer(holding, hops, transfer)
  for (const { hops, transfer } of several.values()) lists[hops]?.push(transfer)
  return yield* sorted(range, lists, limit)
}

/** Whom transfers of so many hops brought money to, the first ones of the list first. */
function* sorted(
  { graph, backward }: SweepRange,
  lists: readonly (readonly number[])[],
  limit: number,
): Sliced<number[]> {
  const { from, to, holdingAddress } = graph.columns
  const receivers = backward ? from : to
  const found: number[] = []
  for (const list of lists) {
    yield
    const inOrder = Int32Array.from(list).sort()
    if (backward) inOrder.reverse()
    for (const transfer of inOrder.subarray(0, limit - found.length))
      found.push(holdingAddress[receivers[transfer] as number] as number)
  }
  return found
}
