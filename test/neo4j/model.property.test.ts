import { afterAll, test } from 'vitest'
import { openStore } from '../../src/store/open.ts'
import { comparedWithPlainList } from '../store/model.ts'
import { closeFixture, emptyStore, neo4jUri, uri } from './fixture.ts'

afterAll(closeFixture)

test.skipIf(neo4jUri === undefined)(
  'after any history of sources, cuts and rollbacks Neo4j holds, and shows, what a plain list does',
  () =>
    comparedWithPlainList(async () => {
      const stores = [await emptyStore(), await openStore(uri())] as const
      return {
        stores,
        async destroy() {
          for (const store of stores) await store.close()
        },
      }
    }, 60),
  180_000,
)
