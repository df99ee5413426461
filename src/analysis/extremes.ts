import type { Corridor } from './flowCorridor.ts'
import {
  elsewhere,
  firstHolding,
  flowNetwork,
  source,
  type TimedNetwork,
  target,
} from './flowNetwork.ts'
import { createFlow, type Flow } from './maxFlow.ts'
import type { Balances } from './provenBalances.ts'
import { type Reduction, reduceNetwork } from './reduceNetwork.ts'

/** An extreme allocation: how much reaches the target in it, and the border of the network that allows no more or less. */
export interface Extreme {
  readonly amount: bigint
  /** Flow of each edge of the network; everything that the seeds brought is in it. */
  readonly flow: readonly bigint[]
  /** Edges across a minimum cut, ascending: to the target for the maximum, to everything else for the minimum. */
  readonly cut: readonly number[]
}

export interface Extremes {
  readonly corridor: Corridor
  readonly network: TimedNetwork
  readonly max: Extreme
  readonly min: Extreme
  /** Holdings of the corridor whose balance is not proven: with any there is no minimum to claim. */
  readonly unproven: readonly number[]
}

/**
 * The least and the most that can have reached a target under any accounting (design 8.3). The maximum is a maximum flow to
 * the target; the minimum is what is left of the seeds after a maximum flow to all other ends. Both are attained.
 *
 * @returns a minimum that holds only while `unproven` is empty.
 */
export function extremesOf(
  corridor: Corridor,
  { balances, seedTotal }: { readonly balances: Balances; readonly seedTotal: bigint },
): Extremes {
  const network = flowNetwork(corridor, seedTotal, (holding, slot) =>
    balances.state(holding) === 'proven' ? balances.after(holding, slot) : undefined,
  )
  const reduction = reduceNetwork(network, firstHolding, seedTotal)
  const flow = createFlow(reduction.network)
  const most = flow.fill(target)
  const max = { amount: most, cut: cutOf(network, reduction, flow.reachable([source])) }
  flow.fill(elsewhere)
  const maxFlow = flowOf(reduction, flow)
  // From all of the money in one accounting, as much as possible of what is at the target goes elsewhere instead.
  const spared = flow.fill(elsewhere, target)
  const min = {
    amount: most - spared,
    cut: cutOf(network, reduction, flow.reachable([source, target])),
  }
  const passed = new Set(network.holds.map(({ holding }) => holding))
  return {
    corridor,
    network,
    max: { ...max, flow: maxFlow },
    min: { ...min, flow: flowOf(reduction, flow) },
    unproven: [...passed].filter((holding) => balances.state(holding) !== 'proven'),
  }
}

function flowOf({ network, expand }: Reduction, flow: Flow): readonly bigint[] {
  return expand(network.capacity.map((_, edge) => flow.of(edge)))
}

/** Edges out of what could be sent more. An emptied account is such an edge too, of nothing. */
function cutOf({ from, to, capacity }: TimedNetwork, { nodeOf }: Reduction, near: Uint8Array) {
  const isNear = (node: number): boolean => near[nodeOf[node] as number] === 1
  const cut: number[] = []
  for (let edge = 0; edge < capacity.length; edge++)
    if (isNear(from[edge] as number) && !isNear(to[edge] as number)) cut.push(edge)
  return cut
}
