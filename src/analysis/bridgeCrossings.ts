import type { Graph } from '../graph/graph.ts'
import type { AssetId } from '../ledger/asset.ts'
import type { ChainId } from '../ledger/chain.ts'
import type { BridgeMatch, ConversionKnowledge } from './conversionKnowledge.ts'
import { assetOf } from './netChanges.ts'
import type { BridgeCrossing } from './pass.ts'
import type { Timeline } from './timeline.ts'

/**
 * Where money that reached a bridge goes on (design 8.2): only on proof, which is a matched pair of legs whose amounts
 * and receiver the ledger confirms, the arriving one later, each used once. Thieves have replayed messages with other
 * receivers, so a name or an amount alone proves nothing. Backward it goes on where it had left.
 */
export function createCrossings(
  graph: Graph,
  timeline: Timeline,
  knowledge: ConversionKnowledge,
  isBeyond: (transaction: number) => boolean,
): (leg: number) => BridgeCrossing | undefined {
  return (leg) => {
    const near = timeline.transfer(leg)
    const { chain, tx } = graph.transfer(near)
    const matches = timeline.backward ? knowledge.arriving(chain, tx) : knowledge.leaving(chain, tx)
    for (const match of matches) {
      const [left, arrived] = [leavingLegs(graph, match), arrivingLegs(graph, match)]
      const [from, to] = [left[0], arrived[0]]
      // Two legs that look alike in one transaction prove nothing about either.
      if (from === undefined || to === undefined || left.length > 1 || arrived.length > 1) continue
      if (to <= from || isBeyond(graph.transactionOf(to))) continue
      if ((timeline.backward ? to : from) !== near) continue
      return { arrival: timeline.transfer(timeline.backward ? from : to), match }
    }
    return undefined
  }
}

function leavingLegs(graph: Graph, match: BridgeMatch): readonly number[] {
  return legsOf(graph, match.fromChain, match.fromTx, {
    asset: match.fromAsset,
    amount: match.fromAmount,
  })
}

function arrivingLegs(graph: Graph, match: BridgeMatch): readonly number[] {
  const receiver = graph.address(match.receiver)
  const moved = { asset: match.toAsset, amount: match.toAmount }
  return legsOf(graph, match.toChain, match.toTx, moved).filter((leg) => {
    const to = graph.to(leg)
    return to >= 0 && graph.addressOf(to) === receiver
  })
}

function legsOf(
  graph: Graph,
  chain: ChainId,
  tx: string,
  moved: { readonly asset: AssetId; readonly amount: bigint },
): readonly number[] {
  const asset = graph.asset(moved.asset)
  return graph
    .findTransaction(chain, tx)
    .filter((leg) => assetOf(graph, leg) === asset && graph.amount(leg) === moved.amount)
    .filter((leg) => moved.amount > 0n && graph.from(leg) !== graph.to(leg))
}
