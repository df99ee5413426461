import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import neo4j from 'neo4j-driver'
import type { TestProject } from 'vitest/node'
import { openStore } from '../../src/store/open.ts'
import { NoNeo4j, startNeo4j } from './server.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Address of the server that the tests share; absent where there can be none. */
    neo4jUri: string | undefined
  }
}

/** One server for a run, on its own port and folder; the folder with its logs is kept when a test failed. */
export async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'jejak-neo4j-'))
  try {
    const server = await startNeo4j({ folder, heap: '1g', say: console.error })
    if (server.from === 'given') await claim(server.uri)
    project.provide('neo4jUri', server.uri)
    return async () => {
      await server.stop()
      const failed = project.vitest.state.getCountOfFailedTests() > 0
      if (failed) console.error(`the logs of Neo4j are in ${join(folder, 'logs')}`)
      else rmSync(folder, { recursive: true, force: true })
    }
  } catch (error) {
    if (!(error instanceof NoNeo4j) || process.env['CI'] === 'true') throw error
    console.error(`\nSKIPPED: all tests of Neo4j. ${error.message}\n`)
    project.provide('neo4jUri', undefined)
    return undefined
  }
}

/** The tests empty the database again and again: one that was given must be empty, or have been theirs before. */
async function claim(uri: string): Promise<void> {
  const driver = neo4j.driver(uri)
  try {
    const { records } = await driver.executeQuery(
      'MATCH (n) RETURN count(n) AS nodes, count(CASE WHEN n:JejakTests THEN 1 END) AS marks',
    )
    const [nodes, marks] = ['nodes', 'marks'].map((name) => Number(records[0]?.get(name)))
    if (marks === 1) return
    if (nodes !== 0)
      throw new NoNeo4j(
        `NEO4J_URI names a database with ${nodes} nodes, and the tests would delete them: name an empty one`,
      )
    await (await openStore(uri)).close()
    await driver.executeQuery('CREATE (:JejakTests)')
  } finally {
    await driver.close()
  }
}
