import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Refusal } from '../../ingest/files/refusals.ts'
import { type ImportOptions, type ImportReport, importFiles } from '../../ingest/import.ts'
import { buildGraph } from '../../src/graph/build.ts'
import { exportTransfers } from '../../src/graph/exportTransfers.ts'
import { parseChain } from '../../src/ledger/chain.ts'
import { formatCsvRow, jejakCsvHeader } from '../../src/ledger/jejakCsv.ts'
import { openStore } from '../../src/store/open.ts'
import type { Store } from '../../src/store/store.ts'
import { hash, ledgerOf, randomLedger, wallet } from '../ledger.arbitrary.ts'
import { realData } from '../realData.ts'
import { canonical } from '../store/contract.ts'

let base: string
let made = 0
beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'jejak-import-'))
})
afterAll(() => rmSync(base, { recursive: true, force: true }))

function folder(): string {
  const path = join(base, String(made++))
  mkdirSync(path)
  return path
}

async function read(
  files: Readonly<Record<string, string | Buffer>> | readonly string[],
  options: Partial<ImportOptions> = {},
  into?: Store,
): Promise<{ report: ImportReport; refused: Refusal[]; store: Store }> {
  const place = folder()
  const paths = Array.isArray(files)
    ? [...(files as string[])]
    : Object.entries(files).map(([name, text]) => {
        writeFileSync(join(place, name), text)
        return join(place, name)
      })
  const store = into ?? (await openStore(join(place, 'store')))
  const refused: Refusal[] = []
  const all: ImportOptions = {
    files: paths,
    complete: false,
    covers: [],
    blocks: undefined,
    chain: parseChain('eip155:1'),
    onError: 'fail',
    rejects: join(place, 'rejects.csv'),
    decimals: undefined,
    ...options,
  }
  const report = await importFiles(store, all, {
    progress: () => undefined,
    refused: (row) => refused.push(row),
  })
  return { report, refused, store }
}

async function exported(store: Store, plain = false): Promise<string> {
  let text = ''
  await exportTransfers(
    store,
    (part) => {
      text += part
    },
    { plain },
  )
  return text
}

const csv = (rows: readonly string[]): string => `${[jejakCsvHeader, ...rows].join('\n')}\n`

