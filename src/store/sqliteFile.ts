import { randomUUID } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  statSync,
} from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { KnownError } from '../ledger/errors.ts'
import { queryText } from './queries.ts'

/** "JEJK": how a file says that it is one of ours. */
const applicationId = 0x4a454a4b
const schemaVersion = 1
const fileName = 'jejak.sqlite'
const magic = 'SQLite format 3'
/** While a store is opened, others may be making it, closing it or mending it after a crash. */
const openingBusyMs = 5_000

export type Row = Readonly<Record<string, string | number | bigint | null | Uint8Array>>

/** One connection to the store's file, statements prepared once and errors translated. */
export interface Connection {
  all(query: string, parameters?: Readonly<Record<string, SQLInputValue>>): Row[]
  get(query: string, parameters?: Readonly<Record<string, SQLInputValue>>): Row | undefined
  /** Rows changed. */
  run(query: string, parameters?: Readonly<Record<string, SQLInputValue>>): number
  /** A fixed statement of our own, for transactions and pragmas. */
  execute(sql: string): void
  pragma(name: string): Row[]
  close(): void
}

/**
 * Opens the file of a store, making it when the folder has none. A file that is not ours, of a newer version or
 * cut short is refused before SQLite touches it.
 *
 * @throws KnownError `store.foreign`, `store.newer`, `store.damaged`, `store.unavailable`
 */
export function openSqliteFile(folder: string, options: FileOptions): Connection {
  const file = join(folder, fileName)
  prepareFolder(folder)
  if (existsSync(file)) inspect(file)
  const connection = connect(file)
  const { pageLimit, busyMs } = options
  try {
    if (pageLimit !== undefined) connection.pragma(`max_page_count = ${Math.trunc(pageLimit)}`)
    migrate(connection, file)
    connection.pragma(`busy_timeout = ${Math.trunc(busyMs)}`)
    return connection
  } catch (error) {
    connection.close()
    throw error
  }
}

export interface FileOptions {
  /** How long a statement blocks the thread for a lock of another process before it fails with `store.busy`. */
  readonly busyMs: number
  /** Most pages of 16 KiB the file may have. */
  readonly pageLimit?: number | undefined
}

/** The folder is made for its user alone; one that is already shared is left as its owner wants it, unless empty. */
function prepareFolder(folder: string): void {
  try {
    if (!existsSync(folder)) mkdirSync(folder, { recursive: true, mode: 0o700 })
    else if (existsSync(join(folder, fileName)) || readdirSync(folder).length === 0)
      chmodSync(folder, 0o700)
  } catch (error) {
    throw new KnownError('store.unavailable', `the store folder ${folder} cannot be used`, {
      facts: { folder },
      hint: 'Give --store a folder that you may write to.',
      cause: error,
    })
  }
}

/**
 * Looks at the header by hand: SQLite itself would already create its side files. An empty file, or one without a
 * table in it, is a store in the making: of another process just now, or of one that was killed.
 */
function inspect(file: string): void {
  const header = Buffer.alloc(108)
  const handle = openSync(file, 'r')
  const read = readSync(handle, header, 0, header.length, 0)
  closeSync(handle)
  const hasLog = existsSync(`${file}-wal`) && statSync(`${file}-wal`).size > 0
  if (read === 0 && !hasLog) return
  if (read < header.length && magic.startsWith(header.toString('latin1', 0, Math.min(read, 15))))
    throw truncated(file)
  if (header.toString('latin1', 0, 15) !== magic) throw foreign(file, 'is not a Jejak store')
  if (header.readUInt32BE(68) !== applicationId) {
    const tables = header.readUInt16BE(103)
    if (header.readUInt32BE(40) === 0 && tables === 0) return
    throw foreign(file, 'is an SQLite file of another program')
  }
  const version = header.readUInt32BE(60)
  if (version > schemaVersion) throw newer(file, version)
  const pageSize = header.readUInt16BE(16) === 1 ? 65536 : header.readUInt16BE(16)
  if (!hasLog && header.readUInt32BE(28) * pageSize > statSync(file).size) throw truncated(file)
}

function foreign(file: string, what: string): KnownError {
  return new KnownError('store.foreign', `${file} ${what}`, {
    facts: { file },
    hint: 'Give --store another folder, or move that file away.',
  })
}

function newer(file: string, version: number): KnownError {
  return new KnownError('store.newer', `${file} was written by a newer Jejak (format ${version})`, {
    facts: { file, version, supported: schemaVersion },
    hint: 'Use that version or a later one; this one leaves the file as it is.',
  })
}

