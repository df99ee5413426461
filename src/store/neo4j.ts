import { randomUUID } from 'node:crypto'
import type { Account } from '../ledger/account.ts'
import type { ChainId } from '../ledger/chain.ts'
import type { Coverage, CoverageOfMany } from '../ledger/coverage.ts'
import { KnownError } from '../ledger/errors.ts'
import { ledgerOrder } from '../ledger/order.ts'
import type { Finding, Observation } from '../ledger/reconcile.ts'
import type { Tag } from '../ledger/tag.ts'
import { parseTransferId, type Transfer, type TransferId, transferId } from '../ledger/transfer.ts'
import { BatchReader } from '../ledger/transferBatch.ts'
import { checkLog } from './checkLog.ts'
import { claimsFor } from './coverageTable.ts'
import { checkExpansion } from './expansion.ts'
import { createLogState, type LogState } from './logState.ts'
import { type Log, storedObservations, suspectSegments } from './mergeBatch.ts'
import { projectionDamage } from './neo4j/checkProjection.ts'
import {
  connectNeo4j,
  int,
  type Neo4jConnection,
  type Neo4jSettings,
  type Unit,
} from './neo4j/connection.ts'
import {
  addClaims,
  claimsForManyOf,
  coverageSum,
  cutClaims,
  sortedClaims,
} from './neo4j/coverage.ts'
import {
  allDocuments,
  brokenFence,
  fenceConflict,
  neo4jDocuments,
  restoreDocuments,
} from './neo4j/documents.ts'
import { neo4jExpansion, neo4jTouching } from './neo4j/expansion.ts'
import { compareCodePoints, digestKey } from './neo4j/keys.ts'
import { project } from './neo4j/projection.ts'
import { migrateSchema, openSchema, schemaVersion } from './neo4j/schema.ts'
import { decoded, rangeParameters, readEntries, writeEntries } from './neo4j/segments.ts'
import { type SetSum, sumInt, sumOfRow } from './neo4j/setSum.ts'
import { neo4jSurroundings } from './neo4j/surroundings.ts'
import { linkTags, putTags, sortedTags, tagsSum } from './neo4j/tags.ts'
import {
  columnsOf,
  orphansFrom,
  type Plan,
  planAppend,
  planRollBack,
  segmentsAround,
  transactionKey,
} from './planWrites.ts'
import { type SearchableSegment, searchable } from './searchableSegment.ts'
import { isNextEntry, lengthOf, logParts } from './segments.ts'
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
import { checkSurroundings } from './surroundings.ts'

export interface Neo4jOptions extends Neo4jSettings {
  /** Told while relationships are drawn, which takes longer than the log: rows drawn, rows of the log. */
  readonly progress?: ((done: number, total: number) => void) | undefined
}

/** An import is one transaction, however long its files take to read. */
const atomicMs = 6 * 3_600_000

const readingsWithoutLock = 5

/**
 * The shared store: one Neo4j database for any number of workers and servers. The log is kept as entries of columns,
 * as in the embedded store, and written under one lock: so equal histories give equal logs, byte for byte, whichever
 * store keeps them. The relationships that analysts see follow the log; see `neo4j/projection.ts`.
 *
 * A process that writes, or asks for single transactions, reads the log once and keeps about 20 bytes per transaction.
 *
 * @throws KnownError `store.*` when the server cannot be used, `config.invalid`
 */
export async function openNeo4jStore(location: string, options: Neo4jOptions = {}): Promise<Store> {
  const connection = await connectNeo4j(location, options)
  try {
    await openSchema(connection)
    return new Neo4jStore(connection, options)
  } catch (error) {
    await connection.close()
    throw error
  }
}

/**
 * Brings a store of an older version up to this one. Every other Jejak that uses it is to be stopped before.
 *
 * @throws KnownError `store.foreign`, `store.newer`, and whatever opening it throws
 */
export async function migrateNeo4jStore(
  location: string,
  settings: Neo4jSettings = {},
): Promise<{ readonly from: number; readonly to: number }> {
  const connection = await connectNeo4j(location, settings)
  try {
    return { from: await migrateSchema(connection), to: schemaVersion }
  } finally {
    await connection.close()
  }
}

