import { KnownError } from '../ledger/errors.ts'
import type { Store } from '../store/store.ts'
import { textDigest } from './traceId.ts'

type Documents = Pick<Store, 'readDocument' | 'writeDocument'>

/** Characters of one document: either store takes as much at once. */
const pieceLength = 500_000

/**
 * Keeps a value of any size under a name, in documents that are written once and never changed. The pieces are named by
 * what they are pieces of, and come first: so the document under the name always has all of its own, whoever else
 * writes the same name meanwhile, or stopped on the way.
 *
 * A name that is there already is left alone.
 */
export async function putOnce(
  store: Documents,
  collection: string,
  id: string,
  value: () => unknown,
): Promise<void> {
  if (await store.readDocument(collection, id)) return
  const text = JSON.stringify(value())
  const digest = textDigest(text)
  let pieces = 0
  for (let start = 0; start < text.length; start += pieceLength) {
    const piece = text.slice(start, start + pieceLength)
    await create(store, collection, `${digest}/${pieces}`, piece)
    pieces++
  }
  await create(store, collection, id, { digest, pieces })
}

/** What {@link putOnce} kept; undefined where there is nothing of that name, or not all of it. */
export async function readOnce(store: Documents, collection: string, id: string): Promise<unknown> {
  const head = await store.readDocument(collection, id)
  if (!head) return undefined
  const { digest, pieces } = head.value as { readonly digest: string; readonly pieces: number }
  let text = ''
  for (let piece = 0; piece < pieces; piece++) {
    const found = await store.readDocument(collection, `${digest}/${piece}`)
    text += String(found?.value ?? '')
  }
  return textDigest(text) === digest ? JSON.parse(text) : undefined
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
