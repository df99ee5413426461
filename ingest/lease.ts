import { KnownError } from '../src/ledger/errors.ts'
import type { Store } from '../src/store/store.ts'

/** The right to do a piece of work alone, for a while. */
export interface Lease {
  /** False when somebody else has it. */
  take(): Promise<boolean>
  /**
   * Makes sure that it is still held; between calls it is kept by a heartbeat.
   *
   * @throws LeaseLost when it is not: then the work must stop
   */
  renew(): Promise<void>
  release(): Promise<void>
}

/** Another worker took over, since this one was not heard of for too long: no fault of the work itself. */
export class LeaseLost extends KnownError {
  constructor(name: string) {
    super('document.conflict', `the lease on ${name} was lost`, {
      hint: 'Another worker goes on with it.',
    })
  }
}

interface Held {
  readonly owner: string
  /** Milliseconds since 1970. */
  readonly until: number
}

/** A lease as a document with compare-and-set. A worker that dies loses it when its time is over. */
export function createLease(
  store: Store,
  name: string,
  held: { readonly owner: string; readonly lastsMs: number },
): Lease {
  const { owner, lastsMs } = held
  let version = 0
  let lost: unknown
  let beat: NodeJS.Timeout | undefined

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
  let turn: Promise<void> = Promise.resolve()
  // The heartbeat and the work renew one after another, since each write needs the version of the one before.
  const keep = (): Promise<void> => {
    turn = turn.then(async () => {
      if (!(await write(version, mine()))) throw new LeaseLost(name)
    })
    return turn
  }
  return {
    async take() {
      const known = await store.readDocument('lease', name)
      const other = known?.value as Held | undefined
      if (other && other.owner !== owner && other.until > Date.now()) return false
      if (!(await write(known?.version ?? 0, mine()))) return false
      beat = setInterval(() => {
        keep().catch((error: unknown) => {
          lost = error
        })
      }, lastsMs / 3)
      return true
    },
    async renew() {
      if (lost !== undefined) throw lost
      await keep()
    },
    async release() {
      clearInterval(beat)
      await turn.catch(() => undefined)
      if (lost === undefined) await write(version, { owner, until: 0 })
    },
  }
}
