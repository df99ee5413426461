import { conflictIn } from './conflict.ts'
import type { Fence, Store } from './store.ts'

const mostAttempts = 20

/**
 * Changes a document by compare-and-set, again when somebody else was faster.
 *
 * @param change - gets the value as it is, and gives the value as it shall be; the same, or undefined, writes nothing.
 * @param fence - what has to hold when it is written.
 * @returns the value after that; undefined where there is none.
 * @throws KnownError `document.conflict` when others were faster each time, or the fence does not hold
 */
export async function changeDocument<T>(
  store: Pick<Store, 'readDocument' | 'writeDocument'>,
  { collection, id }: { readonly collection: string; readonly id: string },
  change: (known: T | undefined) => T | undefined,
  fence: readonly Fence[] = [],
): Promise<T | undefined> {
  for (let attempt = 0; ; attempt++) {
    const document = await store.readDocument(collection, id)
    const known = document?.value as T | undefined
    const next = change(known)
    if (next === undefined || next === known) return known
    try {
      await store.writeDocument(collection, id, document?.version ?? 0, next, fence)
      return next
    } catch (error) {
      if (conflictIn(error) !== collection || attempt === mostAttempts) throw error
    }
  }
}