describe('Jejak CSV', () => {
  test('import(export(store)) gives the same bytes, whatever the order of rows', async () => {
    await fc.assert(
      fc.asyncProperty(randomLedger, async (ledger) => {
        const first = await read({ 'a.csv': csv(ledger.map(formatCsvRow)) })
        const text = await exported(first.store)
        const second = await read({ 'b.csv': text })
        const third = await read({ 'c.csv': csv([...ledger].reverse().map(formatCsvRow)) })
        expect(await exported(second.store)).toBe(text)
        expect(await exported(third.store)).toBe(text)
        for (const { store } of [first, second, third]) await store.close()
      }),
      { numRuns: 25 },
    )
  }, 60_000)

  test('the content digest is the SHA-256 of the plain export', async () => {
    const ledger = ledgerOf([
      [{ from: wallet(0xabcdef), to: wallet(2), amount: 2n ** 256n - 1n }],
      [{ to: wallet(9), amount: 10n ** 20n }],
    ])
    const { store } = await read({ 'a.csv': csv(ledger.map(formatCsvRow)) })
    const { digest } = await buildGraph(store)
    expect(
      createHash('sha256')
        .update(await exported(store, true))
        .digest('hex'),
    ).toBe(digest)
    await store.close()
  })

  test('the same content again, renamed, gzip or zstd, changes nothing', async () => {
    const text = csv(ledgerOf([[{ from: wallet(1), to: wallet(2), amount: 5n }]]).map(formatCsvRow))
    const { store } = await read({ 'a.csv': text })
    for (const bytes of [text, gzipSync(text), zstdCompressSync(text)]) {
      const { report } = await read({ 'other.bin': bytes }, {}, store)
      expect(report).toMatchObject({ added: 0, known: 1 })
    }
    await store.close()
  })

  test('a file of the same movements with other positions doubles no amount (golden 35)', async () => {
    const ledger = ledgerOf([
      [
        { from: wallet(1), to: wallet(2), amount: 5n },
        { from: wallet(1), to: wallet(2), amount: 5n },
      ],
    ])
    const { store } = await read({ 'a.csv': csv(ledger.map(formatCsvRow)) })
    await read(
      { 'b.csv': csv(ledger.map((t) => formatCsvRow({ ...t, position: t.position + 7 }))) },
      {},
      store,
    )
    expect(await canonical(store)).toHaveLength(2)
    await store.close()
  })

  test.each([
    ['amount', { amount: '-5' }],
    ['amount', { amount: '1.5' }],
    ['amount', { amount: (2n ** 256n).toString() }],
    ['amount', { amount: '' }],
    ['from', { from: '0x12' }],
    ['from', { from: '0xDAC17F958D2ee523a2206206994597C13D831ec7' }],
    ['tx', { tx: '0x5d0813cf16…' }],
    ['chain', { chain: 'Ethereum' }],
    ['kind', { kind: 'swap' }],
    ['block', { block: '1e6' }],
    ['time', { time: 'yesterday' }],
    ['position', { position: '4294967296' }],
    ['asset', { asset: 'USDT' }],
    ['asset', { asset: 'eip155:56/slip44:714' }],
    ['txIndex', { txIndex: 'x' }],
    ['row', { flags: ',' }],
  ])(
    'error: a bad %s is refused with file, line, field and value, and nothing is stored (%o)',
    async (field, wrong) => {
      const [good = ''] = ledgerOf([[{ from: wallet(1), to: wallet(2), amount: 5n }]]).map(
        formatCsvRow,
      )
      const cells = good.split(',')
      const bad = jejakCsvHeader
        .split(',')
        .map((name, i) => (wrong as Record<string, string>)[name] ?? cells[i])
        .join(',')
      const { report, refused, store } = await read({ 'a.csv': csv([good, bad]) })
      expect(report).toMatchObject({ ok: false, added: 0, rejected: 1 })
      expect(refused).toMatchObject([{ line: 3, field }])
      expect(refused[0]?.hint).not.toBe('')
      expect(await canonical(store)).toEqual([])
      const skipped = await read({ 'a.csv': csv([good, bad]) }, { onError: 'skip' })
      expect(skipped.report).toMatchObject({ ok: true, added: 1, rejected: 1 })
      expect(readFileSync(skipped.report.rejectsWrittenTo ?? '', 'utf8')).toContain(field)
      await store.close()
      await skipped.store.close()
    },
  )

  test('one block has one time, and time never decreases: the line is named', async () => {
    const rows = ledgerOf([
      [{ from: wallet(1), to: wallet(2), amount: 5n }],
      [{ from: wallet(1), to: wallet(2), amount: 6n }],
    ])
    const late = rows.map((t, i) => formatCsvRow({ ...t, time: t.time - i * 1000 }))
    const { refused, store } = await read({ 'a.csv': csv(late) })
    expect(refused).toMatchObject([{ line: 3, field: 'time' }])
    await store.close()
  })

  test('columns stand in any order; unknown, missing and doubled ones are an error', async () => {
    const [row = ''] = ledgerOf([[{ from: wallet(1), to: wallet(2), amount: 5n }]]).map(
      formatCsvRow,
    )
    const names = jejakCsvHeader.split(',')
    const swapped = `${[...names].reverse().join(',')}\n${row.split(',').reverse().join(',')}\n`
    const { report, store } = await read({ 'a.csv': swapped })
    expect(report.added).toBe(1)
    await store.close()
    await expect(read({ 'a.csv': `${jejakCsvHeader},colour\n` })).rejects.toMatchObject({
      code: 'file.unknown-format',
    })
    await expect(
      read({ 'a.csv': `${names.filter((n) => n !== 'amount').join(',')}\n` }),
    ).rejects.toMatchObject({ code: 'file.unknown-format' })
    await expect(read({ 'a.csv': 'hello\nworld\n' })).rejects.toMatchObject({
      code: 'file.unknown-format',
    })
  })

  test('garbage never crashes: every row is stored or refused', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: 'binary', maxLength: 60 }), { maxLength: 10 }),
        async (lines) => {
          const { report, store } = await read(
            { 'a.csv': csv(lines.map((line) => line.replace(/[\r\n]/g, ' '))) },
            { onError: 'skip' },
          )
          expect(report.rows + report.rejected).toBe(lines.filter((line) => line !== '').length)
          await store.close()
        },
      ),
      { numRuns: 40 },
    )
  })

  test('coverage is recorded only as declared', async () => {
    const text = csv(
      ledgerOf([
        [{ from: wallet(1), to: wallet(2), amount: 5n }],
        [{ from: wallet(1), to: wallet(3), amount: 5n }],
      ]).map(formatCsvRow),
    )
    const silent = await read({ 'a.csv': text })
    expect(await silent.store.coverageClaims()).toEqual([])
    const complete = await read({ 'a.csv': text }, { complete: true })
    expect(await complete.store.coverageClaims()).toMatchObject([
      { fromBlock: 100, toBlock: 101, assurance: 0 },
    ])
    const some = await read(
      { 'a.csv': text },
      { covers: ['0x0000000000000000000000000000000000000001'], blocks: { from: 1, to: 500 } },
    )
    expect((await some.store.coverage(new Set([wallet(1)])))[0]).toMatchObject({
      fromBlock: 1,
      toBlock: 500,
      assurance: 0,
    })
    for (const { store } of [silent, complete, some]) await store.close()
  })

  test('accounts of other namespaces are opaque, and their case is kept', async () => {
    const row = `tron:0x2b6653dc,5,1700000000,${'ab'.repeat(32)},0,token,0,tron:0x2b6653dc/trc20:TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t,TFdTr9C3BqQrzKBXqSxJfAZFTh8UwBAfSg,TBHTJqAy4DhHhmT3dNceJYNRz4SdLofLre,7,,,`
    const { report, store } = await read({ 'a.csv': csv([row]) })
    expect(report.added).toBe(1)
    expect(await exported(store)).toContain(
      'TFdTr9C3BqQrzKBXqSxJfAZFTh8UwBAfSg,TBHTJqAy4DhHhmT3dNceJYNRz4SdLofLre',
    )
    await store.close()
  })
})

