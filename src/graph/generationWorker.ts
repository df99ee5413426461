import { parentPort, workerData } from 'node:worker_threads'
import { KnownError } from '../ledger/errors.ts'
import { openStore, type StorePlace } from '../store/open.ts'
import { createReader, type Reader } from './build.ts'
import type { Columns } from './columns.ts'

/**
 * Thread that builds generations and hands their shared columns over, one per message. It opens the store for itself
 * and lives as long as its owner lets it, so that a generation reads only what came since the one before.
 */

/** What the thread says. A class does not survive the way between threads: an error of ours goes as its parts. */
export type Built =
  | { readonly columns: Columns }
  | {
      readonly known: Pick<KnownError, 'code' | 'message' | 'facts' | 'hint' | 'retryable'>
    }
  | { readonly error: unknown }

const { place } = workerData as { readonly place: StorePlace }
let reader: Reader | undefined

async function build(): Promise<Built> {
  try {
    reader ??= createReader(await openStore(place))
    return { columns: await reader.read() }
  } catch (error) {
    if (!(error instanceof KnownError)) return { error }
    const { code, message, facts, hint, retryable } = error
    return { known: { code, message, facts, hint, retryable } }
  }
}

parentPort?.on('message', () => {
  void build().then((built) => parentPort?.postMessage(built))
})
