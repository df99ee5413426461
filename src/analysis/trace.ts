import { createHash } from 'node:crypto'
import type { Graph } from '../graph/graph.ts'
import type { ChainId } from '../ledger/chain.ts'
import type { Coverage, CoverageOfMany } from '../ledger/coverage.ts'
import { KnownError } from '../ledger/errors.ts'
import { asOfBlocks, beyondAsOf } from './asOf.ts'
import { createBalances } from './balances.ts'
import { createCrossings } from './bridgeCrossings.ts'
import { type ConversionKnowledge, noConversionKnowledge } from './conversionKnowledge.ts'
import { conversionsIn } from './conversions.ts'
import { type CoverageView, createCoverageView } from './coverageView.ts'
import { exchangeRules } from './exchangeRules.ts'
import { findSeeds, refuseLaterSeeds, seedAssetOf } from './findSeeds.ts'
import { followThreshold, isAtMostShare } from './followThreshold.ts'
import { methods } from './methods.ts'
import {
  type Ending,
  followPass,
  type PassPlan,
  type PassPosition,
  type PassResult,
} from './pass.ts'
import { createStops, type StopTags, type ValueTokens } from './stops.ts'
import { backwardTimeline, forwardTimeline, type Timeline } from './timeline.ts'
import type { FreezeKnowledge, TraceAnswer, TraceQuery } from './traceAnswer.ts'
import { type TraceParts, writeAnswer } from './writeAnswer.ts'

/** What a trace knows besides the ledger. */
export interface TraceContext {
  readonly tags: StopTags
  readonly tokens: ValueTokens
  readonly coverage: readonly (Coverage | CoverageOfMany)[]
  /** Absent: exchanges are judged by ledger and tags alone. */
  readonly conversions?: ConversionKnowledge
  /** What issuers froze; absent: nothing is known to be. */
  readonly freezes?: FreezeKnowledge
  /** Gives the trace up with `request.timeout` when it answers true; it never changes an answer. */
  readonly interrupted?: (position: PassPosition) => boolean
}

/** Name and version of the engine, in every answer: equal versions give equal bytes. */
export const engineVersion = 'jejak-trace/3'

/**
 * Follows the money of its seeds through one generation of the ledger, forward to where it ended or rests or backward
 * to where it came from, every unit of it (design 8.1 and 8.2).
 *
 * The result depends on its arguments alone. Faces of all outcomes add up to the seeds exactly.
 *
 * Cost: passes × O(V log F + legs + lots moved); see `followPass`. Addresses that matter little are left out first
 * and taken in by halving the share, until all that is left out is at most `minShare` of the seeds.
 *
 * @param query - complete, as `traceQuery` makes it.
 * @throws KnownError `seed.not-found`, `seed.mixed-assets`, `seed.worthless`, `trace.unsupported` for a method that has
 * no backward form
 */
export function trace(graph: Graph, context: TraceContext, query: TraceQuery): TraceAnswer {
  refuseMethod(query)
  const seeds = findSeeds(graph, query.seeds)
  const asset = seedAssetOf(graph, seeds)
  const seedTotal = seeds.reduce((sum, seed) => sum + graph.amount(seed), 0n)
  const coverage = createCoverageView(context.coverage)
  const asOf = asOfBlocks(graph, coverage, query.asOf)
  refuseLaterSeeds(graph, seeds, asOf)
  const plan = planOf(graph, context, { query, seeds, asset, asOf })
  const passed = boundedPasses(plan, { query, seedTotal, asset, graph, coverage, asOf })
  const parts: TraceParts = {
    graph,
    query,
    seeds,
    seedTotal,
    coverage,
    asOf,
    ...passed,
    wrappers: plan.wrappers,
    ...(context.freezes && { freezes: context.freezes }),
    version: engineVersion,
    tags: knowledgeDigest(context),
    trust: context.tokens.carriesValue(assetName(graph, asset), assetName(graph, asset)) ?? 'seed',
  }
  return writeAnswer(parts)
}

/** Digest of the tags, token list, prices, records, registries and freezes in force. */
export function knowledgeDigest({ tags, tokens, conversions, freezes }: TraceContext): string {
  return createHash('sha256')
    .update(tags.digest)
    .update(tokens.digest)
    .update(conversions?.digest ?? '')
    .update(freezes?.digest() ?? '')
    .digest('hex')
}

function refuseMethod({ method, direction }: TraceQuery): void {
  if (direction === 'forward' || methods[method].backward) return
  throw new KnownError(
    'trace.unsupported',
    `${method} has no backward form: which money pays depends on what is traced`,
    {
      facts: { method, direction },
      hint: 'Backward use fifo, lifo or haircut; to ask forward from another seed, name that seed.',
    },
  )
}

function assetName(graph: Graph, asset: number): Graph['assets'][number] {
  return graph.assets[asset] as Graph['assets'][number]
}

