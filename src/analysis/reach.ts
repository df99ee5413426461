import type { WholeGraph } from '../graph/graph.ts'
import { type Account, formatAccount } from '../ledger/account.ts'
import type { TransferId } from '../ledger/transfer.ts'
import { type Sliced, sliceLength } from './slices.ts'
import type { Stop } from './stops.ts'
import { type Swept, sweep, unreached } from './sweep.ts'
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
  const range = sweepRange(graph, context, query)
  const addresses = addressesOf(graph, query.accounts)
  const go = (from: readonly number[], bit: (place: number) => number): Sliced<Swept> =>
    sweep(
      range,
      from.map((address, place) => ({ address, bits: bit(place) })),
      query.maxHops,
    )
  const perSweep = query.maxHops === undefined ? bitsPerSweep : 1
  const all = yield* go(addresses, (place) => 1 << (addresses.length <= perSweep ? place : 0))
  const byHop = yield* countByHop(all)
  const listed = yield* nearest(all, byHop, query)
  const sourcesOf = listed.map((): string[] => [])
  for (let first = 0; query.sources && first < addresses.length; first += perSweep) {
    const some = addresses.slice(first, first + perSweep)
    const { bits } = some.length === addresses.length ? all : yield* go(some, (place) => 1 << place)
    for (const [place, address] of some.entries()) {
      const name = formatAccount(graph.account(address))
      for (const [i, at] of listed.entries())
        if (((bits[at] as number) >>> place) & 1) sourcesOf[i]?.push(name)
    }
    yield
  }
  const frame = sweepFrame(graph, context, query)
  return {
    version: reachVersion,
    query: {
      ...writtenQuery(query, frame),
      accounts: addresses.map((a) => formatAccount(graph.account(a))),
    },
    reached: listed.map((address, i) => {
      const transfer = all.transfer[address] as number
      const stop = range.stops.at(address, transfer)
      const { id, time } = graph.transfer(transfer)
      return {
        account: formatAccount(graph.account(address)),
        hop: all.hops[address] as number,
        transfer: id,
        arrival: graph.transfer(all.arrival[address] as number).id,
        time,
        ...(stop === undefined ? {} : { stop }),
        ...(query.sources ? { sources: sourcesOf[i] as readonly string[] } : {}),
      }
    }),
    byHop,
    cut: { reached: byHop.reduce((sum, { accounts }) => sum + accounts, 0), listed: listed.length },
    ...frame,
    tags: knowledgeDigest(context),
  }
}

function* countByHop({ hops }: Swept): Sliced<{ hop: number; accounts: number }[]> {
  const counts: number[] = []
  for (let address = 0; address < hops.length; address++) {
    if (address % sliceLength === 0) yield
    const hop = hops[address] as number
    if (hop !== unreached && hop > 0) counts[hop] = (counts[hop] ?? 0) + 1
  }
  return counts.flatMap((accounts, hop) => ({ hop, accounts }))
}

/** Addresses in the order of hops, then of the transfers that reached them, as many as are to be listed. */
function* nearest(
  { hops, transfer }: Swept,
  byHop: readonly { readonly hop: number; readonly accounts: number }[],
  query: ReachQuery,
): Sliced<number[]> {
  let before = 0
  const last = byHop.find(({ accounts }) => {
    before += accounts
    return before >= query.limit
  })?.hop
  const found: number[] = []
  for (let address = 0; address < hops.length; address++) {
    if (address % sliceLength === 0) yield
    const hop = hops[address] as number
    if (hop > 0 && hop <= (last ?? unreached - 1)) found.push(address)
  }
  const sign = query.direction === 'backward' ? -1 : 1
  found.sort(
    (a, b) =>
      (hops[a] as number) - (hops[b] as number) ||
      sign * ((transfer[a] as number) - (transfer[b] as number)),
  )
  return found.slice(0, query.limit)
}
