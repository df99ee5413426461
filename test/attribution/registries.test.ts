import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { ConversionKnowledge } from '../../src/analysis/conversionKnowledge.ts'
import { loadAttribution } from '../../src/attribution/load.ts'
import { openRegistries } from '../../src/attribution/registries.ts'
import { parseAsset } from '../../src/ledger/asset.ts'
import type { ConversionRecord } from '../../src/ledger/conversionRecord.ts'
import { appendDocument } from '../../src/store/documentLog.ts'
import { openStore } from '../../src/store/open.ts'
import type { Store } from '../../src/store/store.ts'
import { chain, hash, wallet } from '../ledger.arbitrary.ts'

const folder = mkdtempSync(join(tmpdir(), 'jejak-registries-'))
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

const record = (tx: number, recipient: number): ConversionRecord => ({
  chain,
  tx: hash(tx),
  position: 1,
  pool: wallet(9),
  recipient: wallet(recipient),
})

test('a store without any of it knows the listed pools, and nothing else', async () => {
  await inStore(async (store) => {
    const known: ConversionKnowledge = await openRegistries(store)(await loadAttribution(store))
    const [dollars, ether] = [
      parseAsset('eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48'),
      parseAsset('eip155:1/slip44:60'),
    ]
    expect(known.isPool(wallet(1), dollars, ether)).toBe(false)
    expect(known.value(ether, 1n, 1)).toBeUndefined()
    expect(known.recordsOf(chain, hash(1))).toEqual([])
    expect(known.leaving(chain, hash(1))).toEqual([])
    expect(known.arriving(chain, hash(1))).toEqual([])
    expect(known.hasCode(wallet(1))).toBe(false)
  })
})

test('what is added later is known at the next question, and its digest does not tell when it came', async () => {
  await inStore(async (store) => {
    const attribution = await loadAttribution(store)
    const registries = openRegistries(store)
    const digests = [(await registries(attribution)).digest]
    await appendDocument(store, 'conversion', { records: [record(1, 2)] })
    await appendDocument(store, 'code', { accounts: [wallet(5)] })
    // Two questions at once read it once.
    const both = await Promise.all([registries(attribution), registries(attribution)])
    for (const known of both) {
      expect(known.recordsOf(chain, hash(1))).toMatchObject([{ recipient: wallet(2) }])
      expect(known.hasCode(wallet(5))).toBe(true)
      digests.push(known.digest)
    }
    await appendDocument(store, 'conversion', { records: [record(2, 3), record(1, 2)] })
    const known = await registries(attribution)
    expect(known.recordsOf(chain, hash(2))).toMatchObject([{ recipient: wallet(3) }])
    digests.push(known.digest)
    expect(new Set(digests).size).toBe(3)
    const again = await openRegistries(store)(attribution)
    expect(again.digest).toBe(known.digest)
    await inStore(async (other) => {
      await appendDocument(other, 'code', { accounts: [wallet(5), wallet(5)] })
      await appendDocument(other, 'conversion', { records: [record(1, 2), record(2, 3)] })
      const elsewhere = await openRegistries(other)(await loadAttribution(other))
      expect(elsewhere.digest).toBe(known.digest)
    })
  })
})

test('a store that fails once is asked again', async () => {
  await inStore(async (store) => {
    const attribution = await loadAttribution(store)
    let failing = true
    const registries = openRegistries({
      async listDocuments(...given) {
        if (failing) throw new Error('away')
        return store.listDocuments(...given)
      },
    })
    await appendDocument(store, 'code', { accounts: [wallet(5)] })
    await expect(registries(attribution)).rejects.toThrow('away')
    failing = false
    expect((await registries(attribution)).hasCode(wallet(5))).toBe(true)
  })
})
