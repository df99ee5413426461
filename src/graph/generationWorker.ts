import { parentPort, workerData } from 'node:worker_threads'
import { openStore } from '../store/open.ts'
import { readColumns } from './build.ts'

/** Thread that builds one generation from an embedded store and hands its shared columns over. */
const { folder } = workerData as { readonly folder: string }
const store = await openStore(folder)
try {
  parentPort?.postMessage(await readColumns(store))
} finally {
  await store.close()
}
