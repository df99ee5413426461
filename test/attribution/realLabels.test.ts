import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { importTags } from '../../src/attribution/importTags.ts'
import { importTokens } from '../../src/attribution/importTokens.ts'
import { loadAttribution } from '../../src/attribution/load.ts'
import { createTagView } from '../../src/attribution/tagView.ts'
import { parseAccount } from '../../src/ledger/account.ts'
import { parseChain } from '../../src/ledger/chain.ts'
import { openStore } from '../../src/store/open.ts'
import type { Store } from '../../src/store/store.ts'
import { realData } from '../realData.ts'

const folder = mkdtempSync(join(tmpdir(), 'jejak-labels-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let stores = 0

async function inStore<T>(work: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStore(join(folder, `store-${++stores}`))
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

const labels = realData('labels/labels_evm.csv.gz')
const sanctioned = realData('labels/ofac-0xb10c')
const contracts = realData('tokens/contract-map.json')
const cases = realData('mftracer-cases')

describe.skipIf(labels === undefined)('127,085 real labels', () => {
  test('import in full, the numbers add up, and are soon resolved', {
    timeout: 120_000,
  }, async () => {
    await inStore(async (store) => {
      const first = await importTags(store, [labels ?? ''])
      expect(first.rows).toBe(127_085)
      expect(first.added + first.replaced + first.repeated).toBe(first.rows)
      expect(first.replaced).toBe(0)
      expect(first.files[0]?.ignoredColumns).toEqual(['source_ref'])
      const again = await importTags(store, [labels ?? ''])
      expect(again).toEqual({ ...first, added: 0, replaced: first.added })

      const tags = await store.tags()
      expect(tags).toHaveLength(first.added)
      const started = performance.now()
      const view = createTagView(tags)
      // Measured 33 to 76 ms on two cores; the limit leaves room for a busy machine.
      expect(performance.now() - started).toBeLessThan(1000)
      expect(view.size).toBe(first.added)
      expect(new Set(tags.map(({ account }) => account)).size).toBe(66_791)
      expect(view.digest).toBe(createTagView([...tags].reverse()).digest)
    })
  })

  test('name exchanges and mixers where a trace must end, and routers as pools', async () => {
    await inStore(async (store) => {
      await importTags(store, [labels ?? ''])
      const { tags } = await loadAttribution(store)
      const ethereum = parseChain('eip155:1')
      const binance = parseAccount('0x28c6c06298d514db089934071355e5743bf21d60', ethereum)
      const tornado = parseAccount('0x910cbd523d972eb0a6f4cae4618ad62622b39dbf', ethereum)
      const router = parseAccount('0x7a250d5630b4cf539739df2c5dacb4c659f2488d', ethereum)
      expect(tags.stop(binance, 1_700_000_000)?.outcome).toBe('service')
      expect(tags.stop(tornado, 1_700_000_000)?.outcome).toBe('mixer')
      expect(tags.isTagged(router)).toBe(true)
      expect(tags.stop(router, 1_700_000_000)?.outcome).toBe('pool')
    })
  })
})

describe.skipIf(sanctioned === undefined)('lists of sanctioned addresses', () => {
  test('every address of the Ethereum list is a sanction without a date, in both forms', async () => {
    const names = ['sanctioned_addresses_ETH.json', 'sanctioned_addresses_ETH.txt']
    const [json = '', text = ''] = names.map((name) => join(sanctioned ?? '', name))
    const entries = JSON.parse(readFileSync(json, 'utf8')) as string[]
    expect(entries.length).toBeGreaterThan(100)
    await inStore(async (store) => {
      const report = await importTags(store, [json, text])
      expect(report.rows).toBe(2 * entries.length)
      expect(report.added).toBe(entries.length)
      const { tags } = await loadAttribution(store)
      for (const entry of entries) {
        const [tag] = tags.adverse(parseAccount(entry, parseChain('eip155:1')))
        expect(tag).toMatchObject({ category: 'sanction', label: 'OFAC SDN' })
        expect(tag?.validFrom).toBeUndefined()
      }
    })
  })

  test('every list of every currency imports, each address on the chain of its form', async () => {
    const files = readdirSync(sanctioned ?? '').filter((name) => name.endsWith('.txt'))
    expect(files.length).toBeGreaterThan(12)
    await inStore(async (store) => {
      await importTags(
        store,
        files.map((name) => join(sanctioned ?? '', name)),
      )
      const accounts = (await store.tags()).map(({ account }) => account)
      const evm = accounts.filter((account) => account.startsWith('eip155:'))
      expect(evm.every((account) => /^eip155:\d+:0x[0-9a-f]{40}$/.test(account))).toBe(true)
      expect(accounts).toContain('tron:0x2b6653dc:TEAqwfMhXLaomXhZ8KeMhx3njGmQEDnsUR')
      expect(accounts).toContain(
        'bip122:000000000019d6689c085ae165831e93:16iWn2J1McqjToYLHSsAyS6En3QA8YQ91H',
      )
    })
  })
})

test.skipIf(contracts === undefined)(
  'a map of 638 contracts gives its ERC-20 tokens and none of its collectibles',
  async () => {
    const map = JSON.parse(readFileSync(contracts ?? '', 'utf8')) as Record<
      string,
      { readonly erc20?: boolean }
    >
    const tokens = Object.values(map).filter(({ erc20 }) => erc20 === true).length
    expect(tokens).toBe(623)
    await inStore(async (store) => {
      expect(await importTokens(store, [contracts ?? ''])).toEqual({
        lists: [{ name: 'contract-map', version: '0', tokens }],
      })
      const { tokens: trust } = await loadAttribution(store)
      const missing = Object.entries(map).filter(
        ([contract, { erc20 }]) =>
          trust.carriesValue(
            `eip155:1/erc20:${contract.toLowerCase()}` as Parameters<typeof trust.isTrusted>[0],
            '' as Parameters<typeof trust.isTrusted>[0],
          ) !== (erc20 === true ? 'trusted' : undefined),
      )
      expect(missing).toEqual([])
    })
  },
)

describe.skipIf(cases === undefined)('tags of real cases', () => {
  test.each([
    ['Atomic', 149, ['bridge', 'pool', 'service']],
    ['LIFI', 24, ['bridge', 'mixer', 'service']],
    ['TxPhish', 18, ['bridge', 'burned', 'contract_custody', 'pool', 'service']],
  ] as const)(
    '%s: %i tags, and they end its traces as they should',
    async (name, rows, outcomes) => {
      await inStore(async (store) => {
        const report = await importTags(store, [join(cases ?? '', name, 'jejak', 'tags.csv')])
        expect(report).toMatchObject({ rows, added: rows, repeated: 0 })
        const { tags } = await loadAttribution(store)
        const all = await store.tags()
        const ends = new Set(all.map(({ account }) => tags.stop(account, 1_700_000_000)?.outcome))
        ends.delete(undefined)
        expect([...ends].sort()).toEqual(outcomes)
        const accused = all.filter(({ category }) => category === 'perpetrator')
        expect(accused.length).toBeGreaterThan(0)
        expect(accused.every(({ account }) => tags.adverse(account).length > 0)).toBe(true)
      })
    },
  )
})
