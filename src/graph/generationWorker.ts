import { workerData } from 'node:worker_threads'
import { openStore, type StorePlace } from '../store/open.ts'
import { createReader, type Reader } from './build.ts'
import { answer } from './thread.ts'

/**
 * Thread that builds generations and hands their shared columns over, one per question. It opens the store for itself
 * and lives as long as its owner lets it, so that a generation reads only what came since the one before.
 */
const { place } = workerData as { readonly place: StorePlace }
let reader: Reader | undefined

answer(async () => {
  reader ??= createReader(await openStore(place))
  return reader.read()
})
