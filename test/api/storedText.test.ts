import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { putOnce, readOnce } from '../../src/api/storedText.ts'
import { openStore } from '../../src/store/open.ts'
import type { Store } from '../../src/store/store.ts'

const folder = mkdtempSync(join(tmpdir(), 'jejak-text-'))
let store: Store

beforeAll(async () => {
  store = await openStore(folder)
})
afterAll(async () => {
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

test('a value larger than a document comes back whole, characters beyond the first plane too', async () => {
  const value = { text: `${'x'.repeat(499_980)}${'🧭'.repeat(300_000)}`, list: [1, null, 'é'] }
  await putOnce(store, 'c', 'large', () => value)
  expect(await readOnce(store, 'c', 'large')).toEqual(value)
  const documents = await store.listDocuments('c')
  expect(documents.length).toBeGreaterThan(2)
})

test('a name keeps its first value; what a stopped writer left is in nobody’s way', async () => {
  const long = (letter: string) => letter.repeat(1_200_000)
  let writes = 0
  const stopping: Pick<Store, 'readDocument' | 'writeDocument'> = {
    readDocument: (...args) => store.readDocument(...args),
    async writeDocument(...args) {
      if (++writes > 2) throw new Error('stopped')
      return store.writeDocument(...args)
    },
  }
  await expect(putOnce(stopping, 'c', 'name', () => long('a'))).rejects.toThrow('stopped')
  expect(await readOnce(store, 'c', 'name')).toBeUndefined()
  await putOnce(store, 'c', 'name', () => long('b'))
  await putOnce(store, 'c', 'name', () => long('a'))
  expect(await readOnce(store, 'c', 'name')).toBe(long('b'))
})

test('a value with a piece missing is not taken for whole', async () => {
  await putOnce(store, 'd', 'name', () => 'y'.repeat(600_000))
  const [piece] = (await store.listDocuments('d')).filter(({ id }) => id.endsWith('/1'))
  expect(piece).toBeDefined()
  await store.deleteDocument('d', piece?.id ?? '', 1)
  expect(await readOnce(store, 'd', 'name')).toBeUndefined()
})
