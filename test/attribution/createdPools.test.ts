import { AbiCoder, getCreate2Address, keccak256, solidityPackedKeccak256 } from 'ethers'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createDerivedPools, createPoolRegistry } from '../../src/attribution/createdPools.ts'
import { parseAccount } from '../../src/ledger/account.ts'
import { parseAsset } from '../../src/ledger/asset.ts'
import { createdAddress, feePoolSalt, pairSalt } from '../../src/ledger/create2.ts'
import { poolFactories } from '../../src/ledger/poolFactories.ts'

const weth = '0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2'
const usdc = '0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48'
const usdt = '0xdac17f958d2ee523a2206206994597c13d831ec7'
const wethL2 = '0x4200000000000000000000000000000000000006'
const usdcOp = '0x0b2c639c533813f4aa9d7837caf62653d097ff85'
const usdcBase = '0x833589fcd6edb6e08f4c7c32d4f71b54bda02913'
const wbnb = '0xbb4cdb9cbd36b01bd1cbaebf2de08d9173bc095c'
const usdtBsc = '0x55d398326f99059ff775485246999027b3197955'
const wpol = '0x0d500b1d8e8ef31e21c99d1db9a6444d3adf1270'
const usdcPolygon = '0x2791bca1f2de4661ed88a30c99a7a9449aa84174'
const wethArb = '0x82af49447d8a07e3bd95bd0d56f35241523fbab1'
const wavax = '0xb31f66aa3c1e785363f0875a1b74e27b85fd66c7'
const usdcAvax = '0xb97ef9ef8734c71904d8002f8b6bc66dd9c48a6e'

