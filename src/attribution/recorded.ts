import type { Tag } from '../ledger/tag.ts'
import type { StoredDocument } from '../store/store.ts'
import type { RegistryCounts } from './registries.ts'

/** What attribution is loaded from: a store, or what was read from it at an earlier time. */
export interface AttributionSource {
  tags(): Promise<Tag[]>
  listDocuments(collection: string): Promise<StoredDocument[]>
}

/** Everything that one loading of the attribution read. JSON-serialisable. */
export interface RecordedAttribution {
  readonly tags: readonly Tag[]
  readonly documents: Readonly<Record<string, readonly StoredDocument[]>>
  /** How much of the collections that only grow was known. */
  readonly registries?: Partial<RegistryCounts>
}

/** Notes what is read, so that the same can be read again when the store has long changed. */
export function recording(from: AttributionSource): {
  readonly source: AttributionSource
  recorded(): RecordedAttribution
} {
  let tags: readonly Tag[] = []
  const documents: Record<string, readonly StoredDocument[]> = {}
  return {
    source: {
      async tags() {
        const read = await from.tags()
        tags = read
        return read
      },
      async listDocuments(collection) {
        const read = await from.listDocuments(collection)
        documents[collection] = read
        return read
      },
    },
    recorded: () => ({ tags, documents }),
  }
}

/** A store as it was: a collection that was not read then is empty. */
export function replaying({ tags, documents }: RecordedAttribution): AttributionSource {
  return {
    tags: async () => [...tags],
    listDocuments: async (collection) => [...(documents[collection] ?? [])],
  }
}
