import { setPriority } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import { createPlanner, type Planner } from '../follow/plan.ts'
import { createGraph } from '../graph/createGraph.ts'
import { claimsOf } from '../graph/sharedClaims.ts'
import { saidError } from '../graph/thread.ts'
import { KnownError } from '../ledger/errors.ts'
import { type HandedOver, type Knowledge, type KnowledgePlace, openKnowledge } from './knowledge.ts'
import { pinTrace, replayTrace } from './pinnedTraces.ts'
import { runBounds } from './runBounds.ts'
import { runComparison, type TracedMoment, traceMoment } from './runTrace.ts'
import { diffTrace } from './traceDiff.ts'
import { textDigest, traceText } from './traceId.ts'
import { commands, type StopReason, type TraceQuestion, type TraceSaid } from './traceMessages.ts'
import type { TraceProgress, TraceWatch } from './watchedTrace.ts'
import { within } from './within.ts'

/**
 * Thread that traces. It opens the store for itself and reads tags and registries from it; the ledger and what is
 * claimed to be covered of it are given, since they are shared and of one moment.
 */
const progressEveryMs = 200

/** A pin that takes longer goes on beside the next question; sooner while a worker writes all the time. */
const pinPatienceMs = 500
const busyPinPatienceMs = 10

/** Pins that wait for the store hold their answers in memory. */
const mostPinning = 16

let held: Partial<HandedOver> = {}
/** For the question under way: undefined where the ledger is larger than memory. */
let handed: HandedOver | undefined
let pinning = 0
let planner: Planner | undefined
let opened: Promise<Knowledge> | undefined

/** Between the thread that serves requests, at 0, and those that build graphs, at `PRIORITY_BELOW_NORMAL`, 10. */
const priority = 5

// Elsewhere than on Linux this would be said of the whole process.
if (process.platform === 'linux') setPriority(priority)

parentPort?.on('message', (question: TraceQuestion) => {
  const { moment } = question
  if (moment?.columns) held = { ...held, graph: createGraph(moment.columns) }
  if (moment?.coverage) held = { ...held, claims: claimsOf(moment.coverage) }
  handed = moment && wholeMoment()
  void work(question)
})

async function work(question: TraceQuestion): Promise<void> {
  try {
    const knowledge = await openedOnce()
    say({ type: 'begun' })
    const moment = await answer(knowledge, question)
    // Most pins are written in no time; one that waits for an import is not waited for.
    const patienceMs = question.isBehind ? busyPinPatienceMs : pinPatienceMs
    if (moment) await within(pin(knowledge, moment, question.number), patienceMs)
  } catch (error) {
    say({ type: 'refusal', said: saidError(error) })
  }
  say({ type: 'free' })
}

/** The answer is on its way already: a store that somebody else writes to does not hold it back. */
async function pin(knowledge: Knowledge, moment: TracedMoment, number: number): Promise<void> {
  pinning++
  try {
    if (pinning > mostPinning) throw pinsWait()
    await pinTrace(knowledge.store, moment)
    say({ type: 'pinned', number, failed: undefined })
  } catch (error) {
    say({ type: 'pinned', number, failed: saidError(error) })
  } finally {
    pinning--
  }
}

function pinsWait(): KnownError {
  return new KnownError('store.busy', `${mostPinning} traces wait to be pinned already`, {
    facts: { waiting: mostPinning },
    hint: 'Ask for the trace again when the import is done.',
    retryable: true,
  })
}

/** A store that could not be opened is tried again by the next question. */
async function openedOnce(): Promise<Knowledge> {
  opened ??= openKnowledge(workerData as KnowledgePlace, () => handed)
  try {
    return await opened
  } catch (error) {
    opened = undefined
    throw error
  }
}

function wholeMoment(): HandedOver {
  const { graph, claims } = held
  if (graph && claims) return { graph, claims }
  throw new RangeError('the thread was told that it has what it was never given')
}

/** @returns what is to be pinned. */
async function answer(
  knowledge: Knowledge,
  question: TraceQuestion,
): Promise<TracedMoment | undefined> {
  const { task } = question
  if (task.kind === 'replay') {
    const again = await replayTrace(knowledge, task.id, watchOf(question).droppable)
    sayAnswer(traceText(again), again.id, undefined)
    return undefined
  }
  if (task.kind === 'diff') {
    const { diff, now } = await diffTrace(knowledge, task.id, watchOf(question).droppable)
    sayAnswer(`${JSON.stringify(diff)}\n`, diff.now, undefined)
    return now
  }
  if (task.kind === 'compare') {
    const compared = await runComparison(knowledge, task.request, watchOf(question).isOver)
    sayAnswer(`${JSON.stringify(compared)}\n`, '', undefined)
    return undefined
  }
  if (task.kind === 'bounds') {
    sayAnswer(`${JSON.stringify(await runBounds(knowledge, task.request))}\n`, '', undefined)
    return undefined
  }
  if (task.kind === 'plan') {
    planner ??= createPlanner(knowledge)
    const done = task.step === 'prepare' ? planner.prepare() : planner.round(new Date())
    sayAnswer(JSON.stringify((await done) ?? null), '', undefined)
    return undefined
  }
  const watch = watchOf(question)
  const moment = await traceMoment(knowledge, task.request, watch.stoppable)
  sayAnswer(traceText(moment.answer), moment.answer.id, watch.reason())
  return moment
}

/** What is compared or repeated is whole or nothing; a new trace may end where it is. */
function watchOf({ command, limitMs }: TraceQuestion): {
  readonly stoppable: TraceWatch
  readonly droppable: TraceWatch
  /** Of several traces at once: over time, or no longer wanted. */
  readonly isOver: () => boolean
  reason(): StopReason | undefined
} {
  let until = performance.now() + limitMs
  let reason: StopReason | undefined
  let told = performance.now()
  const tell = (progress: () => TraceProgress): number => {
    const now = performance.now()
    if (now - told >= progressEveryMs) {
      told = now
      say({ type: 'progress', progress: progress() })
    }
    return Atomics.load(command, 0)
  }
  return {
    stoppable(progress) {
      const wish = tell(progress)
      if (wish === commands.drop) return 'drop'
      const now = performance.now()
      const isCancelled = reason === undefined && wish === commands.stop
      if (!isCancelled && now <= until) return 'go'
      reason ??= isCancelled ? 'cancelled' : 'deadline'
      // To make the answer up to there takes as long again; where it takes longer, it ends earlier.
      until = now + limitMs
      return 'stop'
    },
    droppable: (progress) => (tell(progress) === commands.go ? 'go' : 'drop'),
    isOver: () => Atomics.load(command, 0) !== commands.go || performance.now() > until,
    reason: () => reason,
  }
}

function sayAnswer(text: string, trace: string, reason: StopReason | undefined): void {
  const bytes = new TextEncoder().encode(text)
  const said: TraceSaid = { type: 'answer', bytes, trace, digest: textDigest(bytes), reason }
  parentPort?.postMessage(said, [bytes.buffer])
}

function say(said: TraceSaid): void {
  parentPort?.postMessage(said)
}
