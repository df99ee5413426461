import { Worker } from 'node:worker_threads'
import { KnownError } from '../ledger/errors.ts'
import { isNeo4j, type StorePlace } from '../store/open.ts'
import type { Store } from '../store/store.ts'
import { loadColumns, saveColumns } from './columnFile.ts'
import type { Columns } from './columns.ts'
import { createGraph } from './createGraph.ts'
import type { Built } from './generationWorker.ts'
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
  readonly place: StorePlace
  /** Folder for the column file. */
  readonly folder: string
}

export function openGenerations(store: Store, options: GenerationOptions): Generations {
  let newest: Graph | undefined
  let building: Promise<Graph> | undefined
  let saving: Promise<void> = Promise.resolve()
  let thread: Worker | undefined

  async function make(): Promise<Graph> {
    const { id, sequence } = await store.state()
    if (newest?.sequence === sequence && newest.storeId === id) return newest
    const columns = loadColumns(options.folder, { storeId: id, sequence }) ?? (await build())
    newest = createGraph(columns)
    return newest
  }

  async function current(): Promise<Graph> {
    const { sequence } = await store.state()
    return reaching(sequence)
  }

  /** What was appended before the question belongs to the answer; what comes while it is made need not. */
  async function reaching(sequence: number): Promise<Graph> {
    if (newest && newest.sequence >= sequence) return newest
    building ??= make().finally(() => {
      building = undefined
    })
    const graph = await building
    return graph.sequence >= sequence ? graph : reaching(sequence)
  }

  return {
    current,
    latest: () => newest,
    async close() {
      await building?.catch(() => undefined)
      await saving
      await thread?.terminate()
    },
  }

  function started(): Worker {
    const worker = startThread(options.place)
    worker.once('exit', () => {
      if (thread === worker) thread = undefined
    })
    return worker
  }

  async function build(): Promise<Columns> {
    const worker = thread ?? started()
    thread = worker
    try {
      const columns = await columnsFrom(worker)
      saving = saving.then(() => keep(options.folder, columns))
      return columns
    } catch (error) {
      thread = undefined
      await worker.terminate()
      throw error
    } finally {
      // A folder is read again faster than its rows are worth the memory; a server's are not.
      if (!isNeo4j(options.place.location)) {
        thread = undefined
        await worker.terminate()
      }
    }
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

function startThread(place: StorePlace): Worker {
  const worker = new Worker(new URL('./generationWorker.ts', import.meta.url), {
    workerData: { place },
    execArgv: ['--disable-warning=ExperimentalWarning'],
  })
  // Between two generations it may fail as it likes: whoever asks next hears of it.
  worker.on('error', () => undefined)
  return worker
}

function columnsFrom(worker: Worker): Promise<Columns> {
  return new Promise((resolve, reject) => {
    const done = (built: Built): void => {
      forget()
      if ('columns' in built) resolve(built.columns)
      else reject(errorOf(built))
    }
    const failed = (error: unknown): void => {
      forget()
      reject(error)
    }
    const stopped = (code: number): void =>
      failed(new Error(`the generation thread stopped with code ${code}`))
    const forget = (): void => {
      worker.off('message', done).off('error', failed).off('exit', stopped)
    }
    worker.on('message', done).on('error', failed).on('exit', stopped)
    worker.postMessage('build')
  })
}

function errorOf(built: Exclude<Built, { readonly columns: Columns }>): unknown {
  if ('error' in built) return built.error
  const { code, message, facts, retryable, hint } = built.known
  return new KnownError(code, message, {
    facts,
    retryable,
    ...(hint === undefined ? {} : { hint }),
  })
}
