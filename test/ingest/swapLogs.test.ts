import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { pairSwapTopic, poolSwapTopic } from '../../ingest/decode/poolSwap.ts'
import { transferTopic } from '../../ingest/decode/tokenLog.ts'
import { createSwapLogs, keepPayments } from '../../ingest/files/swapLogs.ts'
import { importFiles } from '../../ingest/import.ts'
import { createPoolRegistry } from '../../src/attribution/createdPools.ts'
import { loadAttribution } from '../../src/attribution/load.ts'
import { openRegistries } from '../../src/attribution/registries.ts'
import { accountReference } from '../../src/ledger/account.ts'
import type { ConversionRecord } from '../../src/ledger/conversionRecord.ts'
import { documentsAfter } from '../../src/store/documentLog.ts'
import { openStore } from '../../src/store/open.ts'
import type { Store } from '../../src/store/store.ts'
import { chain, hash, usdt, wallet } from '../ledger.arbitrary.ts'
import { realData } from '../realData.ts'

const folder = mkdtempSync(join(tmpdir(), 'jejak-swaps-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let made = 0

async function inStore<T>(work: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStore(join(folder, `store-${++made}`))
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

async function imported(store: Store, files: readonly string[]): Promise<ConversionRecord[]> {
  const options = { complete: false, covers: [], blocks: undefined, onError: 'fail' as const }
  await importFiles(
    store,
    { ...options, files, chain, rejects: undefined, decimals: undefined },
    { progress: () => undefined, refused: () => undefined },
  )
  const documents = await documentsAfter(store, 'conversion', 0)
  return documents.flatMap(
    ({ value }) => (value as { readonly records: readonly ConversionRecord[] }).records,
  )
}

const reference = (n: number): string => accountReference(wallet(n))
const word = (n: number): string => n.toString(16).padStart(64, '0')
const topic = (n: number): string => `0x${word(n)}`
const dollars = usdt.slice(usdt.indexOf('0x'))

function logsFile(swapData: string): readonly string[] {
  const [blocks, logs] = ['blocks', 'logs'].map((name) => join(folder, `${++made}-${name}.csv`))
  writeFileSync(blocks ?? '', `number,hash,timestamp\n100,${hash(9)},1700000000\n`)
  const place = `,${hash(1)},0,${hash(9)},100,`
  const rows = [
    `0${place}${dollars},${topic(40)},"${[transferTopic, topic(1), topic(3)].join(',')}"`,
    `1${place}${reference(1)},${swapData},"${[pairSwapTopic, topic(2), topic(3)].join(',')}"`,
  ]
  const header =
    'log_index,transaction_hash,transaction_index,block_hash,block_number,address,data,topics'
  writeFileSync(logs ?? '', `${header}\n${rows.join('\n')}\n`)
  return [blocks ?? '', logs ?? '']
}

test('logs of an export tell whom pools paid, once for the same files', async () => {
  await inStore(async (store) => {
    const files = logsFile(`0x${[100, 0, 0, 40].map(word).join('')}`)
    const record = { chain, tx: hash(1), position: 1, pool: wallet(1), recipient: wallet(3) }
    expect(await imported(store, files)).toEqual([{ ...record, gets: usdt }])
    expect(await imported(store, files)).toHaveLength(1)
    const registries = await openRegistries(store)(await loadAttribution(store))
    expect(registries.recordsOf(chain, hash(1))).toMatchObject([{ recipient: wallet(3) }])
  })
})

test('files without swaps leave nothing behind', async () => {
  await inStore(async (store) => {
    expect(await imported(store, logsFile('0x'))).toEqual([])
    expect(await store.listDocuments('conversion-source')).toEqual([])
  })
})

test('many records come in several documents, and none parts a transaction', async () => {
  await inStore(async (store) => {
    const records = Array.from({ length: 25_000 }, (_, i) => ({
      chain,
      tx: hash(i % 5000),
      position: i,
      pool: wallet(1),
      recipient: wallet(3),
    }))
    await keepPayments(store, 'file:1', records)
    const documents = await documentsAfter(store, 'conversion', 0)
    const parts = documents.map(
      ({ value }) => (value as { readonly records: readonly ConversionRecord[] }).records,
    )
    expect(parts.map((part) => part.length)).toEqual([10_000, 10_000, 5_000])
    const transactions = parts.map((part) => new Set(part.map(({ tx }) => tx)))
    expect(transactions.reduce((sum, { size }) => sum + size, 0)).toBe(5000)
  })
})

test('what a pool sent in another transaction tells nothing', () => {
  const swaps = createSwapLogs()
  const log = { chain, contract: reference(1), data: `0x${[9, 0, 0, 4].map(word).join('')}` }
  const topics = [pairSwapTopic, topic(2), topic(3)]
  const leg = {
    chain,
    block: 1,
    time: 1,
    tx: hash(1),
    kind: 'token' as const,
    position: 0,
    asset: usdt,
    from: wallet(1),
    to: wallet(3),
    amount: 4n,
    flags: [],
  }
  swaps.take({ ...log, tx: hash(1), position: 0, topics: [] }, leg)
  swaps.take({ ...log, tx: hash(2), position: 1, topics }, undefined)
  swaps.take({ ...log, tx: hash(2), position: 2, topics: [poolSwapTopic] }, undefined)
  expect(swaps.records).toHaveLength(1)
  expect(swaps.records[0]).not.toHaveProperty('gets')
})

const fixtures = realData('ethereum-etl-fixtures/tests/resources')

test.runIf(fixtures)(
  'blocks 17173049-50: every swap tells what was paid, and each pool comes out of a listed factory',
  async () => {
    await inStore(async (store) => {
      const place = `${fixtures}/test_stream/blocks_17173049_17173050`
      const records = await imported(
        store,
        ['blocks', 'logs'].map((name) => `${place}/expected_${name}.json`),
      )
      const pools = createPoolRegistry()
      let listed = 0
      for (const { tx, pool } of records) {
        const legs = await store.transfersOfTransaction(chain, tx)
        const assets = [
          ...new Set(
            legs.flatMap(({ from, to, asset }) => (from === pool || to === pool ? asset : [])),
          ),
        ]
        if (assets.some((a) => assets.some((b) => a !== b && pools.isPool(pool, a, b)))) listed++
      }
      expect([records.length, records.filter(({ gets }) => gets).length, listed]).toEqual([
        79, 79, 79,
      ])
    })
  },
)
