import { ByteTable } from '../ledger/byteTable.ts'
import { BatchReader, keyAt } from '../ledger/transferBatch.ts'
import type { Segment } from './segments.ts'

export interface SearchableSegment extends Segment {
  readonly reader: BatchReader
  /** Rows of a transaction, by their place in the batch. */
  rowsOf(key: Uint8Array, chain: string): readonly number[]
}

/** A segment with a way to find the rows of a transaction in it; made once per decoded segment. */
export function searchable(segment: Segment): SearchableSegment {
  const { batch } = segment
  const { contexts, rows, chains, transactions } = batch
  const table = new ByteTable(transactions.ends.length)
  for (let i = 0; i < transactions.ends.length; i++) table.intern(keyAt(transactions, i))
  /** The first row of each transaction, and for each row the next of its transaction; −1 ends. */
  const first = new Int32Array(transactions.ends.length).fill(-1)
  const next = new Int32Array(batch.length)
  for (let row = batch.length - 1; row >= 0; row--) {
    const transaction = contexts.transaction[rows.context[row] as number] as number
    next[row] = first[transaction] as number
    first[transaction] = row
  }
  return {
    ...segment,
    reader: new BatchReader(batch),
    rowsOf(key, chain) {
      const found: number[] = []
      const transaction = table.find(key)
      if (transaction < 0) return found
      for (let row = first[transaction] as number; row >= 0; row = next[row] as number) {
        if (chains[contexts.chain[rows.context[row] as number] as number] === chain) found.push(row)
      }
      return found
    },
  }
}
