import type { Columns } from '../graph/columns.ts'
import type { SharedClaims } from '../graph/sharedClaims.ts'
import type { SaidError } from '../graph/thread.ts'
import type { BoundsRequest } from './runBounds.ts'
import type { TraceRequest } from './runTrace.ts'
import type { TraceProgress } from './watchedTrace.ts'

/** What a thread is asked: a new trace, or something about a pinned one. */
export type TraceTask =
  | { readonly kind: 'trace'; readonly request: TraceRequest }
  | { readonly kind: 'replay'; readonly id: string }
  | { readonly kind: 'diff'; readonly id: string }
  | { readonly kind: 'compare'; readonly request: Omit<TraceRequest, 'method'> }
  | { readonly kind: 'bounds'; readonly request: BoundsRequest }
  /** A round of the planner of flags, or what it reads before the graph is made. */
  | { readonly kind: 'plan'; readonly step: 'prepare' | 'round' }

/** Whether it becomes a trace that can be replayed later, so that what became of its pin is told. */
export function isPinned({ kind }: Pick<TraceTask, 'kind'>): boolean {
  return kind === 'trace' || kind === 'diff'
}

/** Rows and coverage of one moment, each only where the thread does not have it already. */
export interface HandedMoment {
  readonly columns: Columns | undefined
  readonly coverage: SharedClaims | undefined
}

export interface TraceQuestion {
  /** Names the task in what is said of its pin. */
  readonly number: number
  readonly task: TraceTask
  /** The moment to answer from; undefined where the ledger is larger than memory. */
  readonly moment: HandedMoment | undefined
  /** Whether the log goes on while it is asked. */
  readonly isBehind: boolean
  /** One number in shared memory, of {@link commands}: how the owner interferes. */
  readonly command: Int32Array
  /** Longest time for a new trace, milliseconds from its beginning. */
  readonly limitMs: number
}

export const commands = { go: 0, stop: 1, drop: 2 } as const

/** Why an answer ends before the trace did. */
export type StopReason = 'deadline' | 'cancelled'

/**
 * What a thread says, in this order: that it begins, progress, one answer or refusal, then that it is free again. What
 * became of the pin of an answer it says when it knows, which may be after the next answers.
 */
export type TraceSaid =
  | { readonly type: 'begun' }
  | { readonly type: 'progress'; readonly progress: TraceProgress }
  | {
      readonly type: 'answer'
      /** UTF-8; handed over, not copied. */
      readonly bytes: Uint8Array<ArrayBuffer>
      /** Id of the trace; of a diff, of the trace as it is now; of a comparison and of bounds none. */
      readonly trace: string
      readonly digest: string
      readonly reason: StopReason | undefined
    }
  | { readonly type: 'refusal'; readonly said: SaidError }
  | { readonly type: 'free' }
  | { readonly type: 'pinned'; readonly number: number; readonly failed: SaidError | undefined }
