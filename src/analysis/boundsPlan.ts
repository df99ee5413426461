import type { Graph } from '../graph/graph.ts'
import type { Account } from '../ledger/account.ts'
import type { AssetId } from '../ledger/asset.ts'
import type { ChainId } from '../ledger/chain.ts'
import { KnownError } from '../ledger/errors.ts'
import { compareText } from '../ledger/order.ts'
import type { TransferId } from '../ledger/transfer.ts'
import { noConversionKnowledge } from './conversionKnowledge.ts'
import { conversionsIn, type Resolution } from './conversions.ts'
import { type CoverageView, createCoverageView } from './coverageView.ts'
import { exchangeRules } from './exchangeRules.ts'
import type { MoveRules } from './forwardMoves.ts'
import { assetOf } from './netChanges.ts'
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
  const asOf = new Map(
    graph.chains.toSorted(compareText).map((chain) => {
      const data = Math.max(graph.highest(chain)?.block ?? -1, coverage.highest(chain))
      return [chain, scope.asOf[chain] ?? data]
    }),
  )
  const isBeyond = (transaction: number): boolean => {
    const block = graph.block(graph.blockOf(transaction))
    return block.number > (asOf.get(block.chain) ?? Number.POSITIVE_INFINITY)
  }
  const seeds = scope.seeds.map((id) => seedOf(graph, id, isBeyond))
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

function seedOf(graph: Graph, id: TransferId, isBeyond: MoveRules['isBeyond']): number {
  const seed = graph.find(id)
  if (seed < 0) {
    throw new KnownError('seed.not-found', `the store has no transfer ${id}`, {
      facts: { seed: id },
      hint: 'Import or ingest it first; `jejak check` says what the store holds.',
    })
  }
  if (isBeyond(graph.transactionOf(seed))) {
    throw new KnownError('seed.not-found', `the seed ${id} lies beyond the as-of block`, {
      facts: { seed: id, block: graph.transfer(seed).block },
      hint: 'Choose a later as-of block, or leave the seed out.',
    })
  }
  const isNothing = graph.amount(seed) === 0n || graph.from(seed) === graph.to(seed)
  if (!isNothing) return seed
  throw new KnownError('seed.worthless', `the seed ${id} moves nothing`, {
    facts: { seed: id },
    hint: 'A seed is a positive transfer between two addresses: not a zero amount, not one to itself.',
  })
}

function seedAssetOf(graph: Graph, seeds: readonly number[]): number {
  const assets = [...new Set(seeds.map((seed) => assetOf(graph, seed)))]
  const [only] = assets
  if (only === undefined) {
    throw new KnownError('seed.not-found', 'bounds need at least one seed', {
      hint: 'Name a transfer with --seed or an address with --seed-address.',
    })
  }
  if (assets.length === 1) return only
  const names = assets.map((asset) => graph.assets[asset]).join(', ')
  throw new KnownError('seed.mixed-assets', `the seeds are of ${assets.length} assets: ${names}`, {
    facts: { assets: names },
    hint: 'Amounts of two assets are never added: ask for each asset on its own, or choose one with --asset.',
  })
}
