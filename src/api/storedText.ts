import { KnownError } from '../ledger/errors.ts'
import type { Store } from '../store/store.ts'

type Documents = Pick<Store, 'readDocument' | 'writeDocument'>

/** Characters of one document: either store takes as much at once. */
const pieceLength = 500_000

/**
 * Keeps a value of any size under a name, in documents that are written once and never changed: pieces first, then the
 * document that counts them, so that what is there is whole. A name that is there already is left alone.
 */
export async function putOnce(
  store: Documents,
  collection: string,
  id: string,
  value: () => unknown,
): Promise<void> {
  if (await store.readDocument(collection, id)) return
  const text = JSON.stringify(value())
  let pieces = 0
  for (let start = 0; start < text.length; start += pieceLength) {
    await create(store, collection, `${id}/${pieces}`, text.slice(start, start + pieceLength))
    pieces++
  }
  await create(store, collection, id, { pieces })
}

/** What {@link putOnce} kept; undefined where there is nothing of that name. */
export async function readOnce(store: Documents, collection: string, id: string): Promise<unknown> {
  const head = await store.readDocument(collection, id)
  if (!head) return undefined
  const { pieces } = head.value as { readonly pieces: number }
  let text = ''
  for (let piece = 0; piece < pieces; piece++) {
    const found = await store.readDocument(collection, `${id}/${piece}`)
    if (!found) return undefined
    text += String(found.value)
  }
  return JSON.parse(text)
}

/** Somebody who was faster wrote the same: the name says what it holds. */
export async function create(
  store: Documents,
  collection: string,
  id: string,
  value: unknown,
): Promise<void> {
  try {
    await store.writeDocument(collection, id, 0, value)
  } catch (error) {
    if (error instanceof KnownError && error.code === 'document.conflict') return
    throw error
  }
}
