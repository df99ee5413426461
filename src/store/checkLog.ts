import { ByteTable } from '../ledger/byteTable.ts'
import { KnownError } from '../ledger/errors.ts'
import type { Finding } from '../ledger/reconcile.ts'
import { transferId } from '../ledger/transfer.ts'
import { BatchReader } from '../ledger/transferBatch.ts'
import { type BlockTimes, createBlockTimes } from './blockTimes.ts'
import { lengthOf } from './segments.ts'
import type { CheckReport, LogEntry } from './store.ts'

export interface CheckedLog {
  /** The log from its beginning; asked for twice. */
  entries(): AsyncIterable<LogEntry> | Iterable<LogEntry>
  readonly findings: readonly Finding[]
  /** What is wrong with the place itself, before any entry is read. */
  readonly damage: readonly string[]
}

/**
 * Verifies a log end to end: every checksum, sequence numbers without holes, tombstones that name real rows,
 * canonical ids that are unique, block times that obey their law.
 *
 * @param progress - called with the number of rows read so far.
 */
export async function checkLog(
  log: CheckedLog,
  progress: (rows: number) => void = () => undefined,
): Promise<CheckReport> {
  const damage = [...log.damage]
  const dead = { orphaned: new Set<number>(), superseded: new Set<number>() }
  const seen = { rows: 0, sequence: 0 }
  for await (const entry of guarded(log.entries(), damage)) {
    if (entry.firstSequence !== seen.sequence + 1)
      damage.push(`sequence ${seen.sequence + 1} is missing`)
    if (entry.type === 'tombstones') noteDead(entry, dead, damage)
    else seen.rows += entry.batch.length
    seen.sequence = entry.firstSequence + lengthOf(entry) - 1
    progress(seen.rows)
  }
  if (damage.length === 0) {
    const gone = (row: number): boolean => dead.orphaned.has(row) || dead.superseded.has(row)
    damage.push(...(await contentDamage(log.entries(), gone)))
  }
  const superseded = [...dead.superseded].filter((row) => !dead.orphaned.has(row)).length
  return {
    rows: seen.rows,
    canonical: seen.rows - dead.orphaned.size - superseded,
    orphaned: dead.orphaned.size,
    superseded,
    findings: log.findings,
    damage,
  }
}

/** Entries until one cannot be read; that one becomes damage instead of an error. */
async function* guarded(
  entries: AsyncIterable<LogEntry> | Iterable<LogEntry>,
  damage: string[],
): AsyncGenerator<LogEntry> {
  try {
    yield* entries
  } catch (error) {
    if (!(error instanceof KnownError && error.code === 'store.damaged')) throw error
    damage.push(error.message)
  }
}

function noteDead(
  entry: Extract<LogEntry, { type: 'tombstones' }>,
  dead: { readonly orphaned: Set<number>; readonly superseded: Set<number> },
  damage: string[],
): void {
  for (const row of entry.dead) {
    if (row >= entry.firstSequence)
      damage.push(`tombstone ${entry.firstSequence} names row ${row}, which is not there`)
    dead[entry.reason].add(row)
  }
}

async function contentDamage(
  entries: AsyncIterable<LogEntry> | Iterable<LogEntry>,
  gone: (row: number) => boolean,
): Promise<string[]> {
  const damage: string[] = []
  const ids = new ByteTable(1 << 16)
  const times = new Map<string, BlockTimes>()
  for await (const entry of entries) {
    damage.push(...timeDamage(entry, times))
    if (entry.type !== 'transfers') continue
    const reader = new BatchReader(entry.batch)
    for (let row = 0; row < entry.batch.length; row++) {
      if (gone(entry.firstSequence + row)) continue
      const id = transferId(reader.transfer(row))
      const expected = ids.size
      if (ids.intern(Buffer.from(id)) !== expected) damage.push(`${id} is canonical twice`)
    }
    if (damage.length > 100) return [...damage.slice(0, 100), '… and more']
  }
  return damage
}

/**
 * Blocks of a file that contradict what stood in the log when they were appended, superseded rows among it. A
 * node's are findings, not damage.
 */
function timeDamage(entry: LogEntry, times: Map<string, BlockTimes>): string[] {
  if (entry.type === 'tombstones') {
    if (entry.rollBack) times.get(entry.rollBack.chain)?.cut(entry.rollBack.fromBlock)
    return []
  }
  const { contexts, chains } = entry.batch
  const damage: string[] = []
  for (let i = 0; i < contexts.block.length; i++) {
    const chain = chains[contexts.chain[i] as number] as string
    const known = times.get(chain) ?? createBlockTimes()
    times.set(chain, known)
    const against = known.note(contexts.block[i] as number, contexts.time[i] as number)
    if (against && entry.assurance === 0)
      damage.push(`block ${contexts.block[i]} contradicts block ${against.block}`)
  }
  return damage
}
