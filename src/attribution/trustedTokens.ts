import { createHash } from 'node:crypto'
import { type AssetId, assetChain, tokenContract } from '../ledger/asset.ts'
import { isEvm } from '../ledger/chain.ts'
import { knownTokens, knownTokensVersion, type TokenInfo } from '../ledger/knownTokens.ts'
import { nativeAsset, nativeSymbol } from '../ledger/nativeCoins.ts'
import { compareText } from '../ledger/order.ts'
import { wrappedCoins } from '../ledger/wrappedCoins.ts'

export interface ImportedToken extends TokenInfo {
  readonly asset: AssetId
  readonly list: string
}

/**
 * Which tokens are believed (design section 3). A Transfer log is only a claim by its contract: listed tokens
 * carry value, others carry none, and assets that are no token logs at all carry value, marked so.
 */
export interface TokenTrust {
  readonly digest: string
  /** Shipped version and imported lists, for readers. */
  readonly version: string
  isTrusted(asset: AssetId): boolean
  info(asset: AssetId): TokenInfo | undefined
  /** How an asset carries value in a trace of `seedAsset`; undefined where it carries none. */
  carriesValue(asset: AssetId, seedAsset: AssetId): 'trusted' | 'opaque' | 'seed' | undefined
  readonly wrappedOf: ReadonlyMap<AssetId, AssetId>
}

/**
 * @param imported - tokens of imported lists; the shipped table wins where both name one.
 * @param wrapped - further wrapped coins with their native coins, as an operator names them.
 */
export function createTokenTrust(
  imported: readonly ImportedToken[] = [],
  wrapped: ReadonlyMap<AssetId, AssetId> = new Map(),
): TokenTrust {
  const listed = new Map<AssetId, TokenInfo>(imported.map((token) => [token.asset, token]))
  for (const [asset, info] of knownTokens) listed.set(asset, info)
  const wrappedOf = new Map([...wrapped, ...wrappedCoins])
  const isTrusted = (asset: AssetId): boolean =>
    (isEvm(assetChain(asset)) && asset === nativeAsset(assetChain(asset))) ||
    listed.has(asset) ||
    wrappedOf.has(asset)
  const lists = [...new Set(imported.map((token) => token.list))].sort(compareText)
  return {
    digest: digestOf(listed, wrappedOf),
    version: [knownTokensVersion, ...lists].join(' + '),
    isTrusted,
    info(asset) {
      const info = listed.get(asset)
      if (info) return { symbol: info.symbol, name: info.name, decimals: info.decimals }
      const chain = assetChain(asset)
      if (!isEvm(chain) || asset !== nativeAsset(chain)) return undefined
      return { symbol: nativeSymbol(chain), name: nativeSymbol(chain), decimals: 18 }
    },
    carriesValue(asset, seedAsset) {
      if (isTrusted(asset)) return 'trusted'
      if (tokenContract(asset) === undefined || !isEvm(assetChain(asset))) return 'opaque'
      return asset === seedAsset ? 'seed' : undefined
    },
    wrappedOf,
  }
}

function digestOf(
  listed: ReadonlyMap<AssetId, TokenInfo>,
  wrapped: ReadonlyMap<AssetId, AssetId>,
): string {
  const hash = createHash('sha256').update(knownTokensVersion)
  for (const asset of [...listed.keys()].sort(compareText)) hash.update(`${asset}\n`)
  for (const pair of [...wrapped].sort(([a], [b]) => compareText(a, b)))
    hash.update(`${pair.join(' ')}\n`)
  return hash.digest('hex')
}
