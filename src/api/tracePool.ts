import type { Worker } from 'node:worker_threads'
import type { Moment } from '../graph/generations.ts'
import { errorOf, startThread } from '../graph/thread.ts'
import { KnownError } from '../ledger/errors.ts'
import type { Knowledge, KnowledgePlace } from './knowledge.ts'
import {
  commands,
  isPinned,
  type TraceQuestion,
  type TraceSaid,
  type TraceTask,
} from './traceMessages.ts'
import { within } from './within.ts'

export interface TraceAnswered extends Extract<TraceSaid, { type: 'answer' }> {
  readonly told: Told | undefined
}

/** Which moment of the ledger an answer is of; unknown where the thread read the store itself. */
export interface Told {
  /** Where the log ended. */
  readonly sequence: number
  /** Whatever was stored so long before the question, milliseconds, is in it. 0: everything. */
  readonly behindMs: number
}

/** What the owner of a task hears, each at most once but progress. */
export interface TaskEars {
  started(): void
  progress(progress: Extract<TraceSaid, { type: 'progress' }>['progress']): void
  answered(answer: TraceAnswered): void
  failed(error: unknown): void
  /** The trace is pinned, or why it is not. */
  pinned(error: unknown): void
}

export interface TracePool {
  /**
   * Takes a task, runs it as soon as a thread is free.
   *
   * @param mostBehindMs - how old the ledger it is answered from may be while the log goes on; no more than that of the
   * pool.
   * @returns how to interfere: `stop` ends a trace where it is, `drop` gives it up.
   * @throws KnownError `job.queue-full`
   */
  take(task: TraceTask, ears: TaskEars, mostBehindMs?: number): (wish: 'stop' | 'drop') => void
  close(): Promise<void>
}

export interface PoolOptions {
  readonly place: KnowledgePlace
  /** At least 2, so that one long trace does not hold up all others. */
  readonly threads: number
  readonly queued: number
  readonly limitMs: number
  /** How old the ledger that is answered from may be while the log goes on, milliseconds. Default 0. */
  readonly mostBehindMs?: number
}

interface Waiting {
  readonly task: TraceTask
  readonly mostBehindMs: number
  readonly ears: TaskEars
  readonly command: Int32Array
}

interface Slot {
  readonly worker: Worker
  /** What the thread holds, so that it is handed over only when it is new. */
  moment: Pick<Moment, 'columns' | 'coverage'> | undefined
  running: Waiting | undefined
  free: Promise<void>
  /** By number of the task: answers of which the thread has not said yet whether they are pinned. */
  readonly pinning: Map<number, Pinning>
}

interface Pinning {
  readonly settle: (error: unknown) => void
  readonly settled: Promise<void>
}

/** What under way may take until it has heard that the service stops. */
const closingMs = 5_000

/**
 * Threads that trace: they share the columns of the newest generation, read tags and coverage for themselves, and hand
 * over finished bytes, so that the asking thread is free all the time. They are started when first needed.
 */
