import type { AssetId } from '../../src/ledger/asset.ts'
import { knownTokens } from '../../src/ledger/knownTokens.ts'
import type { Store } from '../../src/store/store.ts'
import { listTokenMetadata } from '../../src/store/tokenMetadata.ts'

/**
 * Decimals of tokens, for exports that give decimal amounts: the shipped table, then imported token lists, then
 * what the contracts themselves said, then what the operator says for all others.
 */
export async function tokenDecimals(
  store: Pick<Store, 'listDocuments'>,
  otherwise: number | undefined,
): Promise<(asset: AssetId) => number | undefined> {
  const imported = new Map<string, number>()
  for (const { value } of await store.listDocuments('token-list')) {
    const { tokens } = value as {
      readonly tokens: readonly { readonly asset: string; readonly decimals: number }[]
    }
    for (const { asset, decimals } of tokens) imported.set(asset, decimals)
  }
  const claimed = new Map<string, number>()
  for (const [asset, { decimals }] of await listTokenMetadata(store))
    if (decimals !== null) claimed.set(asset, decimals)
  return (asset) =>
    knownTokens.get(asset)?.decimals ?? imported.get(asset) ?? claimed.get(asset) ?? otherwise
}
