import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { importPrices } from '../../src/attribution/importPrices.ts'
import { loadAttribution } from '../../src/attribution/load.ts'
import { createPriceSet } from '../../src/attribution/prices.ts'
import { openRegistries } from '../../src/attribution/registries.ts'
import { type AssetId, parseAsset } from '../../src/ledger/asset.ts'
import type { Price } from '../../src/ledger/price.ts'
import { openStore } from '../../src/store/open.ts'
import type { Store } from '../../src/store/store.ts'
import { usdt } from '../ledger.arbitrary.ts'

const folder = mkdtempSync(join(tmpdir(), 'jejak-prices-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let files = 0

const header = 'asset,time,currency,price,source'

function file(...rows: readonly string[]): string {
  const path = join(folder, `prices-${++files}.csv`)
  writeFileSync(path, `${[header, ...rows].join('\n')}\n`)
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

const ether = parseAsset('eip155:1/slip44:60')
const unknown = parseAsset(`eip155:1/erc20:0x${'77'.repeat(20)}`)
const places: Readonly<Record<string, number>> = { [ether]: 18, [usdt]: 6 }
const decimalsOf = (asset: AssetId): number | undefined => places[asset]

function price(asset: AssetId, time: number, value: string, currency = 'USD'): Price {
  return { asset, time, currency, price: value, source: 's' }
}

test('an amount is worth its price, exactly: 1.5 ether at 3012.55', () => {
  const set = createPriceSet([price(ether, 1000, '3012.55')], decimalsOf)
  const { numerator, denominator } = set.value(ether, 15n * 10n ** 17n, 1000) ?? fail()
  // 1.5 * 3012.55 = 4518.825
  expect(numerator * 1000n).toBe(4_518_825n * denominator)
})

test.each([
  ['before the first price', 999, undefined],
  ['at its second', 1000, 1n],
  ['until the next one', 1999, 1n],
  ['from the next one on', 2000, 2n],
  ['for a day', 2000 + 86_400, 2n],
  ['no longer', 2001 + 86_400, undefined],
])('the newest price holds: %s', (_, time, dollars) => {
  const set = createPriceSet([price(usdt, 2000, '2'), price(usdt, 1000, '1')], decimalsOf)
  const value = set.value(usdt, 1_000_000n, time)
  expect(value && value.numerator / value.denominator).toBe(dollars)
})

test('all values are in the currency that prices the most assets', () => {
  const rows = [
    price(ether, 1000, '2800', 'EUR'),
    price(ether, 1000, '3000'),
    price(usdt, 1000, '1'),
  ]
  const set = createPriceSet(rows, decimalsOf)
  expect(set.currency).toBe('USD')
  expect(set.value(ether, 10n ** 18n, 1000)).toMatchObject({ numerator: 3000n * 10n ** 18n })
  expect(createPriceSet(rows.slice(0, 2), decimalsOf).currency).toBe('EUR')
})

test('nothing is worth anything without a price, or where nobody knows the decimals', () => {
  const set = createPriceSet([price(unknown, 1000, '1')], decimalsOf)
  expect(set.value(unknown, 1n, 1000)).toBeUndefined()
  expect(set.value(ether, 1n, 1000)).toBeUndefined()
  expect(createPriceSet([], decimalsOf)).toMatchObject({ size: 0, currency: undefined })
})

test('values add up, whatever the amounts, and the order of rows is of no matter', () => {
  const amount = fc.bigInt({ min: 0n, max: (1n << 256n) - 1n })
  const digits = fc.integer({ min: 1, max: 999_999 })
  fc.assert(
    fc.property(amount, amount, digits, digits, (a, b, whole, part) => {
      const rows = [price(ether, 5, `${whole}.${part}`), price(usdt, 5, '1'), price(ether, 4, '9')]
      const set = createPriceSet(rows, decimalsOf)
      const [ofA, ofB, ofBoth] = [a, b, a + b].map((one) => set.value(ether, one, 7) ?? fail())
      expect((ofA?.numerator ?? 0n) + (ofB?.numerator ?? 0n)).toBe(ofBoth?.numerator)
      const turned = createPriceSet(rows.toReversed(), decimalsOf)
      expect(turned.value(ether, a, 7)).toEqual(ofA)
      expect(turned.digest).toBe(set.digest)
    }),
  )
})

test('imported prices are what a trace sees, and a later import corrects an earlier one', async () => {
  await inStore(async (store) => {
    const registries = openRegistries(store)
    const attribution = await loadAttribution(store)
    const before = await registries(attribution)
    expect(before.value(ether, 1n, 1000)).toBeUndefined()
    const report = await importPrices(store, [
      file(`${ether},1000,USD,3000,desk`, `${usdt},1970-01-01T00:16:40Z,usd,1,desk`),
      file(`${unknown},1000,USD,7,desk`),
    ])
    expect(report).toEqual({ rows: 3, assets: 3, withoutDecimals: [unknown] })
    const after = await registries(attribution)
    expect(after.value(usdt, 5n, 1000)).toEqual({ numerator: 5n, denominator: 10n ** 6n })
    expect(after.digest).not.toBe(before.digest)
    expect((await registries(attribution)).digest).toBe(after.digest)
    await importPrices(store, [file(`${ether},1000,USD,3001.5,desk`)])
    expect((await registries(attribution)).value(ether, 2n, 1000)).toEqual({
      numerator: 60030n,
      denominator: 10n ** 19n,
    })
    expect((await openRegistries(store)(attribution)).digest).toBe(
      (await registries(attribution)).digest,
    )
  })
})

test.each([
  ['asset', `ETH,1000,USD,1,s`],
  ['time', `${ether},yesterday,USD,1,s`],
  ['time', `${ether},-5,USD,1,s`],
  ['time', `${ether},2023-02-30T00:00:00Z,USD,1,s`],
  ['time', `${ether},2023-02-03T00:00:00,USD,1,s`],
  ['currency', `${ether},1000,$,1,s`],
  ['currency', `${ether},1000,,1,s`],
  ['price', `${ether},1000,USD,-1,s`],
  ['price', `${ether},1000,USD,0,s`],
  ['price', `${ether},1000,USD,0.0,s`],
  ['price', `${ether},1000,USD,1e3,s`],
  ['price', `${ether},1000,USD,"1,000",s`],
  ['price', `${ether},1000,USD,01,s`],
  ['price', `${ether},1000,USD,NaN,s`],
  ['price', `${ether},1000,USD,${'9'.repeat(31)},s`],
  ['source', `${ether},1000,USD,1, `],
  ['row', `${ether},1000,USD,1`],
  ['row', `"${ether},1000,USD,1,s`],
])(
  'error: a bad %s is named with its file and line, and nothing is stored: %s',
  async (field, row) => {
    await inStore(async (store) => {
      const path = file(`${usdt},1000,USD,1,s`, row)
      await expect(importPrices(store, [path])).rejects.toMatchObject({
        code: 'price.invalid',
        facts: { file: path, line: 3, field },
        message: expect.stringContaining(`${path}:3 ${field} `),
      })
      expect(await store.listDocuments('price')).toEqual([])
    })
  },
)

test('error: two prices for one moment, also in two files; the same price twice is one', async () => {
  await inStore(async (store) => {
    const first = file(`${ether},1000,USD,1,s`)
    const same = file(`${ether},1000,USD,1,t`)
    const other = file(`${ether},1000,USD,2,s`)
    await expect(importPrices(store, [first, other])).rejects.toMatchObject({
      code: 'price.invalid',
      facts: { file: other, field: 'price' },
      message: expect.stringContaining(`${first}:2 gives 1`),
    })
    expect(await importPrices(store, [first, same])).toMatchObject({ rows: 2, assets: 1 })
  })
})

test('error: a file with other columns is no price file', async () => {
  await inStore(async (store) => {
    const path = join(folder, 'other.csv')
    writeFileSync(path, 'asset,time,price,source\n')
    await expect(importPrices(store, [path])).rejects.toMatchObject({ code: 'file.unknown-format' })
    writeFileSync(path, '')
    await expect(importPrices(store, [path])).rejects.toMatchObject({ code: 'file.unknown-format' })
    await expect(importPrices(store, ['/nowhere.csv'])).rejects.toMatchObject({
      code: 'file.unreadable',
    })
  })
})

function fail(): never {
  throw new Error('there is no value')
}
