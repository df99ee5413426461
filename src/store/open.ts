import { KnownError } from '../ledger/errors.ts'
import { openEmbeddedStore } from './embedded.ts'
import type { Store } from './store.ts'

/**
 * Opens a store by where it is: a folder holds an embedded one (made when absent).
 *
 * @throws KnownError `store.*` saying what is wrong with it
 */
export async function openStore(location: string): Promise<Store> {
  if (/^(neo4j|bolt)(\+s|\+ssc)?:\/\//.test(location)) {
    throw new KnownError(
      'store.unsupported',
      'this version keeps its data in a folder, not in Neo4j',
      {
        hint: 'Give --store a folder.',
      },
    )
  }
  return openEmbeddedStore(location)
}
