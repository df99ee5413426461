import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, expect, test } from 'vitest'
import { importedTokens, importTokens } from '../../src/attribution/importTokens.ts'
import type { ImportedToken } from '../../src/attribution/trustedTokens.ts'
import { KnownError } from '../../src/ledger/errors.ts'
import { harmlessText } from '../../src/ledger/text.ts'
import { openStore } from '../../src/store/open.ts'
import type { Store } from '../../src/store/store.ts'

const folder = mkdtempSync(join(tmpdir(), 'jejak-tokens-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const contract = `0x${'Ab'.repeat(20).toLowerCase()}`
const token = { chainId: 56, address: contract, symbol: 'ABC', name: 'Alphabet', decimals: 8 }
const version = { major: 1, minor: 2, patch: 3 }
let files = 0

function file(content: unknown, name = `list-${++files}.json`): string {
  const path = join(folder, name)
  writeFileSync(path, JSON.stringify(content))
  return path
}

async function inStore<T>(work: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStore(join(folder, `store-${++files}`))
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

function imported(...paths: readonly string[]): Promise<ImportedToken[]> {
  return inStore(async (store) => {
    await importTokens(store, paths)
    return importedTokens(store)
  })
}

test('a token list becomes trusted tokens under its name and version', async () => {
  const path = file({ name: 'Mine', version, tokens: [token], logoURI: 'x', timestamp: 't' })
  await inStore(async (store) => {
    expect(await importTokens(store, [path])).toEqual({
      lists: [{ name: 'Mine', version: '1.2.3', tokens: 1 }],
    })
    expect(await importedTokens(store)).toEqual([
      {
        asset: `eip155:56/erc20:${contract}`,
        symbol: 'ABC',
        name: 'Alphabet',
        decimals: 8,
        list: 'Mine 1.2.3',
      },
    ])
  })
})

test('a map of contracts gives its ERC-20 tokens on Ethereum, and no collectibles', async () => {
  const map = {
    [`0x${'11'.repeat(20)}`]: { name: 'One', symbol: 'ONE', decimals: 0, erc20: true },
    [`0x${'22'.repeat(20)}`]: { name: 'Ape', symbol: 'APE', erc721: true },
    [`0x${'33'.repeat(20)}`]: { name: 'Odd', symbol: 'ODD', decimals: 18 },
  }
  expect(await imported(file(map, 'my-map.json'))).toEqual([
    {
      asset: `eip155:1/erc20:0x${'11'.repeat(20)}`,
      symbol: 'ONE',
      name: 'One',
      decimals: 0,
      list: 'my-map 0',
    },
  ])
})

test('importing a list again replaces it: what it no longer names is no longer trusted', async () => {
  const other = { ...token, address: `0x${'cd'.repeat(20)}` }
  await inStore(async (store) => {
    await importTokens(store, [file({ name: 'Mine', version, tokens: [token] })])
    const next = { name: 'Mine', version: { ...version, patch: 4 }, tokens: [other] }
    await importTokens(store, [file(next)])
    const tokens = await importedTokens(store)
    expect(tokens.map(({ asset, list }) => [asset, list])).toEqual([
      [`eip155:56/erc20:${other.address}`, 'Mine 1.2.4'],
    ])
  })
})

test('a packed list is read like a plain one', async () => {
  const path = join(folder, 'packed.json.gz')
  writeFileSync(path, gzipSync(JSON.stringify({ name: 'Packed', version, tokens: [token] })))
  expect(await imported(path)).toHaveLength(1)
})

test('hostile names are kept as given, and harmless where they are shown', async () => {
  const name = '\u202eTDSU<script>\u0000'
  const [read] = await imported(file({ name: 'H', version, tokens: [{ ...token, name }] }))
  expect(read?.name).toBe(name)
  expect(harmlessText(read?.name ?? '')).toBe('[U+202E]TDSU<script>[U+0000]')
})

test.each([
  ['decimals', 256],
  ['decimals', -1],
  ['decimals', 1.5],
  ['decimals', '18'],
  ['address', '0x1234'],
  ['chainId', 0],
  ['symbol', 7],
])('error: a list with %s %s is refused whole, by field', async (field, value) => {
  const good = file({ name: 'Good', version, tokens: [token] })
  const bad = file({ name: 'Bad', version, tokens: [token, { ...token, [field]: value }] })
  await inStore(async (store) => {
    const error = await importTokens(store, [good, bad]).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(KnownError)
    expect(error).toMatchObject({
      code: 'token-list.invalid',
      facts: { file: bad, field: `tokens.1.${field}` },
    })
    expect(await importedTokens(store)).toEqual([])
  })
})

test('decimals up to 255 are what a contract can say', async () => {
  const tokens = [{ ...token, decimals: 255 }]
  expect(await imported(file({ name: 'Wide', version, tokens }))).toHaveLength(1)
})

test('error: a file that is no list', async () => {
  const wrong = [file([1, 2]), file({ hello: 'world' }), file(null)]
  for (const path of wrong) {
    await expect(imported(path)).rejects.toMatchObject({ code: 'token-list.invalid' })
  }
  const broken = join(folder, 'broken.json')
  writeFileSync(broken, '{')
  await expect(imported(broken)).rejects.toMatchObject({ code: 'token-list.invalid' })
  await expect(imported(join(folder, 'absent'))).rejects.toMatchObject({ code: 'file.unreadable' })
})
