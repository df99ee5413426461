import { type TraceContext, trace } from '../analysis/trace.ts'
import type { TraceAnswer, TraceQuery } from '../analysis/traceAnswer.ts'
import type { Graph } from '../graph/graph.ts'
import { KnownError } from '../ledger/errors.ts'
import type { TransferId } from '../ledger/transfer.ts'

/** How far a trace has come. */
export interface TraceProgress {
  /** Transactions visited in the pass at hand. */
  readonly transactions: number
  /** Passes begun, the one at hand among them. */
  readonly passes: number
  /** A transfer of the transaction at hand, and its block. */
  readonly transfer: TransferId
  readonly block: number
}

/**
 * Asked every some transactions. `stop` ends the trace at this place of the ledger with an answer that says so; `drop`
 * gives it up.
 */
export type TraceWatch = (progress: () => TraceProgress) => 'go' | 'stop' | 'drop'

/**
 * A trace under a watch. Where it is stopped, it is run again through the transfer at hand (`query.throughTransfer`),
 * and this time not stopped: analysis has no clock, so what is answered is what anybody gets who asks for that place.
 *
 * @returns a function that may be asked again, of more of the ledger, and stops where it stopped the first time.
 */
export function watchedTrace(
  context: TraceContext,
  watch: TraceWatch | undefined,
): (graph: Graph, query: TraceQuery) => TraceAnswer {
  if (!watch) return (graph, query) => trace(graph, context, query)
  let through: TransferId | undefined
  let passes = 0
  let visited = Number.POSITIVE_INFINITY

  function asked(graph: Graph): NonNullable<TraceContext['interrupted']> {
    return ({ transactions, transfer }) => {
      if (transactions < visited) passes++
      visited = transactions
      const verdict = watch?.(() => {
        const { id, block } = graph.transfer(transfer)
        return { transactions, passes, transfer: id, block }
      })
      if (verdict === 'stop' && through === undefined) {
        through = graph.transfer(transfer).id
        return true
      }
      return verdict === 'drop'
    }
  }

  function attempt(graph: Graph, query: TraceQuery): TraceAnswer {
    visited = Number.POSITIVE_INFINITY
    passes = 0
    const limited = through === undefined ? query : { ...query, throughTransfer: through }
    return trace(graph, { ...context, interrupted: asked(graph) }, limited)
  }

  return (graph, query) => {
    const before = through
    try {
      return attempt(graph, query)
    } catch (error) {
      const stopped = through !== before
      if (!stopped || !(error instanceof KnownError) || error.code !== 'request.timeout')
        throw error
      return attempt(graph, query)
    }
  }
}
