import type { Graph } from '../graph/graph.ts'
import type { BridgeMatch, ConversionKnowledge } from './conversionKnowledge.ts'
import { assetOf } from './netChanges.ts'
import type { BridgeCrossing } from './pass.ts'
import type { Timeline } from './timeline.ts'

/**
 * Where money that reached a bridge goes on (design 8.2): only on proof, which is a matched pair of legs whose amounts
 * and receiver the ledger confirms, the arriving one later, each used once. Thieves have replayed messages with other
 * receivers, so a name or an amount alone proves nothing. Backward a bridge is an end.
 */
export function createCrossings(
  graph: Graph,
  timeline: Timeline,
  knowledge: ConversionKnowledge,
): (leg: number) => BridgeCrossing | undefined {
  return (leg) => {
    if (timeline.backward) return undefined
    const { chain, tx, asset, amount } = graph.transfer(leg)
    const fitting = knowledge
      .leaving(chain, tx)
      .filter((match) => match.fromAsset === asset && match.fromAmount === amount)
    const [match] = fitting
    if (!match || fitting.length > 1 || twins(graph, leg) > 1) return undefined
    const arrivals = arrivalsOf(graph, match).filter((arrival) => arrival > leg)
    const [arrival] = arrivals
    return arrival === undefined || arrivals.length > 1 ? undefined : { arrival, match }
  }
}

/** Legs of the same transaction that move the same amount to the same holding. */
function twins(graph: Graph, leg: number): number {
  const { start, end } = graph.legs(graph.transactionOf(leg))
  let found = 0
  for (let other = start; other < end; other++)
    if (graph.to(other) === graph.to(leg) && graph.amount(other) === graph.amount(leg)) found++
  return found
}

function arrivalsOf(graph: Graph, match: BridgeMatch): readonly number[] {
  const receiver = graph.address(match.receiver)
  const asset = graph.asset(match.toAsset)
  return graph.findTransaction(match.toChain, match.toTx).filter((leg) => {
    const to = graph.to(leg)
    return (
      to >= 0 &&
      graph.addressOf(to) === receiver &&
      assetOf(graph, leg) === asset &&
      graph.amount(leg) === match.toAmount
    )
  })
}
