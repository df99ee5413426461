import neo4j, { type Driver } from 'neo4j-driver'
import { inject } from 'vitest'
import type { Neo4jOptions } from '../../src/store/neo4j.ts'
import { openStore } from '../../src/store/open.ts'
import type { Store } from '../../src/store/store.ts'

/** Address of the server of this run; undefined where there is none and the tests are skipped. */
export const neo4jUri = inject('neo4jUri')

/** The server of this run, where a suite is not skipped. */
export function uri(): string {
  if (neo4jUri === undefined) throw new Error('this suite needs skipIf(neo4jUri === undefined)')
  return neo4jUri
}

let driver: Driver | undefined

/** Plain Cypher as an analyst or a fault would send it, past the store. */
export async function cypher(
  text: string,
  parameters: Readonly<Record<string, unknown>> = {},
): Promise<Readonly<Record<string, unknown>>[]> {
  driver ??= neo4j.driver(uri(), undefined, { disableLosslessIntegers: true })
  const session = driver.session({ database: 'neo4j' })
  try {
    return (await session.run(text, parameters)).records.map((record) => record.toObject())
  } finally {
    await session.close()
  }
}

export async function closeFixture(): Promise<void> {
  await driver?.close()
  driver = undefined
}

/** Empties the database and leaves its schema, so that the next store opens at once. */
export async function emptied(): Promise<void> {
  await cypher(
    'MATCH (n) WHERE NOT n:Store AND NOT n:Projection AND NOT n:JejakTests CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 5000 ROWS',
  )
  await cypher(
    `MATCH (s:Store), (p:Projection) SET s.id = randomUUID(), s.sequence = 0, s.tagVersion = 0,
       s.coverageVersion = 0, s.tagSum = 0, s.coverageSum = 0, p.sequence = 0, p.shown = 0`,
  )
}

/** An empty store on the server of this run. The Community edition has one database: there is one store at a time. */
export async function emptyStore(options: Neo4jOptions = {}): Promise<Store> {
  await emptied()
  return openStore({ location: uri(), neo4j: options })
}
