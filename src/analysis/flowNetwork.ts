import type { Corridor, CorridorMove } from './flowCorridor.ts'
import type { Move } from './forwardMoves.ts'

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
 * @param every - `moment`: a node for each moment, as the definition has it; by default moments between which nothing is
 * limited share one, which makes half the network.
 */
export function flowNetwork(
  corridor: Corridor,
  seedTotal: bigint,
  balanceAfter: (holding: number, slot: number) => bigint | undefined,
  every: 'place' | 'moment' = 'place',
): TimedNetwork {
  const from: number[] = []
  const to: number[] = []
  const capacity: bigint[] = []
  const last = new Map<number, Place>()
  const holds: { hold: Hold; from: number; to: number }[] = []
  let nodeCount = firstHolding
  const edge = (tail: number, head: number, amount: bigint): void => {
    from.push(tail)
    to.push(head)
    capacity.push(amount < seedTotal ? amount : seedTotal)
  }
  const nodeOf = (holding: number, { slot, amount }: Move, part: Part): number => {
    const place = last.get(holding)
    if (place?.slot === slot) return place.node
    const balance = balanceAfter(holding, slot)
    const pays = part !== 'receives'
    if (!place) {
      const node = nodeCount++
      last.set(holding, { node, slot, balance, hasPaid: pays })
      return node
    }
    if (every === 'place' && isSamePlace(place, part, balance, amount)) {
      place.hasPaid ||= pays
    } else {
      const hold = { holding, after: place.slot, balance: place.balance, isLast: false }
      holds.push({ hold, from: place.node, to: nodeCount })
      place.node = nodeCount++
      place.hasPaid = pays
    }
    // Written over: a corridor has hundreds of thousands of moments.
    place.slot = slot
    place.balance = balance
    return place.node
  }
  const { moves } = corridor
  for (let i = 0; i < moves.length; i++) {
    const move = moves[i] as CorridorMove
    const isTogether = moves[i - 1]?.slot === move.slot || moves[i + 1]?.slot === move.slot
    const tail = move.from < 0 ? source : nodeOf(move.from, move, isTogether ? 'both' : 'pays')
    if (move.goes === 'on')
      edge(tail, nodeOf(move.to, move, isTogether ? 'both' : 'receives'), move.amount)
    else edge(tail, move.goes === 'target' ? target : elsewhere, move.amount)
  }
  for (const [holding, { node, slot, balance }] of last) {
    const hold = { holding, after: slot, balance, isLast: true }
    holds.push({ hold, from: node, to: corridor.restsAtTarget(holding) ? target : elsewhere })
  }
  for (const { hold, from: tail, to: head } of holds) edge(tail, head, hold.balance ?? seedTotal)
  return { nodeCount, from, to, capacity, holds: holds.map(({ hold }) => hold) }
}

/** What a holding does at a moment; both where the order of several moves is not known. */
type Part = 'pays' | 'receives' | 'both'

/** The node at which a holding stands, and since when. */
interface Place {
  node: number
  slot: number
  balance: bigint | undefined
  hasPaid: boolean
}

/**
 * Receipts in a row and payments in a row are one place, since what is held between them limits nothing: after a receipt
 * it is all that came, before a payment all that can go. Only where nothing was added does the latter hold.
 */
function isSamePlace(
  before: Readonly<Place>,
  part: Part,
  balance: bigint | undefined,
  amount: bigint,
): boolean {
  if (!before.hasPaid) return true
  if (part !== 'pays') return false
  if (balance === undefined || before.balance === undefined) return true
  return balance + amount <= before.balance
}
