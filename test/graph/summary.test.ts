import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { readColumns } from '../../src/graph/build.ts'
import { openSummaries } from '../../src/graph/summaries.ts'
import { loadSummary, summarise } from '../../src/graph/summary.ts'
import { openStore } from '../../src/store/open.ts'
import { anyTransfer } from '../arbitrary/anyTransfer.ts'
import { chain, randomLedger } from '../ledger.arbitrary.ts'

const folder = mkdtempSync(join(tmpdir(), 'jejak-summary-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('a ledger that is never whole in memory has the digest, order of names and ends of its generation', async () => {
  let number = 0
  let spans = 0
  await fc.assert(
    fc.asyncProperty(
      randomLedger,
      fc.uniqueArray(anyTransfer, { maxLength: 6, selector: ({ chain: on, tx }) => `${on} ${tx}` }),
      async (ledger, others) => {
        const place = join(folder, String(number++))
        const store = await openStore(place)
        // Days instead of moments, so that there is more than one span.
        const spread = ledger.map((row) => ({ ...row, time: row.block * 86_400 }))
        await store.append({ transfers: spread, source: 'a', assurance: 0, coverage: [] })
        await store
          .append({ transfers: others, source: 'b', assurance: 1, coverage: [] })
          .catch(() => undefined)
        await store.append({ transfers: spread.slice(2), source: 'c', assurance: 2, coverage: [] })
        await store.rollBack(chain, 110)
        const { meta, arrays } = await readColumns(store)
        const summary = await summarise(store, { folder: place, rowsAtOnce: 7 })
        const { storeId, sequence, digest, chains, assets } = meta
        expect(summary).toEqual({
          storeId,
          sequence,
          digest,
          transfers: arrays.from.length,
          chains,
          assets,
          highest: expect.anything(),
        })
        expect(new Map(summary.highest.map(([name, ...end]) => [name, end]))).toEqual(
          new Map(meta.highest.map(([name, ...end]) => [name, end])),
        )
        spans += Math.ceil(arrays.from.length / 7)
        expect(readdirSync(place).filter((name) => name.startsWith('sorting'))).toEqual([])
        await store.close()
      },
    ),
    { numRuns: 40 },
  )
  expect(spans).toBeGreaterThan(80)
}, 120_000)

test('a summary is made once for a moment of the log and kept beside the store', async () => {
  const place = join(folder, 'kept')
  const store = await openStore(place)
  const options = { place: { location: place }, folder: place, rowsAtOnce: 100 }
  const summaries = openSummaries(store, options)
  const empty = await summaries.current()
  expect(empty).toMatchObject({
    sequence: 0,
    transfers: 0,
    digest: (await readColumns(store)).meta.digest,
  })
  const [row] = fc.sample(anyTransfer, { numRuns: 1, seed: 4 })
  await store.append({ transfers: row ? [row] : [], source: 'a', assurance: 0, coverage: [] })
  const [one, same] = await Promise.all([summaries.current(), summaries.current()])
  expect(same).toBe(one)
  expect(one).toMatchObject({ sequence: 1, transfers: 1 })
  const { id: storeId } = await store.state()
  expect(loadSummary(place, { storeId, sequence: 1 })).toEqual(one)
  expect(loadSummary(place, { storeId, sequence: 2 })).toBeUndefined()
  expect(loadSummary(place, { storeId: 'other', sequence: 1 })).toBeUndefined()
  await summaries.close()
  await store.close()
})