/** Pools that are known by their names elsewhere: explorers, label files, exchanges' own lists. */
const named = [
  ['Uniswap V2 USDC/WETH', 1, '0xB4e16d0168e52d35CaCD2c6185b44281Ec28C9Dc', usdc, weth],
  ['Uniswap V2 WETH/USDT', 1, '0x0d4a11d5EEaaC28EC3F61d100daF4d40471f1852', weth, usdt],
  ['Uniswap V2 on OP', 10, '0x4c43646304492a925e335f2b6d840c1489f17815', wethL2, usdcOp],
  ['Uniswap V2 on BSC', 56, '0x8a1ed8e124fdfbd534bf48baf732e26db9cc0cf4', wbnb, usdtBsc],
  [
    'Uniswap V2 on Polygon',
    137,
    '0x67473ebdbfd1e6fc4367462d55ed1ee56e1963fa',
    '0x7ceb23fd6bc0add59e62ac25578270cff1b9f619',
    '0x3c499c542cef5e3811e1192ce70d8cc03d5c3359',
  ],
  ['Uniswap V2 on Base', 8453, '0x88a43bbdf9d098eec7bceda4e2494615dfd9bb9c', wethL2, usdcBase],
  [
    'Uniswap V2 on Arbitrum',
    42161,
    '0xf64dfe17c8b87f012fcf50fbda1d62bfa148366a',
    wethArb,
    '0xaf88d065e77c8cc2239327c5edb3a432268e5831',
  ],
  ['Uniswap V2 on Avalanche', 43114, '0x6239ae4d661379b71a90c4c79f0a95297342e391', wavax, usdcAvax],
  ['SushiSwap WETH/USDT', 1, '0x06da0fd433c1a5d7a4faa01111c044910a184553', weth, usdt],
  ['SushiSwap on BSC', 56, '0x2905817b020fd35d9d09672946362b62766f0d69', wbnb, usdtBsc],
  [
    'SushiSwap on Gnosis',
    100,
    '0x8c0c36c85192204c8d782f763ff5a30f5ba0192f',
    '0xe91d153e0b41518a2ce8dd3d7944fa863463a97d',
    '0x6a023ccd1ff6f2045c3309768ead9e68f978f6e1',
  ],
  [
    'SushiSwap on Polygon',
    137,
    '0xc30d6bc42911aa21a63e51c7121b33b3e65cc3c4',
    usdcPolygon,
    '0x9af3b7dc29d3c4b1a5731408b6a9656fa7ac3b72',
  ],
  [
    'SushiSwap on Fantom',
    250,
    '0xa48869049e36f8bfe0cc5cf655632626988c0140',
    '0x21be370d5312f44cb42ce377bc9b8a0cef1a4c83',
    '0x04068da6c83afcfa0e13ba15a6696662335d5b75',
  ],
  [
    'SushiSwap on Arbitrum',
    42161,
    '0x0c1cf6883efa1b496b01f654e247b9b419873054',
    '0x6c2c06790b3e3e3c38e12ee22f8183b37a13ee55',
    wethArb,
  ],
  ['SushiSwap on Avalanche', 43114, '0x6539bf462f73ff9497054ba261c195da8639ed61', wavax, usdcAvax],
  ['QuickSwap WPOL/USDC', 137, '0x6e7a5fafcec6bb1e78bae2a1f0b612012bf14827', wpol, usdcPolygon],
  [
    'PancakeSwap V2 WBNB/BUSD',
    56,
    '0x58F876857a02D6762E0101bb5C46A8c1ED44Dc16',
    wbnb,
    '0xe9e7cea3dedca5984780bafc599bd69add087d56',
  ],
  ['PancakeSwap V2 on Ethereum', 1, '0x2e8135be71230c6b1b4045696d41c09db0414226', weth, usdc],
  ['Uniswap V3 USDC/WETH 0.05 %', 1, '0x88e6A0c2dDD26FEEb64F039a2c41296FcB3f5640', usdc, weth],
  ['Uniswap V3 USDC/WETH 0.3 %', 1, '0x8ad599c3a0ff1de082011efddc58f1908eb6e6d8', usdc, weth],
  ['Uniswap V3 on OP', 10, '0x1fb3cf6e48f1e7b10213e7b6d87d4c073c7fdb7b', wethL2, usdcOp],
  ['Uniswap V3 on BSC', 56, '0x6fe9e9de56356f7edbfcbb29fab7cd69471a4869', wbnb, usdtBsc],
  ['Uniswap V3 on Polygon', 137, '0xa374094527e1673a86de625aa59517c5de346d32', wpol, usdcPolygon],
  ['Uniswap V3 on Base', 8453, '0xd0b53d9277642d899df5c87a3966a349a798f224', wethL2, usdcBase],
  [
    'Uniswap V3 on Arbitrum',
    42161,
    '0xc31e54c7a869b9fcbecc14363cf510d1c41fa443',
    wethArb,
    '0xff970a61a04b1ca14834a43f5de4533ebddb5cc8',
  ],
  [
    'Uniswap V3 on Celo',
    42220,
    '0x079e7a44f42e9cd2442c3b9536244be634e8f888',
    '0x471ece3750da237f93b8e339c536989b8978a438',
    '0x765de816845861e75a25fca122bb6898b8b1282a',
  ],
  ['Uniswap V3 on Avalanche', 43114, '0xfae3f424a0a47706811521e3ee268f00cfb5c45e', wavax, usdcAvax],
  ['PancakeSwap V3 on Ethereum', 1, '0x1ac1a8feaaea1900c4166deeed0c11cc10669d36', weth, usdc],
  ['PancakeSwap V3 WBNB/USDT', 56, '0x36696169c63e42cd08ce11f5deebbcebae652050', wbnb, usdtBsc],
  ['PancakeSwap V3 on Base', 8453, '0xb775272e537cc670c65dc852908ad47015244eaf', wethL2, usdcBase],
  [
    'PancakeSwap V3 on Arbitrum',
    42161,
    '0x0e8fcea6153205e3a3a184b0613578c3d1729eab',
    wethArb,
    '0xff970a61a04b1ca14834a43f5de4533ebddb5cc8',
  ],
] as const

const registry = createPoolRegistry()

test.each(named)('%s is recognised by its address alone', (_, chain, pool, a, b) => {
  const [account, first, second] = asked(chain, pool, a, b)
  expect(registry.isPool(account, first, second)).toBe(true)
  expect(registry.isPool(account, second, first)).toBe(true)
})

test('every factory of the table made one of those pools', () => {
  const proven = poolFactories.filter((factory) => {
    const alone = createPoolRegistry(undefined, createDerivedPools([factory]))
    return named.some(([, chain, pool, a, b]) => alone.isPool(...asked(chain, pool, a, b)))
  })
  expect(proven.length).toBeGreaterThan(25)
  expect(proven).toEqual(poolFactories)
})

