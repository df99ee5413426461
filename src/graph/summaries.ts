import type { Worker } from 'node:worker_threads'
import type { StorePlace } from '../store/open.ts'
import type { Store } from '../store/store.ts'
import { type LedgerSummary, loadSummary, type SummaryOptions, saveSummary } from './summary.ts'
import { ask, startThread } from './thread.ts'

/** Summaries of one store, each of the log up to a sequence number. */
export interface Summaries {
  /** The summary of the log as it is now; made in a thread of its own when there is none. */
  current(): Promise<LedgerSummary>
  close(): Promise<void>
}

export function openSummaries(
  store: Store,
  options: SummaryOptions & { readonly place: StorePlace },
): Summaries {
  let newest: LedgerSummary | undefined
  let making: Promise<LedgerSummary> | undefined
  let thread: Worker | undefined

  async function make(wanted: { storeId: string; sequence: number }): Promise<LedgerSummary> {
    const known = loadSummary(options.folder, wanted)
    if (known) return known
    const { place, folder, rowsAtOnce } = options
    thread = startThread(new URL('./summaryWorker.ts', import.meta.url), {
      place,
      folder,
      rowsAtOnce,
    })
    try {
      const made = await ask<LedgerSummary>(thread, 'summarise')
      saveSummary(folder, made)
      return made
    } finally {
      await thread.terminate()
    }
  }

  async function current(): Promise<LedgerSummary> {
    const { id: storeId, sequence } = await store.state()
    if (newest?.storeId === storeId && newest.sequence >= sequence) return newest
    making ??= make({ storeId, sequence }).finally(() => {
      making = undefined
    })
    newest = await making
    return newest.storeId === storeId && newest.sequence >= sequence ? newest : current()
  }

  return {
    current,
    async close() {
      await thread?.terminate()
      await making?.catch(() => undefined)
    },
  }
}
