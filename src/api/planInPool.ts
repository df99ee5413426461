import { keepPlanning } from '../follow/keepPlanning.ts'
import type { Log } from '../log.ts'
import { lookAtQueue } from '../store/workQueue.ts'
import type { Knowledge } from './knowledge.ts'
import type { TracePool } from './tracePool.ts'

type Round = { readonly changed: boolean; readonly fingerprint: string }

/** Plans for as long as the service runs, in the threads that trace, so that no request waits for a plan. */
export function planInPool(knowledge: Knowledge, pool: TracePool, log: Log): void {
  const { store } = knowledge
  const stop = new AbortController()
  let planned: string | undefined

  async function round(): Promise<Round> {
    // What can be told without a thread is told here: most of the time nothing has changed.
    const { fingerprint, flags } = await lookAtQueue(store)
    if (fingerprint === planned || flags.length === 0) return { changed: false, fingerprint }
    const done = await inPool(pool)
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
  })
}

function inPool(pool: TracePool): Promise<Round> {
  return new Promise((resolve, reject) => {
    pool.take(
      { kind: 'plan' },
      {
        started: () => undefined,
        progress: () => undefined,
        answered: ({ bytes }) => resolve(JSON.parse(new TextDecoder().decode(bytes)) as Round),
        failed: reject,
        pinned: () => undefined,
      },
    )
  })
}
