import { KnownError } from '../ledger/errors.ts'
import type { Store } from './store.ts'

const mostAttempts = 20

/**
 * Changes a document by compare-and-set, again when somebody else was faster.
 *
 * @param change - gets the value as it is, and gives the value as it shall be; the same, or undefined, writes nothing.
 * @returns the value after that; undefined where there is none.
 * @throws KnownError `document.conflict` when others were faster each time
 */
export async function changeDocument<T>(
  store: Pick<Store, 'readDocument' | 'writeDocument'>,
  { collection, id }: { readonly collection: string; readonly id: string },
  change: (known: T | undefined) => T | undefined,
): Promise<T | undefined> {
  for (let attempt = 0; ; attempt++) {
    const document = await store.readDocument(collection, id)
    const known = document?.value as T | undefined
    const next = change(known)
    if (next === undefined || next === known) return known
    try {
      await store.writeDocument(collection, id, document?.version ?? 0, next)
      return next
    } catch (error) {
      if (!isConflict(error) || attempt === mostAttempts) throw error
    }
  }
}

export function isConflict(error: unknown): boolean {
  return error instanceof KnownError && error.code === 'document.conflict'
}
