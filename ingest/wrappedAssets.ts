import { type AssetId, parseAsset } from '../src/ledger/asset.ts'
import { wrappedCoins } from '../src/ledger/wrappedCoins.ts'
import type { Store } from '../src/store/store.ts'

/** Wrapped coins, the operator's own among them: their deposits and withdrawals move value without a Transfer. */
export async function wrappedAssets(store: Store): Promise<ReadonlySet<AssetId>> {
  const own = await store.listDocuments('wrapped')
  return new Set([...wrappedCoins.keys(), ...own.map(({ id }) => parseAsset(id))])
}
