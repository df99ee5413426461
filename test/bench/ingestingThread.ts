import { parentPort, workerData } from 'node:worker_threads'
import { openStore } from '../../src/store/open.ts'
import { madeLedger } from './madeLedger.ts'

export interface IngestWork {
  readonly folder: string
  readonly firstBlock: number
}

/** Appends batches of a thousand, each synced, as fast as it can until it is told to stop; then says how many a second. */
const { folder, firstBlock } = workerData as IngestWork
let stopped = false
parentPort?.once('message', () => {
  stopped = true
})

const store = await openStore(folder)
const made = {
  transfers: 50_000_000,
  addresses: 200_000,
  batch: 1_000,
  seed: 3,
  thenSeed: firstBlock,
}
let rows = 0
const started = performance.now()
for (const transfers of madeLedger({ ...made, firstBlock })) {
  await store.append({ transfers, source: 'bench', assurance: 1, coverage: [] })
  rows += transfers.length
  // Messages are heard between two batches.
  await new Promise((resolve) => setImmediate(resolve))
  if (stopped) break
}
const rate = (rows * 1000) / (performance.now() - started)
await store.close()
parentPort?.postMessage(rate)
