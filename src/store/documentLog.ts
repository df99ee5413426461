import { conflictIn } from './conflict.ts'
import type { Fence, Store, StoredDocument } from './store.ts'

/**
 * A collection whose ids are running numbers from 1, none left out and none changed: what was added is found by where
 * one stopped, in one read, however much there is. Each document is there whole or not at all.
 */

/** So many digits that ids sort as their numbers do. */
const digits = 12

function logId(number: number): string {
  return String(number).padStart(digits, '0')
}

/**
 * Documents after a number, in order, up to the first that is not to be seen yet; 0 for all.
 *
 * Cost: one read when there are none.
 */
export async function documentsAfter(
  store: Pick<Store, 'listDocuments'>,
  collection: string,
  after: number,
): Promise<StoredDocument[]> {
  const documents = await store.listDocuments(collection, logId(after))
  const end = documents.findIndex(({ id }, i) => id !== logId(after + i + 1))
  return end < 0 ? documents : documents.slice(0, end)
}

/**
 * Adds a document behind the last one; when somebody else adds at the same time, behind theirs.
 *
 * @param fence - what has to hold when it is written.
 * @throws KnownError `document.conflict` when the fence does not hold
 *
 * Cost: reads that grow with the logarithm of the number of documents, and one write.
 */
export async function appendDocument(
  store: Pick<Store, 'readDocument' | 'writeDocument'>,
  collection: string,
  value: unknown,
  fence: readonly Fence[] = [],
): Promise<void> {
  let next = await firstFree(store, collection)
  while (!(await isWritten(store, { collection, id: logId(next), value, fence }))) next++
}

async function isWritten(
  store: Pick<Store, 'writeDocument'>,
  document: {
    readonly collection: string
    readonly id: string
    readonly value: unknown
    readonly fence: readonly Fence[]
  },
): Promise<boolean> {
  try {
    const { collection, id, value, fence } = document
    await store.writeDocument(collection, id, 0, value, fence)
    return true
  } catch (error) {
    if (conflictIn(error) === document.collection) return false
    throw error
  }
}

async function firstFree(store: Pick<Store, 'readDocument'>, collection: string): Promise<number> {
  const isTaken = async (number: number): Promise<boolean> =>
    (await store.readDocument(collection, logId(number))) !== undefined
  let taken = 0
  let free = 1
  while (await isTaken(free)) {
    taken = free
    free *= 2
  }
  while (free - taken > 1) {
    const middle = taken + Math.floor((free - taken) / 2)
    if (await isTaken(middle)) taken = middle
    else free = middle
  }
  return free
}
