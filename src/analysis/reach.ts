import type { WholeGraph } from '../graph/graph.ts'
import { type Account, formatAccount } from '../ledger/account.ts'
import type { TransferId } from '../ledger/transfer.ts'
import { hasBit } from './bits.ts'
import { type Sliced, sliceLength } from './slices.ts'
import type { Stop } from './stops.ts'
import { type Note, noteOf, type SweepRange, type Swept, sweep } from './sweep.ts'
import {
  addressesOf,
  type SweepContext,
  type SweepFrame,
  type SweepQuery,
  sweepFrame,
  sweepRange,
  writtenQuery,
} from './sweepQuestion.ts'
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
      query.maxHops,
    )
  const perSweep = query.maxHops === undefined ? bitsPerSweep : 1
  const all = yield* go(addresses, (place) => 1 << (addresses.length <= perSweep ? place : 0))
  const byHop = yield* reachedByHop(range, all)
  const listed = nearest(byHop, query).map((transfer) => {
    const { from, to, holdingAddress } = graph.columns
    return holdingAddress[(range.backward ? from : to)[transfer] as number] as number
  })
  const sourcesOf = listed.map((): string[] => [])
  for (let first = 0; query.sources && first < addresses.length; first += perSweep) {
    const some = addresses.slice(first, first + perSweep)
    const swept = some.length === addresses.length ? all : yield* go(some, (place) => 1 << place)
    const names = some.map((address) => formatAccount(graph.account(address)))
    for (const [i, address] of listed.entries()) {
      const { bits } = noteOf(range, swept, address) ?? { bits: 0 }
      for (const [place, name] of names.entries())
        if ((bits >>> place) & 1) sourcesOf[i]?.push(name)
    }
    yield
  }
  const reached: Reached[] = []
  for (const [i, address] of listed.entries()) {
    if (i % writtenAtOnce === 0) yield
    const sources = query.sources ? { sources: sourcesOf[i] as readonly string[] } : {}
    reached.push({ ...reachedAs(range, all, address), ...sources })
  }
  const frame = sweepFrame(graph, context, query)
  return {
    version: reachVersion,
    query: {
      ...writtenQuery(query, frame),
      accounts: addresses.map((a) => formatAccount(graph.account(a))),
    },
    reached,
    byHop: byHop.flatMap(({ length }, hop) => (length > 0 ? { hop, accounts: length } : [])),
    cut: { reached: byHop.reduce((sum, { length }) => sum + length, 0), listed: listed.length },
    ...frame,
    tags: knowledgeDigest(context),
  }
}

function reachedAs(range: SweepRange, swept: Swept, address: number): Omit<Reached, 'sources'> {
  const { graph, stops } = range
  const { hops, transfer, arrival } = noteOf(range, swept, address) as Note
  const stop = stops.at(address, transfer)
  const { id, time } = graph.transfer(transfer)
  return {
    account: formatAccount(graph.account(address)),
    hop: hops,
    transfer: id,
    arrival: graph.idOf(arrival),
    time,
    ...(stop === undefined ? {} : { stop }),
  }
}

/**
 * For each number of hops the transfers by which addresses were first reached in so few, each address once.
 *
 * Cost: one pass over all holdings, without an object for any of them.
 */
function* reachedByHop(range: SweepRange, swept: Swept): Sliced<number[][]> {
  const { holdingAddress } = range.graph.columns
  const { state, how, reached, aside } = swept
  const lists: number[][] = []
  const add = (hops: number, transfer: number): void => {
    while (lists.length <= hops) lists.push([])
    if (hops > 0) lists[hops]?.push(transfer)
  }
  const apart = new Set([...aside.keys()].map((holding) => holdingAddress[holding] as number))
  for (const address of apart) {
    const { hops, transfer } = noteOf(range, swept, address) as Note
    add(hops, transfer)
  }
  const isSooner = (a: number, b: number): boolean => a < b !== range.backward
  let last = -1
  let hops = 0
  let transfer = -1
  for (let holding = 0; holding < holdingAddress.length; holding++) {
    if (holding % sliceLength === 0) yield
    const at = holding * 2
    if (holding % 32 === 0 && reached[holding >> 5] === 0) holding += 31
    if (!hasBit(reached, holding)) continue
    const address = holdingAddress[holding] as number
    const next = state[at + 1] as number
    const by = how[at] as number
    const isNew = address !== last
    if (isNew && last >= 0 && !apart.has(last)) add(hops, transfer)
    if (isNew || next < hops || (next === hops && isSooner(by, transfer))) {
      hops = next
      transfer = by
    }
    last = address
  }
  if (last >= 0 && !apart.has(last)) add(hops, transfer)
  return lists
}

/** The transfers by which the nearest were reached: fewest hops first, then the order of the ledger. */
function nearest(byHop: readonly (readonly number[])[], query: ReachQuery): number[] {
  const found: number[] = []
  for (const transfers of byHop) {
    if (found.length >= query.limit) break
    const sorted = Int32Array.from(transfers).sort()
    found.push(
      ...(query.direction === 'backward' ? sorted.reverse() : sorted).subarray(
        0,
        query.limit - found.length,
      ),
    )
  }
  return found
}
