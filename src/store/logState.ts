import { ByteTable } from '../ledger/byteTable.ts'
import { firstNotBelow } from '../ledger/sortedSearch.ts'
import { BatchReader, keyAt, type TransferBatch } from '../ledger/transferBatch.ts'
import { type BlockTimes, createBlockTimes } from './blockTimes.ts'
import type { RowAt } from './sameRows.ts'
import { entryOf, readEntries, type Segment } from './segments.ts'
import type { Connection } from './sqliteFile.ts'
import type { LogEntry } from './store.ts'
import { createTransactionIndex, transactionHashes } from './transactionIndex.ts'

/**
 * What a process knows about the log beyond its bytes: which segment holds which transaction, which rows are
 * dead, when each block was. Made by reading the log once, kept current by reading what others appended.
 */
export interface LogState {
  /** Reads what was appended since, by this process or another. */
  catchUp(connection: Connection): void
  /** Notes an entry that this process is about to append in the open transaction. */
  note(entry: LogEntry): void
  readonly sequence: number
  /** Segments that may hold rows of a transaction of a batch; see `transactionHashes` for the key. */
  segmentsOf(key: Uint8Array, chain: string): readonly number[]
  /** Where a stored row is. */
  rowAt(connection: Connection, sequence: number): RowAt
  segment(connection: Connection, number: number): SearchableSegment
  isOrphaned(sequence: number): boolean
  isSuperseded(sequence: number): boolean
  /** True when any row ever was superseded. */
  readonly supersededAny: boolean
  blockTimes(chain: string): BlockTimes
}

export interface SearchableSegment extends Segment {
  readonly reader: BatchReader
  /** Rows of a transaction, by their place in the batch. */
  rowsOf(key: Uint8Array, chain: string): readonly number[]
}

const keptSegments = 64

export function createLogState(): LogState {
  const index = createTransactionIndex()
  const starts: number[] = []
  const chains = new Map<string, number>()
  const times = new Map<string, BlockTimes>()
  const orphaned = new Set<number>()
  const superseded = new Set<number>()
  const decoded = new Map<number, SearchableSegment>()
  let sequence = 0

  function chainNumber(chain: string): number {
    const known = chains.get(chain)
    if (known !== undefined) return known
    chains.set(chain, chains.size)
    return chains.size - 1
  }

  function blockTimes(chain: string): BlockTimes {
    const known = times.get(chain)
    if (known) return known
    const made = createBlockTimes()
    times.set(chain, made)
    return made
  }

  function noteTransactions(batch: TransferBatch, segment: number): void {
    const { contexts } = batch
    const seen = new Set<number>()
    for (let i = 0; i < contexts.transaction.length; i++) {
      const transaction = contexts.transaction[i] as number
      const local = contexts.chain[i] as number
      const pair = transaction * 256 + local
      if (seen.has(pair)) continue
      seen.add(pair)
      const chain = chainNumber(batch.chains[local] as string)
      const { hash, fingerprint } = transactionHashes(keyAt(batch.transactions, transaction), chain)
      index.add(hash, fingerprint, segment)
    }
  }

  function note(entry: LogEntry): void {
    if (entry.type === 'tombstones') {
      const dead = entry.reason === 'orphaned' ? orphaned : superseded
      for (const row of entry.dead) dead.add(row)
      if (entry.rollBack) blockTimes(entry.rollBack.chain).cut(entry.rollBack.fromBlock)
      sequence = entry.firstSequence + entry.dead.length - 1
      return
    }
    const segment = starts.push(entry.firstSequence) - 1
    noteTransactions(entry.batch, segment)
    const { contexts, chains: names } = entry.batch
    for (let i = 0; i < contexts.block.length; i++) {
      const chain = names[contexts.chain[i] as number] as string
      blockTimes(chain).note(contexts.block[i] as number, contexts.time[i] as number)
    }
    sequence = entry.firstSequence + entry.batch.length - 1
  }

  function segment(connection: Connection, number: number): SearchableSegment {
    const known = decoded.get(number)
    if (known) return known
    const row = connection.get('log-entry', { first: starts[number] ?? -1 })
    const entry = row && entryOf(row)
    if (entry?.type !== 'transfers') throw new RangeError(`segment ${number} is not in the log`)
    if (decoded.size >= keptSegments) decoded.delete(decoded.keys().next().value ?? -1)
    const made = searchable(entry)
    decoded.set(number, made)
    return made
  }

  return {
    catchUp(connection) {
      for (const entry of readEntries(connection, sequence)) note(entry)
    },
    note,
    get sequence() {
      return sequence
    },
    segmentsOf(key, chain) {
      const { hash, fingerprint } = transactionHashes(key, chainNumber(chain))
      return index.find(hash, fingerprint)
    },
    segment,
    rowAt(connection, row) {
      const found = segment(connection, firstNotBelow(starts, row + 1) - 1)
      return { batch: found.batch, row: row - found.firstSequence }
    },
    isOrphaned: (row) => orphaned.has(row),
    isSuperseded: (row) => superseded.has(row),
    get supersededAny() {
      return superseded.size > 0
    },
    blockTimes,
  }
}

/** A segment with a way to find the rows of a transaction in it; made once per decoded segment. */
function searchable(segment: Segment): SearchableSegment {
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
