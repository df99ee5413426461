import { setTimeout as sleep } from 'node:timers/promises'
import { crc32 } from 'node:zlib'
import type { Account } from '../ledger/account.ts'
import { encodeBatch } from '../ledger/batchCodec.ts'
import type { ChainId } from '../ledger/chain.ts'
import type { Coverage, CoverageOfMany } from '../ledger/coverage.ts'
import { KnownError } from '../ledger/errors.ts'
import { ledgerOrder } from '../ledger/order.ts'
import type { Assurance, Finding, Observation } from '../ledger/reconcile.ts'
import type { Tag } from '../ledger/tag.ts'
import { parseTransferId, type Transfer, type TransferId, transferId } from '../ledger/transfer.ts'
import {
  batchOf,
  keyAt,
  type TransferBatch,
  TransferBatchBuilder,
} from '../ledger/transferBatch.ts'
import { checkLog } from './checkLog.ts'
import { addClaim, claimForManyOf, claimOf, claimsFor, cutClaims } from './coverageTable.ts'
import { documentTable } from './documentTable.ts'
import { createLogState, type LogState } from './logState.ts'
import { mergeBatch, revivedRows, storedObservations } from './mergeBatch.ts'
import { encodeTombstones, entryType, lastSequence, readEntries } from './segments.ts'
import { type Connection, openSqliteFile, rollBackQuietly } from './sqliteFile.ts'
import type {
  Append,
  Appender,
  AppendResult,
  CheckReport,
  LogEntry,
  Store,
  StoreState,
  TouchPage,
  TouchQuery,
} from './store.ts'
import { putTags, tagOf } from './tagTable.ts'
import { transfersTouching } from './touching.ts'

export interface EmbeddedOptions {
  /** How long a write waits for another process before it fails with `store.busy`. Default 60 s. */
  readonly patienceMs?: number
  /** Most pages of 16 KiB the file may have; for tests of a full disk. */
  readonly pageLimit?: number
}

/**
 * The default store: one SQLite file in a folder, nothing to install. Transfers are an append-only log of column
 * batches; per-address reads scan it, since the graph in memory answers them (a B-tree by address on the write
 * path is thirty times slower). Several processes may use one folder: writers take turns, readers never wait.
 *
 * @throws KnownError `store.*` when the folder holds something else, or something newer or damaged
 */
export function openEmbeddedStore(folder: string, options: EmbeddedOptions = {}): Store {
  return new EmbeddedStore(folder, options)
}

class EmbeddedStore implements Store {
  readonly #read: Connection
  readonly #write: Connection
  readonly #patienceMs: number
  readonly #documents: ReturnType<typeof documentTable>
  /** Made when first needed; dropped when a transaction that used it fails, since it may know rows that were not stored. */
  #log: LogState | undefined
  #logInUse = false
  /** The same for readers, who must not see what an open transaction has noted. */
  #readerLog: LogState | undefined
  #turn: Promise<unknown> = Promise.resolve()
  #manyClaims: { readonly version: number; readonly claims: readonly CoverageOfMany[] } | undefined

  constructor(folder: string, options: EmbeddedOptions) {
    this.#patienceMs = options.patienceMs ?? 60_000
    const { pageLimit } = options
    this.#write = openSqliteFile(folder, { pageLimit, busyMs: 0 })
    // Readers wait for nobody, but while SQLite mends what a killed process left.
    this.#read = openSqliteFile(folder, { pageLimit, busyMs: 1_000 })
    this.#documents = documentTable(this.#read, (work) => this.#inTransaction(work))
  }

