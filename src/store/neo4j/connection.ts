import { readFileSync } from 'node:fs'
import neo4j, {
  type Config,
  type Driver,
  type ManagedTransaction,
  type Session,
  type Transaction,
} from 'neo4j-driver'
import { KnownError } from '../../ledger/errors.ts'
import { queryText } from '../queries.ts'
import { explained, isGone, isOutOfMemory, noAnswer } from './faults.ts'

/** How to reach a Neo4j beyond its address. Secrets come from files, never from the address or a command line. */
export interface Neo4jSettings {
  /** Default `neo4j`. */
  readonly database?: string
  /** Default `neo4j`. Without a password file no user is named at all. */
  readonly user?: string
  /** File with the password alone, or `user/password` as Neo4j's own image wants it. */
  readonly passwordFile?: string
  /** PEM file of the authority that signed the server's certificate, where it is not a public one. */
  readonly caFile?: string
  /** Longest that one transaction may take, waiting included. Default 60 s. */
  readonly timeoutMs?: number
  /** How long the driver repeats a unit of work after faults that pass. Default 60 s: longer than a restart takes. */
  readonly retryMs?: number
}

export type Row = Readonly<Record<string, unknown>>

/**
 * What a statement may be given. Whole numbers go through {@link int}, since the driver sends every JavaScript number
 * as a float; a bigint beyond 64 bits would be wrapped by the driver without a word and is refused.
 */
export type Parameter =
  | string
  | boolean
  | null
  | undefined
  | number
  | Int
  | Int8Array
  | readonly Parameter[]

export type Parameters = Readonly<Record<string, Parameter>>

/** Statements inside one transaction. */
export interface Unit {
  /** @param query - name of a file below `queries/neo4j/` */
  run(query: string, parameters?: Parameters): Promise<Row[]>
}

/** A transaction that its holder ends. */
export interface OpenUnit extends Unit {
  commit(): Promise<void>
  rollBack(): Promise<void>
}

export interface Neo4jConnection {
  /** The address, for messages; it holds no secret. */
  readonly location: string
  /** Runs `work`, again from the start after faults that pass. May be sent to any member of a cluster. */
  read<T>(work: (unit: Unit) => Promise<T>): Promise<T>
  /** The same where something is written: `work` may run twice, also after it was committed and the reply lost. */
  write<T>(work: (unit: Unit) => Promise<T>): Promise<T>
  /** A transaction that is not repeated, for work that cannot be. */
  begin(timeoutMs: number): Promise<OpenUnit>
  /** A statement that changes the schema, in a transaction of its own. */
  change(query: string, parameters?: Parameters): Promise<Row[]>
  close(): Promise<void>
}

export type Int = ReturnType<typeof neo4j.int>

const usualRetryMs = 60_000
const graceMs = 3_000

const least = -(2n ** 63n)
const most = 2n ** 63n - 1n

