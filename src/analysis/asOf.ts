import type { Graph } from '../graph/graph.ts'
import type { ChainId } from '../ledger/chain.ts'
import { compareText } from '../ledger/order.ts'
import type { CoverageView } from './coverageView.ts'

/**
 * Per chain the highest block that any coverage or row reaches, or what the caller asked for. In order of their names:
 * a graph numbers chains by arrival in the log, and no byte of an answer may depend on that.
 */
export function asOfBlocks(
  graph: Graph,
  coverage: CoverageView,
  asked: Readonly<Record<string, number>>,
): ReadonlyMap<ChainId, number> {
  return new Map(
    graph.chains.toSorted(compareText).map((chain) => {
      const data = Math.max(graph.highest(chain)?.block ?? -1, coverage.highest(chain))
      return [chain, asked[chain] ?? data]
    }),
  )
}

/** Whether a transaction lies beyond the as-of block of its chain. */
export function beyondAsOf(
  graph: Graph,
  asOf: ReadonlyMap<string, number>,
): (transaction: number) => boolean {
  return (transaction) => {
    const block = graph.block(graph.blockOf(transaction))
    return block.number > (asOf.get(block.chain) ?? Number.POSITIVE_INFINITY)
  }
}

/** The blocks as answers name them: with a hash where the ledger has the block itself. */
export function writtenAsOf(
  graph: Graph,
  asOf: ReadonlyMap<ChainId, number>,
): Readonly<Record<ChainId, { readonly block: number; readonly hash: string | null }>> {
  return Object.fromEntries(
    [...asOf].map(([chain, block]) => {
      const highest = graph.highest(chain)
      return [chain, { block, hash: highest?.block === block ? highest.hash : null }]
    }),
  )
}
