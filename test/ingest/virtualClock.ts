import type { Clock } from '../../ingest/rpc/clock.ts'

/** Time that passes only when everybody waits: hours of it in a moment, the same in every run. */
export interface VirtualClock extends Clock {
  /** Lets time pass until the work is done. @throws Error when it waits for something else than this clock */
  run<T>(work: Promise<T>): Promise<T>
}

interface Sleeper {
  readonly at: number
  readonly order: number
  wake(): void
}

export function createVirtualClock(start = 1_700_000_000_000): VirtualClock {
  let now = start
  let order = 0
  let sleepers: Sleeper[] = []

  return {
    now: () => now,
    sleep(ms, signal) {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) {
          reject(signal.reason)
          return
        }
        const sleeper = { at: now + Math.max(0, ms), order: order++, wake: resolve }
        sleepers.push(sleeper)
        signal?.addEventListener('abort', () => {
          sleepers = sleepers.filter((other) => other !== sleeper)
          reject(signal.reason)
        })
      })
    },
    async run(work) {
      let done = false
      const finished = work.finally(() => {
        done = true
      })
      // Watched here; whoever called is given the failure below.
      finished.catch(() => undefined)
      for (let idle = 0; !done; ) {
        await new Promise((resolve) => setImmediate(resolve))
        if (done) break
        const next = sleepers.reduce<Sleeper | undefined>(
          (first, one) =>
            first && (first.at < one.at || (first.at === one.at && first.order < one.order))
              ? first
              : one,
          undefined,
        )
        if (!next) {
          if (++idle > 1_000) throw new Error('the work waits for something outside virtual time')
          continue
        }
        idle = 0
        sleepers = sleepers.filter((one) => one !== next)
        now = Math.max(now, next.at)
        next.wake()
      }
      return finished
    },
  }
}