/** @throws RangeError for what is not a whole number of 64 bits */
export function int(value: number | bigint): Int {
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is not a safe whole number`)
    return neo4j.int(value)
  }
  if (value < least || value > most) throw new RangeError(`${value} does not fit 64 bits`)
  return neo4j.int(value)
}

/** Two halves of 64 bits as an integer, without a bigint on the way. */
export function intOfHalves(low: number, high: number): Int {
  return new neo4j.types.Integer(low, high) as Int
}

/**
 * Connects and asks the server who it is, once and without repeating, so that a wrong address or password is known at
 * once.
 *
 * @throws KnownError `store.unavailable`, `store.unauthorized`, `config.invalid`
 */
export async function connectNeo4j(
  location: string,
  settings: Neo4jSettings = {},
): Promise<Neo4jConnection> {
  const { address, config } = configOf(location, settings)
  const { database = 'neo4j', timeoutMs = 60_000 } = settings
  const driver = makeDriver(address, credentials(settings), config)
  try {
    await driver.getServerInfo({ database })
  } catch (error) {
    await driver.close()
    throw explained(error, address)
  }
  // The server ends what takes too long; this ends what it cannot end, since nothing comes through to it.
  const patienceMs = timeoutMs + (settings.retryMs ?? usualRetryMs) + graceMs
  return connection(driver, { location: address, database, timeoutMs, patienceMs })
}

function makeDriver(address: string, auth: ReturnType<typeof credentials>, config: Config): Driver {
  try {
    return neo4j.driver(address, auth, config)
  } catch (error) {
    throw new KnownError('config.invalid', `${address} is no address of a Neo4j server`, {
      hint: 'Write neo4j://host:port, or neo4j+s://host:port where the server has a certificate.',
      cause: error,
    })
  }
}

/** The address without anything secret, and the driver's settings. */
function configOf(
  location: string,
  { caFile, retryMs = usualRetryMs }: Neo4jSettings,
): { address: string; config: Config } {
  const url = URL.canParse(location) ? new URL(location) : undefined
  if (url?.username !== '' || url.password !== '') {
    const what = url ? 'the address of the store holds a user or password' : 'it cannot be read'
    throw new KnownError('config.invalid', `${what}: addresses end up in logs`, {
      hint: 'Write neo4j://host:port, and put the password into a file that JEJAK_NEO4J_PASSWORD_FILE names.',
    })
  }
  const config: Config = {
    useBigInt: true,
    maxTransactionRetryTime: retryMs,
    connectionAcquisitionTimeout: 15_000,
    connectionTimeout: 10_000,
    userAgent: 'jejak/0.1.0',
    telemetryDisabled: true,
    notificationFilter: { minimumSeverityLevel: 'OFF' },
    // Log entries are megabytes: what is not asked for yet shall stay at the server.
    fetchSize: 1_000,
  }
  if (caFile === undefined) return { address: location, config }
  // The driver takes an own authority only where the address leaves the choice of encryption to it.
  return {
    address: location.replace(/^(neo4j|bolt)\+s:/, '$1:'),
    config: {
      ...config,
      encrypted: 'ENCRYPTION_ON',
      trust: 'TRUST_CUSTOM_CA_SIGNED_CERTIFICATES',
      trustedCertificates: [caFile],
    },
  }
}

function credentials({
  user = 'neo4j',
  passwordFile,
}: Neo4jSettings): ReturnType<typeof neo4j.auth.basic> | undefined {
  if (passwordFile === undefined) return undefined
  let text: string
  try {
    text = readFileSync(passwordFile, 'utf8').trim()
  } catch (error) {
    throw new KnownError('config.invalid', `the password file ${passwordFile} cannot be read`, {
      hint: 'JEJAK_NEO4J_PASSWORD_FILE names a file that holds the password and that you may read.',
      cause: error,
    })
  }
  const prefix = `${user}/`
  return neo4j.auth.basic(user, text.startsWith(prefix) ? text.slice(prefix.length) : text)
}

interface Place {
  readonly location: string
  readonly database: string
  readonly timeoutMs: number
  readonly patienceMs: number
}

function connection(driver: Driver, place: Place): Neo4jConnection {
  const { location, database, timeoutMs, patienceMs } = place
  // What one session wrote the next one reads, whichever member of a cluster answers it.
  const bookmarkManager = driver.executeQueryBookmarkManager
  const inSession = async <T>(use: (session: Session) => Promise<T>): Promise<T> => {
    const session = driver.session({ database, bookmarkManager })
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(noAnswer(location, patienceMs)), patienceMs)
    })
    try {
      return await Promise.race([use(session), late])
    } catch (error) {
      throw explained(error, location)
    } finally {
      clearTimeout(timer)
      // It would wait for the same server; what it leaves is closed with the driver.
      void session.close().catch(() => undefined)
    }
  }
  const limits = { timeout: timeoutMs }
  return {
    location,
    read: (work) =>
      inSession((session) => session.executeRead((tx) => work(unitOf(tx, location)), limits)),
    write: (work) =>
      inSession((session) => session.executeWrite((tx) => work(unitOf(tx, location)), limits)),
    async begin(timeout) {
      const session = driver.session({ database, bookmarkManager })
      try {
        return openUnit(await session.beginTransaction({ timeout }), session, location)
      } catch (error) {
        await session.close().catch(() => undefined)
        throw explained(error, location)
      }
    },
    change: (query, parameters) =>
      inSession((session) =>
        session.executeWrite((tx) => unitOf(tx, location).run(query, parameters), limits),
      ),
    close: () => driver.close(),
  }
}

function unitOf(transaction: ManagedTransaction | Transaction, location: string): Unit {
  return {
    async run(query, parameters = {}) {
      const text = queryText(`neo4j/${query}`, 'cypher')
      try {
        const { records } = await transaction.run(text, parameters)
        return records.map((record) => record.toObject())
      } catch (error) {
        // The server calls it transient, but the same transaction will be as large the next time.
        throw isOutOfMemory(error) ? explained(error, location) : error
      }
    },
  }
}

function openUnit(transaction: Transaction, session: Session, location: string): OpenUnit {
  const unit = unitOf(transaction, location)
  const translated = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      throw explained(error, location)
    }
  }
  const ended = async (): Promise<void> => session.close().catch(() => undefined)
  return {
    run: (query, parameters) => translated(() => unit.run(query, parameters)),
    async commit() {
      try {
        await translated(() => transaction.commit())
      } finally {
        await ended()
      }
    },
    async rollBack() {
      try {
        await transaction.rollback()
      } catch (error) {
        // The server has rolled back by itself what it cannot hear of any more.
        if (!isGone(error)) throw explained(error, location)
      } finally {
        await ended()
      }
    },
  }
}
