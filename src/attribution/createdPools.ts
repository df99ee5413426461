import { createHash } from 'node:crypto'
import { type Account, accountChain, accountReference } from '../ledger/account.ts'
import { type AssetId, assetChain, tokenContract } from '../ledger/asset.ts'
import type { ChainId } from '../ledger/chain.ts'
import { createdAddress, feePoolSalt, pairSalt } from '../ledger/create2.ts'
import { knownTokens } from '../ledger/knownTokens.ts'
import { nativeAsset } from '../ledger/nativeCoins.ts'
import { type PoolFactory, poolFactories } from '../ledger/poolFactories.ts'
import { wrappedCoins } from '../ledger/wrappedCoins.ts'

/** Pools that are known by where they are, without asking a node. */
export interface PoolRegistry {
  /** True when a listed factory made the account as its pool of these two assets; their order is of no matter. */
  isPool(account: Account, a: AssetId, b: AssetId): boolean
  /** True for pools of two tokens of the shipped table; needs no look at what the account holds. */
  isKnownPool(account: Account): boolean
  readonly digest: string
}

/** A trace over a whole ledger asks for some thousand pairs; each takes about 150 bytes for each of its pools. */
const rememberedPairs = 100_000

/**
 * Derives pools by CREATE2 (EIP-1014) from factories of the type of Uniswap V2 and V3. A chain's own coin counts as its
 * wrapped coin, in which pools hold it.
 *
 * Cost: 2 hashes for each factory and fee of the chain, once for two assets; then a look-up.
 *
 * Pools of the shipped tokens are derived all together, chain by chain, when the first is asked for.
 *
 * @param wrappedOf - native coin of each wrapped coin, as token trust has them.
 */
export function createPoolRegistry(
  wrappedOf: ReadonlyMap<AssetId, AssetId> = wrappedCoins,
  factories: readonly PoolFactory[] = poolFactories,
): PoolRegistry {
  const wrapped = new Map([...wrappedOf].map(([coin, native]) => [native, coin]))
  const known = new Map<string, ReadonlySet<string>>()

  function poolsOf(a: AssetId, b: AssetId): ReadonlySet<string> {
    const [low, high] = a < b ? [a, b] : [b, a]
    const key = `${low} ${high}`
    const remembered = known.get(key)
    if (remembered) return remembered
    if (known.size >= rememberedPairs) known.clear()
    const made = new Set(
      factories
        .filter(({ chain }) => chain === assetChain(low))
        .flatMap((factory) => created(factory, tokenContract(low), tokenContract(high))),
    )
    known.set(key, made)
    return made
  }

  const knownPools = new Map<ChainId, ReadonlySet<string>>()

  function poolsOfListed(chain: ChainId): ReadonlySet<string> {
    const listed = new Set([...knownTokens.keys(), ...wrappedOf.keys()])
    const tokens = [...listed].filter((asset) => assetChain(asset) === chain)
    const found = new Set<string>()
    for (const [i, a] of tokens.entries())
      for (const b of tokens.slice(i + 1)) for (const pool of poolsOf(a, b)) found.add(pool)
    return found
  }

  return {
    isKnownPool(account) {
      const chain = accountChain(account)
      const pools = knownPools.get(chain) ?? poolsOfListed(chain)
      knownPools.set(chain, pools)
      return pools.has(accountReference(account))
    },
    isPool(account, a, b) {
      const [first, second] = [inPool(a, wrapped), inPool(b, wrapped)]
      const chain = accountChain(account)
      if (first === undefined || second === undefined || first === second) return false
      if (assetChain(first) !== chain || assetChain(second) !== chain) return false
      return poolsOf(first, second).has(accountReference(account))
    },
    digest: createHash('sha256').update(JSON.stringify(factories)).digest('hex'),
  }
}

/** The token as which a pool holds an asset. */
function inPool(asset: AssetId, wrapped: ReadonlyMap<AssetId, AssetId>): AssetId | undefined {
  if (asset === nativeAsset(assetChain(asset))) return wrapped.get(asset)
  return tokenContract(asset) === undefined ? undefined : asset
}

/** Contracts of one chain's tokens compare as their assets do. */
function created(
  { deployer, initCodeHash, fees }: PoolFactory,
  token0 = '',
  token1 = '',
): readonly string[] {
  const salts = fees
    ? fees.map((fee) => feePoolSalt(token0, token1, fee))
    : [pairSalt(token0, token1)]
  return salts.map((salt) => createdAddress(deployer, salt, initCodeHash))
}
