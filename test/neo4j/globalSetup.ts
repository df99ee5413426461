import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
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
