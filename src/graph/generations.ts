import { setTimeout as sleep } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import type { StorePlace } from '../store/open.ts'
import type { Store, StoreState } from '../store/store.ts'
import { loadAside, saveAside } from './columnFileAside.ts'
import { bytesOf, type ColumnMeta, type Columns } from './columns.ts'
import { createGraph } from './createGraph.ts'
import type { BuiltGeneration, GenerationQuestion, GenerationWork } from './generationWorker.ts'
import type { WholeGraph } from './graph.ts'
import type { SharedClaims } from './sharedClaims.ts'
import { ask, startThread } from './thread.ts'

/** Generations of one store: immutable graphs, each of the log up to a sequence number. */
export interface Generations {
  /** The generation of the log as it is now; made off this thread when the newest one is older. */
  current(): Promise<WholeGraph>
  /**
   * What a question is answered from. It holds everything that was stored before the question, unless the log goes on
   * meanwhile: a worker at full speed writes faster than generations are made, and nobody should wait until it pauses.
   * Then it is the newest moment that is made, if that is old enough to be told and young enough to be of use.
   *
   * @param mostBehindMs - age beyond which it is waited for. 0: it always holds what was stored before.
   */
  moment(mostBehindMs: number): Promise<Moment>
  /** Every moment from now on holds the log as it is now, however it goes on: for who has written to it. */
  showAll(): Promise<void>
  /** The newest generation that is made, without waiting; undefined before the first. */
  latest(): WholeGraph | undefined
  close(): Promise<void>
}

/** Rows and claims of one moment of the store. */
export interface Moment {
  readonly graph: WholeGraph
  /** The columns of the graph, for other threads to read too. */
  readonly columns: Columns
  /** What was claimed to be covered when the log ended where the graph does. */
  readonly coverage: SharedClaims
  /** By `performance.now()`: everything that was stored before is in it. */
  readonly seenAt: number
}

export interface GenerationOptions {
  readonly place: StorePlace
  /** Folder for the column file. */
  readonly folder: string
  /** The thread keeps the rows it has read while they and the graph together take less. Default: always. */
  readonly maxBytes?: number
  /** Whether whoever else works on this machine goes before those who build. Default false. */
  readonly isPatient?: boolean
}

type Made = Omit<Moment, 'coverage'> & { readonly coverage: SharedClaims | undefined }

/** What a moment must have come to; without a version nobody asks for coverage. */
interface Wanted {
  readonly sequence: number
  readonly coverageVersion?: number
}

/** What a thread holds of a row besides the columns. */
const rowBytes = 90

/** The column file is written again when the log is so much longer, and at the end. */
const worthWriting = 1.125

/** Of a log that goes on for long, writing it takes no more than this share of the time. */
const writingShare = 0.03

/** How often it is looked whether the log goes on. */
const lookMs = 5

/** A log that went on so lately probably still does. */
const lately = 2_000

/** While that is so, a next generation is not begun before the last one has come to this share of the allowed age. */
const restShare = 0.2

/**
 * Reads, builds and writes in threads of their own; what the calling thread does is to take the new one for the old.
 * The building thread goes on from its last generation: the first one after a start reads the log, later ones only
 * what came since.
 */