class Neo4jStore implements Store {
  readonly #connection: Neo4jConnection
  readonly #progress: Neo4jOptions['progress']
  readonly #documents: ReturnType<typeof neo4jDocuments>
  /** What the last write knew of the log; dropped when a write fails, since it may know rows that were not stored. */
  #state: LogState | undefined
  readonly #readers = createLogState()
  #reading: Promise<unknown> = Promise.resolve()
  #turn: Promise<unknown> = Promise.resolve()

  constructor(connection: Neo4jConnection, { progress }: Neo4jOptions) {
    this.#connection = connection
    this.#progress = progress
    this.#documents = neo4jDocuments(connection)
  }

  async state(): Promise<StoreState> {
    return stateOf(await this.#storeRow())
  }

  append(batch: Append): Promise<AppendResult> {
    // Columns are made once, also when the unit of work runs again.
    const given = { ...batch, transfers: columnsOf(batch.transfers) }
    const own = randomUUID()
    let planned: AppendResult | undefined
    return this.#fenced(batch.fence, async (checked) => {
      const result = await this.#connection.write(async (unit) => {
        this.#forgetFailedRun(planned)
        const writing = await this.#lock(unit, own)
        // A run before this one was committed, and only the reply was lost.
        if (writing.isRepeated && planned) return planned
        if (!(await checked(unit))) return undefined
        planned = await appendTo(writing, given)
        await writing.finish()
        return planned
      })
      if (result) await this.#draw(result.sequence)
      return result
    })
  }

  atomically<T>(work: (appender: Appender) => Promise<T>): Promise<T> {
    return this.#inTurn(async () => {
      const unit = await this.#connection.begin(atomicMs)
      let writing: Writing
      let result: T
      try {
        writing = await this.#lock(unit, randomUUID())
        result = await work({
          append: async (batch) => {
            const broken = await brokenFence(unit, batch.fence ?? [])
            if (broken) throw await fenceConflict(this.#connection, broken)
            return appendTo(writing, batch)
          },
        })
        await writing.finish()
      } catch (error) {
        await unit.rollBack().catch(() => undefined)
        throw error
      }
      await unit.commit()
      await this.#draw(writing.log.state.sequence)
      return result
    })
  }

  rollBack(chain: ChainId, fromBlock: number, fence?: readonly Fence[]): Promise<number> {
    const own = randomUUID()
    let planned: number | undefined
    return this.#fenced(fence, async (checked) => {
      const count = await this.#connection.write(async (unit) => {
        this.#forgetFailedRun(planned)
        const writing = await this.#lock(unit, own)
        if (writing.isRepeated && planned !== undefined) return planned
        if (!(await checked(unit))) return undefined
        planned = await rollBackIn(writing, { chain, fromBlock })
        await writing.finish()
        return planned
      })
      if (count !== undefined) await this.#draw(this.#state?.sequence ?? 0)
      return count
    })
  }

  readLog(after: number): AsyncIterable<LogEntry> {
    const state = this.state()
    state.catch(() => undefined)
    return this.#entries(after, state)
  }

  async *#entries(after: number, state: Promise<StoreState>): AsyncGenerator<LogEntry> {
    const { sequence } = await state
    const read = readEntries(
      (query, range) => this.#connection.read((unit) => unit.run(query, rangeParameters(range))),
      after,
      sequence,
    )
    for await (const { entry } of read) yield entry
  }

  async transfersTouching(query: TouchQuery): Promise<TouchPage> {
    if (!(query.limit >= 1 && query.limit <= 10_000)) throw new RangeError('limit is 1 to 10,000')
    return this.#readDrawn((unit) => neo4jTouching(unit, query))
  }

  async expand(query: ExpansionQuery): Promise<Expansion[]> {
    checkExpansion(query)
    return this.#readDrawn((unit) => neo4jExpansion(unit, query))
  }

  surroundings(query: SurroundingsQuery): AsyncIterable<readonly Transfer[]> {
    checkSurroundings(query)
    return neo4jSurroundings((work) => this.#readDrawn(work), query)
  }

  async observations(ids: readonly TransferId[]): Promise<Observation[]> {
    if (ids.length > 10_000) throw new RangeError('at most 10,000 ids in one call')
    const wanted = new Set<string>(ids)
    const transactions = new Map(
      ids.map(parseTransferId).map(({ chain, tx }) => [`${chain} ${tx}`, { chain, tx }]),
    )
    const found = await this.#rowsOfTransactions([...transactions.values()])
    return found
      .filter((row) => wanted.has(transferId(row.transfer)))
      .map(({ transfer, source, assurance }) => ({ transfer, source, assurance }))
  }

  async transfersOfTransaction(chain: ChainId, tx: string): Promise<Transfer[]> {
    const rows = await this.#rowsOfTransactions([{ chain, tx }])
    return ledgerOrder(
      rows.filter((row) => !this.#readers.isSuperseded(row.sequence)).map((row) => row.transfer),
    )
  }

  async coverage(accounts: ReadonlySet<Account>): Promise<Coverage[]> {
    const [single, many] = await this.#connection.read(async (unit) => [
      await unit.run('coverage-of', { accounts: [...accounts] }),
      await unit.run('coverage-sets'),
    ])
    return claimsFor(sortedClaims(single ?? []), accounts, claimsForManyOf(many ?? []))
  }

  async coverageClaims(): Promise<(Coverage | CoverageOfMany)[]> {
    return [...(await this.coverageMoment()).claims]
  }

  coverageMoment(): Promise<CoverageMoment> {
    return this.#readWhole(async (unit, row) => {
      const single = await unit.run('all-coverage')
      const many = await unit.run('coverage-sets')
      if (coverageSum(single, many) !== sumOfRow(row['coverageSum'])) return undefined
      return { state: stateOf(row), claims: [...sortedClaims(single), ...claimsForManyOf(many)] }
    })
  }

  putTags(tags: readonly Tag[]): Promise<{ readonly added: number; readonly replaced: number }> {
    return this.#inTurn(async () => {
      const added = await this.#connection.write(async (unit) => {
        const [row = {}] = await unit.run('lock-store')
        const put = await putTags(unit, tags, sumOfRow(row['tagSum']))
        await unit.run('advance-store', {
          sequence: int(Number(row['sequence'])),
          coverage: int(0),
          coverageSum: sumInt(sumOfRow(row['coverageSum'])),
          tags: int(tags.length > 0 ? 1 : 0),
          tagSum: sumInt(put.sum),
        })
        return put.added
      })
      await linkTags(this.#connection)
      return { added, replaced: tags.length - added }
    })
  }

  async tags(accounts?: ReadonlySet<Account>): Promise<Tag[]> {
    if (accounts) {
      const rows = await this.#connection.read((unit) =>
        unit.run('tags-of', { accounts: [...accounts] }),
      )
      return sortedTags(rows)
    }
    return this.#readWhole(async (unit, row) => {
      const tags = sortedTags(await unit.run('all-tags'))
      return tagsSum(tags) === sumOfRow(row['tagSum']) ? tags : undefined
    })
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
    return (await this.#placedFindings()).map(({ finding }) => finding)
  }

  async #placedFindings(): Promise<PlacedFinding[]> {
    const rows = await this.#connection.read((unit) => unit.run('all-findings'))
    return rows
      .sort(
        (a, b) =>
          compareCodePoints(String(a['chain']), String(b['chain'])) ||
          Number(a['block']) - Number(b['block']) ||
          compareCodePoints(String(a['tx']), String(b['tx'])) ||
          compareCodePoints(String(a['kind']), String(b['kind'])) ||
          compareCodePoints(String(a['text']), String(b['text'])),
      )
      .map((row) => ({
        block: Number(row['block']),
        finding: {
          kind: String(row['kind']) as Finding['kind'],
          chain: String(row['chain']),
          tx: String(row['tx']),
          text: String(row['text']),
        },
      }))
  }

  async *dump(after: number): AsyncGenerator<StorePart> {
    yield* logParts(this.readLog(after))
    yield { type: 'coverage', claims: await this.coverageClaims() }
    yield { type: 'tags', tags: await this.tags() }
    yield { type: 'documents', documents: await allDocuments(this.#connection) }
    yield { type: 'findings', findings: await this.#placedFindings() }
  }

  async restore(part: StorePart): Promise<void> {
    if (part.type === 'tags') await this.putTags(part.tags)
    else if (part.type === 'documents') await restoreDocuments(this.#connection, part.documents)
    else await this.#inTurn(() => this.#restoreInLog(part))
  }

  async #restoreInLog(
    part: Exclude<StorePart, { type: 'tags' } | { type: 'documents' }>,
  ): Promise<void> {
    const own = randomUUID()
    let attempts = 0
    await this.#connection.write(async (unit) => {
      if (attempts++ > 0) this.#state = undefined
      const writing = await this.#lock(unit, own)
      const { state } = writing.log
      if (part.type === 'coverage') await writing.claim(part.claims)
      else if (part.type === 'findings')
        await writing.write({ entries: [], findings: part.findings })
      else {
        const entries = part.entries.filter((entry) => {
          const isNext = isNextEntry(entry, state.sequence)
          if (isNext) state.note(entry)
          return isNext
        })
        await writing.write({ entries, findings: [] })
      }
      await writing.finish()
    })
    await this.#draw(this.#state?.sequence ?? 0)
  }

  async check(progress?: (rows: number) => void): Promise<CheckReport> {
    await this.#readDrawn(async () => undefined)
    const entries = (): AsyncIterable<LogEntry> => this.readLog(0)
    const report = await checkLog(
      { entries, findings: await this.findings(), damage: [] },
      progress,
    )
    if (report.damage.length > 0) return report
    return { ...report, damage: await projectionDamage(this.#connection, entries()) }
  }

  async close(): Promise<void> {
    await this.#turn.catch(() => undefined)
    await this.#connection.close()
  }

  /**
   * Reads a set until it adds up to the sum beside it; who is read while somebody writes may be seen half written.
   * Where the writing never pauses, the lock of the store makes it.
   *
   * @param work - gives undefined when what it read does not add up.
   */
  async #readWhole<T>(
    work: (unit: Unit, row: Readonly<Record<string, unknown>>) => Promise<T | undefined>,
  ): Promise<T> {
    for (let reading = 0; reading < readingsWithoutLock; reading++) {
      const found = await this.#connection.read(async (unit) => {
        const [row = {}] = await unit.run('read-store')
        return work(unit, row)
      })
      if (found !== undefined) return found
    }
    const found = await this.#connection.write(async (unit) => {
      const [row = {}] = await unit.run('lock-store')
      return work(unit, row)
    })
    if (found !== undefined) return found
    throw new KnownError('store.damaged', 'tags or coverage are not what was written', {
      facts: { location: this.#connection.location },
      hint: 'Somebody changed them by hand: restore the store from a backup, or copy it into a new one.',
    })
  }

  async #storeRow(): Promise<Readonly<Record<string, unknown>>> {
    const [row] = await this.#connection.read((unit) => unit.run('read-store'))
    if (row) return row
    throw new KnownError('store.damaged', 'the database holds no store any more', {
      facts: { location: this.#connection.location },
      hint: 'Somebody emptied it: restore it from a backup, or start again.',
    })
  }

  /** One write at a time in this process; between processes the lock in the database decides. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn
      .catch(() => undefined)
      .then(work)
      .catch((error: unknown) => {
        this.#state = undefined
        throw error
      })
    this.#turn = mine
    return mine
  }

  /**
   * One write behind a fence. Who is refused keeps what it knows of the log: it wrote nothing.
   *
   * @param work - gives undefined when `checked` says that the fence does not hold.
   */
  async #fenced<T>(
    fence: readonly Fence[] = [],
    work: (checked: (unit: Unit) => Promise<boolean>) => Promise<T | undefined>,
  ): Promise<T> {
    let broken: Fence | undefined
    const result = await this.#inTurn(() =>
      work(async (unit) => {
        broken = await brokenFence(unit, fence)
        return broken === undefined
      }),
    )
    if (result !== undefined) return result
    throw await fenceConflict(this.#connection, broken as Fence)
  }

  /** A run that failed noted entries that may be stored or not: only the log itself can tell. */
  #forgetFailedRun(planned: unknown): void {
    if (planned !== undefined) this.#state = undefined
  }

  /** Takes the lock of the store and reads what others appended since. */
  async #lock(unit: Unit, own: string): Promise<Writing> {
    const [row] = await unit.run('lock-store')
    const sequence = Number(row?.['sequence'])
    // A database that was emptied has less than was read from it.
    if (this.#state === undefined || this.#state.sequence > sequence) this.#state = createLogState()
    const state = this.#state
    const isRepeated = await catchUp(unit, { state, sequence, own })
    return createWriting(unit, {
      state,
      own,
      isRepeated,
      coverageVersion: Number(row?.['coverageVersion']),
      coverageSum: sumOfRow(row?.['coverageSum']),
      tagSum: sumOfRow(row?.['tagSum']),
    })
  }

  /** Draws the log through a sequence number that the state of the last write knows. */
  async #draw(through: number): Promise<void> {
    const state = this.#state
    if (state) await this.#project(state, through)
  }

  /** Reads relationships once they show the whole log, also when whoever wrote it last has died before drawing it. */
  async #readDrawn<T>(work: (unit: Unit) => Promise<T>): Promise<T> {
    for (;;) {
      const read = await this.#connection.read(async (unit) => {
        // Both are on their way at once: the question whether the answer counts costs no time of its own.
        const [[row], answer] = await Promise.all([unit.run('read-store'), settled(work(unit))])
        const sequence = Number(row?.['sequence'])
        return { answer, behind: Number(row?.['shown']) < sequence ? sequence : undefined }
      })
      const { behind, answer } = read
      if (behind === undefined) {
        if ('error' in answer) throw answer.error
        return answer.value
      }
      await this.#inTurn(async () => this.#project(await this.#readersState(), behind))
    }
  }

  async #project(state: LogState, through: number): Promise<void> {
    const total = state.sequence
    let known: LogEntry | undefined
    const entryAt = async (unit: Unit, sequence: number): Promise<LogEntry> => {
      if (known && holds(known, sequence)) return known
      const [row] = await unit.run('log-entry', { sequence: int(sequence) })
      if (!row) throw new RangeError(`entry ${sequence} is not in the log`)
      known = decoded(row)
      return known
    }
    const idsOf = async (unit: Unit, sequences: readonly number[]): Promise<string[]> => {
      const log = await logWith(unit, state, new Set(sequences.map((row) => state.segmentAt(row))))
      return sequences.map((row) => {
        const { batch, firstSequence } = log.segment(state.segmentAt(row))
        return transferId(new BatchReader(batch).transfer(row - firstSequence))
      })
    }
    await project(
      this.#connection,
      { state, entryAt, idsOf },
      { through, progress: (done) => this.#progress?.(done, total) },
    )
  }

  /** One reading at a time: two would note the same entries twice. */
  #readersState(): Promise<LogState> {
    const mine = this.#reading
      .catch(() => undefined)
      .then(async () => {
        for await (const entry of this.readLog(this.#readers.sequence)) this.#readers.note(entry)
        return this.#readers
      })
    this.#reading = mine
    return mine
  }

  async #rowsOfTransactions(
    wanted: readonly { readonly chain: ChainId; readonly tx: string }[],
  ): Promise<ReturnType<typeof storedObservations>> {
    const state = await this.#readersState()
    const places = wanted.map(({ chain, tx }) => {
      const key = transactionKey(tx)
      return { key, chain, segments: state.segmentsOf(key, chain) }
    })
    const segments = new Set(places.flatMap((place) => place.segments))
    const log = await this.#connection.read((unit) => logWith(unit, state, segments))
    return places.flatMap((place) => storedObservations(place, log))
  }
}

