import type { AssetId } from './asset.ts'
import { causalOrder } from './causalOrder.ts'
import { type Kind, movesValue, type Transfer } from './transfer.ts'

/**
 * Ledger order: block time, chain, block, transaction index, order inside the transaction. Where a source did
 * not know the order inside a block, that block is put in causal order (design section 3).
 *
 * Two readings that the design leaves open are fixed here. A fee stays the first leg of its transaction in
 * causally ordered blocks too, since fees are first by rule and not by knowledge. Legs that move no value
 * (zero amounts, transfers to oneself) neither wait nor are waited for.
 */

export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

type BlockKey = Pick<Transfer, 'time' | 'chain' | 'block'>

export function compareBlocks(a: BlockKey, b: BlockKey): number {
  return a.time - b.time || compareText(a.chain, b.chain) || a.block - b.block
}

/** Rewards and withdrawals stand after the last transaction of their block and never make it unordered. */
export function isBlockReward(kind: Kind): boolean {
  return kind === 'reward' || kind === 'withdrawal'
}

/** Fee, then value and calls in trace order, then logs, then what the block itself pays. */
export const legClass: Readonly<Record<Kind, number>> = {
  fee: 0,
  native: 1,
  internal: 1,
  token: 2,
  reward: 3,
  withdrawal: 4,
}

/** Order of two transfers of one block whose transactions have a known order. */
function compareKnown(a: Transfer, b: Transfer): number {
  const reward = Number(isBlockReward(a.kind)) - Number(isBlockReward(b.kind))
  if (reward !== 0) return reward
  if (!isBlockReward(a.kind)) {
    const tx = (a.txIndex ?? 0) - (b.txIndex ?? 0) || compareText(a.tx, b.tx)
    if (tx !== 0) return tx
  }
  return compareLegs(a, b)
}

function compareLegs(a: Transfer, b: Transfer): number {
  return (
    legClass[a.kind] - legClass[b.kind] ||
    a.position - b.position ||
    compareText(a.kind, b.kind) ||
    compareText(a.tx, b.tx) ||
    compareContent(a, b)
  )
}

/** The order between equals of causal order: from, to, amount as a number, asset, kind, position. */
export function compareContent(a: Transfer, b: Transfer): number {
  return (
    compareText((a.from ?? '').toLowerCase(), (b.from ?? '').toLowerCase()) ||
    compareText((a.to ?? '').toLowerCase(), (b.to ?? '').toLowerCase()) ||
    compareAmounts(a.amount, b.amount) ||
    compareText(a.asset, b.asset) ||
    compareText(a.kind, b.kind) ||
    a.position - b.position ||
    compareText(a.from ?? '', b.from ?? '') ||
    compareText(a.to ?? '', b.to ?? '')
  )
}

function compareAmounts(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** True when one row, rewards and withdrawals aside, does not know its place in the block. */
export function isUnordered(block: readonly Pick<Transfer, 'txIndex' | 'kind'>[]): boolean {
  return block.some((row) => row.txIndex === undefined && !isBlockReward(row.kind))
}

/**
 * All transfers of whole blocks, any order in, ledger order out. The answer does not depend on the order given.
 *
 * @param transfers - every canonical transfer of each block that occurs: causal order looks at the whole block.
 */
export function ledgerOrder(transfers: readonly Transfer[]): Transfer[] {
  const sorted = [...transfers].sort((a, b) => compareBlocks(a, b) || compareKnown(a, b))
  const ordered: Transfer[] = []
  for (let start = 0; start < sorted.length; ) {
    let end = start + 1
    const first = sorted[start]
    while (end < sorted.length && first && compareBlocks(first, sorted[end] ?? first) === 0) end++
    const block = sorted.slice(start, end)
    ordered.push(...(isUnordered(block) ? orderBlock(block) : block))
    start = end
  }
  return ordered
}

/** Causal order of one block; see {@link causalOrder}. What the block itself pays comes last. */
export function orderBlock(block: readonly Transfer[]): Transfer[] {
  const byTx = new Map<string, Transfer[]>()
  const rewards: Transfer[] = []
  for (const row of block) {
    if (isBlockReward(row.kind)) rewards.push(row)
    else byTx.set(row.tx, [...(byTx.get(row.tx) ?? []), row])
  }
  const transactions = [...byTx].sort(
    ([a], [b]) => compareText(a.toLowerCase(), b.toLowerCase()) || compareText(a, b),
  )
  const keys = new Keys()
  const sides = transactions.map(([, legs]) => keys.sides(legs))
  const order = causalOrder(
    transactions.length,
    (tx) => sides[tx]?.spends ?? [],
    (tx) => sides[tx]?.receives ?? [],
  )
  const legs = order.flatMap((tx) => orderLegs(transactions[tx]?.[1] ?? []))
  return [...legs, ...rewards.sort(compareLegs)]
}

function orderLegs(legs: readonly Transfer[]): Transfer[] {
  const fees = legs.filter((leg) => leg.kind === 'fee').sort(compareContent)
  const others = legs.filter((leg) => leg.kind !== 'fee').sort(compareContent)
  const keys = new Keys()
  const sides = others.map((leg) => keys.sides([leg]))
  const order = causalOrder(
    others.length,
    (leg) => sides[leg]?.spends ?? [],
    (leg) => sides[leg]?.receives ?? [],
  )
  return [...fees, ...order.flatMap((leg) => others[leg] ?? [])]
}

/** Numbers for (address, asset), so that causal order compares integers. */
class Keys {
  readonly #numbers = new Map<string, number>()

  sides(legs: readonly Transfer[]): { spends: number[]; receives: number[] } {
    const spends = new Set<number>()
    const receives = new Set<number>()
    for (const leg of legs) {
      if (!movesValue(leg)) continue
      if (leg.from !== undefined) spends.add(this.#number(leg.from, leg.asset))
      if (leg.to !== undefined) receives.add(this.#number(leg.to, leg.asset))
    }
    return { spends: [...spends], receives: [...receives] }
  }

  #number(address: string, asset: AssetId): number {
    const key = `${address} ${asset}`
    const known = this.#numbers.get(key)
    if (known !== undefined) return known
    this.#numbers.set(key, this.#numbers.size)
    return this.#numbers.size - 1
  }
}