export function openGenerations(store: Store, options: GenerationOptions): Generations {
  const { place, folder, maxBytes = Number.POSITIVE_INFINITY, isPatient = false } = options
  const file = createColumnFile(folder)
  let newest: Made | undefined
  let building: Promise<void> | undefined
  let thread: Worker | undefined
  let wentOnAt = Number.NEGATIVE_INFINITY
  let leastSequence = 0

  /** One step towards the store as it is now: the generation, or where there is one its coverage. */
  async function make(isCovered: boolean): Promise<void> {
    const seenAt = performance.now()
    const state = await store.state()
    const known = newest
    if (known && isOf(known, state)) {
      if (!isCovered || known.coverage?.version === state.coverageVersion) {
        newest = { ...known, seenAt }
        return
      }
      const { state: then, coverage } = await asked('coverage')
      if (isOf(known, then)) newest = { ...known, coverage, seenAt }
      return
    }
    const loaded = known ? undefined : await file.load(state)
    if (loaded) {
      newest = { graph: createGraph(loaded), columns: loaded, coverage: undefined, seenAt }
      return
    }
    const { columns, coverage } = await asked('build')
    if (!columns) throw new RangeError('the thread built nothing')
    newest = { graph: createGraph(columns), columns, coverage, seenAt }
    file.offer(columns)
  }

  async function reaching(wanted: Wanted): Promise<Made> {
    for (;;) {
      if (newest && reaches(newest, wanted)) return newest
      building ??= make(wanted.coverageVersion !== undefined).finally(() => {
        building = undefined
      })
      await building
    }
  }

  /** What the log was like when it was asked, and what becomes of the question. */
  async function momentAfter(state: StoreState, mostBehindMs: number): Promise<Moment> {
    let ended: Made | undefined
    let failed: { readonly error: unknown } | undefined
    const begin = (): Promise<void> =>
      reaching(state).then(
        (made) => {
          ended = made
        },
        (error: unknown) => {
          failed = { error }
        },
      )
    let making = isResting(mostBehindMs) ? undefined : begin()
    for (let looks = 1; ; looks++) {
      const pause = sleep(lookMs)
      await Promise.race(making === undefined ? [pause] : [making, pause])
      if (failed) throw failed.error
      if (ended) return momentOf(ended)
      if (isTold(newest, mostBehindMs) && (await wentOn(state))) return newest
      if (!isResting(mostBehindMs) || looks > 4) making ??= begin()
    }
  }

  /** Old enough that something may be missing, and young enough to be answered from. */
  function isTold(made: Made | undefined, mostBehindMs: number): made is Moment {
    if (!made?.coverage || made.graph.sequence < leastSequence) return false
    return performance.now() - made.seenAt <= mostBehindMs
  }

  function isResting(mostBehindMs: number): boolean {
    if (!isTold(newest, mostBehindMs * restShare)) return false
    return performance.now() - wentOnAt < lately
  }

  async function wentOn({ sequence, coverageVersion }: StoreState): Promise<boolean> {
    const now = await store.state()
    const isLonger = now.sequence !== sequence || now.coverageVersion !== coverageVersion
    if (isLonger) wentOnAt = performance.now()
    return isLonger
  }

  return {
    async current() {
      const { sequence } = await store.state()
      return (await reaching({ sequence })).graph
    },
    async moment(mostBehindMs) {
      const seenAt = performance.now()
      const state = await store.state()
      if (newest && reaches(newest, state)) {
        newest = { ...newest, seenAt }
        return momentOf(newest)
      }
      return momentAfter(state, mostBehindMs)
    },
    async showAll() {
      leastSequence = (await store.state()).sequence
    },
    latest: () => newest?.graph,
    async close() {
      await building?.catch(() => undefined)
      await file.close(newest?.columns)
      await thread?.terminate()
    },
  }

  function started(): Worker {
    const work: GenerationWork = { place, isPatient }
    const worker = startThread(new URL('./generationWorker.ts', import.meta.url), work)
    worker.once('exit', () => {
      if (thread === worker) thread = undefined
    })
    return worker
  }

  async function asked(question: GenerationQuestion): Promise<BuiltGeneration> {
    const worker = thread ?? started()
    thread = worker
    try {
      const built = await ask<BuiltGeneration>(worker, question)
      const { columns, state } = built
      if (columns && bytesOf(columns.arrays) + state.sequence * rowBytes > maxBytes)
        await stop(worker)
      return built
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

function isOf({ graph }: Made, { id, sequence }: StoreState): boolean {
  return graph.sequence === sequence && graph.storeId === id
}

/** What was appended before the question belongs to the answer; what comes while it is made need not. */
function reaches({ graph, coverage }: Made, wanted: Wanted): boolean {
  if (graph.sequence < wanted.sequence) return false
  const { coverageVersion } = wanted
  return coverageVersion === undefined || (coverage?.version ?? -1) >= coverageVersion
}

function momentOf(made: Made): Moment {
  const { coverage } = made
  if (coverage) return { ...made, coverage }
  throw new RangeError('a moment without its coverage')
}

/** The file with the newest columns, so that the next start is quick. */
function createColumnFile(folder: string) {
  let saved: ColumnMeta | undefined
  let saving: Promise<void> = Promise.resolve()
  let nextAt = Number.NEGATIVE_INFINITY

  function keep(columns: Columns): void {
    saved = columns.meta
    saving = saving.then(async () => {
      const started = performance.now()
      nextAt = Number.POSITIVE_INFINITY
      await saveAside(folder, columns)
      const ended = performance.now()
      nextAt = ended + (ended - started) / writingShare
    })
  }

  return {
    async load({ id, sequence }: StoreState): Promise<Columns | undefined> {
      const loaded = await loadAside(folder, { storeId: id, sequence })
      if (loaded) saved = loaded.meta
      return loaded
    },
    offer(columns: Columns): void {
      const { storeId, sequence } = columns.meta
      const isLonger = saved?.storeId !== storeId || sequence > saved.sequence * worthWriting
      if (isLonger && performance.now() >= nextAt) keep(columns)
    },
    async close(columns: Columns | undefined): Promise<void> {
      const isSaved =
        saved?.storeId === columns?.meta.storeId && saved?.sequence === columns?.meta.sequence
      if (columns && !isSaved) keep(columns)
      await saving
    },
  }
}
