import { afterAll, describe } from 'vitest'
import { openStore } from '../../src/store/open.ts'
import { describeStore } from '../store/contract.ts'
import { closeFixture, emptyStore, neo4jUri, uri } from './fixture.ts'

afterAll(closeFixture)

describe.skipIf(neo4jUri === undefined)('on a real server', () => {
  describeStore('Neo4j store', async () => {
    const store = await emptyStore()
    return { store, another: () => openStore(uri()), destroy: () => store.close() }
  })
})
