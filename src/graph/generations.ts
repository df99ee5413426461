import { Worker } from 'node:worker_threads'
import type { Store } from '../store/store.ts'
import { readColumns } from './build.ts'
import { loadColumns, saveColumns } from './columnFile.ts'
import type { Columns } from './columns.ts'
import { createGraph } from './createGraph.ts'
import type { Graph } from './graph.ts'

/** Generations of one store: immutable graphs, each of the log up to a sequence number. */
export interface Generations {
  /** The generation of the log as it is now; made off this thread when the newest one is older. */
  current(): Promise<Graph>
  /** The newest generation that is made, without waiting; undefined before the first. */
  latest(): Graph | undefined
  close(): Promise<void>
}

export interface GenerationOptions {
  /**
   * Folder of an embedded store: generations are then built in a worker thread and kept in a column file. Without
   * it they are built in this thread.
   */
  readonly folder: string | undefined
}

export function openGenerations(store: Store, options: GenerationOptions): Generations {
  let newest: Graph | undefined
  let building: Promise<Graph> | undefined
  let saving: Promise<void> = Promise.resolve()

  async function make(): Promise<Graph> {
    const { id, sequence } = await store.state()
    if (newest?.sequence === sequence && newest.storeId === id) return newest
    const { folder } = options
    const kept = folder === undefined ? undefined : loadColumns(folder, { storeId: id, sequence })
    const columns = kept ?? (await build(store, folder))
    newest = createGraph(columns)
    return newest
  }

  async function current(): Promise<Graph> {
    const { sequence } = await store.state()
    if (newest && newest.sequence >= sequence) return newest
    building ??= make().finally(() => {
      building = undefined
    })
    const graph = await building
    // What was appended after that build had begun, and before this call, belongs to the answer too.
    return graph.sequence >= sequence ? graph : current()
  }

  return {
    current,
    latest: () => newest,
    async close() {
      await building?.catch(() => undefined)
      await saving
    },
  }

  async function build(from: Store, folder: string | undefined): Promise<Columns> {
    if (folder === undefined) return readColumns(from)
    const columns = await inWorker(folder)
    saving = saving.then(() => keep(folder, columns))
    return columns
  }
}

/** Only a copy: when it cannot be written, the next start reads the log. */
async function keep(folder: string, columns: Columns): Promise<void> {
  try {
    saveColumns(folder, columns)
  } catch (error) {
    process.emitWarning(`the column file could not be written: ${String(error)}`)
  }
}

function inWorker(folder: string): Promise<Columns> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./generationWorker.ts', import.meta.url), {
      workerData: { folder },
      execArgv: ['--disable-warning=ExperimentalWarning'],
    })
    worker.once('message', (columns: Columns) => resolve(columns))
    worker.once('error', reject)
    worker.once('exit', (code) =>
      reject(new Error(`the generation worker stopped with code ${code}`)),
    )
  })
}
