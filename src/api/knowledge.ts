import type { TraceContext } from '../analysis/trace.ts'
import { type Attribution, loadAttribution } from '../attribution/load.ts'
import { openGenerations } from '../graph/generations.ts'
import type { Graph } from '../graph/graph.ts'
import type { Coverage, CoverageOfMany } from '../ledger/coverage.ts'
import { madeLocalFolder, openStore, type StorePlace } from '../store/open.ts'
import type { Store } from '../store/store.ts'

/** A store with everything that is derived from it, each part made again only when what it rests on changed. */
export interface Knowledge {
  readonly location: string
  /** Folder for files beside the store. */
  readonly folder: string
  readonly store: Store
  graph(): Promise<Graph>
  attribution(): Promise<Attribution>
  /** Claims of coverage as they were made. */
  claims(): Promise<readonly (Coverage | CoverageOfMany)[]>
  context(): Promise<TraceContext>
  close(): Promise<void>
}

/**
 * @param given - where the store is; a folder is made when absent.
 * @throws KnownError `store.*`
 */
export async function openKnowledge(given: StorePlace | string): Promise<Knowledge> {
  const place = typeof given === 'string' ? { location: given } : given
  const store = await openStore(place)
  const folder = madeLocalFolder(place)
  const generations = openGenerations(store, { place, folder })
  const attribution = remembered(
    async () => `${(await store.state()).tagVersion} ${await documentVersions(store)}`,
    () => loadAttribution(store),
  )
  const claims = remembered(
    async () => String((await store.state()).coverageVersion),
    () => store.coverageClaims(),
  )
  return {
    location: place.location,
    folder,
    store,
    graph: () => generations.current(),
    attribution,
    claims,
    async context() {
      const { tags, tokens } = await attribution()
      return { tags, tokens, coverage: await claims() }
    },
    async close() {
      await generations.close()
      await store.close()
    },
  }
}

/** Token lists, categories and wrapped coins are few documents: their versions together tell a change. */
async function documentVersions(store: Store): Promise<string> {
  const versions: string[] = []
  for (const collection of ['token-list', 'category', 'wrapped']) {
    for (const { id, version } of await store.listDocuments(collection))
      versions.push(`${collection} ${id} ${version}`)
  }
  return versions.join('\n')
}

function remembered<T>(key: () => Promise<string>, make: () => Promise<T>): () => Promise<T> {
  let known: { readonly key: string; readonly value: Promise<T> } | undefined
  return async () => {
    const wanted = await key()
    if (known?.key !== wanted) known = { key: wanted, value: make() }
    return known.value
  }
}
