/** A contract that makes pools at addresses which anybody can compute. */
export interface PoolFactory {
  readonly exchange: string
  readonly chain: string
  /** Who deploys the pools, lower case: the factory, or its deployer where the two are apart. */
  readonly deployer: string
  /** Keccak-256 of the creation code of every pool. */
  readonly initCodeHash: string
  /** Fees that its pools may have, in millionths; absent where two tokens have one pool. */
  readonly fees?: readonly number[]
}

const uniswapPair = '0x96e8ac4277198ff8b6f785478aa9a39f403cb768dd02cbee326c3e7da348845f'
const sushiPair = '0xe18a34eb0e04b04f7a0ac29a6e80748dca96319b42c54d679cb821dca90c6303'
const pancakePairOnBsc = '0x00fb7f630766e6a796048ea87d01acd3068e8ff67d078148a3fa3f4a84f69bd5'
const pancakePairOnEthereum = '0x57224589c67f3f30a6b0d7a1b54cf3153ab84563bc609ef41dfb34f8b2974d2d'
const uniswapPool = '0xe34f199b19b2b4f47f68442619d555527d244f78a3297ea89325f843f87b8b54'
const pancakePool = '0x6ce8eb472fa82df5469c6ab6d485f17c3ad13c8cd7af59b3d4a8026c5ce0f7e2'
const uniswapFees = [100, 500, 3000, 10000]
const pancakeFees = [100, 500, 2500, 10000]

/**
 * Factories whose pools are trusted (design 8.2): of the type of Uniswap V2 (one pool for two tokens) and V3 (one for
 * each fee). Each stands here because a pool that is known by name elsewhere comes out of it: see the test.
 */
export const poolFactories: readonly PoolFactory[] = [
  ...pairs('Uniswap V2', uniswapPair, {
    'eip155:1': '0x5c69bee701ef814a2b6a3edd4b1652cb9cc5aa6f',
    'eip155:10': '0x0c3c1c532f1e39edf36be9fe0be1410313e074bf',
    'eip155:56': '0x8909dc15e40173ff4699343b6eb8132c65e18ec6',
    'eip155:137': '0x9e5a52f57b3038f1b8eee45f28b3c1967e22799c',
    'eip155:8453': '0x8909dc15e40173ff4699343b6eb8132c65e18ec6',
    'eip155:42161': '0xf1d7cc64fb4452f05c498126312ebe29f30fbcf9',
    'eip155:43114': '0x9e5a52f57b3038f1b8eee45f28b3c1967e22799c',
  }),
  ...pairs('SushiSwap', sushiPair, {
    'eip155:1': '0xc0aee478e3658e2610c5f7a4a2e1777ce9e4f2ac',
    'eip155:56': '0xc35dadb65012ec5796536bd9864ed8773abc74c4',
    'eip155:100': '0xc35dadb65012ec5796536bd9864ed8773abc74c4',
    'eip155:137': '0xc35dadb65012ec5796536bd9864ed8773abc74c4',
    'eip155:250': '0xc35dadb65012ec5796536bd9864ed8773abc74c4',
    'eip155:42161': '0xc35dadb65012ec5796536bd9864ed8773abc74c4',
    'eip155:43114': '0xc35dadb65012ec5796536bd9864ed8773abc74c4',
  }),
  ...pairs('QuickSwap', uniswapPair, {
    'eip155:137': '0x5757371414417b8c6caad45baef941abc7d3ab32',
  }),
  ...pairs('PancakeSwap V2', pancakePairOnBsc, {
    'eip155:56': '0xca143ce32fe78f1f7019d7d551a6402fc5350c73',
  }),
  ...pairs('PancakeSwap V2', pancakePairOnEthereum, {
    'eip155:1': '0x1097053fd2ea711dad45caccc45eff7548fcb362',
  }),
  ...feePools('Uniswap V3', uniswapPool, uniswapFees, {
    'eip155:1': '0x1f98431c8ad98523631ae4a59f267346ea31f984',
    'eip155:10': '0x1f98431c8ad98523631ae4a59f267346ea31f984',
    'eip155:56': '0xdb1d10011ad0ff90774d0c6bb92e5c5c8b4461f7',
    'eip155:137': '0x1f98431c8ad98523631ae4a59f267346ea31f984',
    'eip155:8453': '0x33128a8fc17869897dce68ed026d694621f6fdfd',
    'eip155:42161': '0x1f98431c8ad98523631ae4a59f267346ea31f984',
    'eip155:42220': '0xafe208a311b21f13ef87e33a90049fc17a7acdec',
    'eip155:43114': '0x740b1c1de25031c31ff4fc9a62f554a55cdc1bad',
  }),
  ...feePools('PancakeSwap V3', pancakePool, pancakeFees, {
    'eip155:1': '0x41ff9aa7e16b8b1a8a8dc4f0efacd93d02d071c9',
    'eip155:56': '0x41ff9aa7e16b8b1a8a8dc4f0efacd93d02d071c9',
    'eip155:8453': '0x41ff9aa7e16b8b1a8a8dc4f0efacd93d02d071c9',
    'eip155:42161': '0x41ff9aa7e16b8b1a8a8dc4f0efacd93d02d071c9',
  }),
]

type Deployers = Readonly<Record<string, string>>

function pairs(exchange: string, initCodeHash: string, deployers: Deployers): PoolFactory[] {
  return Object.entries(deployers).map(([chain, deployer]) => ({
    exchange,
    chain,
    deployer,
    initCodeHash,
  }))
}

function feePools(
  exchange: string,
  initCodeHash: string,
  fees: readonly number[],
  deployers: Deployers,
): PoolFactory[] {
  return pairs(exchange, initCodeHash, deployers).map((factory) => ({ ...factory, fees }))
}
