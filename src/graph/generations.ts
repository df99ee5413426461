import type { Worker } from 'node:worker_threads'
import type { StorePlace } from '../store/open.ts'
import type { Store } from '../store/store.ts'
import { loadAside, saveAside } from './columnFileAside.ts'
import { bytesOf, type ColumnMeta, type Columns } from './columns.ts'
import { createGraph } from './createGraph.ts'
import type { WholeGraph } from './graph.ts'
import { ask, startThread } from './thread.ts'

/** Generations of one store: immutable graphs, each of the log up to a sequence number. */
export interface Generations {
  /** The generation of the log as it is now; made off this thread when the newest one is older. */
  current(): Promise<WholeGraph>
  /** The columns of {@link current}, for other threads to read too. */
  columns(): Promise<Columns>
  /** The newest generation that is made, without waiting; undefined before the first. */
  latest(): WholeGraph | undefined
  close(): Promise<void>
}

export interface GenerationOptions {
  readonly place: StorePlace
  /** Folder for the column file. */
  readonly folder: string
  /** The thread keeps the rows it has read while they and the graph together take less. Default: always. */
  readonly maxBytes?: number
}

/** What a thread holds of a row besides the columns. */
const rowBytes = 90

/** The column file is written again when the log is so much longer, and at the end. */
const worthWriting = 1.125

/**
 * Reads, builds and writes in threads of their own; what the calling thread does is to take the new one for the old.
 * The building thread goes on from its last generation: the first one after a start reads the log, later ones only
 * what came since.
 */
export function openGenerations(store: Store, options: GenerationOptions): Generations {
  const { place, folder, maxBytes = Number.POSITIVE_INFINITY } = options
  let newest: { readonly graph: WholeGraph; readonly columns: Columns } | undefined
  let building: Promise<WholeGraph> | undefined
  let saving: Promise<void> = Promise.resolve()
  let saved: ColumnMeta | undefined
  let thread: Worker | undefined

  async function make(): Promise<WholeGraph> {
    const { id, sequence } = await store.state()
    const graph = newest?.graph
    if (graph?.sequence === sequence && graph.storeId === id) return graph
    const loaded = newest ? undefined : await loadAside(folder, { storeId: id, sequence })
    const columns = loaded ?? (await build())
    newest = { graph: createGraph(columns), columns }
    if (loaded) saved = loaded.meta
    else if (isWorthWriting(columns.meta)) keep(columns)
    return newest.graph
  }

  function isWorthWriting({ storeId, sequence }: ColumnMeta): boolean {
    return saved?.storeId !== storeId || sequence > saved.sequence * worthWriting
  }

  function isSaved({ storeId, sequence }: ColumnMeta): boolean {
    return saved?.storeId === storeId && saved.sequence === sequence
  }

  function keep(columns: Columns): void {
    saved = columns.meta
    saving = saving.then(() => saveAside(folder, columns))
  }

  async function current(): Promise<WholeGraph> {
    const { sequence } = await store.state()
    return reaching(sequence)
  }

  /** What was appended before the question belongs to the answer; what comes while it is made need not. */
  async function reaching(sequence: number): Promise<WholeGraph> {
    if (newest && newest.graph.sequence >= sequence) return newest.graph
    building ??= make().finally(() => {
      building = undefined
    })
    const graph = await building
    return graph.sequence >= sequence ? graph : reaching(sequence)
  }

  return {
    current,
    async columns() {
      for (;;) {
        const graph = await current()
        if (newest?.graph === graph) return newest.columns
      }
    },
    latest: () => newest?.graph,
    async close() {
      await building?.catch(() => undefined)
      if (newest && !isSaved(newest.columns.meta)) keep(newest.columns)
      await saving
      await thread?.terminate()
    },
  }

  function started(): Worker {
    const worker = startThread(new URL('./generationWorker.ts', import.meta.url), { place })
    worker.once('exit', () => {
      if (thread === worker) thread = undefined
    })
    return worker
  }

  async function build(): Promise<Columns> {
    const worker = thread ?? started()
    thread = worker
    try {
      const columns = await ask<Columns>(worker, 'build')
      const held = bytesOf(columns.arrays) + columns.meta.sequence * rowBytes
      if (held > maxBytes) await stop(worker)
      return columns
    } catch (error) {
      await stop(worker)
      throw error
    }
  }

  async function stop(worker: Worker): Promise<void> {
    thread = undefined
    await worker.terminate()
  }
}
