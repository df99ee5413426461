import { KnownError } from '../src/ledger/errors.ts'
import { addIngestTotals, type IngestTotals, noTotals } from '../src/store/ingestTotals.ts'
import type { Store } from '../src/store/store.ts'
import type { Clock } from './rpc/clock.ts'

/** What this worker did, told to the store now and then; what a killed worker did in the last seconds is not counted. */
export interface Counters {
  add(more: Partial<IngestTotals> & { readonly headBlock?: number }): void
  /** Tells the store when something is new and some seconds have passed, or `now`. */
  tell(now?: 'now'): Promise<void>
}

const everyMs = 5_000

export function createCounters(
  store: Store,
  chain: string,
  { clock, node }: { readonly clock: Clock; readonly node: NodeCalls },
): Counters {
  let untold = { ...noTotals, headBlock: 0 }
  let told = { calls: 0, refusals: 0 }
  let toldAt = clock.now()
  return {
    add(more) {
      const { headBlock = 0, ...counts } = more
      untold = { ...untold, headBlock: Math.max(untold.headBlock, headBlock) }
      for (const [name, count] of Object.entries(counts) as [keyof IngestTotals, number][])
        untold = { ...untold, [name]: untold[name] + count }
    },
    async tell(now) {
      const calls = node.calls - told.calls
      if (now === undefined && clock.now() - toldAt < everyMs) return
      if (calls === 0 && untold.blocks === 0 && untold.rollBacks === 0) return
      const refusals = (node.refusals ?? 0) - told.refusals
      const given = { ...untold, calls, refusals }
      toldAt = clock.now()
      try {
        await addIngestTotals(store, chain, given)
      } catch (error) {
        // Counting is no reason to stop: it is told with the next, and a store that is away shows where it matters.
        if (error instanceof KnownError) return
        throw error
      }
      told = { calls: told.calls + calls, refusals: told.refusals + refusals }
      untold = { ...noTotals, headBlock: 0 }
    },
  }
}

/** How many calls were made so far, and how many of them refused. */
interface NodeCalls {
  readonly calls: number
  readonly refusals?: number
}
