import { describe, expect, test } from 'vitest'
import { createTokenTrust, type ImportedToken } from '../../src/attribution/trustedTokens.ts'
import { parseAsset } from '../../src/ledger/asset.ts'
import { parseChain } from '../../src/ledger/chain.ts'
import { knownTokens, knownTokensVersion } from '../../src/ledger/knownTokens.ts'
import { ether, usd, usdt, weth } from '../ledger.arbitrary.ts'

const forged = parseAsset(`eip155:1/erc20:0x${'66'.repeat(20)}`)
const trust = createTokenTrust()

function listed(parts: Partial<ImportedToken> = {}): ImportedToken {
  return {
    asset: forged,
    symbol: 'USDT',
    name: 'Tether USD',
    decimals: 6,
    list: 'mine 1',
    ...parts,
  }
}

describe('golden 6: a forged token called USDT', () => {
  test('carries no value beside the real one', () => {
    expect(trust.isTrusted(usdt)).toBe(true)
    expect(trust.carriesValue(usdt, ether)).toBe('trusted')
    expect(trust.isTrusted(forged)).toBe(false)
    expect(trust.carriesValue(forged, usdt)).toBeUndefined()
    expect(trust.info(forged)).toBeUndefined()
  })

  test('carries value only where it is the very thing that is traced, marked so', () => {
    expect(trust.carriesValue(forged, forged)).toBe('seed')
  })

  test('is not made true by a list that gives the real name to another contract', () => {
    const other = createTokenTrust([
      listed({ asset: parseAsset(`eip155:56/erc20:0x${'66'.repeat(20)}`) }),
    ])
    expect(other.carriesValue(forged, usdt)).toBeUndefined()
  })

  test('is believed when the operator lists its contract', () => {
    const own = createTokenTrust([listed()])
    expect(own.carriesValue(forged, usdt)).toBe('trusted')
    expect(own.info(forged)).toEqual({ symbol: 'USDT', name: 'Tether USD', decimals: 6 })
    expect(own.digest).not.toBe(trust.digest)
    expect(own.version).toBe(`${knownTokensVersion} + mine 1`)
  })
})

test('a token is trusted on its own chain only', () => {
  const elsewhere = parseAsset(usdt.replace('eip155:1/', 'eip155:137/'))
  expect(trust.carriesValue(elsewhere, usdt)).toBeUndefined()
})

test.each(['eip155:1', 'eip155:56', 'eip155:137', 'eip155:43114', 'eip155:31337'])(
  'the native coin of %s carries value',
  (chain) => {
    const slip44 = { 'eip155:56': 714, 'eip155:137': 966, 'eip155:43114': 9005 }[chain] ?? 60
    const coin = parseAsset(`${parseChain(chain)}/slip44:${slip44}`)
    expect(trust.carriesValue(coin, usdt)).toBe('trusted')
    expect(trust.info(coin)?.decimals).toBe(18)
  },
)

test.each([
  'eip155:1/iso4217:usd',
  'eip155:1/points:x',
  'bip122:000000000019d6689c085ae165831e93/slip44:0',
  'tron:0x2b6653dc/trc20:TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t',
])('the opaque asset %s carries value, marked so', (text) => {
  const asset = parseAsset(text)
  expect(trust.isTrusted(asset)).toBe(false)
  expect(trust.carriesValue(asset, ether)).toBe('opaque')
  expect(trust.carriesValue(asset, asset)).toBe('opaque')
  expect(trust.info(asset)).toBeUndefined()
})

test('an imported list cannot rename a shipped token or change its decimals', () => {
  const own = createTokenTrust([listed({ asset: usdt, symbol: 'FAKE', name: 'Fake', decimals: 0 })])
  expect(own.info(usdt)).toEqual({ symbol: 'USDT', name: 'Tether USD', decimals: 6 })
})

test("an operator's wrapped coin is trusted and exchanges one to one", () => {
  const wrapped = parseAsset(`eip155:31337/erc20:0x${'77'.repeat(20)}`)
  const coin = parseAsset('eip155:31337/slip44:60')
  const own = createTokenTrust([], new Map([[wrapped, coin]]))
  expect(own.carriesValue(wrapped, usd)).toBe('trusted')
  expect(own.wrappedOf.get(wrapped)).toBe(coin)
  expect(own.wrappedOf.get(weth)).toBe(ether)
  expect(own.digest).not.toBe(trust.digest)
})

test('no list makes a shipped wrapped coin stand for another coin', () => {
  const own = createTokenTrust([], new Map([[weth, parseAsset('eip155:56/slip44:714')]]))
  expect(own.wrappedOf.get(weth)).toBe(ether)
  expect(own.digest).toBe(trust.digest)
})

test('the digest says what is trusted, whatever order the lists came in', () => {
  const two = [listed(), listed({ asset: parseAsset(`eip155:1/erc20:0x${'67'.repeat(20)}`) })]
  const one = createTokenTrust(two)
  expect(createTokenTrust([...two].reverse()).digest).toBe(one.digest)
  expect(one.digest).not.toBe(createTokenTrust([listed()]).digest)
  expect(createTokenTrust([listed({ asset: usdt })]).digest).toBe(trust.digest)
})

test('the shipped table alone is the version that is named', () => {
  expect(trust.version).toBe(knownTokensVersion)
  expect([...knownTokens.keys()].every((asset) => trust.isTrusted(asset))).toBe(true)
})
