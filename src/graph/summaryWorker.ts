import { workerData } from 'node:worker_threads'
import { openStore, type StorePlace } from '../store/open.ts'
import { type SummaryOptions, summarise } from './summary.ts'
import { answer } from './thread.ts'

/** Thread that reads a whole log in bounded memory. */
const { place, folder, rowsAtOnce } = workerData as SummaryOptions & { readonly place: StorePlace }

answer(async () => {
  const store = await openStore(place)
  try {
    return await summarise(store, { folder, rowsAtOnce })
  } finally {
    await store.close()
  }
})
