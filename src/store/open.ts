import { openEmbeddedStore } from './embedded.ts'
import type { Neo4jOptions } from './neo4j.ts'
import type { Store } from './store.ts'

export interface StoreOptions {
  /** How to reach a Neo4j server; unused by a folder. */
  readonly neo4j?: Neo4jOptions
}

/** True for the address of a Neo4j server; anything else is a folder. */
export function isNeo4j(location: string): boolean {
  return /^(neo4j|bolt)(\+s|\+ssc)?:\/\//.test(location)
}

/**
 * Opens a store by where it is: a folder holds an embedded one (made when absent), `neo4j://…` names a server.
 *
 * @throws KnownError `store.*` saying what is wrong with it
 */
export async function openStore(location: string, options: StoreOptions = {}): Promise<Store> {
  if (!isNeo4j(location)) return openEmbeddedStore(location)
  // The driver is loaded only where it is needed.
  const { openNeo4jStore } = await import('./neo4j.ts')
  return openNeo4jStore(location, options.neo4j)
}
