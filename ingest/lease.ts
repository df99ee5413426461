import { KnownError } from '../src/ledger/errors.ts'
import type { Store } from '../src/store/store.ts'

/** The right to do a piece of work alone, for a while. */
export interface Lease {
  /** False when somebody else has it. */
  take(): Promise<boolean>
  /**
   * Keeps it for another while.
   *
   * @throws KnownError `document.conflict` when it was lost: then the work must stop
   */
  renew(): Promise<void>
  release(): Promise<void>
}

interface Held {
  readonly owner: string
  /** Milliseconds since 1970. */
  readonly until: number
}

const lastsMs = 60_000

/** A lease as a document with compare-and-set. A worker that dies loses it when its time is over. */
export function createLease(store: Store, name: string, owner: string): Lease {
  let version = 0

  async function write(expected: number, value: Held): Promise<boolean> {
    try {
      version = (await store.writeDocument('lease', name, expected, value)).version
      return true
    } catch (error) {
      if (error instanceof KnownError && error.code === 'document.conflict') return false
      throw error
    }
  }

  const mine = (): Held => ({ owner, until: Date.now() + lastsMs })
  return {
    async take() {
      const known = await store.readDocument('lease', name)
      const held = known?.value as Held | undefined
      if (held && held.owner !== owner && held.until > Date.now()) return false
      return write(known?.version ?? 0, mine())
    },
    async renew() {
      if (await write(version, mine())) return
      throw new KnownError('document.conflict', `the lease on ${name} was lost`, {
        hint: 'Another worker goes on with it.',
      })
    },
    async release() {
      await write(version, { owner, until: 0 })
    },
  }
}
