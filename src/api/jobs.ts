import { randomUUID } from 'node:crypto'
import { KnownError } from '../ledger/errors.ts'
import { isPinned, type StopReason, type TraceTask } from './traceMessages.ts'
import type { TaskEars, TraceAnswered, TracePool } from './tracePool.ts'
import type { TraceProgress } from './watchedTrace.ts'

export type JobState = 'queued' | 'running' | 'done' | 'partial' | 'failed' | 'cancelled'

/** What callers ask; plans are nobody's question. */
type Question = Exclude<TraceTask, { readonly kind: 'plan' }>

/** A question that is worked on away from the thread that serves requests. */
export interface Job {
  readonly id: string
  readonly kind: Question['kind']
  readonly state: JobState
  readonly progress: TraceProgress | undefined
  /** Why the answer ends before the trace did: state `partial`. */
  readonly reason: StopReason | undefined
  readonly answer: Omit<TraceAnswered, 'type' | 'bytes'> | undefined
  readonly error: unknown
  /** Whether the trace can be replayed later; absent while that is not known. */
  readonly pin:
    | { readonly stored: true }
    | { readonly stored: false; readonly error: unknown }
    | undefined
}

export interface Jobs {
  /**
   * @param mostBehindMs - as {@link TracePool.take} has it.
   * @returns the job and what will come of it, whose bytes the job itself does not hold.
   * @throws KnownError `job.queue-full`; what is promised, whatever the task throws
   */
  start(
    task: Question,
    mostBehindMs?: number,
  ): { readonly job: Job; readonly answered: Promise<TraceAnswered> }
  /** @throws KnownError `job.not-found` */
  get(id: string): Job
  /** Ends a trace where it is, or a second time gives it up. What has ended stays as it is. */
  cancel(id: string): Job
  /** Resolves at the next change of the job, or at once where it has ended and its pin is settled. */
  changed(id: string): Promise<void>
  /** The bytes of a recent answer, by the id of its trace. */
  recent(trace: string): TraceAnswered | undefined
}

/** More than these are forgotten, oldest first; those under way never. */
const rememberedJobs = 1_000

/** Answers are remembered up to this, oldest forgotten first; the newest stays whatever its size. */
const rememberedBytes = 64 * 2 ** 20

interface Entry {
  job: Job
  interfere: (wish: 'stop' | 'drop') => void
  cancels: number
  waiting: (() => void)[]
}

/** Jobs of this process: gone when it ends, unlike the pins of their traces. */
export function createJobs(pool: TracePool): Jobs {
  const entries = new Map<string, Entry>()
  const answers = createAnswers()

  function entryOf(id: string): Entry {
    const entry = entries.get(id)
    if (entry) return entry
    throw new KnownError('job.not-found', 'there is no job with this id', {
      hint: 'Ask the question again; what was pinned is at /v1/traces/{id}.',
    })
  }

  function change(entry: Entry, part: Partial<Job>): void {
    entry.job = { ...entry.job, ...part }
    for (const resolve of entry.waiting.splice(0)) resolve()
  }

  function start(task: Question, mostBehindMs?: number): ReturnType<Jobs['start']> {
    const { promise: answered, resolve, reject } = Promise.withResolvers<TraceAnswered>()
    // Who asked may have gone; the job says what became of it.
    answered.catch(() => undefined)
    const entry: Entry = { job: newJob(task), interfere: () => undefined, cancels: 0, waiting: [] }
    const ears: TaskEars = {
      started: () => change(entry, { state: 'running' }),
      progress: (progress) => change(entry, { progress }),
      answered(answer) {
        if (task.kind === 'trace' || task.kind === 'replay') answers.put(answer)
        const { trace, digest, reason, told } = answer
        const state = reason ? 'partial' : 'done'
        change(entry, { answer: { trace, digest, reason, told }, reason, state })
        resolve(answer)
      },
      failed(error) {
        change(entry, { error, state: entry.cancels > 0 ? 'cancelled' : 'failed' })
        reject(error)
      },
      pinned: (error) =>
        change(entry, { pin: error === undefined ? { stored: true } : { stored: false, error } }),
    }
    entry.interfere = pool.take(task, ears, mostBehindMs)
    entries.set(entry.job.id, entry)
    forgetOldest(entries)
    return { job: entry.job, answered }
  }

  return {
    start,
    get: (id) => entryOf(id).job,
    cancel(id) {
      const entry = entryOf(id)
      if (!hasEnded(entry.job)) {
        entry.cancels++
        entry.interfere(entry.cancels === 1 ? 'stop' : 'drop')
      }
      return entry.job
    },
    async changed(id) {
      const entry = entryOf(id)
      if (isSettled(entry.job)) return
      await new Promise<void>((resolve) => {
        entry.waiting.push(resolve)
      })
    },
    recent: answers.get,
  }
}

export function hasEnded({ state }: Job): boolean {
  return state !== 'queued' && state !== 'running'
}

/** Nothing about it will change any more. */
export function isSettled(job: Job): boolean {
  if (!hasEnded(job)) return false
  return job.answer === undefined || !isPinned(job) || job.pin !== undefined
}

function newJob({ kind }: Question): Job {
  return {
    id: randomUUID(),
    kind,
    state: 'queued',
    progress: undefined,
    reason: undefined,
    answer: undefined,
    error: undefined,
    pin: undefined,
  }
}

function forgetOldest(entries: Map<string, Entry>): void {
  for (const [id, { job }] of entries) {
    if (entries.size <= rememberedJobs) return
    if (isSettled(job)) entries.delete(id)
  }
}

function createAnswers(): {
  get(trace: string): TraceAnswered | undefined
  put(answer: TraceAnswered): void
} {
  const known = new Map<string, TraceAnswered>()
  let bytes = 0
  return {
    get: (trace) => known.get(trace),
    put(answer) {
      if (known.has(answer.trace)) return
      known.set(answer.trace, answer)
      bytes += answer.bytes.length
      for (const [trace, { bytes: old }] of known) {
        if (bytes <= rememberedBytes || known.size === 1) return
        known.delete(trace)
        bytes -= old.length
      }
    },
  }
}
