import { mkdirSync } from 'node:fs'
import { openEmbeddedStore } from './embedded.ts'
import type { Neo4jOptions } from './neo4j.ts'
import type { Store } from './store.ts'

/** Where a store is, and what is needed to use it. Can be handed to another thread. */
export interface StorePlace {
  /** A folder, or `neo4j://host:port`. */
  readonly location: string
  /** How to reach a Neo4j server; unused by a folder. */
  readonly neo4j?: Neo4jOptions
  /** Folder for what a process keeps beside a Neo4j store. Default `./jejak-data`. */
  readonly folder?: string
}

/** True for the address of a Neo4j server; anything else is a folder. */
export function isNeo4j(location: string): boolean {
  return /^(neo4j|bolt)(\+s|\+ssc)?:\/\//.test(location)
}

/** The folder for what belongs beside a store: an embedded store's own. */
export function localFolder({ location, folder = './jejak-data' }: StorePlace): string {
  return isNeo4j(location) ? folder : location
}

/** The same, made for its user alone where it is absent. */
export function madeLocalFolder(place: StorePlace): string {
  const folder = localFolder(place)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  return folder
}

/**
 * Opens a store by where it is: a folder holds an embedded one (made when absent), `neo4j://…` names a server.
 *
 * @throws KnownError `store.*` saying what is wrong with it
 */
export async function openStore(place: StorePlace | string): Promise<Store> {
  const { location, neo4j }: StorePlace = typeof place === 'string' ? { location: place } : place
  if (!isNeo4j(location)) return openEmbeddedStore(location)
  // The driver is loaded only where it is needed.
  const { openNeo4jStore } = await import('./neo4j.ts')
  return openNeo4jStore(location, neo4j)
}
