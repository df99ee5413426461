import { setTimeout as wait } from 'node:timers/promises'

/**
 * The time of one process. Workers never compare clocks: what another one does is judged by how long nothing of it was
 * seen on one's own.
 */
export interface Clock {
  /** Milliseconds since some moment; never goes back. */
  now(): number
  /** @throws when the signal is aborted, at once */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

export const systemClock: Clock = {
  now: () => performance.now(),
  sleep: (ms, signal) => wait(ms, undefined, signal ? { signal } : {}),
}

/** Runs `work` with a signal that is aborted after some time, or when the outer one is. */
export async function within<T>(
  {
    clock,
    ms,
    signal,
  }: { readonly clock: Clock; readonly ms: number; readonly signal?: AbortSignal | undefined },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = new AbortController()
  const done = new AbortController()
  clock.sleep(ms, done.signal).then(
    () => late.abort(new DOMException(`no answer within ${ms} ms`, 'TimeoutError')),
    () => undefined,
  )
  try {
    return await work(signal ? AbortSignal.any([late.signal, signal]) : late.signal)
  } finally {
    done.abort()
  }
}