function truncated(file: string): KnownError {
  return new KnownError('store.damaged', `${file} is cut short`, {
    facts: { file },
    hint: 'Restore it from a backup; Jejak leaves the file as it is.',
  })
}

function connect(file: string): Connection {
  const database = translated(() => new DatabaseSync(file, { timeout: openingBusyMs }))
  const statements = new Map<string, StatementSync>()
  const statement = (name: string): StatementSync => {
    const known = statements.get(name)
    if (known) return known
    const prepared = database.prepare(queryText(`embedded/${name}`, 'sql'))
    statements.set(name, prepared)
    return prepared
  }
  const connection: Connection = {
    all: (query, parameters = {}) => translated(() => statement(query).all(parameters) as Row[]),
    get: (query, parameters = {}) =>
      translated(() => statement(query).get(parameters) as Row | undefined),
    run: (query, parameters = {}) =>
      translated(() => Number(statement(query).run(parameters).changes)),
    execute: (sql) => translated(() => database.exec(sql)),
    pragma: (name) => translated(() => database.prepare(`PRAGMA ${name}`).all() as Row[]),
    close: () => database.close(),
  }
  return connection
}

function migrate(connection: Connection, file: string): void {
  // Large pages: a batch is a blob of some hundred kilobytes. The size only takes effect on an empty file.
  connection.pragma('page_size = 16384')
  waitingFor(() => connection.pragma('journal_mode = WAL'))
  connection.pragma('synchronous = FULL')
  connection.pragma('wal_autocheckpoint = 4000')
  connection.pragma('cache_size = -65536')
  if (isCurrent(connection, file)) return
  connection.execute('BEGIN IMMEDIATE')
  try {
    if (!isCurrent(connection, file)) {
      connection.execute(queryText('embedded/migration-1', 'sql'))
      connection.run('write-meta', { name: 'id', value: randomUUID() })
      connection.pragma(`application_id = ${applicationId}`)
      connection.pragma(`user_version = ${schemaVersion}`)
    }
    connection.execute('COMMIT')
  } catch (error) {
    rollBackQuietly(connection)
    throw error
  }
  // The header itself must carry the ids soon: the next open reads it without SQLite.
  connection.pragma('wal_checkpoint(PASSIVE)')
  chmodSync(file, 0o600)
}

/** SQLite has already rolled back after some errors, a full disk among them. */
export function rollBackQuietly(connection: Connection): void {
  try {
    connection.execute('ROLLBACK')
  } catch {
    // No transaction is open any more, which is what was wanted.
  }
}

/** False when there is nothing in the file yet. What the header did not tell stands in the write-ahead log. */
function isCurrent(connection: Connection, file: string): boolean {
  const number = (name: string): number => Number(connection.pragma(name)[0]?.[name])
  const version = number('user_version')
  if (number('application_id') === applicationId) {
    if (version > schemaVersion) throw newer(file, version)
    return true
  }
  if (number('schema_version') !== 0) throw foreign(file, 'is an SQLite file of another program')
  return false
}

/** Two processes may open a new store at once: the second waits, at most five seconds. */
function waitingFor<T>(work: () => T): T {
  for (let attempt = 0; ; attempt++) {
    try {
      return work()
    } catch (error) {
      if (attempt === 250 || !(error instanceof KnownError) || error.code !== 'store.busy')
        throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20)
    }
  }
}

function translated<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw explained(error)
  }
}

/** SQLite's error as one that says what to do; anything unforeseen stays as it is. */
function explained(error: unknown): unknown {
  const code = (error as { errcode?: unknown }).errcode
  if (typeof code !== 'number') return error
  const options = { cause: error, facts: { sqlite: code } }
  switch (code & 0xff) {
    case 5:
    case 6:
      return new KnownError('store.busy', 'another process is writing to the store', {
        ...options,
        retryable: true,
        hint: 'Try again when it is done.',
      })
    case 8:
    case 14:
    case 23:
      return new KnownError('store.unavailable', 'the store cannot be opened for writing', {
        ...options,
        hint: 'Check that its folder exists and that you may write to it.',
      })
    case 11:
    case 26:
      return new KnownError('store.damaged', 'the store file is damaged', {
        ...options,
        hint: 'Restore it from a backup; `jejak check` says what can still be read.',
      })
    case 10:
      return new KnownError('store.unavailable', 'the disk of the store failed to read or write', {
        ...options,
        hint: 'Check the disk and its free space; nothing that was stored before is lost.',
      })
    case 13:
      return new KnownError('store.full', 'there is no space left for the store', {
        ...options,
        retryable: true,
        hint: 'Free some space and try again; nothing that was stored before is lost.',
      })
    default:
      return error
  }
}
