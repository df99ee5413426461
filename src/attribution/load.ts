import { parseAsset } from '../ledger/asset.ts'
import { type CategoryOutcome, categoryTable } from './categories.ts'
import { importedTokens } from './importTokens.ts'
import { type AttributionSource, type RecordedAttribution, recording } from './recorded.ts'
import { createTagView, type TagView } from './tagView.ts'
import { createTokenTrust, type TokenTrust } from './trustedTokens.ts'

export interface Attribution {
  readonly tags: TagView
  readonly tokens: TokenTrust
  /** What it was made of: `replaying` it gives the same attribution again. */
  readonly recorded: RecordedAttribution
}

/**
 * Tags and token lists of a store as they are now. An operator's own categories are documents of the collection
 * `category` ({outcome}), own wrapped coins of `wrapped` ({native}), each under its name.
 */
export async function loadAttribution(store: AttributionSource): Promise<Attribution> {
  const { source, recorded } = recording(store)
  const categories = await source.listDocuments('category')
  const wrapped = await source.listDocuments('wrapped')
  const own = categories.map(
    ({ id, value }) => [id, (value as { outcome: CategoryOutcome }).outcome] as const,
  )
  const pairs = wrapped.map(
    ({ id, value }) => [parseAsset(id), parseAsset((value as { native: string }).native)] as const,
  )
  return {
    tags: createTagView(await source.tags(), categoryTable(own)),
    tokens: createTokenTrust(await importedTokens(source), new Map(pairs)),
    recorded: recorded(),
  }
}
