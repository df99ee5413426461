import { firstNotBelow } from '../ledger/sortedSearch.ts'
import { type ColumnArrays, type Columns, shared } from './columns.ts'
import type { RawRows, RowChanges } from './rawRows.ts'
import { blockComparison, type SortedRows } from './sortRows.ts'

/** The columns of a generation, and what the next one is extended from. */
export interface Generation {
  readonly columns: Columns
  readonly sorted: SortedRows
  /** Final number of each address of the raw rows, −1 where no canonical row names it. */
  readonly addressNumbers: Int32Array
}

/**
 * How much of a generation is the same in the next one: everything before the first block that the new rows, or the
 * rows that no longer count, are in. Numbers below these counts stay what they are; all behind is made anew.
 */
export interface Kept {
  readonly generation: Generation
  readonly blocks: number
  readonly transfers: number
  readonly transactions: number
  readonly addresses: number
}

/** Nothing is kept: what is built upon it is built from scratch. */
export const nothingKept: Kept = {
  generation: {
    columns: {
      meta: {
        storeId: '',
        sequence: 0,
        digest: '',
        chains: [],
        assets: [],
        textAddresses: [],
        textTransactions: [],
        wideAmounts: [],
        widePositions: [],
        ownerless: [],
        highest: [],
      },
      arrays: {
        from: shared(Int32Array, 0),
        to: shared(Int32Array, 0),
        amount: shared(Uint32Array, 0),
        transaction: shared(Uint32Array, 0),
        sequence: shared(Uint32Array, 0),
        leg: shared(Uint32Array, 0),
        txHash: shared(Uint8Array, 0),
        txFirst: shared(Uint32Array, 1),
        txBlock: shared(Uint32Array, 0),
        txByHash: shared(Uint32Array, 0),
        blockNumber: shared(Float64Array, 0),
        blockTime: shared(Float64Array, 0),
        blockChain: shared(Uint8Array, 0),
        blockAssumed: shared(Uint8Array, 0),
        holdingAddress: shared(Uint32Array, 0),
        holdingAsset: shared(Uint32Array, 0),
        holdingFirst: shared(Uint32Array, 1),
        holdingWide: shared(Uint8Array, 0),
        events: shared(Uint32Array, 0),
        checkpoints: shared(Uint32Array, 0),
        addressKey: shared(Uint8Array, 0),
        addressChain: shared(Uint8Array, 0),
        addressFirst: shared(Uint32Array, 1),
        addressSlots: shared(Uint32Array, 0),
      },
    },
    sorted: {
      order: new Uint32Array(0),
      blocks: new Uint32Array(0),
      blockFirst: new Uint32Array(1),
      assumed: new Uint8Array(0),
    },
    addressNumbers: new Int32Array(0),
  },
  blocks: 0,
  transfers: 0,
  transactions: 0,
  addresses: 0,
}

/**
 * What of a generation stays when the log goes on.
 *
 * Cost: linear in the changes, logarithmic in the generation.
 *
 * @returns also the rows that have to be put in order anew: those behind, and the new ones.
 */
export function keptOf(
  generation: Generation,
  raw: RawRows,
  changes: RowChanges,
): { readonly kept: Kept; readonly tail: Uint32Array } {
  const { sorted, columns } = generation
  const { arrays } = columns
  const blocks = firstChangedBlock(sorted, raw, changes)
  const transfers = sorted.blockFirst[blocks] as number
  const behind = sorted.order.subarray(transfers)
  const tail = new Uint32Array(behind.length + raw.count - changes.firstRow)
  tail.set(behind)
  for (let i = behind.length; i < tail.length; i++) tail[i] = changes.firstRow + i - behind.length
  const kept: Kept = {
    generation,
    blocks,
    transfers,
    transactions: firstNotBelow(arrays.txFirst, transfers),
    addresses: addressesBefore(arrays, transfers),
  }
  return { kept, tail }
}

/** Rank of the first block of the generation that is not before all changes. */
function firstChangedBlock(sorted: SortedRows, raw: RawRows, changes: RowChanges): number {
  const compare = blockComparison(raw)
  let first: number | undefined
  const seen = new Set<number>()
  const look = (row: number): void => {
    const block = raw.contextBlock[raw.context[row] as number] as number
    if (seen.has(block)) return
    seen.add(block)
    if (first === undefined || compare(block, first) < 0) first = block
  }
  for (let row = changes.firstRow; row < raw.count; row++) look(row)
  for (const row of changes.dead) look(row)
  if (first === undefined) return sorted.blocks.length
  let low = 0
  let high = sorted.blocks.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (compare(sorted.blocks[middle] as number, first) < 0) low = middle + 1
    else high = middle
  }
  return low
}

/** Addresses are numbered as they appear, so those that appear before a transfer are the first ones. */
function addressesBefore(arrays: ColumnArrays, transfer: number): number {
  const { addressFirst, holdingFirst, events } = arrays
  const appearsBefore = (address: number): boolean => {
    for (let h = addressFirst[address] as number; h < (addressFirst[address + 1] as number); h++)
      if ((events[holdingFirst[h] as number] as number) < transfer) return true
    return false
  }
  let low = 0
  let high = addressFirst.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if (appearsBefore(middle)) low = middle + 1
    else high = middle
  }
  return low
}
