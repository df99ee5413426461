import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { appendDocument, documentsAfter } from '../../src/store/documentLog.ts'
import { openStore } from '../../src/store/open.ts'

const folder = mkdtempSync(join(tmpdir(), 'jejak-log-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('documents come in the order in which they were added, from where one stopped', async () => {
  const store = await openStore(join(folder, 'one'))
  try {
    for (let i = 1; i <= 23; i++) {
      await appendDocument(store, 'numbers', i)
      expect((await documentsAfter(store, 'numbers', i - 1)).map(({ value }) => value)).toEqual([i])
    }
    const all = await documentsAfter(store, 'numbers', 0)
    expect(all.map(({ value }) => value)).toEqual(Array.from({ length: 23 }, (_, i) => i + 1))
    expect(await documentsAfter(store, 'others', 0)).toEqual([])
  } finally {
    await store.close()
  }
})

test('a reader waits for a document that it does not see yet', async () => {
  const store = await openStore(join(folder, 'three'))
  try {
    await appendDocument(store, 'numbers', 1)
    await store.writeDocument('numbers', '000000000003', 0, 3)
    expect((await documentsAfter(store, 'numbers', 0)).map(({ value }) => value)).toEqual([1])
    await appendDocument(store, 'numbers', 2)
    expect((await documentsAfter(store, 'numbers', 1)).map(({ value }) => value)).toEqual([2, 3])
  } finally {
    await store.close()
  }
})

test('writers at the same moment lose nothing to one another', async () => {
  const place = join(folder, 'two')
  const stores = [await openStore(place), await openStore(place)]
  try {
    const values = Array.from({ length: 12 }, (_, i) => i)
    await Promise.all(
      values.map((i) => appendDocument(stores[i % 2] as (typeof stores)[number], 'numbers', i)),
    )
    const all = await documentsAfter(stores[0] as (typeof stores)[number], 'numbers', 0)
    expect(all.map(({ value }) => Number(value)).sort((a, b) => a - b)).toEqual(values)
  } finally {
    for (const store of stores) await store.close()
  }
})
