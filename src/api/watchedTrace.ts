import type { PassPosition } from '../analysis/pass.ts'
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
 * Asked every some transactions. `stop` ends the trace at this place of the ledger with an answer that says so, and said
 * again while that answer is made, at half of the way there; `drop` gives it up.
 */
export type TraceWatch = (progress: () => TraceProgress) => 'go' | 'stop' | 'drop'

/**
 * A trace under a watch. Where it is stopped, it is run again through the transfer at hand (`query.throughTransfer`):
 * analysis has no clock, so what is answered is what anybody gets who asks for that place.
 *
 * @returns a function that may be asked again, of more of the ledger, and stops where it stopped the first time.
 */
export function watchedTrace(
  context: TraceContext,
  watch: TraceWatch | undefined,
): (graph: Graph, query: TraceQuery) => TraceAnswer {
  if (!watch) return (graph, query) => trace(graph, context, query)
  /** Where the pass at hand was looked at; from the first stop on: where it may end, and does at the last of them. */
  const places: TransferId[] = []
  let stops = 0
  let passes = 0
  let visited = Number.POSITIVE_INFINITY

  function stop(): boolean {
    // No place is before the first one: the little up to there is done.
    if (stops > 0 && places.length < 2) return false
    if (stops > 0) places.length >>= 1
    stops++
    return true
  }

  function look(graph: Graph, { transactions, transfer }: PassPosition): boolean {
    const { id, block } = graph.transfer(transfer)
    if (transactions < visited) {
      passes++
      if (stops === 0) places.length = 0
    }
    visited = transactions
    if (stops === 0) places.push(id)
    const verdict = watch?.(() => ({ transactions, passes, transfer: id, block }))
    return verdict === 'drop' || (verdict === 'stop' && stop())
  }

  return (graph, query) => {
    for (;;) {
      const before = stops
      visited = Number.POSITIVE_INFINITY
      passes = 0
      const throughTransfer = stops > 0 ? places.at(-1) : undefined
      const limited = throughTransfer === undefined ? query : { ...query, throughTransfer }
      try {
        return trace(graph, { ...context, interrupted: (at) => look(graph, at) }, limited)
      } catch (error) {
        if (stops === before || !isGivenUp(error)) throw error
      }
    }
  }
}

function isGivenUp(error: unknown): boolean {
  return error instanceof KnownError && error.code === 'request.timeout'
}