function asked(chain: number, pool: string, a: string, b: string) {
  return [
    parseAccount(`eip155:${chain}:${pool}`),
    parseAsset(`eip155:${chain}/erc20:${a}`),
    parseAsset(`eip155:${chain}/erc20:${b}`),
  ] as const
}

const pair = parseAccount('eip155:1:0xB4e16d0168e52d35CaCD2c6185b44281Ec28C9Dc')
const ether = parseAsset('eip155:1/slip44:60')
const [, dollars, wrapped] = asked(1, usdc, usdc, weth)

test('ether counts as wrapped ether', () => {
  expect(registry.isPool(pair, ether, dollars)).toBe(true)
  expect(registry.isPool(pair, ether, wrapped)).toBe(false)
})

test('a pool of two shipped tokens is known without its assets, another is not', () => {
  const between = (...pair: readonly [string, string, string]) => asked(1, ...pair)[0]
  expect(registry.isKnownPool(pair)).toBe(true)
  expect(
    registry.isKnownPool(between('0x06da0fd433c1a5d7a4faa01111c044910a184553', weth, usdt)),
  ).toBe(true)
  const ofUnlisted = asked(42161, '0x0c1cf6883efa1b496b01f654e247b9b419873054', weth, usdt)[0]
  expect(registry.isKnownPool(ofUnlisted)).toBe(false)
  expect(registry.isKnownPool(parseAccount(`eip155:1:${weth}`))).toBe(false)
  expect(registry.isKnownPool(parseAccount(pair.replace('eip155:1:', 'eip155:56:')))).toBe(false)
})

test('a coin that nobody has named a wrapped form of has no pool', () => {
  expect(createPoolRegistry(new Map()).isPool(pair, ether, dollars)).toBe(false)
})

test.each([
  ['another pair of tokens', parseAsset(`eip155:1/erc20:${usdt}`), wrapped],
  ['one token twice', dollars, dollars],
  ['an asset that is no token', parseAsset('eip155:1/erc721:0x01'), wrapped],
  [
    'tokens of another chain',
    parseAsset(`eip155:56/erc20:${usdc}`),
    parseAsset(`eip155:56/erc20:${weth}`),
  ],
  ['tokens of two chains', dollars, parseAsset(`eip155:56/erc20:${weth}`)],
])('a pool is not one of %s', (_, a, b) => {
  expect(registry.isPool(pair, a, b)).toBe(false)
})

test('the same address on another chain is another account', () => {
  const elsewhere = parseAccount(pair.replace('eip155:1:', 'eip155:56:'))
  expect(registry.isPool(elsewhere, dollars, wrapped)).toBe(false)
})

test('no other address is a pool, and the answer stays the same when asked again', () => {
  const byte = fc.integer({ min: 0, max: 255 })
  fc.assert(
    fc.property(fc.array(byte, { minLength: 20, maxLength: 20 }), (bytes) => {
      const hex = bytes.map((one) => one.toString(16).padStart(2, '0')).join('')
      const account = parseAccount(`eip155:1:0x${hex}`)
      expect(registry.isPool(account, dollars, wrapped)).toBe(false)
      expect(registry.isPool(pair, dollars, wrapped)).toBe(true)
    }),
  )
})

test('addresses and salts are those that ethers derives', () => {
  const hexOf = (bytes: number) =>
    fc
      .uint8Array({ minLength: bytes, maxLength: bytes })
      .map((made) => `0x${Buffer.from(made).toString('hex')}`)
  const fee = fc.integer({ min: 0, max: (1 << 24) - 1 })
  fc.assert(
    fc.property(hexOf(20), hexOf(20), hexOf(32), hexOf(32), fee, (a, b, salt, code, paid) => {
      expect(createdAddress(a, salt, code)).toBe(getCreate2Address(a, salt, code).toLowerCase())
      expect(pairSalt(a, b)).toBe(solidityPackedKeccak256(['address', 'address'], [a, b]))
      const words = AbiCoder.defaultAbiCoder().encode(
        ['address', 'address', 'uint24'],
        [a, b, paid],
      )
      expect(feePoolSalt(a, b, paid)).toBe(keccak256(words))
    }),
  )
})