export function createTracePool(
  knowledge: Pick<Knowledge, 'moment'>,
  options: PoolOptions,
): TracePool {
  const slots = new Set<Slot>()
  const queue: Waiting[] = []
  let closed = false
  let taken = 0

  function next(): void {
    while (queue.length > 0 && !closed) {
      const slot = [...slots].find(({ running }) => !running) ?? started()
      const waiting = slot && queue.shift()
      if (!slot || !waiting) return
      slot.running = waiting
      slot.free = run(slot, waiting).finally(() => {
        slot.running = undefined
        next()
      })
    }
  }

  function started(): Slot | undefined {
    if (slots.size >= options.threads) return undefined
    const worker = startThread(new URL('./traceThread.ts', import.meta.url), options.place)
    const slot: Slot = {
      worker,
      moment: undefined,
      running: undefined,
      free: Promise.resolve(),
      pinning: new Map(),
    }
    slots.add(slot)
    worker.on('message', (said: TraceSaid) => {
      if (said.type === 'pinned')
        slot.pinning.get(said.number)?.settle(said.failed && errorOf(said.failed))
    })
    worker.once('exit', (code) => {
      slots.delete(slot)
      for (const { settle } of slot.pinning.values()) settle(threadStopped(code))
    })
    return slot
  }

  async function run(slot: Slot, { task, ears, command, mostBehindMs }: Waiting): Promise<void> {
    try {
      const asking = performance.now()
      const moment = await knowledge.moment(mostBehindMs)
      const told = moment && {
        sequence: moment.graph.sequence,
        behindMs: Math.max(0, Math.ceil(asking - moment.seenAt)),
      }
      const question = {
        number: ++taken,
        task,
        moment: moment && {
          columns: moment.columns === slot.moment?.columns ? undefined : moment.columns,
          coverage: moment.coverage === slot.moment?.coverage ? undefined : moment.coverage,
        },
        isBehind: (told?.behindMs ?? 0) > 0,
        command,
        limitMs: options.limitMs,
      }
      if (moment) slot.moment = moment
      await asked(slot, question, { ears, told })
    } catch (error) {
      ears.failed(error)
    }
  }

  return {
    take(task, ears, mostBehindMs = Number.POSITIVE_INFINITY) {
      if (queue.length >= options.queued) throw queueFull(queue.length)
      const command = new Int32Array(new SharedArrayBuffer(4))
      const least = Math.min(mostBehindMs, options.mostBehindMs ?? 0)
      const waiting = { task, ears, command, mostBehindMs: least }
      queue.push(waiting)
      next()
      return (wish) => {
        Atomics.store(command, 0, commands[wish])
        const place = queue.indexOf(waiting)
        if (place < 0) return
        queue.splice(place, 1)
        ears.failed(cancelled())
      }
    },
    async close() {
      closed = true
      for (const { ears } of queue.splice(0)) ears.failed(cancelled())
      for (const { running } of slots) if (running) Atomics.store(running.command, 0, commands.drop)
      await within(Promise.all([...slots].map(finished)), closingMs)
      await Promise.all([...slots].map(({ worker }) => worker.terminate()))
    },
  }
}

async function finished({ free, pinning }: Slot): Promise<void> {
  await free
  await Promise.all([...pinning.values()].map(({ settled }) => settled))
}

/** Resolves when the thread is free again. */
function asked(
  slot: Slot,
  question: TraceQuestion,
  { ears, told }: { readonly ears: TaskEars; readonly told: Told | undefined },
): Promise<void> {
  const { worker } = slot
  return new Promise((resolve, reject) => {
    const heard = (said: TraceSaid): void => {
      if (said.type === 'begun') ears.started()
      if (said.type === 'progress') ears.progress(said.progress)
      if (said.type === 'answer') {
        if (isPinned(question.task)) expectPin(slot, question.number, ears)
        ears.answered({ ...said, told })
      }
      if (said.type === 'refusal') ears.failed(errorOf(said.said))
      if (said.type !== 'free') return
      forget()
      resolve()
    }
    const failed = (error: unknown): void => {
      forget()
      reject(error)
    }
    const stopped = (code: number): void => failed(threadStopped(code))
    const forget = (): void => {
      worker.off('message', heard).off('error', failed).off('exit', stopped)
      worker.unref()
    }
    worker.ref()
    worker.on('message', heard).on('error', failed).on('exit', stopped)
    worker.postMessage(question)
  })
}

function expectPin({ pinning }: Slot, number: number, ears: TaskEars): void {
  const { promise: settled, resolve } = Promise.withResolvers<void>()
  const settle = (error: unknown): void => {
    pinning.delete(number)
    ears.pinned(error)
    resolve()
  }
  pinning.set(number, { settle, settled })
}

function threadStopped(code: number): Error {
  return new Error(`the thread stopped with code ${code}`)
}

function queueFull(length: number): KnownError {
  return new KnownError('job.queue-full', `${length} traces wait already`, {
    facts: { waiting: length },
    hint: 'Ask again in some seconds.',
    retryable: true,
  })
}

function cancelled(): KnownError {
  return new KnownError('request.timeout', 'the job was cancelled before it began', {
    hint: 'Ask again.',
    retryable: true,
  })
}
