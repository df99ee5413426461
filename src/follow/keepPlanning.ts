import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { KnownError } from '../ledger/errors.ts'
import { conflictIn } from '../store/conflict.ts'
import type { Store } from '../store/store.ts'
import { type PlannerTurn, plannerPlace } from '../store/workQueue.ts'

/** A planner that was not heard of so long is taken for dead; two at once do no harm but double work. */
const turnMs = 10_000

const restMs = 100
const longestRestMs = 1_000

export interface Planning {
  /** One round, wherever it is computed; see `Planner.round`. */
  readonly round: () => Promise<{ readonly changed: boolean; readonly fingerprint: string }>
  readonly signal: AbortSignal
  /** It is known who plans: workers that look from now on wait for what is planned. */
  readonly began?: () => void
  /** Hears of faults that may pass; planning goes on. */
  readonly failed: (error: KnownError) => void
}

/**
 * Plans until it is told to stop, while nobody else does: one at a time, by a lease in the store.
 *
 * @throws what a round throws and will not pass.
 */
export async function keepPlanning(store: Store, planning: Planning): Promise<void> {
  const turn = createTurn(store)
  let restedMs = restMs
  let seen = ''
  while (!planning.signal.aborted) {
    restedMs = Math.min(restedMs * 1.5, longestRestMs)
    try {
      const isMine = await turn.take()
      planning.began?.()
      if (isMine) {
        const { changed, fingerprint } = await planning.round()
        // Somebody is at work: what comes next is wanted soon.
        if (fingerprint !== seen) restedMs = restMs
        seen = fingerprint
        if (!changed) await turn.planned(fingerprint)
      }
    } catch (error) {
      if (planning.signal.aborted) break
      if (!(error instanceof KnownError) || !error.retryable) throw error
      planning.failed(error)
    }
    await sleep(restedMs, undefined, { signal: planning.signal }).catch(() => undefined)
  }
  await turn.end().catch(() => undefined)
}

interface Turn {
  take(): Promise<boolean>
  planned(fingerprint: string): Promise<void>
  end(): Promise<void>
}

function createTurn(store: Store): Turn {
  const { collection, id } = plannerPlace
  const owner = randomUUID()
  let mine: { readonly version: number; readonly value: PlannerTurn } | undefined

  async function write(expected: number, value: PlannerTurn): Promise<boolean> {
    try {
      const { version } = await store.writeDocument(collection, id, expected, value)
      mine = { version, value }
      return true
    } catch (error) {
      if (conflictIn(error) === undefined) throw error
      mine = undefined
      return false
    }
  }

  return {
    async take() {
      // Kept without a write while more than half of it is left.
      if (mine && mine.value.until - Date.now() > turnMs / 2) return true
      const known = await store.readDocument(collection, id)
      const other = known?.value as PlannerTurn | undefined
      if (other && other.owner !== owner && other.until > Date.now()) return false
      const planned = other?.planned ?? ''
      return write(known?.version ?? 0, { owner, until: Date.now() + turnMs, planned })
    },
    async planned(fingerprint) {
      if (!mine || mine.value.planned === fingerprint) return
      await write(mine.version, { ...mine.value, planned: fingerprint })
    },
    async end() {
      if (mine) await write(mine.version, { ...mine.value, until: 0 })
    },
  }
}
