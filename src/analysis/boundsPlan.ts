import type { Graph } from '../graph/graph.ts'
import type { Account } from '../ledger/account.ts'
import type { AssetId } from '../ledger/asset.ts'
import type { ChainId } from '../ledger/chain.ts'
import type { TransferId } from '../ledger/transfer.ts'
import { asOfBlocks, beyondAsOf } from './asOf.ts'
import { noConversionKnowledge } from './conversionKnowledge.ts'
import { conversionsIn, type Resolution } from './conversions.ts'
import { type CoverageView, createCoverageView } from './coverageView.ts'
import { exchangeRules } from './exchangeRules.ts'
import { findSeeds, refuseLaterSeeds, seedAssetOf } from './findSeeds.ts'
import type { MoveRules } from './forwardMoves.ts'
import { createStops } from './stops.ts'
import type { TraceContext } from './trace.ts'

/** What a question for bounds shares with a trace. */
export interface BoundsScope {
  /** In ledger order, each once. */
  readonly seeds: readonly TransferId[]
  readonly asOf: Readonly<Record<string, number>>
  readonly continueThrough: readonly Account[]
  readonly neverFollow: readonly Account[]
  readonly resolve: readonly Resolution[]
}

export interface BoundsPlan {
  readonly rules: MoveRules
  readonly coverage: CoverageView
  /** Last block per chain, in order of the chains' names. */
  readonly asOf: ReadonlyMap<ChainId, number>
  readonly seedTotal: bigint
}

/**
 * Puts together by what rules money may go on: those of a trace over the same ledger, tags and knowledge, with the target
 * as one more place where it ends.
 *
 * @throws KnownError `seed.not-found`, `seed.mixed-assets`, `seed.worthless`
 */
export function boundsPlan(
  graph: Graph,
  context: TraceContext,
  given: { readonly scope: BoundsScope; readonly isTarget: MoveRules['isTarget'] },
): BoundsPlan {
  const { scope, isTarget } = given
  const coverage = createCoverageView(context.coverage)
  const asOf = asOfBlocks(graph, coverage, scope.asOf)
  const isBeyond = beyondAsOf(graph, asOf)
  const seeds = findSeeds(graph, scope.seeds)
  refuseLaterSeeds(graph, seeds, asOf)
  const asset = seedAssetOf(graph, seeds)
  const knowledge = context.conversions ?? noConversionKnowledge
  const exchange = exchangeRules(graph, { ...context, knowledge }, graph.assets[asset] as AssetId)
  const stop = createStops(graph, { tags: context.tags, rules: exchange }, { ...scope, isBeyond })
  const isStop = (address: number, time: number): boolean =>
    address < 0 || stop(address, time) !== undefined
  const rules: MoveRules = {
    graph,
    seeds: new Set(seeds),
    counts: exchange.counts,
    twins: new Map([...exchange.wrappers].map(([wrapped, { native }]) => [wrapped, native])),
    isTarget,
    stop,
    conversions: (transaction) =>
      conversionsIn(graph, transaction, {
        rules: exchange,
        isStop,
        resolutions: scope.resolve,
        backward: false,
      }),
    isBeyond,
  }
  const seedTotal = seeds.reduce((sum, seed) => sum + graph.amount(seed), 0n)
  return { rules, coverage, asOf, seedTotal }
}
