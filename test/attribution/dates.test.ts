import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { conceptOf } from '../../src/attribution/categories.ts'
import { importTags } from '../../src/attribution/importTags.ts'
import { importTokens } from '../../src/attribution/importTokens.ts'
import { createTokenTrust } from '../../src/attribution/trustedTokens.ts'
import { parseAsset } from '../../src/ledger/asset.ts'
import type { Tag } from '../../src/ledger/tag.ts'
import { ether } from '../ledger.arbitrary.ts'

const path = join(mkdtempSync(join(tmpdir(), 'jejak-dates-')), 'file')
const address = `0x${'11'.repeat(20)}`

async function dated(from: string, to = ''): Promise<Tag | undefined> {
  writeFileSync(
    path,
    `address,chain,label,category,source,from,to\n${address},base,l,c,s,${from},${to}\n`,
  )
  let read: readonly Tag[] = []
  const putTags = async (tags: readonly Tag[]) => {
    read = tags
    return { added: tags.length, replaced: 0 }
  }
  await importTags({ putTags }, [path])
  return read[0]
}

describe('dates of tags', () => {
  test.each([
    'abc 5',
    '-5',
    '1.5',
    '2023',
    '2023-02-30',
    '12/31/2020',
    '2023-01-01T00:00',
    '2023-01-01 00:00',
  ])('error: "%s" is no date', async (text) => {
    await expect(dated(text)).rejects.toMatchObject({
      code: 'tag.invalid',
      facts: { field: 'from' },
    })
  })

  test.each([
    ['0', 0],
    ['1700000000', 1_700_000_000],
    ['2020-02-29', Date.UTC(2020, 1, 29) / 1000],
    ['2020-01-01T07:00:00+07:00', Date.UTC(2020, 0, 1) / 1000],
    ['2020-01-01T00:00:00.999Z', Date.UTC(2020, 0, 1) / 1000],
  ])('"%s" is second %i', async (text, time) => {
    expect((await dated(text))?.validFrom).toBe(time)
  })

  test('error: a statement that ends before it begins', async () => {
    await expect(dated('2020-01-02', '2020-01-01')).rejects.toMatchObject({
      facts: { field: 'to' },
    })
  })
})

test.each(['constructor', '__proto__'])('the category "%s" is a word like any other', (word) => {
  expect(conceptOf(word)).toBe(word)
})

test("ether's number on a chain that is not EVM names an opaque asset", () => {
  const asset = parseAsset('tron:0x2b6653dc/slip44:60')
  expect(createTokenTrust().carriesValue(asset, ether)).toBe('opaque')
})

test('error: a token list with a wrong checksum', async () => {
  const wrong = '0xDAC17F958D2ee523a2206206994597C13D831ec7'
  const token = { chainId: 1, address: wrong, symbol: 'T', name: 'T', decimals: 6 }
  writeFileSync(path, JSON.stringify({ name: 'L', tokens: [token] }))
  const store = {
    readDocument: async () => undefined,
    writeDocument: async () => ({ collection: '', id: '', version: 1, value: 0 }),
  }
  await expect(importTokens(store, [path])).rejects.toMatchObject({
    code: 'token-list.invalid',
    facts: { field: 'tokens.0.address' },
  })
})
