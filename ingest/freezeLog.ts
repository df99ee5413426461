import { createFreezes, type FreezeReading } from '../src/ledger/freezes.ts'
import { appendDocument, documentsAfter } from '../src/store/documentLog.ts'
import type { Fence, Store } from '../src/store/store.ts'

/** What issuers did, as the collection `freeze` of a store tells it. */
export interface FreezeLog {
  /** Stores a reading, unless the store says the same already. */
  note(reading: FreezeReading, fence?: readonly Fence[]): Promise<void>
}

export function openFreezeLog(store: Store): FreezeLog {
  const known = createFreezes()
  let last = 0
  return {
    async note(reading, fence) {
      if (reading.assets.length === 0) return
      const added = await documentsAfter(store, 'freeze', last)
      last += added.length
      for (const { value } of added) known.add(value as FreezeReading)
      const fresh = createFreezes()
      fresh.add(reading)
      const same = JSON.stringify(known.within(reading)) === JSON.stringify(fresh.within(reading))
      if (!same) await appendDocument(store, 'freeze', reading, fence)
    },
  }
}
