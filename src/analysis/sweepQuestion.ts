/** What paths and reach have in common: which transfers are looked at, where they go no further, and as of when. */
import type { WholeGraph } from '../graph/graph.ts'
import { type Account, formatAccount } from '../ledger/account.ts'
import { type AssetId, formatAsset } from '../ledger/asset.ts'
import { KnownError } from '../ledger/errors.ts'
import { asOfBlocks, beyondAsOf, writtenAsOf } from './asOf.ts'
import { noConversionKnowledge } from './conversionKnowledge.ts'
import { createCoverageView } from './coverageView.ts'
import { exchangeRules } from './exchangeRules.ts'
import type { Direction } from './methods.ts'
import { movements, plainHoldings } from './movements.ts'
import type { Sliced } from './slices.ts'
import type { SweepRange } from './sweep.ts'
import { createSweepStops, type ListedTags } from './sweepStops.ts'
import { knowledgeDigest, type TraceContext } from './trace.ts'

/** As a trace's, with tags that can be listed. */
export interface SweepContext extends Omit<TraceContext, 'interrupted'> {
  readonly tags: ListedTags
}

export interface SweepQuery {
  readonly direction: Direction
  /** Only transfers of this asset; absent: of all that carry value. */
  readonly asset?: AssetId
  /** Window, seconds since 1970, both ends included. */
  readonly since?: number
  readonly until?: number
  /** Last block to look at, by chain. */
  readonly asOf: Readonly<Record<string, number>>
  readonly continueThrough: readonly Account[]
  readonly neverFollow: readonly Account[]
}

/** What every answer about a ledger carries besides what was asked. */
export interface SweepFrame {
  /** `one_asset` where only transfers of the asset asked for count, else whatever carries value. */
  readonly follows: 'one_asset' | 'value_carrying'
  readonly asOf: Readonly<Record<string, { readonly block: number; readonly hash: string | null }>>
  readonly dataset: string
}

/**
 * @throws KnownError `seed.not-found` where the ledger has no transfer of the asset asked for
 */
export function* sweepRange(
  graph: WholeGraph,
  context: SweepContext,
  query: SweepQuery,
): Sliced<SweepRange> {
  if (query.asset !== undefined && graph.asset(query.asset) < 0) throw unknownAsset(query.asset)
  const judged = yield* judgedOnce(graph, context, query)
  return {
    graph,
    ...judged,
    backward: query.direction === 'backward',
    start: query.since === undefined ? 0 : graph.firstAt(query.since),
    end: query.until === undefined ? graph.transferCount : graph.firstAt(query.until + 1),
  }
}

type Judged = Pick<SweepRange, 'follows' | 'stops' | 'plain' | 'moves'>

/** What was judged last in each generation: it is the same for all questions that differ in accounts and time only. */
const lastJudged = new WeakMap<WholeGraph, { readonly key: string; readonly judged: Judged }>()

function* judgedOnce(graph: WholeGraph, context: SweepContext, query: SweepQuery): Sliced<Judged> {
  const { asset, asOf, continueThrough, neverFollow } = query
  const key = JSON.stringify([knowledgeDigest(context), asset, asOf, continueThrough, neverFollow])
  const known = lastJudged.get(graph)
  if (known?.key === key) return known.judged
  const made = yield* judge(graph, context, query)
  lastJudged.set(graph, { key, judged: made })
  return made
}

function* judge(graph: WholeGraph, context: SweepContext, query: SweepQuery): Sliced<Judged> {
  const asked = query.asOf
  const isBeyond = beyondAsOf(graph, new Map(Object.entries(asked)))
  const knowledge = context.conversions ?? noConversionKnowledge
  const { tags, tokens } = context
  const rules = exchangeRules(graph, { tags, tokens, knowledge }, query.asset ?? ('' as AssetId))
  const follows = graph.assets.map((name, asset) =>
    query.asset === undefined ? rules.counts[asset] === true : name === query.asset,
  )
  const stops = createSweepStops(graph, { tags, rules }, { ...query, isBeyond })
  const plain = yield* plainHoldings({ graph, follows, stops })
  // Without a wish nothing is beyond: then nobody needs to look.
  const isLimited = Object.keys(asked).length > 0
  const moves = yield* movements({ graph, follows }, isLimited ? isBeyond : undefined)
  return { follows, stops, plain, moves }
}

export function sweepFrame(
  graph: WholeGraph,
  context: SweepContext,
  query: SweepQuery,
): SweepFrame {
  return {
    follows: query.asset === undefined ? 'value_carrying' : 'one_asset',
    asOf: writtenAsOf(graph, asOfBlocks(graph, createCoverageView(context.coverage), query.asOf)),
    dataset: graph.digest,
  }
}

/** The query as an answer repeats it: accounts and assets as people write them, the as-of block of every chain. */
export function writtenQuery(query: SweepQuery, frame: SweepFrame) {
  return {
    ...query,
    ...(query.asset === undefined ? {} : { asset: formatAsset(query.asset) }),
    asOf: Object.fromEntries(
      Object.entries(frame.asOf).map(([chain, { block }]) => [chain, block]),
    ),
    continueThrough: query.continueThrough.map(formatAccount),
    neverFollow: query.neverFollow.map(formatAccount),
  }
}

/**
 * Numbers of the accounts, each once, in the order given.
 *
 * @throws KnownError `seed.not-found` with those of which the ledger has no transfer
 */
export function addressesOf(graph: WholeGraph, accounts: readonly Account[]): number[] {
  const unknown = accounts.filter((account) => graph.address(account) < 0)
  if (unknown.length > 0 || accounts.length === 0) {
    const names = unknown.slice(0, 20).map(formatAccount)
    throw new KnownError(
      'seed.not-found',
      unknown.length === 0
        ? 'no account is named'
        : `the store has no transfer of ${names.length < unknown.length ? `${unknown.length} accounts, the first of them ` : ''}${names.join(', ')}`,
      {
        facts: { unknown: unknown.length },
        hint: 'Check the address, or import or ingest it first.',
      },
    )
  }
  return [...new Set(accounts.map((account) => graph.address(account)))]
}

function unknownAsset(asset: AssetId): KnownError {
  return new KnownError('seed.not-found', `the store has no transfer of ${formatAsset(asset)}`, {
    facts: { asset: formatAsset(asset) },
    hint: 'Check the asset, or leave it out.',
  })
}
