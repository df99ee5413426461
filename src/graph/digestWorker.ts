import { parentPort, workerData } from 'node:worker_threads'
import { contentDigest } from './contentDigest.ts'
import type { RawRows } from './rawRows.ts'

/** Thread that computes one content digest over shared rows. */
const { raw, order } = workerData as { readonly raw: RawRows; readonly order: Uint32Array }
parentPort?.postMessage(contentDigest(raw, { order }))