function planOf(
  graph: Graph,
  context: TraceContext,
  given: {
    readonly query: TraceQuery
    readonly seeds: readonly number[]
    readonly asset: number
    readonly asOf: ReadonlyMap<ChainId, number>
  },
): Plan {
  const { query, seeds, asset, asOf } = given
  const backward = query.direction === 'backward'
  const isBeyond = beyondAsOf(graph, asOf)
  const knowledge = context.conversions ?? noConversionKnowledge
  const rules = exchangeRules(graph, { ...context, knowledge }, assetName(graph, asset))
  const stop = createStops(graph, { tags: context.tags, rules }, { ...query, isBeyond })
  const isStop = (address: number, time: number): boolean =>
    address < 0 || stop(address, time) !== undefined
  const conversions = remembered((transaction) =>
    conversionsIn(graph, transaction, { rules, isStop, resolutions: query.resolve, backward }),
  )
  const balances = createBalances(
    graph,
    (transaction, holding) => conversions(transaction).isConverting(holding),
    // Of one asset nothing can have been exchanged, but by a record for somebody else.
    (holding) => knowledge.hasRecords || severalAssets(graph, holding, rules.counts),
  )
  const timeline = backward ? backwardTimeline(graph, balances) : forwardTimeline(graph, balances)
  return {
    graph,
    timeline,
    method: methods[query.method],
    seeds: new Map(
      seeds
        .map((seed, number) => [timeline.transfer(seed), number] as const)
        .sort(([a], [b]) => a - b),
    ),
    counts: rules.counts,
    wrappedAssets: new Set(rules.wrappers.keys()),
    wrappers: rules.wrappers,
    stop,
    conversions,
    crossing: createCrossings(graph, timeline, knowledge, isBeyond),
    isBeyond,
    matched: query.sameTransaction === 'matched',
    maxHops: query.maxHops,
    maxIdle: query.maxIdle,
    maxAddresses: query.maxAddresses,
    maxTransactions: query.maxTransactions,
    through: throughOf(graph, timeline, query),
    interrupted: context.interrupted,
  }
}

function severalAssets(graph: Graph, holding: number, counts: readonly boolean[]): boolean {
  const { start, end } = graph.holdingsOf(graph.addressOf(holding))
  let found = 0
  for (let other = start; other < end && found < 2; other++)
    if (counts[graph.assetOf(other)] === true) found++
  return found > 1
}

/** Passes of one trace look at the same transactions again. */
function remembered<T>(find: (transaction: number) => T): (transaction: number) => T {
  const known = new Map<number, T>()
  return (transaction) => {
    const found = known.get(transaction) ?? find(transaction)
    known.set(transaction, found)
    return found
  }
}

type Plan = Omit<PassPlan, 'threshold'> & Pick<TraceParts, 'wrappers'>

function throughOf(graph: Graph, timeline: Timeline, query: TraceQuery): number {
  if (query.throughTransfer === undefined) return Number.POSITIVE_INFINITY
  const transfer = graph.find(query.throughTransfer)
  if (transfer >= 0) return timeline.transactionOf(timeline.transfer(transfer))
  throw new KnownError(
    'transfer.not-found',
    `the store has no transfer ${query.throughTransfer}, where the trace should stop`,
    { facts: { transfer: query.throughTransfer }, hint: 'Leave throughTransfer out.' },
  )
}

interface Judging {
  readonly query: TraceQuery
  readonly seedTotal: bigint
  readonly graph: Graph
  readonly asset: number
  readonly coverage: CoverageView
  readonly asOf: ReadonlyMap<ChainId, number>
}

type Passed = Pick<TraceParts, 'result' | 'halvings' | 'passes' | 'budget'>

/**
 * Passes with halved shares until all dust together is small. A pass that would exceed a budget is dropped: the
 * last one within it is the answer, and its dust is `budget`. Where even the first is too much, the share is
 * doubled instead, until one fits.
 */
function boundedPasses(plan: Plan, judging: Judging): Passed {
  const { query, seedTotal } = judging
  const run = (halvings: number): ReturnType<typeof followPass> =>
    followPass({ ...plan, threshold: thresholdAt(seedTotal, query.minShare, halvings) })
  let passes = 0
  let kept: { readonly result: PassResult; readonly halvings: number } | undefined
  for (let halvings = 0; ; halvings++) {
    passes++
    const result = run(halvings)
    if (typeof result === 'string') {
      const within = kept ?? doubled(run, halvings)
      return { ...within, passes, budget: result }
    }
    kept = { result, halvings }
    const everything = thresholdAt(seedTotal, query.minShare, halvings) <= 1n
    if (everything || isAtMostShare(dustOf(result), query.minShare, seedTotal)) {
      return { ...kept, passes, budget: null }
    }
  }
}

function thresholdAt(total: bigint, share: number, halvings: number): bigint {
  if (halvings >= 0) return followThreshold(total, share, halvings)
  const doubled = followThreshold(total << BigInt(-halvings), share, 0)
  // A share of zero cannot be doubled: it grows from one unit instead.
  return doubled > 0n ? doubled : 1n << BigInt(-halvings - 1)
}

/** The first pass of larger and larger shares that fits the budgets; at the latest the one that follows nobody. */
function doubled(
  run: (halvings: number) => ReturnType<typeof followPass>,
  start: number,
): { readonly result: PassResult; readonly halvings: number } {
  for (let halvings = start - 1; halvings > -300; halvings--) {
    const result = run(halvings)
    if (typeof result !== 'string') return { result, halvings }
  }
  throw new KnownError(
    'trace.unsupported',
    'the budgets are too small for even one step of this trace',
    {
      hint: 'Raise maxAddresses or maxTransactions, or name fewer seeds.',
    },
  )
}

function dustOf(result: PassResult): bigint {
  const spent = result.endings.filter((ending: Ending) => ending.outcome === 'dust')
  const resting = result.resting.filter((rest) => !rest.followed)
  return (
    spent.reduce((sum, { face }) => sum + face, 0n) +
    resting.reduce((sum, { lot }) => sum + lot.face, 0n)
  )
}
