import { randomUUID } from 'node:crypto'
import { KnownError } from '../../ledger/errors.ts'
import { queryNames } from '../queries.ts'
import { int, type Neo4jConnection, type Row } from './connection.ts'
import { isThereAlready } from './faults.ts'

/** The schema that this version reads and writes: the number of the last migration. */
export const schemaVersion = 1

const indexSeconds = 300

/**
 * Makes an empty database a store, and refuses one that is none, is newer, or is older: several machines share it, so
 * only its operator says when all of them are of the new version.
 *
 * @throws KnownError `store.foreign`, `store.newer`, `store.older`
 */
export async function openSchema(connection: Neo4jConnection): Promise<void> {
  const { schema, used } = await readSchema(connection)
  if (schema === schemaVersion) return
  if (schema === undefined && used) throw foreign(connection)
  if (schema !== undefined && schema > schemaVersion) throw newer(connection, schema)
  if (schema !== undefined) throw older(connection, schema)
  await migrate(connection, 0)
}

/**
 * Brings an older store to this version, one migration after another. Each may be repeated after a fault.
 *
 * @returns the version that it had.
 */
export async function migrateSchema(connection: Neo4jConnection): Promise<number> {
  const { schema, used } = await readSchema(connection)
  if (schema === undefined && used) throw foreign(connection)
  if (schema !== undefined && schema > schemaVersion) throw newer(connection, schema)
  if (schema !== schemaVersion) await migrate(connection, schema ?? 0)
  return schema ?? 0
}

async function readSchema(
  connection: Neo4jConnection,
): Promise<{ readonly schema: number | undefined; readonly used: boolean }> {
  const [row] = await connection.read((unit) => unit.run('read-store'))
  if (row) return { schema: Number(row['schema']), used: true }
  const found: Row[] = await connection.read((unit) => unit.run('any-node'))
  return { schema: undefined, used: found.length > 0 }
}

async function migrate(connection: Neo4jConnection, from: number): Promise<void> {
  for (let version = from + 1; version <= schemaVersion; version++) {
    // The server takes one change of the schema per transaction.
    for (const name of queryNames(`neo4j/migration-${version}`, 'cypher'))
      await change(connection, `migration-${version}/${name}`)
    await connection.read((unit) => unit.run('await-indexes', { seconds: int(indexSeconds) }))
    const id = randomUUID()
    await connection.write((unit) => unit.run('create-store', { id, schema: int(version) }))
    await connection.write((unit) => unit.run('set-schema', { schema: int(version) }))
  }
}

/** Two processes may make a new store at once; IF NOT EXISTS asks before it makes. */
async function change(connection: Neo4jConnection, query: string): Promise<void> {
  try {
    await connection.change(query)
  } catch (error) {
    if (!isThereAlready(error)) throw error
  }
}

function foreign({ location }: Neo4jConnection): KnownError {
  return new KnownError(
    'store.foreign',
    `the database at ${location} holds data of another program`,
    {
      facts: { location },
      hint: 'Give Jejak a database of its own: JEJAK_NEO4J_DATABASE, or another server.',
    },
  )
}

function newer({ location }: Neo4jConnection, schema: number): KnownError {
  return new KnownError(
    'store.newer',
    `the store at ${location} was made by a newer Jejak (schema ${schema})`,
    {
      facts: { location, version: schema, supported: schemaVersion },
      hint: 'Use that version or a later one; this one leaves the store as it is.',
    },
  )
}

function older({ location }: Neo4jConnection, schema: number): KnownError {
  return new KnownError(
    'store.older',
    `the store at ${location} is of an older Jejak (schema ${schema})`,
    {
      facts: { location, version: schema, supported: schemaVersion },
      hint: 'Stop every older Jejak that uses it, back it up, then run `jejak store migrate`.',
    },
  )
}
