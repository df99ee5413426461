import { type Finding, type Observation, reconcile } from '../ledger/reconcile.ts'
import { type Transfer, transferId } from '../ledger/transfer.ts'
import {
  BatchReader,
  keyAt,
  type TransferBatch,
  TransferBatchBuilder,
} from '../ledger/transferBatch.ts'
import type { LogState } from './logState.ts'
import type { Connection } from './sqliteFile.ts'
import type { Append } from './store.ts'

/** What of a batch is to be written, given what the log holds already. */
export interface Merged {
  /** Rows to append; the batch itself where all of it is new. */
  readonly batch: TransferBatch
  readonly known: number
  /** Stored rows that a better one replaces. */
  readonly superseded: readonly number[]
  /** Rows of `batch` that a better stored row replaces. */
  readonly supersededRows: readonly number[]
  readonly findings: readonly Finding[]
}

interface StoredRow extends Observation {
  readonly sequence: number
}

interface IncomingRow extends Observation {
  readonly sequence: undefined
}

/**
 * Most batches bring only new transactions: then nothing is read and the columns are stored as they are. A
 * transaction that is known, or whose ids repeat inside the batch, is compared row by row.
 */
export function mergeBatch(
  given: TransferBatch,
  told: Pick<Append, 'source' | 'assurance'>,
  log: { readonly state: LogState; readonly connection: Connection },
): Merged {
  const suspects = suspectTransactions(given, log.state)
  const plain = { batch: given, known: 0, superseded: [], supersededRows: [], findings: [] }
  if (suspects.size === 0) return plain
  const reader = new BatchReader(given)
  const builder = new TransferBatchBuilder()
  const grouped = new Map<string, number[]>()
  for (let row = 0; row < given.length; row++) {
    const name = transactionName(given, row)
    if (!suspects.has(name)) builder.add(reader.transfer(row))
    else addTo(grouped, name, row)
  }
  const result = {
    known: 0,
    superseded: [] as number[],
    supersededRows: [] as number[],
    findings: [] as Finding[],
  }
  for (const [name, rows] of grouped) {
    const incoming = rows.map((row) => reader.transfer(row))
    const stored = storedRows(given, suspects.get(name) ?? [], rows[0] ?? 0, log)
    const merged = mergeTransaction(incoming, stored, told)
    result.known += incoming.length - merged.fresh.length
    result.superseded.push(...merged.supersededStored)
    result.findings.push(...merged.findings)
    for (const { transfer, dead } of merged.fresh) {
      if (dead) result.supersededRows.push(builder.length)
      builder.add(transfer)
    }
  }
  return { ...result, batch: builder.build() }
}

function addTo(groups: Map<string, number[]>, name: string, row: number): void {
  const rows = groups.get(name)
  if (rows) rows.push(row)
  else groups.set(name, [row])
}

function transactionName(batch: TransferBatch, row: number): string {
  const context = batch.rows.context[row] as number
  return `${batch.contexts.chain[context]}:${batch.contexts.transaction[context]}`
}

/** Transactions that the log may know, or that repeat an id inside the batch, with the segments to look into. */
function suspectTransactions(
  batch: TransferBatch,
  state: LogState,
): Map<string, readonly number[]> {
  const { contexts } = batch
  const suspects = new Map<string, readonly number[]>()
  let lastPair = -1
  for (let i = 0; i < contexts.transaction.length; i++) {
    const transaction = contexts.transaction[i] as number
    const chain = contexts.chain[i] as number
    const pair = transaction * 256 + chain
    if (pair === lastPair) continue
    lastPair = pair
    const segments = state.segmentsOf(
      keyAt(batch.transactions, transaction),
      batch.chains[chain] as string,
    )
    if (segments.length > 0) suspects.set(`${chain}:${transaction}`, segments)
  }
  for (const name of repeatedInside(batch)) if (!suspects.has(name)) suspects.set(name, [])
  return suspects
}

/** Transactions of which two rows of the batch have the same kind and position. */
function repeatedInside(batch: TransferBatch): Set<string> {
  const { rows, contexts } = batch
  const size = 2 ** Math.ceil(Math.log2(Math.max(16, batch.length * 2)))
  const slots = new Int32Array(size).fill(-1)
  const repeated = new Set<string>()
  for (let row = 0; row < batch.length; row++) {
    const context = rows.context[row] as number
    const transaction = contexts.transaction[context] as number
    const kind = rows.kind[row] as number
    const position = rows.position[row] as number
    let slot =
      (Math.imul(transaction, 0x9e3779b1) ^ Math.imul(position * 8 + kind, 0x85ebca6b)) >>> 0
    for (slot &= size - 1; slots[slot] !== -1; slot = (slot + 1) & (size - 1)) {
      const other = slots[slot] as number
      const otherContext = rows.context[other] as number
      const same =
        contexts.transaction[otherContext] === transaction &&
        contexts.chain[otherContext] === contexts.chain[context] &&
        rows.kind[other] === kind &&
        rows.position[other] === position
      if (same) {
        repeated.add(transactionName(batch, row))
        break
      }
    }
    if (slots[slot] === -1) slots[slot] = row
  }
  return repeated
}

