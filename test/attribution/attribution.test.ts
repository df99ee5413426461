import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, test } from 'vitest'
import { importTags } from '../../src/attribution/importTags.ts'
import { importTokens } from '../../src/attribution/importTokens.ts'
import { loadAttribution } from '../../src/attribution/load.ts'
import { createTagView } from '../../src/attribution/tagView.ts'
import { createTokenTrust } from '../../src/attribution/trustedTokens.ts'
import { parseAsset } from '../../src/ledger/asset.ts'
import { openStore } from '../../src/store/open.ts'
import { tag } from '../analysis/traceLedger.ts'
import { ether, usd, usdt, wallet, weth } from '../ledger.arbitrary.ts'
import { realData } from '../realData.ts'

const base = mkdtempSync(join(tmpdir(), 'jejak-tags-'))
afterAll(() => rmSync(base, { recursive: true, force: true }))
let made = 0
const write = (name: string, text: string | Buffer): string => {
  const path = join(base, `${made++}-${name}`)
  writeFileSync(path, text)
  return path
}

describe('tags', () => {
  test('golden 21: the operator’s rank leads, then confidence, then the newest; expired ones do not stop', () => {
    const known = { ...tag(wallet(1), 'exchange', 'low'), sourceRank: 5 }
    const view = createTagView([
      known,
      { ...known, label: 'high', source: 'other', sourceRank: 0, category: 'mixing_service' },
    ])
    expect(view.stop(wallet(1), 10)).toMatchObject({ outcome: 'mixer', label: 'high' })
    expect(view.of(wallet(1))).toHaveLength(2)
    const expired = createTagView([{ ...known, validFrom: 100, validTo: 200 }])
    expect([99, 100, 199, 200].map((time) => expired.stop(wallet(1), time)?.outcome)).toEqual([
      undefined,
      'service',
      'service',
      undefined,
    ])
  })

  test('golden 36: what came without the right to stop neither ends a trace nor hides a sanction', () => {
    const pack = {
      ...tag(wallet(1), 'exchange', 'Friendly Exchange'),
      confidence: 100,
      mayStop: false,
      sourceRank: 0,
    }
    const view = createTagView([
      pack,
      { ...tag(wallet(1), 'sanction', 'OFAC SDN'), source: 'ofac' },
    ])
    expect(view.stop(wallet(1), 10)).toBeUndefined()
    expect(view.adverse(wallet(1)).map(({ label }) => label)).toEqual(['OFAC SDN'])
  })

  test('the digest depends on what the tags say, not on their order', () => {
    const some = [tag(wallet(1), 'exchange'), tag(wallet(2), 'mixing_service')]
    expect(createTagView(some).digest).toBe(createTagView([...some].reverse()).digest)
    expect(createTagView(some).digest).not.toBe(createTagView(some.slice(1)).digest)
  })

  test('CSV in any column order, gzip too; unused columns are named', async () => {
    const store = await openStore(join(base, 'a'))
    const text =
      'category,address,chain,label,source,extra\nexchange,0x0000000000000000000000000000000000000001,ethereum,"A, Inc",me,1\n'
    const report = await importTags(store, [write('tags.csv.gz', gzipSync(text))])
    expect(report).toMatchObject({ rows: 1, added: 1, files: [{ ignoredColumns: ['extra'] }] })
    expect(await store.tags()).toMatchObject([{ account: wallet(1), label: 'A, Inc' }])
    await store.close()
  })

  test('error: one wrong row, and nothing is stored; it is named', async () => {
    const store = await openStore(join(base, 'b'))
    const text =
      'address,chain,label,category,source\n0x0000000000000000000000000000000000000001,ethereum,a,exchange,me\n0x12,ethereum,a,exchange,me\n'
    await expect(importTags(store, [write('tags.csv', text)])).rejects.toMatchObject({
      code: 'tag.invalid',
      facts: { line: 3, field: 'address' },
    })
    await expect(importTags(store, [write('x.csv', 'a,b\n')])).rejects.toMatchObject({
      code: 'file.unknown-format',
    })
    expect(await store.tags()).toEqual([])
    await store.close()
  })

  test.runIf(realData('labels'))(
    'the real label file imports in full, and the lists of sanctions too',
    async () => {
      const store = await openStore(join(base, 'real'))
      const report = await importTags(store, [realData('labels/labels_evm.csv.gz') ?? ''])
      expect(report.rows).toBe(127_085)
      expect(report.added + report.repeated).toBe(127_085)
      const lists = ['ETH.txt', 'ETH.json', 'XBT.json', 'TRX.txt', 'USDT.txt'].map(
        (name) => realData(`labels/ofac-0xb10c/sanctioned_addresses_${name}`) ?? '',
      )
      expect((await importTags(store, lists)).rows).toBeGreaterThan(700)
      await importTokens(store, [realData('tokens/contract-map.json') ?? ''])
      const { tags, tokens } = await loadAttribution(store)
      expect(tags.size).toBeGreaterThan(110_000)
      expect(tokens.version).toContain('contract-map')
      await store.close()
    },
    60_000,
  )
})

describe('trust', () => {
  test('golden 6: listed tokens and native coins carry value, a token that only calls itself USDT does not', () => {
    const trust = createTokenTrust()
    const forged = parseAsset('eip155:1/erc20:0x00000000000000000000000000000000000f0f0f')
    expect([ether, usdt, weth, usd].map((asset) => trust.carriesValue(asset, usd))).toEqual([
      'trusted',
      'trusted',
      'trusted',
      'opaque',
    ])
    expect(trust.carriesValue(forged, usdt)).toBeUndefined()
    expect(trust.carriesValue(forged, forged)).toBe('seed')
    expect(trust.wrappedOf.get(weth)).toBe(ether)
  })

  test('an imported list adds tokens; a malformed one is refused by field', async () => {
    const store = await openStore(join(base, 'tokens'))
    const list = {
      name: 'mine',
      version: { major: 1, minor: 2, patch: 3 },
      tokens: [
        {
          chainId: 1,
          address: '0x00000000000000000000000000000000000F0f0F',
          symbol: 'X\u202e',
          name: 'x',
          decimals: 7,
        },
      ],
    }
    expect(await importTokens(store, [write('list.json', JSON.stringify(list))])).toEqual({
      lists: [{ name: 'mine', version: '1.2.3', tokens: 1 }],
    })
    const { tokens } = await loadAttribution(store)
    expect(
      tokens.info(parseAsset('eip155:1/erc20:0x00000000000000000000000000000000000f0f0f')),
    ).toMatchObject({ decimals: 7 })
    const wrong = { ...list, tokens: [{ ...list.tokens[0], decimals: 1000 }] }
    await expect(
      importTokens(store, [write('bad.json', JSON.stringify(wrong))]),
    ).rejects.toMatchObject({ code: 'token-list.invalid' })
    await store.close()
  })
})