describe('Etherscan CSV', () => {
  const me = '0x8576aCC5C05D6Ce88f4e49bf65BdF0C62F91353C'
  const other = '0x00000000000000000000000000000000000000Aa'.toLowerCase()
  const normal = `"Transaction Hash","Blockno","UnixTimestamp","DateTime (UTC)","From","To","ContractAddress","Value_IN(ETH)","Value_OUT(ETH)","CurrentValue @ $3414.36/Eth","TxnFee(ETH)","TxnFee(USD)","Historical $Price/Eth","Status","ErrCode","Method"
"${hash(1)}","100","1700000000","2023-11-14 22:13:20","${me}","${other}","","0","1.5","0","0.001","2","1800","","","Transfer"
"${hash(2)}","101","1700000012","2023-11-14 22:13:32","${me}","${other}","","0","2","0","0.002","2","1800","Error(0)","execution reverted","Transfer"
`
  const erc20 = `Transaction Hash,Blockno,UnixTimestamp,DateTime (UTC),From,To,TokenValue,USDValueDayOfTx,ContractAddress,TokenName,TokenSymbol
${hash(3)},102,1700000024,2023-11-14 22:13:44,${me.toLowerCase()},${other},"1,234.5",1234,0xdac17f958d2ee523a2206206994597c13d831ec7,Tether USD,USDT
`

  test('fees also of failed transactions; decimals and thousands exact; order unknown', async () => {
    const { report, store } = await read({ 'n.csv': normal, 't.csv': erc20 })
    expect(report).toMatchObject({ ok: true, added: 4 })
    const rows = (await canonical(store)).map(({ kind, amount, txIndex }) => [
      kind,
      amount,
      txIndex,
    ])
    expect(rows).toEqual([
      ['fee', 10n ** 15n, undefined],
      ['native', 15n * 10n ** 17n, undefined],
      ['fee', 2n * 10n ** 15n, undefined],
      ['token', 1_234_500_000n, undefined],
    ])
    await store.close()
  })

  test('two overlapping exports agree on every id', async () => {
    const { store } = await read({ 't.csv': erc20 })
    const { report } = await read({ 'n.csv': normal, 't.csv': erc20 }, {}, store)
    expect(report.findings).toEqual([])
    expect(await canonical(store)).toHaveLength(4)
    await store.close()
  })

  test('error: a token of unknown decimals is refused with what to do; --decimals helps', async () => {
    const unknown = erc20.replace('0xdac17f958d2ee523a2206206994597c13d831ec7', other)
    const { refused, store } = await read({ 't.csv': unknown })
    expect(refused[0]?.hint).toContain('jejak tokens import')
    expect((await read({ 't.csv': unknown }, { decimals: 6 })).report.added).toBe(1)
    await store.close()
  })
})

