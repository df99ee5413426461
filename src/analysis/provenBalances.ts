import type { Graph } from '../graph/graph.ts'
import type { AssetId } from '../ledger/asset.ts'
import type { ChainId } from '../ledger/chain.ts'
import type { CoverageView } from './coverageView.ts'

/**
 * Whether the balance of a holding is known at every moment: `proven`; `not_covered` where transfers may be missing;
 * `overdrawn` where more was paid than the ledger shows to have come, so that something was there before;
 * `opening_unknown` where what was there before is not taken for nothing.
 */
export type BalanceState = 'proven' | 'not_covered' | 'overdrawn' | 'opening_unknown'

export interface Balances {
  state(holding: number): BalanceState
  /** Balance right after a slot of `Move`, base units; of a holding that is `proven`. */
  after(holding: number, slot: number): bigint
}

interface Known {
  readonly state: BalanceState
  readonly events: Uint32Array
  /** Balance after each event. */
  readonly running: readonly bigint[]
}

/**
 * Balances as the ledger replays them, from the first block in which it knows the address: proven only where the address
 * is covered from there through the as-of block and nothing was ever paid that was not there, in the order that a trace
 * takes too.
 *
 * Cost: the history of each holding asked for, once.
 */
export function provenBalances(
  graph: Graph,
  given: {
    readonly coverage: CoverageView
    readonly asOf: ReadonlyMap<ChainId, number>
    readonly isBeyond: (transaction: number) => boolean
  },
): Balances {
  const known = new Map<number, Known>()

  function knownOf(holding: number): Known {
    const found = known.get(holding) ?? replay(graph, holding, given)
    known.set(holding, found)
    return found
  }

  return {
    state: (holding) => knownOf(holding).state,
    after(holding, slot) {
      const { events, running } = knownOf(holding)
      const last = lastLegAt(graph, slot)
      let low = 0
      let high = events.length
      while (low < high) {
        const middle = (low + high) >> 1
        if ((events[middle] as number) <= last) low = middle + 1
        else high = middle
      }
      return running[low - 1] ?? 0n
    },
  }
}

/** The last leg that has happened at a slot: a block whose inner order is assumed happens at once. */
export function lastLegAt(graph: Graph, slot: number): number {
  const leg = slot >> 1
  return isAssumed(graph, leg) ? lastLegOfBlock(graph, leg) : leg
}

function isAssumed(graph: Graph, leg: number): boolean {
  return graph.block(graph.blockOf(graph.transactionOf(leg))).assumedOrder
}

function lastLegOfBlock(graph: Graph, leg: number): number {
  let transaction = graph.transactionOf(leg)
  const block = graph.blockOf(transaction)
  while (transaction + 1 < graph.transactionCount && graph.blockOf(transaction + 1) === block)
    transaction++
  return graph.legs(transaction).end - 1
}

function replay(graph: Graph, holding: number, given: Parameters<typeof provenBalances>[1]): Known {
  const events = eventsInSight(graph, holding, given)
  const running: bigint[] = []
  let balance = 0n
  let overdrawn = false
  for (let i = 0; i < events.length; i++) {
    const leg = events[i] as number
    const from = graph.from(leg)
    if (from !== graph.to(leg)) balance += from === holding ? -graph.amount(leg) : graph.amount(leg)
    running.push(balance)
    if (balance < 0n) overdrawn = true
  }
  const state = !isCovered(graph, holding, given)
    ? 'not_covered'
    : overdrawn
      ? 'overdrawn'
      : 'proven'
  return { state, events, running }
}

/** Events up to the as-of block: those of one holding are of one chain, so what lies beyond comes last. */
function eventsInSight(
  graph: Graph,
  holding: number,
  { isBeyond }: Parameters<typeof provenBalances>[1],
): Uint32Array {
  const events = graph.events(holding)
  let { length } = events
  while (length > 0 && isBeyond(graph.transactionOf(events[length - 1] as number))) length--
  return events.subarray(0, length)
}

function isCovered(
  graph: Graph,
  holding: number,
  { coverage, asOf }: Parameters<typeof provenBalances>[1],
): boolean {
  const address = graph.addressOf(holding)
  const account = graph.account(address)
  const asset = graph.assets[graph.assetOf(holding)] as AssetId
  const last = asOf.get(account.slice(0, account.lastIndexOf(':')) as ChainId) ?? 0
  const fromBlock = firstBlockOf(graph, address)
  return (['in', 'out'] as const).every(
    (side) => (coverage.through(account, asset, { fromBlock, side })?.block ?? -1) >= last,
  )
}

/** First block in which the ledger knows the address. */
function firstBlockOf(graph: Graph, address: number): number {
  const { start, end } = graph.holdingsOf(address)
  let first = Number.POSITIVE_INFINITY
  for (let holding = start; holding < end; holding++)
    first = Math.min(first, graph.events(holding)[0] ?? first)
  return graph.block(graph.blockOf(graph.transactionOf(first))).number
}
