import { parseAsset } from '../ledger/asset.ts'
import type { Store } from '../store/store.ts'
import { type CategoryOutcome, categoryTable } from './categories.ts'
import { importedTokens } from './importTokens.ts'
import { createTagView, type TagView } from './tagView.ts'
import { createTokenTrust, type TokenTrust } from './trustedTokens.ts'

export interface Attribution {
  readonly tags: TagView
  readonly tokens: TokenTrust
}

/**
 * Tags and token lists of a store as they are now. An operator's own categories are documents of the collection
 * `category` ({outcome}), own wrapped coins of `wrapped` ({native}), each under its name.
 */
export async function loadAttribution(store: Store): Promise<Attribution> {
  const categories = await store.listDocuments('category')
  const wrapped = await store.listDocuments('wrapped')
  const own = categories.map(
    ({ id, value }) => [id, (value as { outcome: CategoryOutcome }).outcome] as const,
  )
  const pairs = wrapped.map(
    ({ id, value }) => [parseAsset(id), parseAsset((value as { native: string }).native)] as const,
  )
  return {
    tags: createTagView(await store.tags(), categoryTable(own)),
    tokens: createTokenTrust(await importedTokens(store), new Map(pairs)),
  }
}
