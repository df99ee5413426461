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
import { createCoverageView } from './coverageView.ts'
import { exchangeRules } from './exchangeRules.ts'
import { findSeeds, refuseLaterSeeds, seedAssetOf } from './findSeeds.ts'
import { halve } from './halvings.ts'
import { type MethodName, methods } from './methods.ts'
import type { PassPlan, PassPosition } from './pass.ts'
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
 * Cost: passes × O(V log F + legs + lots moved); see `followPass` and `halve`. Addresses that matter little are left
 * out first and taken in by halving the share, until all that is left out is at most `minShare` of the seeds.
 *
 * @param query - complete, as `traceQuery` makes it.
 * @throws KnownError `seed.not-found`, `seed.mixed-assets`, `seed.worthless`, `trace.unsupported` for a method that has
 * no backward form
 */
export function trace(graph: Graph, context: TraceContext, query: TraceQuery): TraceAnswer {
  refuseMethod(query)
  return createTracer(graph, context, query)(query.method)
}

/**
 * Traces of one question that differ by nothing but their method: what does not depend on it is found once, such as
 * where lots stop and what was converted.
 *
 * Cost of what it returns: as of `trace`.
 *
 * @param query - for a direction in which every method that is then asked for has a form.
 * @throws KnownError as `trace` does.
 */
export function createTracer(
  graph: Graph,
  context: TraceContext,
  query: Omit<TraceQuery, 'method'>,
): (method: MethodName) => TraceAnswer {
  const seeds = findSeeds(graph, query.seeds)
  const asset = seedAssetOf(graph, seeds)
  const seedTotal = seeds.reduce((sum, seed) => sum + graph.amount(seed), 0n)
  const coverage = createCoverageView(context.coverage)
  const asOf = asOfBlocks(graph, coverage, query.asOf)
  refuseLaterSeeds(graph, seeds, asOf)
  const plan = planOf(graph, context, { query, seeds, asset, asOf })
  const tags = knowledgeDigest(context)
  const name = assetName(graph, asset)
  return (method) => {
    const share = { minShare: query.minShare, seedTotal }
    const parts: TraceParts = {
      graph,
      query: { ...query, method },
      seeds,
      seedTotal,
      coverage,
      asOf,
      ...halve({ ...plan, method: methods[method] }, share),
      wrappers: plan.wrappers,
      ...(context.freezes && { freezes: context.freezes }),
      version: engineVersion,
      tags,
      trust: context.tokens.carriesValue(name, name) ?? 'seed',
    }
    return writeAnswer(parts)
  }
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
    readonly query: Omit<TraceQuery, 'method'>
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

/** Passes of one trace, and of several methods, look at the same transactions again. */
function remembered<T>(find: (transaction: number) => T): (transaction: number) => T {
  const known = new Map<number, T>()
  return (transaction) => {
    const found = known.get(transaction) ?? find(transaction)
    known.set(transaction, found)
    return found
  }
}

type Plan = Omit<PassPlan, 'threshold' | 'method'> & Pick<TraceParts, 'wrappers'>

function throughOf(
  graph: Graph,
  timeline: Timeline,
  query: Pick<TraceQuery, 'throughTransfer'>,
): number {
  if (query.throughTransfer === undefined) return Number.POSITIVE_INFINITY
  const transfer = graph.find(query.throughTransfer)
  if (transfer >= 0) return timeline.transactionOf(timeline.transfer(transfer))
  throw new KnownError(
    'transfer.not-found',
    `the store has no transfer ${query.throughTransfer}, where the trace should stop`,
    { facts: { transfer: query.throughTransfer }, hint: 'Leave throughTransfer out.' },
  )
}
