import { conflictIn } from '../src/store/conflict.ts'
import type { Fence, Store } from '../src/store/store.ts'
import type { Clock } from './rpc/clock.ts'

/**
 * The right to do a piece of work alone.
 *
 * A lease is a document that changes only when it is taken or given back; its version is the token that every write
 * of its holder is fenced with. That the holder lives is told by a second document, the heartbeat. Nobody compares
 * clocks: a lease may be taken over when whoever wants it has seen neither document change for as long as the holder
 * asked for, by the own clock of who waits. Taking over too early costs work, never content, since the version of the
 * lease rises and the old holder can write nothing more.
 */
export interface Lease {
  /** False when somebody else has it, or may have. */
  take(): Promise<boolean>
  /** What every write under this lease is fenced with. */
  readonly fence: Fence
  /** How many holders in a row were not heard of again before anything of the work was done. */
  readonly abandoned: number
  /** Something of the work is done: whoever held it before did not die of it. */
  advanced(): Promise<void>
  release(): Promise<void>
}

interface Held {
  /** A name that nobody else has; null when it is free. */
  readonly owner: string | null
  /** Milliseconds without a heartbeat after which others may take it over. */
  readonly lastsMs: number
}

interface Heartbeat {
  /** Version of the lease that it belongs to. */
  readonly lease: number
  readonly abandoned: number
}

/** What a worker saw of the leases of others, and since when by its own clock. */
export type Sightings = Map<string, { readonly state: string; readonly since: number }>

export interface LeaseOptions {
  readonly owner: string
  readonly lastsMs: number
  readonly clock: Clock
  readonly sightings: Sightings
}

/** False when somebody else took it over in the meantime. */
async function isStillHeld(writing: Promise<void>): Promise<boolean> {
  try {
    await writing
  } catch (error) {
    if (conflictIn(error) === 'lease') return false
    // A heartbeat of the last holder came at the same moment: the next of one's own follows.
    if (conflictIn(error) !== 'heartbeat') throw error
  }
  return true
}

/** Heartbeats per time that a lease lasts: some may be lost or late. */
const beatsPerLease = 5

export function createLease(store: Store, name: string, options: LeaseOptions): Lease {
  const { owner, lastsMs, clock, sightings } = options
  let version = 0
  let abandoned = 0
  let ended = new AbortController()
  let beating: Promise<void> = Promise.resolve()

  const fence = (): Fence => ({ collection: 'lease', id: name, version })

  /** False when it was changed by somebody else meanwhile. */
  async function put(expected: number, value: Held): Promise<boolean> {
    try {
      version = (await store.writeDocument('lease', name, expected, value)).version
      return true
    } catch (error) {
      if (conflictIn(error) === undefined) throw error
      return false
    }
  }

  async function beat(): Promise<void> {
    const known = await store.readDocument('heartbeat', name)
    const value: Heartbeat = { lease: version, abandoned }
    await store.writeDocument('heartbeat', name, known?.version ?? 0, value, [fence()])
  }

  async function beatOn(signal: AbortSignal): Promise<void> {
    for (;;) {
      await clock.sleep(lastsMs / beatsPerLease, signal)
      try {
        await beat()
      } catch (error) {
        // Who lost it hears so from the store with the next write. A store that is away is asked again.
        if (conflictIn(error) === 'lease') return
      }
    }
  }

  /** Nothing of the holder was seen for as long as it asked for. */
  function isSilent(held: Held, state: string): boolean {
    const now = clock.now()
    const seen = sightings.get(name)
    if (seen?.state !== state) {
      sightings.set(name, { state, since: now })
      return false
    }
    return now - seen.since >= (held.lastsMs ?? lastsMs)
  }

  return {
    async take() {
      const known = await store.readDocument('lease', name)
      const beats = await store.readDocument('heartbeat', name)
      const held = known?.value as Held | undefined
      const isHeld = typeof held?.owner === 'string' && held.owner !== owner
      if (isHeld && !isSilent(held, `${known?.version} ${beats?.version}`)) return false
      if (!(await put(known?.version ?? 0, { owner, lastsMs }))) return false
      sightings.delete(name)
      const last = beats?.value as Heartbeat | undefined
      const before = last?.lease === known?.version ? (last?.abandoned ?? 0) : 0
      abandoned = isHeld ? before + 1 : 0
      if (abandoned > 0 && !(await isStillHeld(beat()))) return false
      ended = new AbortController()
      beating = beatOn(ended.signal).catch(() => undefined)
      return true
    },
    get fence() {
      return fence()
    },
    get abandoned() {
      return abandoned
    },
    async advanced() {
      if (abandoned === 0) return
      abandoned = 0
      // Who has lost it hears so with the next write of the work.
      await isStillHeld(beat())
    },
    async release() {
      ended.abort()
      await beating
      await put(version, { owner: null, lastsMs })
    },
  }
}
