import type { Account } from '../../ledger/account.ts'
import { KnownError } from '../../ledger/errors.ts'
import { isBlockReward } from '../../ledger/order.ts'
import { type Transfer, transferId } from '../../ledger/transfer.ts'
import { BatchReader } from '../../ledger/transferBatch.ts'
import type { Log } from '../mergeBatch.ts'
import { lengthOf } from '../segments.ts'
import type { LogEntry } from '../store.ts'
import { int, type Neo4jConnection, type Parameter, type Unit } from './connection.ts'
import { blockName } from './expansion.ts'
import { accountKey } from './keys.ts'
import { addressParameter } from './tags.ts'

/**
 * The log as analysts see it: one `TRANSFER` relationship per canonical row between the nodes of its accounts. The log
 * is the truth and is written first; the relationships follow it, a few thousand rows per transaction, together with
 * the mark that says how far they are. So whatever dies in between, each row is drawn exactly once, by whoever comes
 * next, and no transaction grows with the size of an import.
 *
 * Where this differs from the design: amounts have no zero-padded sort key. `ORDER BY size(t.amount), t.amount` sorts
 * decimal texts without leading zeros exactly, and a further text of 78 digits per transfer would be a tenth of the
 * store.
 */

const rowsPerTransaction = 5_000

/** The log as the projection reads it. */
export interface ProjectedLog {
  /** State that knows the log at least through the number to project. */
  readonly state: Log['state']
  /** The entry that holds a sequence number, read in the given transaction. */
  entryAt(unit: Unit, sequence: number): Promise<LogEntry>
  /** Ids of stored rows, by sequence number. */
  idsOf(unit: Unit, sequences: readonly number[]): Promise<readonly string[]>
}

export interface ProjectionOptions {
  readonly through: number
  /** Called after each transaction with the sequence number reached. */
  readonly progress?: ((done: number) => void) | undefined
}

/** Draws the log through a sequence number. Others may do the same at the same time: each row is drawn once. */
export async function project(
  connection: Neo4jConnection,
  log: ProjectedLog,
  { through, progress }: ProjectionOptions,
): Promise<void> {
  let cleared = -1
  for (let done = -1; done < through; ) {
    done = await connection.write(async (unit) => {
      const [row] = await unit.run('lock-projection')
      const at = Number(row?.['sequence'])
      if (at >= through) return at
      // Nobody else moved the mark: what this call has taken away once it need not look for again.
      if (at !== cleared) await clearDead(unit, log, { at, through })
      const next = await projectSome(unit, log, at)
      await unit.run('advance-projection', { sequence: int(next) })
      return next
    })
    cleared = done
    progress?.(done)
  }
  await connection.write((unit) => unit.run('show-projection', { through: int(through) }))
}

/** Takes away what tombstones ahead name, before rows with the same ids are drawn. */
async function clearDead(
  unit: Unit,
  log: ProjectedLog,
  { at, through }: { readonly at: number; readonly through: number },
): Promise<void> {
  const dead: number[] = []
  for (const row of log.state.deadBetween(at, through)) if (row <= at) dead.push(row)
  for (let i = 0; i < dead.length; i += rowsPerTransaction) {
    const part = dead.slice(i, i + rowsPerTransaction)
    const ids = await log.idsOf(unit, part)
    await unit.run('delete-transfers', {
      dead: part.map((sequence, j) => [ids[j] as string, int(sequence)]),
    })
  }
}

/** Draws the next rows and returns how far that is. */
async function projectSome(unit: Unit, log: ProjectedLog, at: number): Promise<number> {
  const entry = await log.entryAt(unit, at + 1)
  const end = entry.firstSequence + lengthOf(entry) - 1
  if (entry.type === 'tombstones') return end
  const last = Math.min(end, at + rowsPerTransaction)
  const reader = new BatchReader(entry.batch)
  const rows: NumberedTransfer[] = []
  for (let sequence = at + 1; sequence <= last; sequence++) {
    if (log.state.isOrphaned(sequence) || log.state.isSuperseded(sequence)) continue
    rows.push({ transfer: reader.transfer(sequence - entry.firstSequence), sequence })
  }
  await draw(unit, rows)
  return last
}

type Query = 'create-transfers' | 'create-issues' | 'create-burns'

/** What some rows need in the database: the nodes at their ends, and themselves. */
interface Drawing {
  readonly accounts: Set<Account>
  readonly ends: Map<string, Parameter>
  readonly rows: Readonly<Record<Query, Parameter[]>>
}

async function draw(unit: Unit, transfers: readonly NumberedTransfer[]): Promise<void> {
  const drawing: Drawing = {
    accounts: new Set(),
    ends: new Map(),
    rows: { 'create-transfers': [], 'create-issues': [], 'create-burns': [] },
  }
  for (const numbered of transfers) addTo(drawing, numbered)
  const { accounts, ends, rows } = drawing
  if (ends.size > 0) await unit.run('merge-nobody', { ends: [...ends.values()] })
  const addresses = [...accounts].sort().map(addressParameter)
  if (addresses.length > 0) await unit.run('merge-addresses', { addresses })
  for (const [query, given] of Object.entries(rows)) {
    if (given.length === 0) continue
    const [row] = await unit.run(query, { rows: given })
    if (Number(row?.['made']) !== given.length) throw missingNodes()
  }
}

interface NumberedTransfer {
  readonly transfer: Transfer
  readonly sequence: number
}

function addTo(drawing: Drawing, { transfer, sequence }: NumberedTransfer): void {
  const { chain, from, to } = transfer
  const properties = propertiesOf(transfer, sequence)
  const issued = `${chain}:issued`
  const gone = `${chain}:gone`
  if (from !== undefined) drawing.accounts.add(from)
  if (to !== undefined) drawing.accounts.add(to)
  if (from !== undefined && to !== undefined)
    drawing.rows['create-transfers'].push([from, to, ...properties])
  else if (to !== undefined) {
    drawing.ends.set(issued, [issued, chain, 'issued'])
    drawing.rows['create-issues'].push([issued, to, ...properties])
  } else if (from !== undefined) {
    drawing.ends.set(gone, [gone, chain, 'gone'])
    drawing.rows['create-burns'].push([from, gone, ...properties])
  }
  // What came from nobody and went to nobody touches no account: it stays in the log alone.
}

function missingNodes(): KnownError {
  return new KnownError('store.damaged', 'nodes of addresses vanished while transfers were drawn', {
    hint: 'Let nobody but Jejak delete nodes of its database, and try again.',
  })
}

/** In the order of `create-transfers`. Absent properties are null, which Neo4j does not store. */
function propertiesOf(transfer: Transfer, sequence: number): Parameter[] {
  const { block, from, to, txIndex, flags } = transfer
  const unordered = txIndex === undefined && !isBlockReward(transfer.kind)
  return [
    transferId(transfer),
    int(sequence),
    int(transfer.time),
    int(block),
    txIndex === undefined ? null : int(txIndex),
    transfer.tx,
    transfer.kind,
    transfer.asset,
    transfer.amount.toString(),
    Number(transfer.amount),
    from === undefined ? null : accountKey(from),
    to === undefined ? null : accountKey(to),
    unordered ? blockName(transfer) : null,
    transfer.signer ?? null,
    transfer.blockHash ?? null,
    flags.length === 0 ? null : flags.join(' '),
  ]
}
