import type { Corridor } from './flowCorridor.ts'
import type { FlowNetwork } from './maxFlow.ts'

/** Nodes that every network has; the others are holdings at the moments when something happens there. */
export const source = 0
export const target = 1
export const elsewhere = 2
/** First node of a holding. */
export const firstHolding = 3

/** What stays in a holding between two moments, or to the end. */
export interface Hold {
  readonly holding: number
  /** Slot behind which it is held. */
  readonly after: number
  /** Base units that the holding has then; undefined where that is not proven. */
  readonly balance: bigint | undefined
  /** True when nothing of the corridor happens there any more. */
  readonly isLast: boolean
}

/** An edge is the move of the same number, and behind the last move a hold. */
export interface TimedNetwork extends FlowNetwork {
  readonly holds: readonly Hold[]
}

/**
 * The time-expanded network of a corridor (design 8.3): a transfer edge has its amount as capacity, a hold edge the
 * balance between two moments where it is proven, else no limit. Every integer flow from the seeds is an allocation, and
 * every allocation such a flow.
 *
 * No capacity is larger than the seeds together, since no more can flow.
 *
 * @param balanceAfter - undefined where the balance is not proven.
 */
export function flowNetwork(
  corridor: Corridor,
  seedTotal: bigint,
  balanceAfter: (holding: number, slot: number) => bigint | undefined,
): TimedNetwork {
  const from: number[] = []
  const to: number[] = []
  const capacity: bigint[] = []
  const last = new Map<number, { readonly node: number; readonly slot: number }>()
  const holds: { hold: Hold; from: number; to: number }[] = []
  let nodeCount = firstHolding
  const edge = (tail: number, head: number, amount: bigint): void => {
    from.push(tail)
    to.push(head)
    capacity.push(amount < seedTotal ? amount : seedTotal)
  }
  const nodeOf = (holding: number, slot: number): number => {
    const before = last.get(holding)
    if (before?.slot === slot) return before.node
    const node = nodeCount++
    last.set(holding, { node, slot })
    if (!before) return node
    const balance = balanceAfter(holding, before.slot)
    const hold = { holding, after: before.slot, balance, isLast: false }
    holds.push({ hold, from: before.node, to: node })
    return node
  }
  for (const move of corridor.moves) {
    const tail = move.from < 0 ? source : nodeOf(move.from, move.slot)
    if (move.goes === 'on') edge(tail, nodeOf(move.to, move.slot), move.amount)
    else edge(tail, move.goes === 'target' ? target : elsewhere, move.amount)
  }
  for (const [holding, { node, slot }] of last) {
    const balance = balanceAfter(holding, slot)
    const hold = { holding, after: slot, balance, isLast: true }
    holds.push({ hold, from: node, to: corridor.restsAtTarget(holding) ? target : elsewhere })
  }
  for (const { hold, from: tail, to: head } of holds) edge(tail, head, hold.balance ?? seedTotal)
  return { nodeCount, from, to, capacity, holds: holds.map(({ hold }) => hold) }
}
