import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { importChains } from '../../src/attribution/importChains.ts'
import { loadAttribution } from '../../src/attribution/load.ts'
import { parseAsset } from '../../src/ledger/asset.ts'
import { parseChain } from '../../src/ledger/chain.ts'
import { finalityDepth, isShippedChain, nativeAsset } from '../../src/ledger/nativeCoins.ts'
import { wrappedCoins } from '../../src/ledger/wrappedCoins.ts'
import { openStore } from '../../src/store/open.ts'
import { readOwnChain } from '../../src/store/ownChains.ts'

const folder = mkdtempSync(join(tmpdir(), 'jejak-chains-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let files = 0

function file(value: unknown): string {
  const path = join(folder, `chains-${++files}.json`)
  writeFileSync(path, typeof value === 'string' ? value : JSON.stringify(value))
  return path
}

const mantle = {
  chain: 'eip155:5000',
  name: 'Mantle',
  native: { symbol: 'MNT' },
  finality: 100,
  wrapped: '0x78c1b0C915c4FAA5FffA6CAbf0219DA63d7f4cb8',
  tokens: [
    {
      address: '0x201EBa5CC46D216Ce6DC03F6a759e8E766e956aE',
      symbol: 'USDT',
      decimals: 6,
      freezable: true,
    },
  ],
}

test('the chains that most scam money moves on are shipped whole', () => {
  for (const id of [1, 56, 137, 42161, 10, 8453, 43114]) {
    const chain = parseChain(`eip155:${id}`)
    expect(isShippedChain(chain)).toBe(true)
    expect(finalityDepth(chain)).toBeGreaterThan(0)
    expect([...wrappedCoins.values()]).toContain(nativeAsset(chain))
  }
})

test('an own chain has its coin, its wrapped coin, its finality and its trusted tokens', async () => {
  const store = await openStore(join(folder, 'own'))
  const chain = parseChain('eip155:5000')
  await importChains(store, [file({ chains: [mantle] })])
  const { tokens } = await loadAttribution(store)
  const usdt = parseAsset(`eip155:5000/erc20:${mantle.tokens[0]?.address}`)
  const wrapped = parseAsset(`eip155:5000/erc20:${mantle.wrapped}`)
  expect(tokens.info(nativeAsset(chain))).toMatchObject({ symbol: 'MNT', decimals: 18 })
  expect(tokens.info(usdt)).toMatchObject({ symbol: 'USDT', decimals: 6 })
  expect(tokens.wrappedOf.get(wrapped)).toBe(nativeAsset(chain))
  expect([usdt, wrapped].every(tokens.isTrusted)).toBe(true)
  expect((await store.listDocuments('freezable')).map(({ id }) => id)).toEqual([usdt])
  expect(await readOwnChain(store, chain)).toMatchObject({ name: 'Mantle', finality: 100 })
  // Given again without them, they are gone.
  const { wrapped: _, ...plain } = mantle
  await importChains(store, [file({ chains: [{ ...plain, tokens: [] }] })])
  const after = await loadAttribution(store)
  expect([usdt, wrapped].some(after.tokens.isTrusted)).toBe(false)
  expect(await store.listDocuments('freezable')).toEqual([])
  await store.close()
})

test.each([
  ['no JSON', '{'],
  ['no chains', { chains: [] }],
  ['a chain that is no EVM chain', { chains: [{ ...mantle, chain: 'tron:0x2b6653dc' }] }],
  ['a shipped chain', { chains: [{ ...mantle, chain: 'eip155:1' }] }],
  ['a field nobody knows', { chains: [{ ...mantle, finalty: 5 }] }],
  [
    'a wrong checksum',
    { chains: [{ ...mantle, wrapped: mantle.wrapped.replace('C915', 'c915') }] },
  ],
  ['more than one, one of them wrong', { chains: [mantle, { ...mantle, native: {} }] }],
])('error: %s, and nothing is stored', async (_, value) => {
  const store = await openStore(join(folder, `wrong-${files}`))
  await expect(importChains(store, [file(value)])).rejects.toMatchObject({ code: 'chain.invalid' })
  expect(await store.listDocuments('chain')).toEqual([])
  await store.close()
})
