import type { Graph } from '../graph/graph.ts'
import type { Account } from '../ledger/account.ts'

/** What one address gained and lost in a transaction, by asset number, fees apart. Zero changes are absent. */
export type Net = ReadonlyMap<number, bigint>

export interface WrappedCoin {
  /** Number of the wrapped asset, and of its native coin (no asset has −2). */
  readonly wrapped: number
  readonly native: number
  /** Address of its contract; a negative number of its own where the ledger has no row of it. */
  readonly wrapper: number
  readonly contract: Account
}

const nobody = -1

/** Asset of a leg, −1 when nobody stands on either side. */
export function assetOf(graph: Graph, leg: number): number {
  const holding = graph.from(leg) >= 0 ? graph.from(leg) : graph.to(leg)
  return holding < 0 ? -1 : graph.assetOf(holding)
}

/**
 * Net change per address and asset of one transaction over the assets that count. A wrapped coin's contract pays what
 * is issued and takes what is burned of it.
 *
 * @returns undefined where fewer than two assets that count were moved, so that nothing can have been exchanged.
 */
export function netChanges(
  graph: Graph,
  transaction: number,
  given: {
    readonly counts: readonly boolean[]
    readonly wrappers: ReadonlyMap<number, WrappedCoin>
  },
): ReadonlyMap<number, Net> | undefined {
  const { start, end } = graph.legs(transaction)
  if (!movesTwoAssets(graph, { start, end, counts: given.counts })) return undefined
  const changes = new Map<number, Map<number, bigint>>()
  const add = (address: number, asset: number, amount: bigint): void => {
    const net = changes.get(address) ?? new Map<number, bigint>()
    changes.set(address, net)
    net.set(asset, (net.get(asset) ?? 0n) + amount)
  }
  for (let leg = start; leg < end; leg++) {
    if (graph.kind(leg) === 'fee') continue
    const asset = assetOf(graph, leg)
    if (given.counts[asset] !== true) continue
    const [from, to, amount] = [graph.from(leg), graph.to(leg), graph.amount(leg)]
    const wrapper = given.wrappers.get(asset)?.wrapper ?? nobody
    const payer = from >= 0 ? graph.addressOf(from) : wrapper
    const receiver = to >= 0 ? graph.addressOf(to) : wrapper
    if (payer !== nobody) add(payer, asset, -amount)
    if (receiver !== nobody) add(receiver, asset, amount)
  }
  for (const net of changes.values())
    for (const [asset, amount] of net) if (amount === 0n) net.delete(asset)
  return changes
}

/** Most transactions move one asset besides their fee: they are told apart without a map. */
function movesTwoAssets(
  graph: Graph,
  given: { readonly start: number; readonly end: number; readonly counts: readonly boolean[] },
): boolean {
  let first = -1
  for (let leg = given.start; leg < given.end; leg++) {
    if (graph.kind(leg) === 'fee') continue
    const asset = assetOf(graph, leg)
    if (given.counts[asset] !== true || asset === first) continue
    if (first >= 0) return true
    first = asset
  }
  return false
}
