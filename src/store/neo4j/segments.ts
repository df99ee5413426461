import { setTimeout as sleep } from 'node:timers/promises'
import { crc32, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { encodeBatch } from '../../ledger/batchCodec.ts'
import { KnownError } from '../../ledger/errors.ts'
import { encodeTombstones, entryOf, entryType, lengthOf } from '../segments.ts'
import type { Row as LogRow } from '../sqliteFile.ts'
import type { LogEntry } from '../store.ts'
import { int, type Parameter, type Row, type Unit } from './connection.ts'

/** Writes log entries. `unitOfWork` tells a unit that runs again that it had been committed. */
export async function writeEntries(
  unit: Unit,
  entries: readonly LogEntry[],
  unitOfWork: string,
): Promise<void> {
  if (entries.length === 0) return
  await unit.run('append-segments', {
    entries: entries.map((entry) => encoded(entry, unitOfWork)),
  })
}

function encoded(entry: LogEntry, unitOfWork: string): Parameter {
  const tombstones = entry.type === 'tombstones'
  const data = tombstones ? encodeTombstones(entry) : encodeBatch(entry.batch)
  // The driver reads bytes one by one: half as many is a third less time for a whole log.
  const packed = zstdCompressSync(data)
  return [
    int(entry.firstSequence),
    int(lengthOf(entry)),
    int(entryType[entry.type]),
    tombstones ? 'jejak' : entry.source,
    int(tombstones ? 0 : entry.assurance),
    int(crc32(data)),
    new Int8Array(packed.buffer, packed.byteOffset, packed.byteLength),
    unitOfWork,
  ]
}

export interface StoredEntry {
  readonly entry: LogEntry
  readonly unitOfWork: string
}

const entriesPerRead = 8

const mostReadings = 100
const pauseMs = 20

/**
 * Entries with sequence numbers in (after, last], in order; the next are on their way while one is worked on. The end
 * of the log may be seen a moment before its last entries are: those are read again until they are there.
 *
 * @throws KnownError `store.damaged` when an entry stays missing
 */
export async function* readEntries(
  read: (query: string, range: Range) => Promise<Row[]>,
  after: number,
  last: number,
): AsyncGenerator<StoredEntry> {
  const page = async (from: number): Promise<Row[]> => {
    for (let reading = 0; ; reading++) {
      const rows = await read('read-log', { after: from, last, limit: entriesPerRead })
      if (isWhole(rows, { from, last })) return rows
      if (reading === mostReadings) throw missing(from)
      await sleep(pauseMs)
    }
  }
  if (after >= last) return
  for (let coming: Promise<Row[]> | undefined = page(after); coming !== undefined; ) {
    const rows: Row[] = await coming
    const end = endOf(rows.at(-1))
    coming = end < last ? page(end) : undefined
    // Whoever stops early hears of no fault in what was read ahead.
    coming?.catch(() => undefined)
    for (const row of rows) yield { entry: decoded(row), unitOfWork: String(row['unit']) }
  }
}

function endOf(row: Row | undefined): number {
  return row ? Number(row['first_sequence']) + Number(row['count']) - 1 : 0
}

/** True when the entries follow on each other from a sequence number on, to the end or until the page is full. */
function isWhole(rows: readonly Row[], { from, last }: { from: number; last: number }): boolean {
  let next = from + 1
  for (const row of rows) {
    if (Number(row['first_sequence']) !== next) return false
    next = endOf(row) + 1
  }
  return rows.length > 0 && (next > last || rows.length === entriesPerRead)
}

function missing(after: number): KnownError {
  return new KnownError('store.damaged', `the log has no entry that follows on ${after}`, {
    facts: { sequence: after },
    hint: 'Restore the store from a backup.',
  })
}

export interface Range {
  readonly after: number
  readonly last: number
  readonly limit: number
}

export function rangeParameters({ after, last, limit }: Range): Record<string, Parameter> {
  return { after: int(after), last: int(last), limit: int(limit) }
}

/** @throws KnownError `store.damaged` when the bytes are not those that were written */
export function decoded(row: Row): LogEntry {
  const bytes = row['data'] as Int8Array
  return entryOf({
    ...(row as LogRow),
    type: Number(row['type']),
    data: unpacked(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength), row),
  })
}

function unpacked(bytes: Uint8Array, row: Row): Uint8Array {
  try {
    const { buffer, byteOffset, byteLength } = zstdDecompressSync(bytes)
    return new Uint8Array(buffer, byteOffset, byteLength)
  } catch (error) {
    throw new KnownError(
      'store.damaged',
      `log entry ${row['first_sequence']} cannot be read: its bytes are damaged`,
      { hint: 'Restore the store from a backup.', cause: error },
    )
  }
}
