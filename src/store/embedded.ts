import { setTimeout as sleep } from 'node:timers/promises'
import { crc32 } from 'node:zlib'
import type { Account } from '../ledger/account.ts'
import { encodeBatch } from '../ledger/batchCodec.ts'
import type { ChainId } from '../ledger/chain.ts'
import type { Coverage, CoverageOfMany } from '../ledger/coverage.ts'
import { KnownError } from '../ledger/errors.ts'
import { ledgerOrder } from '../ledger/order.ts'
import type { Finding, Observation } from '../ledger/reconcile.ts'
import type { Tag } from '../ledger/tag.ts'
import { parseTransferId, type Transfer, type TransferId, transferId } from '../ledger/transfer.ts'
import { checkLog } from './checkLog.ts'
import { addClaim, claimForManyOf, claimOf, claimsFor, cutClaims } from './coverageTable.ts'
import { checkFence, documentOf, documentTable, restoreDocuments } from './documentTable.ts'
import { checkExpansion, expandedFrom } from './expansion.ts'
import { createLogState } from './logState.ts'
import { type Log, storedObservations } from './mergeBatch.ts'
import { orphansFrom, type Plan, planAppend, planRollBack, transactionKey } from './planWrites.ts'
import type { ScannedLog } from './scannedLog.ts'
import { type SearchableSegment, searchable } from './searchableSegment.ts'
import {
  deadRows,
  encodeTombstones,
  entryOf,
  entryType,
  isNextEntry,
  lastSequence,
  lengthOf,
  logParts,
  readEntries,
} from './segments.ts'
import { type Connection, openSqliteFile, type Row, rollBackQuietly } from './sqliteFile.ts'
import type {
  Append,
  Appender,
  AppendResult,
  CheckReport,
  CoverageMoment,
  Expansion,
  ExpansionQuery,
  Fence,
  LogEntry,
  PlacedFinding,
  Store,
  StorePart,
  StoreState,
  SurroundingsQuery,
  TouchPage,
  TouchQuery,
} from './store.ts'
import { checkSurroundings, surroundingRows } from './surroundings.ts'
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
  #log: Log | undefined
  #logInUse = false
  /** The same for readers, who must not see what an open transaction has noted. */
  #logForReaders: Log | undefined
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
    return this.#ofOneMoment(() => this.#state())
  }

  #state(): StoreState {
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
    return this.#inTransaction(async (connection) => {
      // Before the log is looked at: who is refused here knows nothing of it that would have to be forgotten.
      checkFence(connection, batch.fence ?? [])
      return appendTo(connection, this.#writerLog(), batch)
    })
  }

  atomically<T>(work: (appender: Appender) => Promise<T>): Promise<T> {
    return this.#inTransaction(() => {
      const log = this.#writerLog()
      return work({
        append: async (batch) => {
          checkFence(this.#write, batch.fence ?? [])
          return appendTo(this.#write, log, batch)
        },
      })
    })
  }

  rollBack(chain: ChainId, fromBlock: number, fence: readonly Fence[] = []): Promise<number> {
    return this.#inTransaction(async (connection) => {
      checkFence(connection, fence)
      const log = this.#writerLog()
      const orphans = orphansFrom(log, { chain, fromBlock })
      write(this.#write, planRollBack(orphans, { chain, fromBlock }, log))
      cutClaims(this.#write, chain, fromBlock)
      this.#write.run('bump-meta', { name: 'coverageVersion' })
      this.#write.run('drop-findings', { chain, from: fromBlock })
      return orphans.length
    })
  }

  readLog(after: number): AsyncIterable<LogEntry> {
    return later(readEntries(this.#read, after, lastSequence(this.#read)))
  }

  async transfersTouching(query: TouchQuery): Promise<TouchPage> {
    if (!(query.limit >= 1 && query.limit <= 10_000)) throw new RangeError('limit is 1 to 10,000')
    return transfersTouching(readEntries(this.#read, 0), query)
  }

  async expand(query: ExpansionQuery): Promise<Expansion[]> {
    checkExpansion(query)
    return expandedFrom(this.#scannedLog(), query)
  }

  surroundings(query: SurroundingsQuery): AsyncIterable<readonly Transfer[]> {
    checkSurroundings(query)
    return surroundingRows(this.#scannedLog(), query)
  }

  /** The log as it is now. */
  #scannedLog(): ScannedLog {
    const last = lastSequence(this.#read)
    const dead = deadRows(this.#read, last)
    return {
      entries: () => readEntries(this.#read, 0, last),
      isDead: (sequence) => dead.has(sequence),
    }
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
        .filter((row) => !this.#readerLog().state.isSuperseded(row.sequence))
        .map((row) => row.transfer),
    )
  }

  async coverage(accounts: ReadonlySet<Account>): Promise<Coverage[]> {
    const single = [...accounts].flatMap((account) =>
      this.#read.all('coverage-of', { account }).map(claimOf),
    )
    return claimsFor(single, accounts, await this.#claimsForMany())
  }

  async coverageClaims(): Promise<(Coverage | CoverageOfMany)[]> {
    return [...this.#read.all('all-coverage').map(claimOf), ...(await this.#claimsForMany())]
  }

  async coverageMoment(): Promise<CoverageMoment> {
    return this.#ofOneMoment(() => ({
      state: this.#state(),
      claims: [
        ...this.#read.all('all-coverage').map(claimOf),
        ...this.#read.all('coverage-sets').map(claimForManyOf),
      ],
    }))
  }

  /** Several readings between which nobody's writing shows. */
  #ofOneMoment<T>(readings: () => T): T {
    this.#read.execute('BEGIN')
    try {
      return readings()
    } finally {
      this.#read.execute('COMMIT')
    }
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
    return this.#read.all('all-findings').map((row) => placedFindingOf(row).finding)
  }

  dump(after: number): AsyncIterable<StorePart> {
    return this.#parts(after)
  }

  async *#parts(after: number): AsyncGenerator<StorePart> {
    yield* logParts(readEntries(this.#read, after))
    const single = this.#read.all('all-coverage').map(claimOf)
    yield {
      type: 'coverage',
      claims: [...single, ...this.#read.all('coverage-sets').map(claimForManyOf)],
    }
    yield { type: 'tags', tags: this.#read.all('all-tags').map(tagOf) }
    yield { type: 'documents', documents: this.#read.all('all-documents').map(documentOf) }
    yield { type: 'findings', findings: this.#read.all('all-findings').map(placedFindingOf) }
  }

  restore(part: StorePart): Promise<void> {
    return this.#inTransaction(async (connection) => {
      if (part.type === 'log') restoreEntries(connection, this.#writerLog(), part.entries)
      else if (part.type === 'coverage') addClaims(connection, part.claims)
      else if (part.type === 'tags') putTags(connection, part.tags)
      else if (part.type === 'documents') restoreDocuments(connection, part.documents)
      else write(connection, { entries: [], findings: part.findings })
    })
  }

  async check(progress?: (rows: number) => void): Promise<CheckReport> {
    const rows = this.#read.pragma('quick_check').map((row) => String(row['quick_check']))
    return checkLog(
      {
        entries: () => readEntries(this.#read, 0),
        findings: await this.findings(),
        damage: rows.filter((text) => text !== 'ok').map((text) => `SQLite: ${text}`),
      },
      progress,
    )
  }

  async close(): Promise<void> {
    await this.#turn.catch(() => undefined)
    this.#read.close()
    this.#write.close()
  }

  #writerLog(): Log {
    this.#log ??= logBehind(this.#write)
    this.#logInUse = true
    catchUp(this.#log, this.#write)
    return this.#log
  }

  #readerLog(): Log {
    this.#logForReaders ??= logBehind(this.#read)
    catchUp(this.#logForReaders, this.#read)
    return this.#logForReaders
  }

  #rowsOfTransaction(chain: ChainId, tx: string): ReturnType<typeof storedObservations> {
    const log = this.#readerLog()
    const key = transactionKey(tx)
    return storedObservations({ key, chain, segments: log.state.segmentsOf(key, chain) }, log)
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

const keptSegments = 64

/** The log behind a connection: what is known of it, and its segments, the last ones used kept decoded. */
function logBehind(connection: Connection): Log {
  const state = createLogState()
  const decoded = new Map<number, SearchableSegment>()
  return {
    state,
    segment(number) {
      const known = decoded.get(number)
      if (known) return known
      const row = connection.get('log-entry', { first: state.startOf(number) })
      const entry = row && entryOf(row)
      if (entry?.type !== 'transfers') throw new RangeError(`segment ${number} is not in the log`)
      if (decoded.size >= keptSegments) decoded.delete(decoded.keys().next().value ?? -1)
      const made = searchable(entry)
      decoded.set(number, made)
      return made
    },
  }
}

/** Reads what was appended since, by this process or another. */
function catchUp({ state }: Log, connection: Connection): void {
  for (const entry of readEntries(connection, state.sequence)) state.note(entry)
}

function placedFindingOf(row: Row): PlacedFinding {
  const finding = {
    kind: String(row['kind']) as Finding['kind'],
    chain: String(row['chain']),
    tx: String(row['tx']),
    text: String(row['text']),
  }
  return { finding, block: Number(row['block']) }
}

async function* later<T>(entries: Iterable<T>): AsyncIterable<T> {
  yield* entries
}

function appendTo(connection: Connection, log: Log, given: Append): AppendResult {
  const plan = planAppend(given, log)
  write(connection, plan)
  addClaims(connection, given.coverage)
  return plan.result
}

function addClaims(connection: Connection, claims: Append['coverage']): void {
  for (const claim of claims) addClaim(connection, claim)
  if (claims.length > 0) connection.run('bump-meta', { name: 'coverageVersion' })
}

function restoreEntries(
  connection: Connection,
  { state }: Log,
  entries: readonly LogEntry[],
): void {
  for (const entry of entries) {
    if (!isNextEntry(entry, state.sequence)) continue
    state.note(entry)
    writeEntry(connection, entry)
  }
}

function write(connection: Connection, plan: Plan): void {
  for (const entry of plan.entries) writeEntry(connection, entry)
  for (const { finding, block } of plan.findings)
    connection.run('add-finding', { ...finding, block })
}

function writeEntry(connection: Connection, entry: LogEntry): void {
  const tombstones = entry.type === 'tombstones'
  const data = tombstones ? encodeTombstones(entry) : encodeBatch(entry.batch)
  connection.run('append-log', {
    first: entry.firstSequence,
    count: lengthOf(entry),
    type: entryType[entry.type],
    source: tombstones
      ? sourceId(connection, 'jejak', 0)
      : sourceId(connection, entry.source, entry.assurance),
    checksum: crc32(data),
    data,
  })
}

function sourceId(connection: Connection, name: string, assurance: number): number {
  const known =
    connection.get('source-id', { name, assurance }) ??
    connection.get('add-source', { name, assurance })
  return Number(known?.['id'])
}
