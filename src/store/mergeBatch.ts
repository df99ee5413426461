import { type Finding, type Observation, reconcile } from '../ledger/reconcile.ts'
import { type Transfer, transferId } from '../ledger/transfer.ts'
import {
  BatchReader,
  keyAt,
  type TransferBatch,
  TransferBatchBuilder,
} from '../ledger/transferBatch.ts'
import type { LogState } from './logState.ts'
import { type RowAt, sameRow, saysAtMost } from './sameRows.ts'
import type { SearchableSegment } from './searchableSegment.ts'
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
  /** Stored rows with a tombstone that count again. */
  readonly revived: readonly StoredRow[]
  readonly findings: readonly Finding[]
}

/** A row of the log that is not orphaned. */
export interface StoredRow extends Observation {
  readonly sequence: number
  /** It has a tombstone, and no later row of its source says the same. */
  readonly superseded: boolean
}

interface IncomingRow extends Observation {
  readonly sequence: undefined
}

/** What is known of the log, and its segments by number. */
export interface Log {
  readonly state: LogState
  segment(number: number): SearchableSegment
}

type Told = Pick<Append, 'source' | 'assurance'>

/**
 * Most batches bring only new transactions: then nothing is read and the columns are stored as they are. A
 * transaction that is known, or whose ids repeat inside the batch, is compared row by row: column by column where
 * it only says again what is stored.
 */
export function mergeBatch(given: TransferBatch, told: Told, log: Log): Merged {
  const suspects = suspectTransactions(given, log.state)
  const result = {
    known: 0,
    superseded: [] as number[],
    supersededRows: [] as number[],
    revived: [] as StoredRow[],
    findings: [] as Finding[],
  }
  if (suspects.size === 0) return { ...result, batch: given }
  const reader = new BatchReader(given)
  const builder = new TransferBatchBuilder()
  const grouped = new Map<number, number[]>()
  for (let row = 0; row < given.length; row++) {
    const name = transactionName(given, row)
    if (!suspects.has(name)) builder.add(reader.transfer(row))
    else addTo(grouped, name, row)
  }
  for (const [name, rows] of grouped) {
    const places = placesOf(given, suspects.get(name) ?? [], rows[0] ?? 0)
    if (isToldAlready({ batch: given, rows }, told, storedPlaces(places, log))) {
      result.known += rows.length
      continue
    }
    const incoming = rows.map((row) => reader.transfer(row))
    const merged = mergeTransaction(incoming, storedObservations(places, log), told)
    result.known += incoming.length - merged.fresh.length
    result.superseded.push(...merged.supersededStored)
    result.revived.push(...merged.revived)
    result.findings.push(...merged.findings)
    for (const { transfer, dead } of merged.fresh) {
      if (dead) result.supersededRows.push(builder.length)
      builder.add(transfer)
    }
  }
  return { ...result, batch: builder.build() }
}

function addTo(groups: Map<number, number[]>, name: number, row: number): void {
  const rows = groups.get(name)
  if (rows) rows.push(row)
  else groups.set(name, [row])
}

/** A number for a transaction of the batch and its chain. */
function transactionName(batch: TransferBatch, row: number): number {
  return contextName(batch, batch.rows.context[row] as number)
}

function contextName({ contexts }: TransferBatch, context: number): number {
  return (contexts.transaction[context] as number) * 256 + (contexts.chain[context] as number)
}

/** Transactions that the log may know, or that repeat an id inside the batch, with the segments to look into. */
function suspectTransactions(
  batch: TransferBatch,
  state: LogState,
): Map<number, readonly number[]> {
  const { contexts } = batch
  const suspects = new Map<number, readonly number[]>()
  let last = -1
  for (let i = 0; i < contexts.transaction.length; i++) {
    const name = contextName(batch, i)
    if (name === last) continue
    last = name
    const key = keyAt(batch.transactions, contexts.transaction[i] as number)
    const segments = state.segmentsOf(key, batch.chains[contexts.chain[i] as number] as string)
    if (segments.length > 0) suspects.set(name, segments)
  }
  for (const name of repeatedInside(batch)) if (!suspects.has(name)) suspects.set(name, [])
  return suspects
}

/** The segments that {@link mergeBatch} may ask for. */
export function suspectSegments(batch: TransferBatch, state: LogState): ReadonlySet<number> {
  return new Set([...suspectTransactions(batch, state).values()].flat())
}

