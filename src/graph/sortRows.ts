import {
  compareBlocks,
  compareText,
  isBlockReward,
  isUnordered,
  legClass,
  orderBlock,
} from '../ledger/order.ts'
import { type Kind, kinds, type Transfer } from '../ledger/transfer.ts'
import { shared } from './columns.ts'
import { type RawRows, rawTransaction, rawTransfer } from './rawRows.ts'

/** Canonical rows in ledger order. */
export interface SortedRows {
  /** Row numbers of {@link RawRows}, in ledger order. */
  readonly order: Uint32Array
  /** Blocks in ledger order that have rows: number of the block in `RawRows.blocks`, and its first row in `order`. */
  readonly blocks: Uint32Array
  readonly blockFirst: Uint32Array
  readonly assumed: Uint8Array
}

const classes = Uint8Array.from(kinds, (kind) => legClass[kind])
const rewards = Uint8Array.from(kinds, (kind) => (isBlockReward(kind) ? 1 : 0))

/**
 * Sorts by `src/ledger/order.ts`, to which it is equal by test, in columns: by block with a counting sort, then
 * inside each block. Only blocks of unknown order become objects.
 *
 * @param rows - what to sort: whole blocks. Default all rows; those that a tombstone names are left out.
 */
export function sortRows(raw: RawRows, rows: Uint32Array | undefined = undefined): SortedRows {
  const { order, blocks, blockFirst } = byBlock(raw, rows ?? allRows(raw))
  const assumed = new Uint8Array(blocks.length)
  const compare = compareRows(raw)
  for (let block = 0; block < blocks.length; block++) {
    const start = blockFirst[block] as number
    const inBlock = order.subarray(start, blockFirst[block + 1])
    if (isOrderKnown(raw, inBlock)) sortKnown(inBlock, compare)
    else {
      assumed[block] = 1
      sortAssumed(raw, inBlock)
    }
  }
  return { order, blocks, blockFirst, assumed }
}

function allRows(raw: RawRows): Uint32Array {
  const rows = new Uint32Array(raw.count)
  for (let row = 0; row < rows.length; row++) rows[row] = row
  return rows
}

/** Order of two blocks of the log, by their numbers in it. */
export function blockComparison(raw: RawRows): (a: number, b: number) => number {
  const { chain, number, time } = raw.blocks
  const key = (block: number) => ({
    time: time[block] as number,
    chain: raw.chains[chain[block] as number] as (typeof raw.chains)[number],
    block: number[block] as number,
  })
  return (a, b) => compareBlocks(key(a), key(b))
}

function byBlock(
  raw: RawRows,
  rows: Uint32Array,
): Pick<SortedRows, 'order' | 'blocks' | 'blockFirst'> {
  const counts = new Uint32Array(raw.blocks.number.length)
  const used: number[] = []
  let alive = 0
  for (const row of rows) {
    if (!raw.alive[row]) continue
    alive++
    const block = raw.contextBlock[raw.context[row] as number] as number
    if (counts[block] === 0) used.push(block)
    counts[block] = (counts[block] as number) + 1
  }
  const blocks = Uint32Array.from(used.sort(blockComparison(raw)))
  const blockFirst = new Uint32Array(blocks.length + 1)
  const next = new Uint32Array(counts.length)
  for (const [rank, block] of blocks.entries()) {
    next[block] = blockFirst[rank] as number
    blockFirst[rank + 1] = (blockFirst[rank] as number) + (counts[block] as number)
  }
  const order = shared(Uint32Array, alive)
  for (const row of rows) {
    if (!raw.alive[row]) continue
    const block = raw.contextBlock[raw.context[row] as number] as number
    order[next[block] as number] = row
    next[block] = (next[block] as number) + 1
  }
  return { order, blocks, blockFirst }
}

function isOrderKnown(raw: RawRows, rows: Uint32Array): boolean {
  for (const row of rows) {
    const known = (raw.contextIndex[raw.context[row] as number] as number) >= 0
    if (!known && !rewards[raw.kind[row] as number]) return false
  }
  return true
}

function sortKnown(rows: Uint32Array, compare: (a: number, b: number) => number): void {
  for (let i = 1; i < rows.length; i++) {
    if (compare(rows[i - 1] as number, rows[i] as number) > 0) {
      rows.set(Array.from(rows).sort(compare))
      return
    }
  }
}

/** The comparison of `order.ts` for rows of one block with known order, without making objects. */
function compareRows(raw: RawRows): (a: number, b: number) => number {
  const { kind, context, contextIndex, position } = raw
  return (a, b) => {
    const kindA = kind[a] as number
    const kindB = kind[b] as number
    const reward = (rewards[kindA] as number) - (rewards[kindB] as number)
    if (reward !== 0) return reward
    const contextA = context[a] as number
    const contextB = context[b] as number
    if (!rewards[kindA] && contextA !== contextB) {
      const index = (contextIndex[contextA] as number) - (contextIndex[contextB] as number)
      if (index !== 0) return index
      const tx = compareTransactions(raw, contextA, contextB)
      if (tx !== 0) return tx
    }
    return (
      (classes[kindA] as number) - (classes[kindB] as number) ||
      (position[a] as number) - (position[b] as number) ||
      compareText(kinds[kindA] as Kind, kinds[kindB] as Kind) ||
      compareTransactions(raw, contextA, contextB)
    )
  }
}

function compareTransactions(raw: RawRows, a: number, b: number): number {
  if (a === b) return 0
  if (raw.contextText.size > 0 && (raw.contextText.has(a) || raw.contextText.has(b))) {
    return compareText(rawTransaction(raw, a), rawTransaction(raw, b))
  }
  const { contextHash } = raw
  for (let i = a * 32, j = b * 32, end = i + 32; i < end; i++, j++) {
    const difference = (contextHash[i] as number) - (contextHash[j] as number)
    if (difference !== 0) return difference
  }
  return 0
}

function sortAssumed(raw: RawRows, rows: Uint32Array): void {
  const rowOf = new Map<Transfer, number>()
  for (const row of rows) rowOf.set(rawTransfer(raw, row), row)
  const transfers = [...rowOf.keys()]
  if (!isUnordered(transfers))
    throw new RangeError('a block of known order was taken for an unordered one')
  for (const [i, transfer] of orderBlock(transfers).entries()) rows[i] = rowOf.get(transfer) ?? 0
}