describe('ethereum-etl', () => {
  test('token transfers without the times of their blocks say which file to add', async () => {
    const text = `token_address,from_address,to_address,value,transaction_hash,log_index,block_number\n0xdac17f958d2ee523a2206206994597c13d831ec7,${`0x${'1'.repeat(40)}`},${`0x${'2'.repeat(40)}`},5,${hash(1)},0,100\n`
    const { refused, store } = await read({ 'token_transfers.csv': text })
    expect(refused).toMatchObject([{ line: 2, field: 'block_number' }])
    expect(refused[0]?.hint).toContain('blocks')
    const withBlocks = await read({
      'token_transfers.csv': text,
      'blocks.csv': `number,hash,timestamp\n100,${hash(9)},1700000000\n`,
    })
    expect(withBlocks.report).toMatchObject({ ok: true, added: 1 })
    await store.close()
    await withBlocks.store.close()
  })

  const fixtures = realData('ethereum-etl-fixtures/tests/resources')

  test.runIf(fixtures)(
    'blocks 17173049-50 have exactly 282 ERC-20 transfers and the 9 ERC-721 none',
    async () => {
      const place = `${fixtures}/test_stream/blocks_17173049_17173050`
      const { store } = await read([`${place}/expected_blocks.json`, `${place}/expected_logs.json`])
      const rows = await canonical(store)
      const tokens = rows.filter(({ kind, flags }) => kind === 'token' && !flags.includes('wrap'))
      expect(tokens).toHaveLength(282)
      const told = readFileSync(`${place}/expected_token_transfers.json`, 'utf8').trim().split('\n')
      expect(told).toHaveLength(291)
      const amounts = new Set(told.map((line) => /"value": (\d+)/.exec(line)?.[1]))
      for (const { amount } of tokens) expect(amounts.has(amount.toString())).toBe(true)
      await store.close()
    },
  )

  test.runIf(fixtures)(
    'traces: a self-destruct moves its balance, an error silences what is below it',
    async () => {
      const place = `${fixtures}/test_export_traces_job`
      const blocks = `number,hash,timestamp\n1011973,${hash(1)},1455400000\n1000895,${hash(2)},1455300000\n`
      const suicide = await read([
        `${place}/block_with_suicide/expected_traces.csv`,
        writeBlocks(blocks),
      ])
      expect(
        (await canonical(suicide.store))
          .filter(({ kind }) => kind === 'internal')
          .map(({ amount }) => amount),
      ).toEqual([50000000000000000n])
      await suicide.store.close()
    },
  )
})

function writeBlocks(text: string): string {
  const path = join(folder(), 'blocks.csv')
  writeFileSync(path, text)
  return path
}

describe.runIf(realData('mftracer-cases'))('real laundering cases', () => {
  test.each([
    ['TxPhish', 292],
    ['LIFI', 135],
    ['Atomic', 1080],
  ])('%s imports in full: %i rows', async (name, count) => {
    const { report, store } = await read(
      [`${realData(`mftracer-cases/${name}/jejak/transfers.csv`)}`],
      { complete: true },
    )
    expect(report).toMatchObject({ ok: true, added: count })
    await store.close()
  })
})