/** What a question came to; a refusal counts only when the answer would have. Faults of the server stay faults. */
async function settled<T>(work: Promise<T>): Promise<{ value: T } | { error: KnownError }> {
  try {
    return { value: await work }
  } catch (error) {
    if (error instanceof KnownError) return { error }
    throw error
  }
}

function holds(entry: LogEntry, sequence: number): boolean {
  return sequence >= entry.firstSequence && sequence < entry.firstSequence + lengthOf(entry)
}

/** A transaction that holds the lock of the store. */
interface Writing {
  readonly unit: Unit
  readonly log: { readonly state: LogState }
  /** True when a run of the same unit of work was committed before. */
  readonly isRepeated: boolean
  /** Reads segments of the log, those written in this transaction among them. */
  segments(numbers: ReadonlySet<number>): Promise<Log>
  write(plan: Plan): Promise<void>
  claim(claims: Append['coverage']): Promise<void>
  /** Ends the claims of a chain below a block. */
  cut(rollBack: { readonly chain: ChainId; readonly fromBlock: number }): Promise<void>
  /** Sets the end of the log; then the transaction may be committed. */
  finish(): Promise<void>
}

interface WritingOptions {
  readonly state: LogState
  readonly own: string
  readonly isRepeated: boolean
  readonly coverageVersion: number
  readonly coverageSum: SetSum
  readonly tagSum: SetSum
}