function storedRows(
  given: TransferBatch,
  segments: readonly number[],
  row: number,
  log: { readonly state: LogState; readonly connection: Connection },
): StoredRow[] {
  const context = given.rows.context[row] as number
  const key = keyAt(given.transactions, given.contexts.transaction[context] as number)
  const chain = given.chains[given.contexts.chain[context] as number] as string
  return storedObservations({ key, chain, segments }, log)
}

/** Every stored row of a transaction that is not orphaned. */
export function storedObservations(
  of: { readonly key: Uint8Array; readonly chain: string; readonly segments: readonly number[] },
  log: { readonly state: LogState; readonly connection: Connection },
): StoredRow[] {
  const found: StoredRow[] = []
  for (const number of of.segments) {
    const segment = log.state.segment(log.connection, number)
    const reader = new BatchReader(segment.batch)
    for (const row of segment.rowsOf(of.key, of.chain)) {
      const sequence = segment.firstSequence + row
      if (log.state.isOrphaned(sequence)) continue
      const { source, assurance } = segment
      found.push({ transfer: reader.transfer(row), source, assurance, sequence })
    }
  }
  return found
}

interface MergedTransaction {
  readonly fresh: readonly { readonly transfer: Transfer; readonly dead: boolean }[]
  readonly supersededStored: readonly number[]
  readonly findings: readonly Finding[]
}

const nothing: MergedTransaction = { fresh: [], supersededStored: [], findings: [] }

function mergeTransaction(
  incoming: readonly Transfer[],
  stored: readonly StoredRow[],
  told: Pick<Append, 'source' | 'assurance'>,
): MergedTransaction {
  const fresh = unknownRows(incoming, stored, told)
  if (fresh.length === 0 || saysNothingNew(fresh, stored, told)) return nothing
  const rows: IncomingRow[] = fresh.map((transfer) => ({ transfer, ...told, sequence: undefined }))
  const { superseded, findings } = reconcile<StoredRow | IncomingRow>([...stored, ...rows])
  const dead = new Set<StoredRow | IncomingRow>(superseded)
  return {
    fresh: rows.map((row) => ({ transfer: row.transfer, dead: dead.has(row) })),
    supersededStored: superseded.flatMap((row) => row.sequence ?? []),
    findings,
  }
}

/** Rows that this source has not told before, each once. */
function unknownRows(
  incoming: readonly Transfer[],
  stored: readonly StoredRow[],
  told: Pick<Append, 'source' | 'assurance'>,
): Transfer[] {
  const own = stored.filter((row) => row.source === told.source && row.assurance >= told.assurance)
  const known = new Set(own.map((row) => content(row.transfer)))
  return incoming.filter((transfer) => {
    const text = content(transfer)
    if (known.has(text)) return false
    known.add(text)
    return true
  })
}

/**
 * True when another source of at least this assurance has told every one of these rows under the same ids: then
 * they neither prove nor contradict anything. Not when the source has rows of this transaction already, since
 * only all its rows together can be compared with another source's.
 */
function saysNothingNew(
  fresh: readonly Transfer[],
  stored: readonly StoredRow[],
  told: Pick<Append, 'source' | 'assurance'>,
): boolean {
  if (stored.some((row) => row.source === told.source)) return false
  const sources = new Map<string, Map<string, Transfer>>()
  for (const row of stored) {
    if (row.assurance < told.assurance) continue
    const name = `${row.assurance} ${row.source}`
    const rows = sources.get(name) ?? new Map<string, Transfer>()
    sources.set(name, rows.set(transferId(row.transfer), row.transfer))
  }
  return [...sources.values()].some((rows) =>
    fresh.every((transfer) => {
      const known = rows.get(transferId(transfer))
      return known !== undefined && saysAtMost(transfer, known)
    }),
  )
}

/** True when a row says nothing that the other, of the same id, does not say: optional fields may be absent. */
function saysAtMost(row: Transfer, other: Transfer): boolean {
  return (
    row.block === other.block &&
    row.time === other.time &&
    row.asset === other.asset &&
    row.from === other.from &&
    row.to === other.to &&
    row.amount === other.amount &&
    (row.blockHash === undefined || row.blockHash === other.blockHash) &&
    (row.txIndex === undefined || row.txIndex === other.txIndex) &&
    (row.signer === undefined || row.signer === other.signer) &&
    (row.flags.length === 0 || row.flags.join(' ') === other.flags.join(' '))
  )
}

function content(t: Transfer): string {
  const place = `${t.block} ${t.blockHash ?? ''} ${t.time} ${t.txIndex ?? ''} ${t.signer ?? ''}`
  return `${transferId(t)} ${place} ${t.asset} ${t.from ?? ''} ${t.to ?? ''} ${t.amount} ${t.flags.join(' ')}`
}
