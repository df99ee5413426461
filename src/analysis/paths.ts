import type { WholeGraph } from '../graph/graph.ts'
import { type Account, formatAccount } from '../ledger/account.ts'
import { type AssetId, formatAsset } from '../ledger/asset.ts'
import { KnownError } from '../ledger/errors.ts'
import type { TransferId } from '../ledger/transfer.ts'
import type { Order, Path } from './bestPath.ts'
import { bestPaths } from './bestPaths.ts'
import { corridor } from './corridor.ts'
import type { Sliced } from './slices.ts'
import type { SweepRange } from './sweep.ts'
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

export interface PathsQuery extends SweepQuery {
  readonly from: readonly Account[]
  readonly to: readonly Account[]
  readonly by: Order
  /** Most paths. */
  readonly k: number
  /** Most transfers to look at, each as often as it is looked at. */
  readonly maxLooked: number
}

export interface FoundPath {
  readonly transfers: readonly {
    readonly transfer: TransferId
    readonly from: string
    readonly to: string
    readonly asset: string
    readonly amount: string
    readonly time: number
  }[]
  readonly hops: number
  /** Smallest amount on the way, base units; null where the path is of several assets, whose amounts do not compare. */
  readonly bottleneck: string | null
  readonly firstTime: number
  readonly lastTime: number
}

export interface PathsAnswer extends SweepFrame {
  readonly version: string
  readonly query: Readonly<Record<string, unknown>>
  /** Best first. */
  readonly paths: readonly FoundPath[]
  /**
   * Why there may be more: `paths`, as many as asked for; `transfers`, the budget was used up; null where these are all.
   * `corridor` transfers can be part of a path, `looked` were looked at.
   */
  readonly cut: {
    readonly reason: 'paths' | 'transfers' | null
    readonly corridor: number
    readonly looked: number
  }
  readonly tags: string
}

const pathsVersion = 'jejak-paths/1'

/**
 * The best paths in time order from one set of accounts to another: each transfer comes after the one before in ledger
 * order, no account is passed twice, no stop is passed through, and neither set has more of a path than its end. By
 * `hops`, `arrival` (backward: latest departure) or `bottleneck`; ties by fewer hops, then by the earlier last transfer,
 * then the one before (backward: the later first, then the one after).
 *
 * Cost: two sweeps of the ledger and one pass; then, per transfer of a path found, one pass over what lies between.
 *
 * @throws KnownError `seed.not-found`, `request.invalid` for an account on both sides, `asset.ambiguous` where amounts
 * of several assets would have to be compared
 */
export function* paths(
  graph: WholeGraph,
  context: SweepContext,
  asked: PathsQuery,
): Sliced<PathsAnswer> {
  const from = addressesOf(graph, asked.from)
  const to = addressesOf(graph, asked.to)
  refuseBothSides(graph, from, to)
  const query = oneAsset(graph, context, { asked, from, to })
  const range = yield* pathRange(graph, context, query)
  const sides = range.backward ? { near: to, far: from } : { near: from, far: to }
  const between = yield* corridor(range, sides)
  const transferAt = (place: number): number => between.transfer[place] as number
  const best = yield* bestPaths(
    {
      corridor: between,
      by: query.by,
      compareAmounts: (a, b) => compareAmounts(graph, transferAt(a), transferAt(b)),
    },
    { k: query.k, maxLooked: query.maxLooked },
  )
  const frame = sweepFrame(graph, context, query)
  const names = (addresses: readonly number[]): string[] =>
    addresses.map((address) => formatAccount(graph.account(address)))
  return {
    version: pathsVersion,
    query: { ...writtenQuery(query, frame), from: names(from), to: names(to) },
    paths: best.paths.map((path) =>
      writtenPath(
        graph,
        path.map(transferAt).sort((a, b) => a - b),
      ),
    ),
    cut: { reason: best.cut, corridor: between.length, looked: best.looked },
    ...frame,
    tags: knowledgeDigest(context),
  }
}

function writtenPath(graph: WholeGraph, path: Path): FoundPath {
  const rows = path.map((transfer) => graph.transfer(transfer))
  const assets = new Set(rows.map(({ asset }) => asset))
  const [least] = path.toSorted((a, b) => compareAmounts(graph, a, b))
  const times = rows.map(({ time }) => time)
  return {
    transfers: rows.map(({ id, from, to, asset, amount, time }) => ({
      transfer: id,
      from: formatAccount(from as Account),
      to: formatAccount(to as Account),
      asset: formatAsset(asset),
      amount: amount.toString(),
      time,
    })),
    hops: rows.length,
    bottleneck: assets.size === 1 ? graph.amount(least as number).toString() : null,
    firstTime: times[0] as number,
    lastTime: times.at(-1) as number,
  }
}

/** Amounts as limbs: no number is made of those that fit 128 bits. */
function compareAmounts(graph: WholeGraph, a: number, b: number): number {
  const { amount } = graph.columns
  for (let limb = 3; limb >= 0; limb--) {
    const difference = (amount[a * 4 + limb] as number) - (amount[b * 4 + limb] as number)
    if (difference !== 0) return difference
  }
  // Larger amounts have all ones there.
  if (amount[a * 4 + 3] !== 0xffffffff) return 0
  const [x, y] = [graph.amount(a), graph.amount(b)]
  return x < y ? -1 : x > y ? 1 : 0
}

function refuseBothSides(graph: WholeGraph, from: readonly number[], to: readonly number[]): void {
  const both = from.filter((address) => to.includes(address))
  const [first] = both
  if (first === undefined) return
  const account = formatAccount(graph.account(first))
  throw new KnownError('request.invalid', `${account} is in from and in to`, {
    facts: { account },
    hint: 'A path leads from one account to another; take it out of one of both.',
  })
}

/** Where both sides have no asset in common there is no path of one asset, and by amount no other counts. */
function* pathRange(
  graph: WholeGraph,
  context: SweepContext,
  query: PathsQuery,
): Sliced<SweepRange> {
  const range = yield* sweepRange(graph, context, query)
  const isNone = query.by === 'bottleneck' && query.asset === undefined
  return isNone ? { ...range, end: range.start } : range
}

/** Amounts of two assets are never compared: by amount, all paths are of the one asset that both sides moved. */
function oneAsset(
  graph: WholeGraph,
  { tokens }: SweepContext,
  given: {
    readonly asked: PathsQuery
    readonly from: readonly number[]
    readonly to: readonly number[]
  },
): PathsQuery {
  const { asked } = given
  if (asked.by !== 'bottleneck' || asked.asset !== undefined) return asked
  const common = [...assetsOf(graph, given.from).intersection(assetsOf(graph, given.to))]
    .map((asset) => graph.assets[asset] as AssetId)
    .filter((asset) => tokens.carriesValue(asset, '' as AssetId) !== undefined)
  const [only] = common
  if (only === undefined) return asked
  if (common.length === 1) return { ...asked, asset: only }
  const names = common.map(formatAsset).sort()
  throw new KnownError('asset.ambiguous', `both sides moved ${names.length} assets`, {
    facts: { assets: names.slice(0, 20).join(' ') },
    hint: 'Choose one with asset: amounts of two assets are never compared.',
  })
}

function assetsOf(graph: WholeGraph, addresses: readonly number[]): Set<number> {
  const assets = new Set<number>()
  for (const address of addresses) {
    const { start, end } = graph.holdingsOf(address)
    for (let holding = start; holding < end; holding++) assets.add(graph.assetOf(holding))
  }
  return assets
}