  async state(): Promise<StoreState> {
    const counter = (name: string): number =>
      Number(this.#read.get('read-meta', { name })?.['value'] ?? 0)
    return {
      id: String(this.#read.get('read-meta', { name: 'id' })?.['value']),
      sequence: lastSequence(this.#read),
      tagVersion: counter('tagVersion'),
      coverageVersion: counter('coverageVersion'),
    }
  }

  append(batch: Append): Promise<AppendResult> {
    return this.atomically((appender) => appender.append(batch))
  }

  atomically<T>(work: (appender: Appender) => Promise<T>): Promise<T> {
    return this.#inTransaction(() => {
      const log = this.#writerLog()
      return work({ append: async (batch) => appendTo(this.#write, log, batch) })
    })
  }

  rollBack(chain: ChainId, fromBlock: number): Promise<number> {
    return this.#inTransaction(async () => {
      const log = this.#writerLog()
      const dead = liveRowsFrom(this.#write, log, { chain, fromBlock })
      writeTombstones(this.#write, log, {
        dead,
        reason: 'orphaned',
        rollBack: { chain, fromBlock },
      })
      writeRevived(this.#write, log, revivedAfter(this.#write, log, dead))
      cutClaims(this.#write, chain, fromBlock)
      this.#write.run('bump-meta', { name: 'coverageVersion' })
      this.#write.run('drop-findings', { chain, from: fromBlock })
      return dead.length
    })
  }

  readLog(after: number): AsyncIterable<LogEntry> {
    return later(readEntries(this.#read, after, lastSequence(this.#read)))
  }

  async transfersTouching(query: TouchQuery): Promise<TouchPage> {
    if (!(query.limit >= 1 && query.limit <= 10_000)) throw new RangeError('limit is 1 to 10,000')
    return transfersTouching(readEntries(this.#read, 0), query)
  }

  async observations(ids: readonly TransferId[]): Promise<Observation[]> {
    if (ids.length > 10_000) throw new RangeError('at most 10,000 ids in one call')
    const wanted = new Set<string>(ids)
    const transactions = new Map(
      ids.map(parseTransferId).map(({ chain, tx }) => [`${chain} ${tx}`, { chain, tx }]),
    )
    return [...transactions.values()]
      .flatMap(({ chain, tx }) => this.#rowsOfTransaction(chain, tx))
      .filter((row) => wanted.has(transferId(row.transfer)))
      .map(({ transfer, source, assurance }) => ({ transfer, source, assurance }))
  }

  async transfersOfTransaction(chain: ChainId, tx: string): Promise<Transfer[]> {
    const rows = this.#rowsOfTransaction(chain, tx)
    return ledgerOrder(
      rows
        .filter((row) => !this.#readerState().isSuperseded(row.sequence))
        .map((row) => row.transfer),
    )
  }

  async coverage(accounts: ReadonlySet<Account>): Promise<Coverage[]> {
    return claimsFor(this.#read, accounts, await this.#claimsForMany())
  }

  async coverageClaims(): Promise<(Coverage | CoverageOfMany)[]> {
    return [...this.#read.all('all-coverage').map(claimOf), ...(await this.#claimsForMany())]
  }

  putTags(tags: readonly Tag[]): Promise<{ readonly added: number; readonly replaced: number }> {
    return this.#inTransaction(async () => putTags(this.#write, tags))
  }

  async tags(accounts?: ReadonlySet<Account>): Promise<Tag[]> {
    if (accounts === undefined) return this.#read.all('all-tags').map(tagOf)
    return [...accounts]
      .sort()
      .flatMap((account) => this.#read.all('tags-of', { account }).map(tagOf))
  }

  readDocument(...args: Parameters<Store['readDocument']>): ReturnType<Store['readDocument']> {
    return this.#documents.readDocument(...args)
  }

  writeDocument(...args: Parameters<Store['writeDocument']>): ReturnType<Store['writeDocument']> {
    return this.#documents.writeDocument(...args)
  }

  deleteDocument(
    ...args: Parameters<Store['deleteDocument']>
  ): ReturnType<Store['deleteDocument']> {
    return this.#documents.deleteDocument(...args)
  }

  listDocuments(...args: Parameters<Store['listDocuments']>): ReturnType<Store['listDocuments']> {
    return this.#documents.listDocuments(...args)
  }

  async findings(): Promise<Finding[]> {
    return this.#read.all('all-findings').map((row) => ({
      kind: String(row['kind']) as Finding['kind'],
      chain: String(row['chain']),
      tx: String(row['tx']),
      text: String(row['text']),
    }))
  }

  async check(progress?: (rows: number) => void): Promise<CheckReport> {
    return checkLog(this.#read, progress)
  }

  async close(): Promise<void> {
    await this.#turn.catch(() => undefined)
    this.#read.close()
    this.#write.close()
  }

  #writerLog(): LogState {
    this.#log ??= createLogState()
    this.#logInUse = true
    this.#log.catchUp(this.#write)
    return this.#log
  }

  #readerState(): LogState {
    this.#readerLog ??= createLogState()
    this.#readerLog.catchUp(this.#read)
    return this.#readerLog
  }

  #rowsOfTransaction(chain: ChainId, tx: string): ReturnType<typeof storedObservations> {
    const state = this.#readerState()
    const key = transactionKey(tx)
    return storedObservations(
      { key, chain, segments: state.segmentsOf(key, chain) },
      { state, connection: this.#read },
    )
  }

  async #claimsForMany(): Promise<readonly CoverageOfMany[]> {
    const { coverageVersion } = await this.state()
    if (this.#manyClaims?.version !== coverageVersion) {
      const claims = this.#read.all('coverage-sets').map(claimForManyOf)
      this.#manyClaims = { version: coverageVersion, claims }
    }
    return this.#manyClaims.claims
  }

  /** One write at a time: in this process by waiting for one's turn, between processes by SQLite's lock. */
  #inTransaction<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    const mine = this.#turn.catch(() => undefined).then(() => this.#transact(work))
    this.#turn = mine
    return mine
  }

  async #transact<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    await this.#begin()
    try {
      const result = await work(this.#write)
      this.#write.execute('COMMIT')
      return result
    } catch (error) {
      if (this.#logInUse) this.#log = undefined
      rollBackQuietly(this.#write)
      throw error
    } finally {
      this.#logInUse = false
    }
  }

  /** Waits without blocking the thread, so that a server goes on answering while an import holds the lock. */
  async #begin(): Promise<void> {
    const until = performance.now() + this.#patienceMs
    for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 2, 50)) {
      try {
        this.#write.execute('BEGIN IMMEDIATE')
        return
      } catch (error) {
        const busy = error instanceof KnownError && error.code === 'store.busy'
        if (!busy || performance.now() > until) throw error
        await sleep(pauseMs)
      }
    }
  }
}

async function* later<T>(entries: Iterable<T>): AsyncIterable<T> {
  yield* entries
}

function transactionKey(tx: string): Uint8Array {
  const builder = new TransferBatchBuilder()
  builder.transactionText(tx)
  return builder.build().transactions.pool
}

function appendTo(connection: Connection, log: LogState, given: Append): AppendResult {
  const batch = isBatch(given.transfers) ? given.transfers : batchOf(given.transfers)
  const timeFindings = checkTimes(batch, log, given)
  const merged = mergeBatch(batch, given, { state: log, connection })
  const first = log.sequence + 1
  if (merged.batch.length > 0) {
    writeEntry(connection, log, {
      type: 'transfers',
      firstSequence: first,
      batch: merged.batch,
      source: given.source,
      assurance: given.assurance,
    })
  }
  const dead = [
    ...merged.superseded.filter((row) => !log.isSuperseded(row)),
    ...merged.supersededRows.map((row) => first + row),
  ]
  writeTombstones(connection, log, { dead, reason: 'superseded' })
  writeRevived(connection, log, merged.revived)
  const findings = [
    ...timeFindings,
    ...merged.findings.map((finding) => ({ finding, block: blockOf(batch, finding) })),
  ]
  for (const { finding, block } of findings) connection.run('add-finding', { ...finding, block })
  for (const claim of given.coverage) addClaim(connection, claim)
  if (given.coverage.length > 0) connection.run('bump-meta', { name: 'coverageVersion' })
  return {
    added: merged.batch.length,
    known: merged.known,
    superseded: dead.length,
    findings: findings.map(({ finding }) => finding),
    sequence: log.sequence,
  }
}

function isBatch(transfers: Append['transfers']): transfers is TransferBatch {
  return !Array.isArray(transfers)
}

interface PlacedFinding {
  readonly finding: Finding
  readonly block: number
}

function blockOf(batch: TransferBatch, finding: Finding): number {
  const { contexts } = batch
  const builder = transactionKey(finding.tx)
  for (let i = 0; i < contexts.transaction.length; i++) {
    const number = contexts.transaction[i] as number
    const start = number === 0 ? 0 : (batch.transactions.ends[number - 1] as number)
    const key = batch.transactions.pool.subarray(start, batch.transactions.ends[number])
    if (Buffer.from(key).equals(builder)) return contexts.block[i] as number
  }
  return 0
}

/** One block has one time, and time never decreases: refused from a file, a finding from a node. */
function checkTimes(batch: TransferBatch, log: LogState, given: Append): PlacedFinding[] {
  const { contexts, chains } = batch
  const findings: PlacedFinding[] = []
  for (let i = 0; i < contexts.block.length; i++) {
    const chain = chains[contexts.chain[i] as number] as ChainId
    const block = contexts.block[i] as number
    const time = contexts.time[i] as number
    const against = log.blockTimes(chain).note(block, time)
    if (against === undefined) continue
    const text = `block ${block} at time ${time} contradicts block ${against.block} at time ${against.time}`
    if (given.assurance === 0) throw contradictedTime(batch, i, text)
    findings.push({ finding: { kind: 'time', chain, tx: `block:${block}`, text }, block })
  }
  return findings
}

function contradictedTime(batch: TransferBatch, context: number, text: string): KnownError {
  const row = batch.rows.context.indexOf(context)
  return new KnownError('transfer.invalid', text, {
    facts: { field: 'time', value: batch.contexts.time[context] as number, row },
    hint: 'Within a chain one block has one time and time never decreases with block: correct the row.',
  })
}

function liveRowsFrom(
  connection: Connection,
  log: LogState,
  from: { readonly chain: ChainId; readonly fromBlock: number },
): number[] {
  const dead: number[] = []
  for (const entry of readEntries(connection, 0)) {
    if (entry.type !== 'transfers') continue
    const { contexts, rows, chains } = entry.batch
    const chain = chains.indexOf(from.chain)
    for (let row = 0; row < entry.batch.length; row++) {
      const context = rows.context[row] as number
      const reached =
        contexts.chain[context] === chain && (contexts.block[context] as number) >= from.fromBlock
      const sequence = entry.firstSequence + row
      if (reached && !log.isOrphaned(sequence)) dead.push(sequence)
    }
  }
  return dead
}

/** Rows that had lost to rows that are orphans now. Nothing is read unless a transaction had several sources. */
function revivedAfter(
  connection: Connection,
  log: LogState,
  orphans: readonly number[],
): Observation[] {
  const revived: Observation[] = []
  const seen = new Set<string>()
  for (const orphan of log.supersededAny ? orphans : []) {
    const { batch, row } = log.rowAt(connection, orphan)
    const context = batch.rows.context[row] as number
    const chain = batch.chains[batch.contexts.chain[context] as number] as ChainId
    const key = keyAt(batch.transactions, batch.contexts.transaction[context] as number)
    const name = `${chain} ${Buffer.from(key).toString('latin1')}`
    if (seen.has(name)) continue
    seen.add(name)
    const places = { key, chain, segments: log.segmentsOf(key, chain) }
    revived.push(...revivedRows(places, { state: log, connection }))
  }
  return revived
}

/** Appends rows anew, each as the source that told it. */
function writeRevived(connection: Connection, log: LogState, rows: readonly Observation[]): void {
  const bySource = Map.groupBy(rows, ({ source, assurance }) => `${assurance} ${source}`)
  for (const told of bySource.values()) {
    const { source, assurance } = told[0] as { source: string; assurance: Assurance }
    const batch = batchOf(told.map(({ transfer }) => transfer))
    const firstSequence = log.sequence + 1
    writeEntry(connection, log, { type: 'transfers', firstSequence, batch, source, assurance })
  }
}

function writeTombstones(
  connection: Connection,
  log: LogState,
  given: Pick<Extract<LogEntry, { type: 'tombstones' }>, 'reason' | 'rollBack'> & {
    readonly dead: readonly number[]
  },
): void {
  if (given.dead.length === 0) {
    if (given.rollBack) log.blockTimes(given.rollBack.chain).cut(given.rollBack.fromBlock)
    return
  }
  const entry = { ...given, type: 'tombstones' as const, dead: Uint32Array.from(given.dead) }
  writeEntry(connection, log, { ...entry, firstSequence: log.sequence + 1 })
}

function writeEntry(connection: Connection, log: LogState, entry: LogEntry): void {
  const tombstones = entry.type === 'tombstones'
  const data = tombstones ? encodeTombstones(entry) : encodeBatch(entry.batch)
  connection.run('append-log', {
    first: entry.firstSequence,
    count: tombstones ? entry.dead.length : entry.batch.length,
    type: entryType[entry.type],
    source: tombstones
      ? sourceId(connection, 'jejak', 0)
      : sourceId(connection, entry.source, entry.assurance),
    checksum: crc32(data),
    data,
  })
  log.note(entry)
}

function sourceId(connection: Connection, name: string, assurance: number): number {
  const known =
    connection.get('source-id', { name, assurance }) ??
    connection.get('add-source', { name, assurance })
  return Number(known?.['id'])
}