function createWriting(unit: Unit, options: WritingOptions): Writing {
  const { state, own, isRepeated, coverageVersion, tagSum } = options
  let { coverageSum: sum } = options
  let changes = 0
  return {
    unit,
    log: { state },
    isRepeated,
    segments: (numbers) => logWith(unit, state, numbers),
    async write({ entries, findings }) {
      await writeEntries(unit, entries, own)
      if (findings.length > 0)
        await unit.run('add-findings', { findings: findings.map(findingParameter) })
    },
    async claim(claims) {
      if (claims.length === 0) return
      sum = await addClaims(unit, claims, { number: (coverageVersion + changes) * 1_000_000, sum })
      changes++
    },
    async cut(rollBack) {
      sum = await cutClaims(unit, rollBack, sum)
      changes++
    },
    async finish() {
      await unit.run('advance-store', {
        sequence: int(state.sequence),
        coverage: int(changes),
        coverageSum: sumInt(sum),
        tags: int(0),
        tagSum: sumInt(tagSum),
      })
    },
  }
}

async function appendTo(writing: Writing, given: Append): Promise<AppendResult> {
  const { state } = writing.log
  const transfers = columnsOf(given.transfers)
  const log = await writing.segments(suspectSegments(transfers, state))
  const plan = planAppend({ ...given, transfers }, log)
  await writing.write(plan)
  await writing.claim(given.coverage)
  return plan.result
}