/** Transactions of which two rows of the batch have the same kind and position. */
function repeatedInside(batch: TransferBatch): Set<number> {
  const { rows, contexts } = batch
  const size = 2 ** Math.ceil(Math.log2(Math.max(16, batch.length * 2)))
  const slots = new Int32Array(size).fill(-1)
  const repeated = new Set<number>()
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

/** Where rows of a transaction may be stored. */
interface Places {
  readonly key: Uint8Array
  readonly chain: string
  readonly segments: readonly number[]
}

function placesOf(given: TransferBatch, segments: readonly number[], row: number): Places {
  const context = given.rows.context[row] as number
  const key = keyAt(given.transactions, given.contexts.transaction[context] as number)
  const chain = given.chains[given.contexts.chain[context] as number] as string
  return { key, chain, segments }
}

interface StoredPlace extends RowAt {
  readonly segment: SearchableSegment
}

/** Every stored row of a transaction that is not orphaned, in the order of the log. */
function storedPlaces(
  { key, chain, segments }: Places,
  { state, segment: read }: Log,
): StoredPlace[] {
  const found: StoredPlace[] = []
  for (const number of segments) {
    const segment = read(number)
    for (const row of segment.rowsOf(key, chain)) {
      if (!state.isOrphaned(segment.firstSequence + row))
        found.push({ segment, batch: segment.batch, row })
    }
  }
  return found
}

/** Every stored row of a transaction that is not orphaned; one that came back after its tombstone is there once. */
export function storedObservations(of: Places, log: Log): StoredRow[] {
  const found = storedPlaces(of, log).map(({ segment, row }) => {
    const { source, assurance, reader, firstSequence } = segment
    const sequence = firstSequence + row
    const superseded = log.state.isSuperseded(sequence)
    return { transfer: reader.transfer(row), source, assurance, sequence, superseded }
  })
  if (!found.some((row) => row.superseded)) return found
  const latest = new Map<string, StoredRow>()
  for (const row of found)
    latest.set(`${row.source} ${row.assurance} ${content(row.transfer)}`, row)
  return [...latest.values()]
}

/**
 * True when these rows of one transaction say, row for row, what the source itself has told before, or what
 * another source of at least its assurance has. Quick where it holds; where it does not, `mergeTransaction` looks
 * closer.
 */
function isToldAlready(
  given: { readonly batch: TransferBatch; readonly rows: readonly number[] },
  told: Told,
  stored: readonly StoredPlace[],
): boolean {
  const own = stored.filter(({ segment }) => segment.source === told.source)
  const [first] = stored
  const others = stored.filter(
    ({ segment }) =>
      segment.source === first?.segment.source && segment.assurance === first.segment.assurance,
  )
  const known = own.length > 0 ? own : others
  return (
    known.length === given.rows.length &&
    known.every((row, i) => {
      const incoming = { batch: given.batch, row: given.rows[i] as number }
      if (row.segment.assurance < told.assurance) return false
      return own.length > 0 ? sameRow(incoming, row) : saysAtMost(incoming, row)
    })
  )
}

interface MergedTransaction {
  readonly fresh: readonly { readonly transfer: Transfer; readonly dead: boolean }[]
  readonly supersededStored: readonly number[]
  readonly revived: readonly StoredRow[]
  readonly findings: readonly Finding[]
}

const nothing: MergedTransaction = { fresh: [], supersededStored: [], revived: [], findings: [] }

function mergeTransaction(
  incoming: readonly Transfer[],
  stored: readonly StoredRow[],
  told: Told,
): MergedTransaction {
  const fresh = unknownRows(incoming, stored, told)
  if (fresh.length === 0 || saysNothingNew(fresh, stored, told)) return nothing
  const rows: IncomingRow[] = fresh.map((transfer) => ({ transfer, ...told, sequence: undefined }))
  const { canonical, superseded, findings } = reconcile<StoredRow | IncomingRow>([
    ...stored,
    ...rows,
  ])
  const dead = new Set<StoredRow | IncomingRow>(superseded)
  return {
    fresh: rows.map((row) => ({ transfer: row.transfer, dead: dead.has(row) })),
    supersededStored: superseded.flatMap((row) => row.sequence ?? []),
    revived: canonical.filter((row) => row.sequence !== undefined).filter((row) => row.superseded),
    findings,
  }
}

/**
 * The rows of a transaction that have a tombstone and should count again, since what was better is gone. They are
 * to be appended anew: the log never takes a tombstone back.
 */
export function revivedRows(of: Places, log: Log): readonly StoredRow[] {
  const stored = storedObservations(of, log)
  if (!stored.some((row) => row.superseded)) return []
  return reconcile(stored).canonical.filter((row) => row.superseded)
}

/** Rows that this source has not told before, each once. */
function unknownRows(
  incoming: readonly Transfer[],
  stored: readonly StoredRow[],
  told: Told,
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
 * True when another source of at least this assurance has told every one of these rows under the same ids, and
 * equal movements as often: then they neither prove nor contradict anything. Not when the source has rows of this
 * transaction already, since only all its rows together can be compared with another source's.
 */
function saysNothingNew(
  fresh: readonly Transfer[],
  stored: readonly StoredRow[],
  told: Told,
): boolean {
  if (stored.some((row) => row.source === told.source)) return false
  const sources = new Map<string, Map<string, Transfer>>()
  for (const row of stored) {
    if (row.assurance < told.assurance) continue
    const name = `${row.assurance} ${row.source}`
    const rows = sources.get(name) ?? new Map<string, Transfer>()
    sources.set(name, rows.set(transferId(row.transfer), row.transfer))
  }
  const often = movementCounts(fresh)
  return [...sources.values()].some((rows) => {
    const known = movementCounts([...rows.values()])
    return (
      [...often].every(([movement, count]) => known.get(movement) === count) &&
      fresh.every((transfer) => {
        const row = rows.get(transferId(transfer))
        return row !== undefined && addsNothing(transfer, row)
      })
    )
  })
}

function movementCounts(transfers: readonly Transfer[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { asset, from, to, amount } of transfers) {
    const movement = `${asset} ${from ?? ''} ${to ?? ''} ${amount}`
    counts.set(movement, (counts.get(movement) ?? 0) + 1)
  }
  return counts
}

/** True when a row says nothing that the other, of the same id, does not say: optional fields may be absent. */
function addsNothing(row: Transfer, other: Transfer): boolean {
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
