import type { Graph } from '../graph/graph.ts'
import type { Account } from '../ledger/account.ts'

/** A wrapped coin and its native coin, as numbers of assets; lots move between them one to one. */
export interface WrapPair {
  readonly wrapped: number
  readonly native: number
  /** The wrapped coin's contract, also where the ledger has no row of its own. */
  readonly wrapper: Account
}

/** One address exchanged one coin of a pair for the same amount of the other, net of everything in a transaction. */
export interface Wrap {
  readonly address: number
  readonly gives: number
  readonly gets: number
  readonly amount: bigint
  /** First leg by which it paid: where a gap of the conversion is shown. */
  readonly firstLeg: number
}

/**
 * Wraps and unwraps in a transaction: per address the net change of both coins, the fee apart, where one goes down
 * by exactly what the other goes up (design 8.2, the 1:1 pair).
 */
export function wrapsIn(graph: Graph, transaction: number, pair: WrapPair): Wrap[] {
  const changes = netChanges(graph, transaction, pair)
  const wraps: Wrap[] = []
  for (const [address, { wrapped, native, firstPaid }] of changes) {
    if (wrapped === 0n || wrapped !== -native) continue
    const unwraps = wrapped < 0n
    wraps.push({
      address,
      gives: unwraps ? pair.wrapped : pair.native,
      gets: unwraps ? pair.native : pair.wrapped,
      amount: unwraps ? -wrapped : wrapped,
      firstLeg: firstPaid[unwraps ? 'wrapped' : 'native'] ?? graph.legs(transaction).start,
    })
  }
  return wraps
}

interface Change {
  wrapped: bigint
  native: bigint
  readonly firstPaid: { wrapped?: number; native?: number }
}

function netChanges(graph: Graph, transaction: number, pair: WrapPair): Map<number, Change> {
  const changes = new Map<number, Change>()
  const change = (holding: number): Change => {
    const address = graph.addressOf(holding)
    const known = changes.get(address) ?? { wrapped: 0n, native: 0n, firstPaid: {} }
    changes.set(address, known)
    return known
  }
  const { start, end } = graph.legs(transaction)
  for (let leg = start; leg < end; leg++) {
    const from = graph.from(leg)
    const to = graph.to(leg)
    const asset = assetOf(graph, leg)
    const side = asset === pair.wrapped ? 'wrapped' : asset === pair.native ? 'native' : undefined
    if (side === undefined || graph.kind(leg) === 'fee') continue
    const amount = graph.amount(leg)
    if (from >= 0) {
      const payer = change(from)
      payer[side] -= amount
      if (amount > 0n) payer.firstPaid[side] ??= leg
    }
    if (to >= 0) change(to)[side] += amount
  }
  return changes
}

/** Asset of a leg, −1 when nobody stands on either side. */
export function assetOf(graph: Graph, leg: number): number {
  const holding = graph.from(leg) >= 0 ? graph.from(leg) : graph.to(leg)
  return holding < 0 ? -1 : graph.assetOf(holding)
}
