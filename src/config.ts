import { z } from 'zod'
import { KnownError } from './ledger/errors.ts'
import type { Neo4jOptions } from './store/neo4j.ts'

const whole = (least: number, most: number) => z.coerce.number().int().min(least).max(most)

const urls = z
  .string()
  .transform((list) => list.split(',').map((url) => url.trim()))
  .pipe(
    z
      .array(z.url({ protocol: /^https?$/, error: 'must be http(s) URLs, separated by commas' }))
      .min(1),
  )

const Environment = z.object({
  JEJAK_STORE: z.string().min(1).default('./jejak-data'),
  JEJAK_FOLDER: z.string().min(1).default('./jejak-data'),
  JEJAK_NEO4J_USER: z.string().min(1).default('neo4j'),
  JEJAK_NEO4J_PASSWORD_FILE: z.string().min(1).optional(),
  JEJAK_NEO4J_DATABASE: z.string().min(1).default('neo4j'),
  JEJAK_NEO4J_CA_FILE: z.string().min(1).optional(),
  JEJAK_NEO4J_TIMEOUT_MS: whole(100, 3_600_000).default(60_000),
  JEJAK_HOST: z.string().min(1).default('127.0.0.1'),
  JEJAK_PORT: whole(0, 65_535).default(7717),
  JEJAK_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  JEJAK_RPC_URLS: urls.optional(),
  JEJAK_EXPLORER_KEY: z.string().min(1).optional(),
  JEJAK_ALLOW_PRIVATE_RPC: z.enum(['0', '1']).default('0'),
  JEJAK_MAX_BODY_BYTES: whole(1024, 2 ** 31).default(64 * 2 ** 20),
  JEJAK_MAX_ADDRESSES: whole(1, 10_000_000).default(100_000),
  JEJAK_MAX_TRANSACTIONS: whole(1, 100_000_000).default(250_000),
  JEJAK_TRACE_TIMEOUT_MS: whole(0, 3_600_000).default(20_000),
  JEJAK_MAX_STALENESS_MS: whole(0, 3_600_000).default(10_000),
  JEJAK_MAX_GRAPH_BYTES: whole(1, Number.MAX_SAFE_INTEGER).optional(),
})

export interface Config {
  readonly store: string
  /** Folder for what a process keeps beside a Neo4j store. */
  readonly folder: string
  readonly neo4j: Neo4jOptions
  readonly host: string
  readonly port: number
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent'
  readonly rpcUrls: readonly string[]
  /** Of the explorer that ingest reads from. */
  readonly explorerKey?: string
  /** Whether a node's name may stand for an address of a private network. */
  readonly allowPrivateRpc: boolean
  readonly maxBodyBytes: number
  readonly maxAddresses: number
  readonly maxTransactions: number
  /** Longest trace over HTTP, milliseconds. */
  readonly traceTimeoutMs: number
  /** How old the ledger that a trace over HTTP is made of may be while the log goes on, milliseconds. */
  readonly maxStalenessMs: number
  /** Largest graph to hold in memory, bytes; a larger ledger is traced from the store. Default half of the memory. */
  readonly maxGraphBytes?: number
}

/** Names that tests and processes among themselves use, and that are no settings. */
const notSettings = new Set([
  'JEJAK_REAL_DATA',
  'JEJAK_BOOTSTRAP_TEST',
  'JEJAK_INGEST_RPC',
  'JEJAK_INGEST_EXPLORER',
])

/**
 * Reads the settings once, when a process starts. Everything else receives them as an argument.
 *
 * @throws KnownError `config.invalid` that names every bad variable at once and repeats no value: URLs carry keys.
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const given = Object.keys(env).filter(
    (name) => name.startsWith('JEJAK_') && !notSettings.has(name),
  )
  const unknown = given
    .filter((name) => !(name in Environment.shape))
    .map((name) => `${name}: there is no such setting`)
  const result = Environment.safeParse(env)
  const wrong = result.success
    ? []
    : result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
  if (unknown.length + wrong.length > 0 || !result.success) {
    const all = [...unknown, ...wrong]
    throw new KnownError(
      'config.invalid',
      `the settings have ${all.length} problem(s): ${all.join('; ')}`,
      {
        hint: 'Correct or unset these environment variables; README lists them all.',
      },
    )
  }
  const { data } = result
  return {
    store: data.JEJAK_STORE,
    folder: data.JEJAK_FOLDER,
    neo4j: neo4jOf(data),
    host: data.JEJAK_HOST,
    port: data.JEJAK_PORT,
    logLevel: data.JEJAK_LOG_LEVEL,
    rpcUrls: data.JEJAK_RPC_URLS ?? [],
    ...(data.JEJAK_EXPLORER_KEY === undefined ? {} : { explorerKey: data.JEJAK_EXPLORER_KEY }),
    allowPrivateRpc: data.JEJAK_ALLOW_PRIVATE_RPC === '1',
    maxBodyBytes: data.JEJAK_MAX_BODY_BYTES,
    maxAddresses: data.JEJAK_MAX_ADDRESSES,
    maxTransactions: data.JEJAK_MAX_TRANSACTIONS,
    traceTimeoutMs: data.JEJAK_TRACE_TIMEOUT_MS,
    maxStalenessMs: data.JEJAK_MAX_STALENESS_MS,
    ...(data.JEJAK_MAX_GRAPH_BYTES === undefined
      ? {}
      : { maxGraphBytes: data.JEJAK_MAX_GRAPH_BYTES }),
  }
}

function neo4jOf(data: z.infer<typeof Environment>): Neo4jOptions {
  const { JEJAK_NEO4J_PASSWORD_FILE: passwordFile, JEJAK_NEO4J_CA_FILE: caFile } = data
  return {
    user: data.JEJAK_NEO4J_USER,
    database: data.JEJAK_NEO4J_DATABASE,
    timeoutMs: data.JEJAK_NEO4J_TIMEOUT_MS,
    ...(passwordFile === undefined ? {} : { passwordFile }),
    ...(caFile === undefined ? {} : { caFile }),
  }
}
