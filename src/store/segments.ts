import { crc32 } from 'node:zlib'
import { decodeBatch } from '../ledger/batchCodec.ts'
import type { ChainId } from '../ledger/chain.ts'
import { KnownError } from '../ledger/errors.ts'
import type { Assurance } from '../ledger/reconcile.ts'
import type { TransferBatch } from '../ledger/transferBatch.ts'
import type { Connection, Row } from './sqliteFile.ts'
import type { LogEntry, StorePart, TombstoneReason } from './store.ts'

/** Types of log rows; the reason of a tombstone entry stands in its first byte. */
export const entryType = { transfers: 0, tombstones: 1 } as const

const reasons: readonly TombstoneReason[] = ['orphaned', 'superseded']

type Tombstones = Extract<LogEntry, { type: 'tombstones' }>

/** Tombstones as bytes: reason, length of the chain's name, two spare bytes, block, name, padding, numbers. */
export function encodeTombstones({
  dead,
  reason,
  rollBack,
}: Omit<Tombstones, 'firstSequence'>): Uint8Array {
  const name = new TextEncoder().encode(rollBack?.chain ?? '')
  const start = 12 + Math.ceil(name.length / 4) * 4
  const bytes = new Uint8Array(start + dead.length * 4)
  const view = new DataView(bytes.buffer)
  view.setUint8(0, reasons.indexOf(reason))
  view.setUint8(1, name.length)
  view.setFloat64(4, rollBack?.fromBlock ?? 0, true)
  bytes.set(name, 12)
  for (const [i, sequence] of dead.entries()) view.setUint32(start + i * 4, sequence, true)
  return bytes
}

function decodeTombstones(data: Uint8Array): Pick<Tombstones, 'dead' | 'reason' | 'rollBack'> {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  const length = view.getUint8(1)
  const start = 12 + Math.ceil(length / 4) * 4
  const chain = new TextDecoder().decode(data.subarray(12, 12 + length)) as ChainId
  const dead = Uint32Array.from({ length: (data.length - start) / 4 }, (_, i) =>
    view.getUint32(start + i * 4, true),
  )
  const rollBack = length === 0 ? {} : { rollBack: { chain, fromBlock: view.getFloat64(4, true) } }
  return { dead, reason: reasons[data[0] ?? 0] ?? 'orphaned', ...rollBack }
}

/**
 * True when an entry of another store's log comes next here, false when it is here already.
 *
 * @throws KnownError `store.not-empty` when it is neither
 */
export function isNextEntry(entry: LogEntry, sequence: number): boolean {
  if (entry.firstSequence === sequence + 1) return true
  if (entry.firstSequence + lengthOf(entry) - 1 <= sequence) return false
  throw new KnownError(
    'store.not-empty',
    `entry ${entry.firstSequence} does not follow on ${sequence}`,
    {
      facts: { sequence, first: entry.firstSequence },
      hint: 'Copy into an empty store, or into one that a copy of the same store began.',
    },
  )
}

/** Entries with the tombstones that follow them, as a log can be taken in bit by bit. */
export async function* logParts(
  entries: AsyncIterable<LogEntry> | Iterable<LogEntry>,
): AsyncGenerator<Extract<StorePart, { type: 'log' }>> {
  let part: LogEntry[] = []
  for await (const entry of entries) {
    if (entry.type === 'transfers' && part.length > 0) {
      yield { type: 'log', entries: part }
      part = []
    }
    part.push(entry)
  }
  if (part.length > 0) yield { type: 'log', entries: part }
}

/** How many sequence numbers an entry takes. */
export function lengthOf(entry: LogEntry): number {
  return entry.type === 'tombstones' ? entry.dead.length : entry.batch.length
}

/** Log entries after a sequence number up to another, or to the end. Checks every entry's checksum. */
export function* readEntries(
  connection: Connection,
  after: number,
  last = lastSequence(connection),
): Generator<LogEntry> {
  for (let at = after; at < last; ) {
    const rows = connection.all('read-log', { after: at, limit: 16 })
    if (rows.length === 0) return
    for (const row of rows) {
      const entry = entryOf(row)
      if (entry.firstSequence > last) return
      yield entry
      at = entry.firstSequence
    }
  }
}

/** Sequence numbers of all rows that a tombstone up to a sequence number names. */
export function deadRows(connection: Connection, last: number): Set<number> {
  const dead = new Set<number>()
  for (const row of connection.all('read-tombstones', { type: entryType.tombstones, last })) {
    const entry = entryOf(row)
    if (entry.type === 'tombstones') for (const sequence of entry.dead) dead.add(sequence)
  }
  return dead
}

export function lastSequence(connection: Connection): number {
  const row = connection.get('last-log-entry')
  return row ? Number(row['first_sequence']) + Number(row['count']) - 1 : 0
}

/**
 * @throws KnownError `store.damaged` when the bytes are not those that were written.
 */
export function entryOf(row: Row): LogEntry {
  const firstSequence = Number(row['first_sequence'])
  const data = row['data'] as Uint8Array
  if (crc32(data) !== Number(row['checksum'])) throw damaged(firstSequence, 'its checksum is wrong')
  if (row['type'] === entryType.tombstones) {
    return { type: 'tombstones', firstSequence, ...decodeTombstones(data) }
  }
  const batch = decodeBatch(data)
  if (batch.length !== Number(row['count'])) throw damaged(firstSequence, 'its length is wrong')
  return {
    type: 'transfers',
    firstSequence,
    batch,
    source: String(row['name']),
    assurance: Number(row['assurance']) as Assurance,
  }
}

function damaged(firstSequence: number, why: string): KnownError {
  return new KnownError('store.damaged', `log entry ${firstSequence} cannot be read: ${why}`, {
    facts: { sequence: firstSequence },
    hint: 'Restore the store from a backup.',
  })
}

export interface Segment {
  readonly firstSequence: number
  readonly batch: TransferBatch
  readonly source: string
  readonly assurance: Assurance
}
