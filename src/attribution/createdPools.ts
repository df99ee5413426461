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

/** Addresses at which listed factories make the pools of two tokens. */
export interface DerivedPools {
  /** Lower case; the assets are tokens of one chain. */
  of(a: AssetId, b: AssetId): ReadonlySet<string>
  readonly digest: string
}

/** Pairs whose pools are kept: about 2 kB each, and a trace over a whole ledger asks for some thousand. */
const rememberedPairs = 50_000

/**
 * Derives pools by CREATE2 (EIP-1014) from factories of the type of Uniswap V2 and V3, and remembers them.
 *
 * Cost: the first time for two tokens a hash for each factory and fee of the chain, about 0.2 ms; then a look-up.
 */
export function createDerivedPools(
  factories: readonly PoolFactory[] = poolFactories,
): DerivedPools {
  const known = new Map<string, ReadonlySet<string>>()
  return {
    of(a, b) {
      const [low, high] = a < b ? [a, b] : [b, a]
      const key = `${low} ${high}`
      const remembered = known.get(key)
      if (remembered) return remembered
      if (known.size >= rememberedPairs) known.clear()
      const ofChain = factories.filter(({ chain }) => chain === assetChain(low))
      const made = derived(ofChain, tokenContract(low) ?? '', tokenContract(high) ?? '')
      known.set(key, made)
      return made
    },
    digest: createHash('sha256').update(JSON.stringify(factories)).digest('hex'),
  }
}

function derived(
  factories: readonly PoolFactory[],
  token0: string,
  token1: string,
): ReadonlySet<string> {
  const salts = new Map<number | undefined, string>()
  const saltOf = (fee: number | undefined): string => {
    const made =
      salts.get(fee) ??
      (fee === undefined ? pairSalt(token0, token1) : feePoolSalt(token0, token1, fee))
    salts.set(fee, made)
    return made
  }
  return new Set(
    factories.flatMap(({ deployer, initCodeHash, fees = [undefined] }) =>
      fees.map((fee) => createdAddress(deployer, saltOf(fee), initCodeHash)),
    ),
  )
}

/**
 * Pools as a trace asks for them. A chain's own coin counts as its wrapped coin, in which pools hold it. Those of the
 * shipped tokens are derived all together, chain by chain, when the first is asked for: 406 pairs on Ethereum.
 *
 * @param wrappedOf - native coin of each wrapped coin, as token trust has them.
 */
export function createPoolRegistry(
  wrappedOf: ReadonlyMap<AssetId, AssetId> = wrappedCoins,
  pools: DerivedPools = createDerivedPools(),
): PoolRegistry {
  const wrapped = new Map([...wrappedOf].map(([coin, native]) => [native, coin]))

  /** The token as which a pool holds an asset. */
  function inPool(asset: AssetId): AssetId | undefined {
    if (asset === nativeAsset(assetChain(asset))) return wrapped.get(asset)
    return tokenContract(asset) === undefined ? undefined : asset
  }

  const knownPools = new Map<ChainId, ReadonlySet<string>>()

  function poolsOfListed(chain: ChainId): ReadonlySet<string> {
    const listed = new Set([...knownTokens.keys(), ...wrappedOf.keys()])
    const tokens = [...listed].filter((asset) => assetChain(asset) === chain)
    const found = new Set<string>()
    for (const [i, a] of tokens.entries())
      for (const b of tokens.slice(i + 1)) for (const pool of pools.of(a, b)) found.add(pool)
    return found
  }

  return {
    isKnownPool(account) {
      const chain = accountChain(account)
      const listed = knownPools.get(chain) ?? poolsOfListed(chain)
      knownPools.set(chain, listed)
      return listed.has(accountReference(account))
    },
    isPool(account, a, b) {
      const [first, second] = [inPool(a), inPool(b)]
      const chain = accountChain(account)
      if (first === undefined || second === undefined || first === second) return false
      if (assetChain(first) !== chain || assetChain(second) !== chain) return false
      return pools.of(first, second).has(accountReference(account))
    },
    digest: pools.digest,
  }
}