async function rollBackIn(
  writing: Writing,
  rollBack: { readonly chain: ChainId; readonly fromBlock: number },
): Promise<number> {
  const { chain, fromBlock } = rollBack
  const { state } = writing.log
  const reached = new Set(state.segmentsFrom(chain, fromBlock))
  const log = await writing.segments(reached)
  const orphans = orphansFrom(log, rollBack)
  const around = segmentsAround(log, orphans)
  await writing.write(
    planRollBack(orphans, rollBack, await writing.segments(new Set([...reached, ...around]))),
  )
  await writing.cut(rollBack)
  await writing.unit.run('drop-findings', { chain, from: int(fromBlock) })
  return orphans.length
}

function findingParameter({ finding, block }: PlacedFinding): (string | ReturnType<typeof int>)[] {
  const { chain, tx, kind, text } = finding
  return [digestKey([chain, block, tx, kind, text]), chain, int(block), tx, kind, text]
}

/** @returns true when entries of this very unit of work are among what was read */
async function catchUp(
  unit: Unit,
  { state, sequence, own }: { state: LogState; sequence: number; own: string },
): Promise<boolean> {
  let repeated = false
  const read = readEntries(
    (query, range) => unit.run(query, rangeParameters(range)),
    state.sequence,
    sequence,
  )
  for await (const { entry, unitOfWork } of read) {
    repeated ||= unitOfWork === own
    state.note(entry)
  }
  return repeated
}

/** The log with these segments at hand. */
async function logWith(unit: Unit, state: LogState, numbers: ReadonlySet<number>): Promise<Log> {
  const held = new Map<number, SearchableSegment>()
  if (numbers.size > 0) {
    const firsts = [...numbers].map((number) => int(state.startOf(number)))
    for (const row of await unit.run('log-entries', { firsts })) {
      const entry = decoded(row)
      if (entry.type === 'transfers')
        held.set(state.segmentAt(entry.firstSequence), searchable(entry))
    }
  }
  return {
    state,
    segment(number) {
      const known = held.get(number)
      if (!known) throw new RangeError(`segment ${number} was not read`)
      return known
    },
  }
}

/** The state of the store as its one row has it. */
function stateOf(row: Readonly<Record<string, unknown>>): StoreState {
  return {
    id: String(row['id']),
    sequence: Number(row['sequence']),
    tagVersion: Number(row['tagVersion']),
    coverageVersion: Number(row['coverageVersion']),
  }
}
