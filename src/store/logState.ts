import { firstNotBelow } from '../ledger/sortedSearch.ts'
import { keyAt, type TransferBatch } from '../ledger/transferBatch.ts'
import { type BlockTimes, createBlockTimes } from './blockTimes.ts'
import type { LogEntry } from './store.ts'
import { createTransactionIndex, transactionHashes } from './transactionIndex.ts'

/**
 * What a process knows about the log beyond its bytes: which segment holds which transaction, which rows are
 * dead, when each block was. Made by reading the log once, kept current by reading what others appended.
 */
export interface LogState {
  /** Notes the next entry: one that was read, or one that is about to be written in the open transaction. */
  note(entry: LogEntry): void
  readonly sequence: number
  /** Segments that may hold rows of a transaction of a batch; see `transactionHashes` for the key. */
  segmentsOf(key: Uint8Array, chain: string): readonly number[]
  /** Segments with rows of the chain at this block or above. */
  segmentsFrom(chain: string, block: number): readonly number[]
  /** The segment that holds a row. */
  segmentAt(sequence: number): number
  /** Sequence number of the first row of a segment. */
  startOf(segment: number): number
  isOrphaned(sequence: number): boolean
  isSuperseded(sequence: number): boolean
  /** Rows named by tombstones with sequence numbers in (after, last]. */
  deadBetween(after: number, last: number): Iterable<number>
  /** True when any row ever was superseded. */
  readonly supersededAny: boolean
  blockTimes(chain: string): BlockTimes
}

export function createLogState(): LogState {
  const index = createTransactionIndex()
  const starts: number[] = []
  const chains = new Map<string, number>()
  const times = new Map<string, BlockTimes>()
  const orphaned = new Set<number>()
  const superseded = new Set<number>()
  const tombstones: { readonly firstSequence: number; readonly dead: Uint32Array }[] = []
  /** For each chain its segments and the highest block of each. */
  const reaches = new Map<string, { readonly segments: number[]; readonly blocks: number[] }>()
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
      tombstones.push({ firstSequence: entry.firstSequence, dead: entry.dead })
      if (entry.rollBack) blockTimes(entry.rollBack.chain).cut(entry.rollBack.fromBlock)
      sequence = entry.firstSequence + entry.dead.length - 1
      return
    }
    const segment = starts.push(entry.firstSequence) - 1
    noteTransactions(entry.batch, segment)
    const { contexts, chains: names } = entry.batch
    for (let i = 0; i < contexts.block.length; i++) {
      const chain = names[contexts.chain[i] as number] as string
      const block = contexts.block[i] as number
      blockTimes(chain).note(block, contexts.time[i] as number)
      noteReach(chain, segment, block)
    }
    sequence = entry.firstSequence + entry.batch.length - 1
  }

  function noteReach(chain: string, segment: number, block: number): void {
    const known = reaches.get(chain)
    if (!known) {
      reaches.set(chain, { segments: [segment], blocks: [block] })
      return
    }
    const last = known.segments.length - 1
    if (known.segments[last] === segment) {
      if ((known.blocks[last] as number) < block) known.blocks[last] = block
      return
    }
    known.segments.push(segment)
    known.blocks.push(block)
  }

  return {
    note,
    get sequence() {
      return sequence
    },
    segmentsOf(key, chain) {
      const { hash, fingerprint } = transactionHashes(key, chainNumber(chain))
      return index.find(hash, fingerprint)
    },
    segmentsFrom(chain, block) {
      const { segments, blocks } = reaches.get(chain) ?? { segments: [], blocks: [] }
      return segments.filter((_, i) => (blocks[i] as number) >= block)
    },
    segmentAt: (row) => firstNotBelow(starts, row + 1) - 1,
    startOf: (segment) => starts[segment] as number,
    *deadBetween(after, last) {
      for (const { firstSequence, dead } of tombstones)
        if (firstSequence > after && firstSequence <= last) yield* dead
    },
    isOrphaned: (row) => orphaned.has(row),
    isSuperseded: (row) => superseded.has(row),
    get supersededAny() {
      return superseded.size > 0
    },
    blockTimes,
  }
}
