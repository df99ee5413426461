import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { afterAll, describe, expect, test } from 'vitest'
import { importTags, type TagImportOptions } from '../../src/attribution/importTags.ts'
import { parseChain } from '../../src/ledger/chain.ts'
import { KnownError } from '../../src/ledger/errors.ts'
import type { Tag } from '../../src/ledger/tag.ts'
import { openStore } from '../../src/store/open.ts'

const folder = mkdtempSync(join(tmpdir(), 'jejak-tags-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const header = 'address,chain,label,category,source'
const one = `0x${'11'.repeat(20)}`
const two = `0x${'22'.repeat(20)}`
let files = 0

function file(content: string | Buffer, name = `tags-${++files}.csv`): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

/** What a command with these files leaves in a store that was empty. */
async function imported(
  paths: readonly string[],
  options: TagImportOptions = {},
): Promise<{ readonly tags: readonly Tag[]; readonly report: object }> {
  const store = await openStore(join(folder, `store-${++files}`))
  try {
    const report = await importTags(store, paths, options)
    return { tags: await store.tags(), report }
  } finally {
    await store.close()
  }
}

async function tagsOf(content: string | Buffer, options: TagImportOptions = {}): Promise<Tag[]> {
  return [...(await imported([file(content)], options)).tags]
}

/** The refusal of an import, and the proof that nothing of it was stored. */
async function refusal(
  paths: readonly string[],
  options: TagImportOptions = {},
): Promise<KnownError> {
  const store = await openStore(join(folder, `store-${++files}`))
  try {
    await importTags(store, paths, options)
  } catch (error) {
    expect(await store.tags()).toEqual([])
    if (error instanceof KnownError) return error
    throw error
  } finally {
    await store.close()
  }
  throw new Error('the import was not refused')
}

describe('CSV', () => {
  test('a row is a tag of the operator, of middle confidence, without dates, that may end a trace', async () => {
    expect(await tagsOf(`${header}\n${one},ethereum,Exchange One,exchange,my desk\n`)).toEqual([
      {
        account: `eip155:1:${one}`,
        label: 'Exchange One',
        category: 'exchange',
        source: 'my desk',
        confidence: 50,
        sourceRank: 10,
        mayStop: true,
      },
    ])
  })

  test('columns stand in any order, and optional ones are read', async () => {
    const text = `to,source,confidence,category,label,chain,from,address\n1700000000,s,70,mixer,l,eip155:56,2020-01-02,${one}`
    expect(await tagsOf(text)).toEqual([
      {
        account: `eip155:56:${one}`,
        label: 'l',
        category: 'mixer',
        source: 's',
        confidence: 70,
        sourceRank: 10,
        mayStop: true,
        validFrom: Date.UTC(2020, 0, 2) / 1000,
        validTo: 1_700_000_000,
      },
    ])
  })

  test('columns it does not know are named in the report', async () => {
    const path = file(`${header},source_ref,note\n${one},base,l,c,s,ref,n\n`)
    expect((await imported([path])).report).toEqual({
      files: [{ file: path, rows: 1, ignoredColumns: ['source_ref', 'note'] }],
      rows: 1,
      added: 1,
      replaced: 0,
      repeated: 0,
    })
  })

  test('quoted cells may hold commas and quotes; lines may end in CR LF; a byte-order mark is no text', async () => {
    const text = `\ufeff${header}\r\n${one},ethereum,"Bank, the ""Good"" one",exchange,s\r\n\r\n`
    expect((await tagsOf(text)).map(({ label }) => label)).toEqual(['Bank, the "Good" one'])
  })

  test('gzip and zstd are known by their first bytes, not their names', async () => {
    const text = Buffer.from(`${header}\n${one},ethereum,l,exchange,s\n`)
    for (const packed of [gzipSync(text), zstdCompressSync(text), text]) {
      expect(await tagsOf(packed)).toHaveLength(1)
    }
  })

  test('rank and --no-stops of the command hold for all its tags', async () => {
    const rows = `${header}\n${one},ethereum,l,exchange,s\n${two},ethereum,l,exchange,s\n`
    const tags = await tagsOf(rows, { sourceRank: 3, noStops: true })
    expect(tags.map(({ sourceRank, mayStop }) => [sourceRank, mayStop])).toEqual([
      [3, false],
      [3, false],
    ])
  })

  test('a chain given with the command stands in where the file names none', async () => {
    const options = { chain: parseChain('eip155:56') }
    const rows = `address,label,category,source\n${one},l,c,s\n`
    expect((await tagsOf(rows, options))[0]?.account).toBe(`eip155:56:${one}`)
    const mixed = `${header}\n${one},,l,c,s\n${two},base,l,c,s\n`
    expect((await tagsOf(mixed, options)).map(({ account }) => account)).toEqual([
      `eip155:56:${one}`,
      `eip155:8453:${two}`,
    ])
  })

  test('accounts of other namespaces keep their case', async () => {
    const tron = 'TBHTJqAy4DhHhmT3dNceJYNRz4SdLofLre'
    const tags = await tagsOf(`${header}\n${tron},tron:0x2b6653dc,l,exchange,s\n`)
    expect(tags[0]?.account).toBe(`tron:0x2b6653dc:${tron}`)
  })

  test('hostile labels are kept to the letter', async () => {
    const label = '\u202eTDSU\u200b<img src=x onerror=alert(1)>=cmd|x'
    expect((await tagsOf(`${header}\n${one},ethereum,${label},c,s\n`))[0]?.label).toBe(label)
  })

  test('a category that nobody knows is kept as given', async () => {
    expect((await tagsOf(`${header}\n${one},ethereum,l,My Own,s\n`))[0]?.category).toBe('My Own')
  })
})

describe('numbers of the report add up', () => {
  test('rows that say the same twice are one tag, counted as repeated', async () => {
    const path = file(
      `${header}\n${one},ethereum,l,c,s\n${one},ethereum,l,c,s\n${two},base,l,c,s\n`,
    )
    expect((await imported([path])).report).toMatchObject({
      rows: 3,
      added: 2,
      replaced: 0,
      repeated: 1,
    })
  })

  test('an address in capitals, or checksummed, is the same address', async () => {
    const lower = '0xdac17f958d2ee523a2206206994597c13d831ec7'
    const forms = [lower, '0xdAC17F958D2ee523a2206206994597C13D831ec7', `eip155:1:${lower}`]
    const rows = forms.map((form) => `${form},ethereum,l,c,s`).join('\n')
    expect(await tagsOf(`${header}\n${rows}\n`)).toHaveLength(1)
  })

  test('importing again replaces and adds nothing', async () => {
    const store = await openStore(join(folder, 'again'))
    const path = file(`${header}\n${one},ethereum,l,c,s\n${two},base,l,c,s\n`)
    expect(await importTags(store, [path])).toMatchObject({ added: 2, replaced: 0 })
    const before = await store.tags()
    expect(await importTags(store, [path])).toMatchObject({ rows: 2, added: 0, replaced: 2 })
    expect(await store.tags()).toEqual(before)
    await store.close()
  })

  test('a later import with another rank corrects the earlier one', async () => {
    const store = await openStore(join(folder, 'corrected'))
    const path = file(`${header}\n${one},ethereum,l,exchange,s\n`)
    await importTags(store, [path])
    await importTags(store, [path], { noStops: true, sourceRank: 50 })
    expect(await store.tags()).toMatchObject([{ mayStop: false, sourceRank: 50 }])
    await store.close()
  })
})

describe('error: refused', () => {
  test.each([
    ['0x1234,ethereum,l,c,s', 'address', '0x1234'],
    ['0xDAC17F958D2ee523a2206206994597C13D831ec7,ethereum,l,c,s', 'address', '0xDAC17F958D2'],
    [`eip155:56:${one},ethereum,l,c,s`, 'address', 'eip155:56'],
    [`${one},etherium,l,c,s`, 'chain', 'etherium'],
    [`${one},,l,c,s`, 'chain', ''],
    [`${one},ethereum,l,c,`, 'source', ''],
    [`${one},ethereum,l,c`, 'row', one],
    [`${one},ethereum,l,c,s,more`, 'row', one],
    [`${one},ethereum,"l,c,s`, 'row', one],
  ])('%s names %s', async (row, field, value) => {
    const path = file(`${header}\n${two},ethereum,l,c,s\n${row}\n`)
    const error = await refusal([path])
    expect(error.code).toBe('tag.invalid')
    expect(error.facts).toMatchObject({ rows: 1, file: path, line: 3, field })
    expect(error.message).toContain(`${path}:3 ${field} "${value}`)
    expect(error.hint).toBeDefined()
  })

  test.each([
    ['confidence', '101'],
    ['confidence', '-1'],
    ['confidence', '0.5'],
    ['confidence', 'high'],
    ['from', 'yesterday'],
    ['to', '2020-13-01'],
  ])('%s "%s"', async (field, value) => {
    const error = await refusal([file(`${header},${field}\n${one},ethereum,l,c,s,${value}\n`)])
    expect(error.facts).toMatchObject({ line: 2, field })
    expect(error.message).toContain(`${field} "${value}"`)
  })

  test('one wrong row refuses every file of the command', async () => {
    const good = file(`${header}\n${one},ethereum,l,c,s\n`)
    const wrong = file(`${header}\n${two},nowhere,l,c,s\n`)
    expect((await refusal([good, wrong])).facts).toMatchObject({ rows: 1, file: wrong, line: 2 })
  })

  test('all wrong rows are counted and the first twenty named', async () => {
    const rows = Array.from({ length: 25 }, (_, i) => `0x${i},ethereum,l,c,s`).join('\n')
    const error = await refusal([file(`${header}\n${rows}\n`)])
    expect(error.facts).toMatchObject({ rows: 25, line: 2 })
    expect(error.message.match(/ address "/g)).toHaveLength(20)
    expect(error.message).toContain('and 5 more')
  })

  test('a hostile value comes out harmless in the message', async () => {
    const error = await refusal([file(`${header}\n0x\u202e\u0007,ethereum,l,c,s\n`)])
    expect(error.message).toContain('[U+202E][U+0007]')
    expect(error.message).not.toContain('\u202e')
  })

  test('a file without a needed column says which', async () => {
    const error = await refusal([file(`address,chain,label\n${one},ethereum,l\n`)])
    expect(error.code).toBe('file.unknown-format')
    expect(error.facts).toMatchObject({ missing: 'category source' })
  })

  test('a file that is no tag file, one that is broken and one that is not there', async () => {
    expect((await refusal([file('hello\nworld\n')])).code).toBe('file.unknown-format')
    expect((await refusal([file('[{]')])).code).toBe('file.unreadable')
    expect((await refusal([join(folder, 'absent.csv')])).code).toBe('file.unreadable')
    const cut = gzipSync(Buffer.from(header.repeat(100))).subarray(0, 40)
    expect((await refusal([file(cut)])).code).toBe('file.unreadable')
  })
})

describe('lists of sanctioned addresses', () => {
  const tron = 'TBHTJqAy4DhHhmT3dNceJYNRz4SdLofLre'
  const omni = '16iWn2J1McqjToYLHSsAyS6En3QA8YQ91H'

  test('the JSON and the text form say the same, and make up no date', async () => {
    const json = file(JSON.stringify([one, two]), 'sanctioned_addresses_ETH.json')
    const text = file(`# list\n${one}\n${two}\n`, 'sanctioned_addresses_ETH.txt')
    const { tags } = await imported([json])
    expect(tags).toEqual((await imported([text])).tags)
    expect(tags.map(({ account }) => account)).toEqual([`eip155:1:${one}`, `eip155:1:${two}`])
    for (const tag of tags) {
      expect(tag).toMatchObject({ label: 'OFAC SDN', category: 'sanction', confidence: 60 })
      expect(tag.source).toContain('OFAC')
      expect(tag).not.toHaveProperty('validFrom')
      expect(tag).not.toHaveProperty('validTo')
    }
    expect((await imported([json, text])).report).toMatchObject({ rows: 4, added: 2, repeated: 2 })
  })

  test.each([
    ['BSC', one, `eip155:56:${one}`],
    ['ARB', one, `eip155:42161:${one}`],
    ['ETC', one, `eip155:61:${one}`],
    ['USDC', one, `eip155:1:${one}`],
    ['USDT', tron, `tron:0x2b6653dc:${tron}`],
    ['USDT', omni, `bip122:000000000019d6689c085ae165831e93:${omni}`],
    ['TRX', tron, `tron:0x2b6653dc:${tron}`],
    ['XBT', omni, `bip122:000000000019d6689c085ae165831e93:${omni}`],
  ])('%s: %s is %s', async (currency, address, account) => {
    const { tags } = await imported([file(`${address}\n`, `sanctioned_addresses_${currency}.txt`)])
    expect(tags.map((tag) => tag.account)).toEqual([account])
  })

  test('a list whose name says no chain needs the chain with the command', async () => {
    const path = file(JSON.stringify([one]), 'list.json')
    expect((await refusal([path])).code).toBe('file.unknown-format')
    const { tags } = await imported([path], { chain: parseChain('eip155:10') })
    expect(tags[0]?.account).toBe(`eip155:10:${one}`)
  })

  test('error: an entry that is no address of the chain is named, and nothing is stored', async () => {
    const path = file(JSON.stringify([one, 'nonsense', 7]), 'sanctioned_addresses_ETH.json')
    const error = await refusal([path])
    expect(error.code).toBe('tag.invalid')
    expect(error.facts).toMatchObject({ rows: 2, line: 2, field: 'address' })
  })
})
