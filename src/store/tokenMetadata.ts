import type { AssetId } from '../ledger/asset.ts'
import type { Store } from './store.ts'

/** What a token's contract said of itself when it was asked: a claim, as given, and hostile text. */
export interface TokenMetadata {
  readonly name: string | null
  readonly symbol: string | null
  /** Null where the contract says none that make sense. */
  readonly decimals: number | null
  /** At which it was asked. A proxy may say something else later. */
  readonly block: number
}

/** Collection of these documents, under the assets' ids. */
export const tokenMetadata = 'token-metadata'

export async function readTokenMetadata(
  store: Pick<Store, 'readDocument'>,
  asset: AssetId,
): Promise<TokenMetadata | undefined> {
  return (await store.readDocument(tokenMetadata, asset))?.value as TokenMetadata | undefined
}

export async function listTokenMetadata(
  store: Pick<Store, 'listDocuments'>,
): Promise<(readonly [AssetId, TokenMetadata])[]> {
  const documents = await store.listDocuments(tokenMetadata)
  return documents.map(({ id, value }) => [id as AssetId, value as TokenMetadata] as const)
}
