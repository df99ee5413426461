/**
 * Time that passes only when everything waits. Whatever a simulated process does to the world outside itself is an
 * event here, so the order of all events follows from the seed alone, and a run can be replayed exactly.
 */
export interface VirtualTime {
  /** Milliseconds since the run began. */
  now(): number
  /** Does `action` when so much time has passed, and gives what it gives. */
  after<T>(ms: number, label: string, action: () => T | Promise<T>): Promise<T>
  /** The same for a process, which may die before or after it, or be frozen meanwhile. */
  seam<T>(process: Process, given: Seam<T>): Promise<T>
  /** Lets time pass until the promise is settled. */
  until<T>(promise: Promise<T>): Promise<T>
  /** Everything that happened, in order; equal for equal seeds. */
  readonly history: readonly string[]
}

export interface Seam<T> {
  readonly ms: number
  readonly label: string
  readonly signal?: AbortSignal | undefined
  readonly action: () => T | Promise<T>
}

/** What is to happen to a process, by the number of things that it did. */
export interface Fate {
  readonly killedAt?: number
  /** Dies after the thing is done, before it hears of it. */
  readonly diesKnowing?: boolean
  readonly frozenAt?: number
  /** Instead of by number: when it is about to do this for the first time. */
  readonly frozenOn?: string
  readonly killedOn?: string
  readonly frozenMs?: number
  readonly stoppedAt?: number
}

/** Something that runs until it ends, is told to stop, or is killed at one of its awaits. */
export interface Process {
  readonly name: string
  readonly fate: Fate
  readonly stop: AbortController
  alive: boolean
  seams: number
  frozenUntil: number
  /** The thing after or before which it dies, once that is known. */
  diesAt: number | undefined
  /** Called once when it is killed. */
  onKill: () => void
}

interface Event {
  due: number
  readonly number: number
  readonly label: string
  fire(): Promise<void>
  cancelled: boolean
  readonly process?: Process
}

const never = new Promise<never>(() => undefined)

export function createProcess(name: string, fate: Fate): Process {
  return {
    name,
    fate,
    stop: new AbortController(),
    alive: true,
    seams: 0,
    frozenUntil: 0,
    diesAt: undefined,
    onKill: () => undefined,
  }
}

export function kill(process: Process): void {
  if (!process.alive) return
  process.alive = false
  process.onKill()
}

export function createVirtualTime(): VirtualTime {
  const queue: Event[] = []
  const history: string[] = []
  let now = 0
  let number = 0

  function add<T>(
    event: { readonly due: number; readonly label: string; readonly process?: Process },
    action: () => T | Promise<T>,
  ): {
    readonly promise: Promise<T>
    readonly event: Event
    readonly fail: (error: unknown) => void
  } {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const made: Event = {
      ...event,
      number: number++,
      cancelled: false,
      async fire() {
        try {
          const result = await action()
          // Who died of it does not hear of it.
          if (event.process?.alive !== false) resolve(result)
        } catch (error) {
          reject(error)
        }
      },
    }
    queue.push(made)
    return { promise, event: made, fail: reject }
  }

  function next(): Event | undefined {
    let best: Event | undefined
    for (const event of queue) {
      const isEarlier =
        !best || event.due < best.due || (event.due === best.due && event.number < best.number)
      if (isEarlier) best = event
    }
    if (best) queue.splice(queue.indexOf(best), 1)
    return best
  }

  async function step(): Promise<void> {
    // All that follows from the last event has happened by then: there are no other timers.
    await new Promise((resolve) => setImmediate(resolve))
    const event = next()
    if (!event) throw new Error('everything waits, and nothing will happen any more')
    const { process } = event
    if (event.cancelled || process?.alive === false) return
    if (process && process.frozenUntil > event.due) {
      event.due = process.frozenUntil
      queue.push(event)
      return
    }
    now = Math.max(now, event.due)
    history.push(`${now} ${process?.name ?? 'world'} ${event.label}`)
    await event.fire()
  }

  function meetFate(process: Process, label: string): void {
    const { fate } = process
    const count = ++process.seams
    const isOn = label === fate.frozenOn && process.frozenUntil === 0
    if (count === fate.frozenAt || isOn) process.frozenUntil = now + (fate.frozenMs ?? 0)
    if (count === fate.stoppedAt) process.stop.abort()
    if (label === fate.killedOn) process.diesAt ??= count
    if (count === fate.killedAt) process.diesAt ??= count
    if (count === process.diesAt && !fate.diesKnowing) kill(process)
  }

  return {
    now: () => now,
    history,
    after: (ms, label, action) => add({ due: now + ms, label }, action).promise,
    seam(process, { ms, label, signal, action }) {
      if (!process.alive) return never
      meetFate(process, label)
      if (!process.alive) return never
      const mine = process.seams
      if (signal?.aborted) return Promise.reject(signal.reason)
      const { promise, event, fail } = add({ due: now + ms, label, process }, async () => {
        const result = await action()
        if (mine === process.diesAt) kill(process)
        return result
      })
      if (!signal) return promise
      const abort = (): void => {
        event.cancelled = true
        if (process.alive) fail(signal.reason)
      }
      signal.addEventListener('abort', abort)
      return promise.finally(() => signal.removeEventListener('abort', abort))
    },
    async until(promise) {
      let settled = false
      const mark = (): void => {
        settled = true
      }
      promise.then(mark, mark)
      while (!settled) {
        await new Promise((resolve) => setImmediate(resolve))
        if (!settled) await step()
      }
      return promise
    },
  }
}
