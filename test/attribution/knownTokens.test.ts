import { readFileSync } from 'node:fs'
import { getAddress } from 'ethers'
import { describe, expect, test } from 'vitest'
import { type AssetId, assetChain, parseAsset, tokenContract } from '../../src/ledger/asset.ts'
import { parseChain } from '../../src/ledger/chain.ts'
import { knownTokens } from '../../src/ledger/knownTokens.ts'
import { chainByName, nativeAsset, nativeSymbol } from '../../src/ledger/nativeCoins.ts'
import { wrappedCoins } from '../../src/ledger/wrappedCoins.ts'
import { realData } from '../realData.ts'

/** The chains that the shipped table is for, with their native and wrapped coins. */
const shipped = [
  ['eip155:1', 'ETH', 'slip44:60', '0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2'],
  ['eip155:56', 'BNB', 'slip44:714', '0xbb4cdb9cbd36b01bd1cbaebf2de08d9173bc095c'],
  ['eip155:137', 'POL', 'slip44:966', '0x0d500b1d8e8ef31e21c99d1db9a6444d3adf1270'],
  ['eip155:42161', 'ETH', 'slip44:60', '0x82af49447d8a07e3bd95bd0d56f35241523fbab1'],
  ['eip155:10', 'ETH', 'slip44:60', '0x4200000000000000000000000000000000000006'],
  ['eip155:8453', 'ETH', 'slip44:60', '0x4200000000000000000000000000000000000006'],
  ['eip155:43114', 'AVAX', 'slip44:9005', '0xb31f66aa3c1e785363f0875a1b74e27b85fd66c7'],
] as const

describe('the shipped table', () => {
  test('is written with addresses whose checksums hold', () => {
    const source = readFileSync(new URL('../../src/ledger/knownTokens.ts', import.meta.url), 'utf8')
    const written = [...source.matchAll(/\[(\d+), '(0x[0-9a-fA-F]{40})'/g)]
    expect(written.length).toBeGreaterThan(50)
    for (const [, , contract = ''] of written) expect(getAddress(contract)).toBe(contract)
    const assets = written.map(([, id, contract]) => parseAsset(`eip155:${id}/erc20:${contract}`))
    expect(new Set(assets).size).toBe(written.length)
    expect([...knownTokens.keys()]).toEqual(assets)
  })

  test('has decimals, names and symbols that can be', () => {
    for (const { symbol, name, decimals } of knownTokens.values()) {
      expect(Number.isInteger(decimals) && decimals >= 0 && decimals <= 77).toBe(true)
      expect(symbol).toMatch(/^[A-Za-z.]{2,8}$/)
      expect(name).toMatch(/^[ -~]+$/)
    }
  })

  test('names a symbol once on a chain, so none can be taken for another', () => {
    const names = [...knownTokens].map(([asset, { symbol }]) => `${assetChain(asset)} ${symbol}`)
    expect(new Set(names).size).toBe(names.length)
  })

  test.each(shipped)(
    'covers %s: %s, its wrapped coin, a dollar',
    (chain, symbol, slip, wrapper) => {
      const coin = `${chain}/${slip}` as AssetId
      const wrapped = `${chain}/erc20:${wrapper}` as AssetId
      expect(nativeAsset(parseChain(chain))).toBe(coin)
      expect(nativeSymbol(parseChain(chain))).toBe(symbol)
      expect(wrappedCoins.get(wrapped)).toBe(coin)
      expect(knownTokens.get(wrapped)?.decimals).toBe(18)
      const symbols = [...knownTokens]
        .filter(([asset]) => assetChain(asset) === chain)
        .map(([, token]) => token.symbol)
      expect(symbols).toContain('USDC')
    },
  )

  test('wraps the own coin of each of its chains once, never a bridged coin of another', () => {
    expect(wrappedCoins.size).toBe(shipped.length)
    expect([...wrappedCoins].every(([w, coin]) => assetChain(w) === assetChain(coin))).toBe(true)
    const bridged = '0x7ceB23fD6bC0adD59E62ac25578270cFf1b9f619'
    expect(wrappedCoins.has(parseAsset(`eip155:137/erc20:${bridged}`))).toBe(false)
  })

  const map = realData('tokens/contract-map.json')
  test.skipIf(map === undefined)(
    'agrees with an independent list about every token it shares',
    () => {
      const independent = JSON.parse(readFileSync(map ?? '', 'utf8')) as Record<
        string,
        { readonly symbol: string; readonly decimals: number }
      >
      const known = new Map(
        Object.entries(independent).map(([contract, token]) => [contract.toLowerCase(), token]),
      )
      let shared = 0
      for (const [asset, { symbol, decimals }] of knownTokens) {
        if (assetChain(asset) !== 'eip155:1') continue
        const other = known.get(tokenContract(asset) ?? '')
        if (other === undefined) continue
        shared++
        expect(`${asset} ${other.symbol} ${other.decimals}`).toBe(`${asset} ${symbol} ${decimals}`)
      }
      expect(shared).toBeGreaterThan(20)
    },
  )
})

describe('chains', () => {
  test.each([
    ['ethereum', 'eip155:1'],
    ['Ethereum', 'eip155:1'],
    [' bsc ', 'eip155:56'],
    ['polygon', 'eip155:137'],
    ['arbitrum', 'eip155:42161'],
    ['optimism', 'eip155:10'],
    ['base', 'eip155:8453'],
    ['avalanche', 'eip155:43114'],
    ['fantom', 'eip155:250'],
    ['gnosis', 'eip155:100'],
    ['celo', 'eip155:42220'],
    ['linea', 'eip155:59144'],
    ['eip155:1', 'eip155:1'],
    ['tron:0x2b6653dc', 'tron:0x2b6653dc'],
  ])('"%s" names %s', (name, chain) => {
    expect(chainByName(name)).toBe(chain)
  })

  test.each(['', 'etherium', 'eip155', 'eip155:', ':1', 'eip155:1:0x', 'constructor', '1'])(
    '"%s" names no chain',
    (name) => {
      expect(chainByName(name)).toBeUndefined()
    },
  )

  test('an EVM chain nobody listed still has a native coin', () => {
    expect(nativeAsset(parseChain('eip155:31337'))).toBe('eip155:31337/slip44:60')
    expect(nativeSymbol(parseChain('eip155:31337'))).toBe('native')
  })
})
