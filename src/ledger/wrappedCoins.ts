import { type AssetId, assetChain } from './asset.ts'
import { knownTokens } from './knownTokens.ts'
import { nativeAsset } from './nativeCoins.ts'

/** The wrapped form of each chain's own native coin; a bridged coin of another chain is not one. */
const symbols: Readonly<Record<string, string>> = {
  'eip155:1': 'WETH',
  'eip155:56': 'WBNB',
  'eip155:137': 'WPOL',
  'eip155:42161': 'WETH',
  'eip155:10': 'WETH',
  'eip155:8453': 'WETH',
  'eip155:43114': 'WAVAX',
}

/** Native coin of each wrapped coin: the two exchange one to one. */
export const wrappedCoins: ReadonlyMap<AssetId, AssetId> = new Map(
  [...knownTokens]
    .filter(([asset, { symbol }]) => symbols[assetChain(asset)] === symbol)
    .map(([asset]) => [asset, nativeAsset(assetChain(asset))]),
)
