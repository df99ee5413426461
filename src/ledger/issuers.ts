import { type AssetId, assetChain } from './asset.ts'
import { knownTokens } from './knownTokens.ts'

/** Binance's pegged tokens bear the same symbols and cannot be frozen by address. */
const withoutIssuer = new Set(['eip155:56'])

/** Tokens whose issuer can freeze what an address holds, and says so in events: Tether's and Circle's. */
export const freezableTokens: ReadonlySet<AssetId> = new Set(
  [...knownTokens]
    .filter(
      ([asset, { symbol }]) => /^USD[TC]$/.test(symbol) && !withoutIssuer.has(assetChain(asset)),
    )
    .map(([asset]) => asset),
)
