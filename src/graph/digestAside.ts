import { Worker } from 'node:worker_threads'
import { contentDigest } from './contentDigest.ts'
import type { RawRows } from './rawRows.ts'
import type { SortedRows } from './sortRows.ts'

/** From so many rows on a thread of its own pays. */
const manyRows = 300_000

/**
 * The content digest, of large ledgers in a thread beside the building of the columns: it takes a third of the time,
 * and all it reads is in shared memory.
 */
export function digestAside(raw: RawRows, { order }: Pick<SortedRows, 'order'>): Promise<string> {
  if (order.length < manyRows) return Promise.resolve(contentDigest(raw, { order }))
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./digestWorker.ts', import.meta.url), {
      workerData: { raw, order },
      execArgv: ['--disable-warning=ExperimentalWarning'],
    })
    worker.once('message', (digest: string) => resolve(digest))
    worker.once('error', reject)
    worker.once('exit', (code) => reject(new Error(`the digest thread stopped with code ${code}`)))
  })
}
