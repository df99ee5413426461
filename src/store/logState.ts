import { keyAt, type TransferBatch } from '../ledger/transferBatch.ts'
import { type BlockTimes, createBlockTimes } from './blockTimes.ts'
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
  /** First sequence numbers of all segments of rows, ascending. */
  readonly segmentStarts: readonly number[]
  segment(connection: Connection, number: number): SearchableSegment
  isOrphaned(sequence: number): boolean
  isSuperseded(sequence: number): boolean
  blockTimes(chain: string): BlockTimes
}

export interface SearchableSegment extends Segment {
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
    segmentStarts: starts,
    segment(connection, number) {
      const known = decoded.get(number)
      if (known) return known
      const row = connection.get('log-entry', { first: starts[number] ?? -1 })
      const entry = row && entryOf(row)
      if (entry?.type !== 'transfers') throw new RangeError(`segment ${number} is not in the log`)
      if (decoded.size >= keptSegments) decoded.delete(decoded.keys().next().value ?? -1)
      const made = searchable(entry)
      decoded.set(number, made)
      return made
    },
    isOrphaned: (row) => orphaned.has(row),
    isSuperseded: (row) => superseded.has(row),
    blockTimes,
  }
}

/** A segment with a way to find the rows of a transaction in it; made once per decoded segment. */
function searchable(segment: Segment): SearchableSegment {
  const { batch } = segment
  const { contexts, rows, chains } = batch
  const found = new Map<string, number[]>()
  const names: string[] = []
  for (let context = 0; context < contexts.transaction.length; context++) {
    const key = keyAt(batch.transactions, contexts.transaction[context] as number)
    names.push(nameOf(key, chains[contexts.chain[context] as number] as string))
  }
  for (let row = 0; row < batch.length; row++) {
    const name = names[rows.context[row] as number] as string
    const known = found.get(name)
    if (known) known.push(row)
    else found.set(name, [row])
  }
  return { ...segment, rowsOf: (key, chain) => found.get(nameOf(key, chain)) ?? [] }
}

function nameOf(key: Uint8Array, chain: string): string {
  return `${chain} ${Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1')}`
}
