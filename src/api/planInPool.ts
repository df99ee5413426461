import { keepPlanning } from '../follow/keepPlanning.ts'
import type { Log } from '../log.ts'
import { lookAtQueue } from '../store/workQueue.ts'
import type { Knowledge } from './knowledge.ts'
import { createTracePool, type TracePool } from './tracePool.ts'

type Round = { readonly changed: boolean; readonly fingerprint: string }

/** Plans for as long as the service runs, in a thread of its own, so that no request waits for a plan. */
export function planInPool(knowledge: Knowledge, limitMs: number, log: Log): void {
  const { store, place } = knowledge
  // One thread: what it prepares must be there when the graph comes that was made after that.
  const pool = createTracePool(knowledge, { place, threads: 1, queued: 1, limitMs })
  const stop = new AbortController()
  let planned: string | undefined

  async function round(): Promise<Round> {
    // What can be told without a thread is told here: most of the time nothing has changed.
    const { fingerprint, flags } = await lookAtQueue(store)
    if (fingerprint === planned || flags.length === 0) return { changed: false, fingerprint }
    await inPool(pool, 'prepare', stop.signal)
    const done = await inPool<Round>(pool, 'round', stop.signal)
    planned = done.changed ? undefined : done.fingerprint
    return done
  }

  const planning = keepPlanning(store, {
    round,
    signal: stop.signal,
    failed: (error) => log.warn({ event: 'plan.delayed', code: error.code, error }),
  }).catch((error: unknown) => log.error({ event: 'plan.stopped', error }))
  knowledge.onClose(async () => {
    stop.abort()
    await planning
    await pool.close()
  })
}

/** @throws what the thread throws, or that it shall stop, without waiting for the thread */
function inPool<T>(pool: TracePool, step: 'prepare' | 'round', signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const stopped = (): void => reject(signal.reason)
    signal.addEventListener('abort', stopped)
    const heard = <V>(settle: (value: V) => void): ((value: V) => void) => {
      return (value) => {
        signal.removeEventListener('abort', stopped)
        settle(value)
      }
    }
    pool.take(
      { kind: 'plan', step },
      {
        started: () => undefined,
        progress: () => undefined,
        answered: heard(({ bytes }) => resolve(JSON.parse(new TextDecoder().decode(bytes)) as T)),
        failed: heard(reject),
        pinned: () => undefined,
      },
    )
  })
}
