import { setTimeout as wait } from 'node:timers/promises'

/** Time as the transport sees it, so that hours of waiting can be simulated in a moment. */
export interface Clock {
  /** Milliseconds since 1970; never runs backwards, whatever is done to the machine's clock. */
  now(): number
  /** @throws the signal's reason when it is aborted */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

export const wallClock: Clock = {
  now: () => performance.timeOrigin + performance.now(),
  async sleep(ms, signal) {
    await wait(ms, undefined, signal ? { signal } : {})
  },
}
