import { lengthOf } from '../store/segments.ts'
import type { Store, StoreState } from '../store/store.ts'
import { buildGeneration } from './buildColumns.ts'
import type { Columns } from './columns.ts'
import { createGraph } from './createGraph.ts'
import { createDigester, type Digester } from './digester.ts'
import { type Generation, keptOf } from './generation.ts'
import type { Graph } from './graph.ts'
import { RawRowsBuilder } from './rawRows.ts'

/** Reads the whole log of a store into a new generation, in this thread; see `openGenerations` for servers. */
export async function buildGraph(store: Store): Promise<Graph> {
  return createGraph(await readColumns(store))
}

/**
 * The ledger as it was when the log had come to a sequence number: rows and tombstones up to there and none behind.
 *
 * Cost: one reading of the log up to there, and a building from scratch.
 *
 * @returns undefined where the log never ended at that number.
 */
export async function buildGraphAt(
  store: Pick<Store, 'state' | 'readLog'>,
  sequence: number,
): Promise<Graph | undefined> {
  const { id, sequence: end, ...versions } = await store.state()
  if (sequence > end) return undefined
  const columns = await readColumns({
    state: async () => ({ id, sequence, ...versions }),
    readLog: (after) => store.readLog(after),
  })
  return columns.meta.sequence === sequence ? createGraph(columns) : undefined
}

export async function readColumns(store: LogStore): Promise<Columns> {
  const reader = createReader(store)
  try {
    return await reader.read()
  } finally {
    await reader.close()
  }
}

/** What a generation is read from. */
type LogStore = Pick<Store, 'state' | 'readLog'>

/** Makes generation after generation of one store. */
export interface Reader {
  /**
   * The columns of the log as it is now, or was in a state of the store that is not older than the last; reads only what
   * came since the last time.
   */
  read(state?: StoreState): Promise<Columns>
  close(): Promise<void>
}

/** What a reader knows of the log: its rows, about 80 bytes each, and the generation it made of them. */
interface Known {
  readonly id: string
  readonly rows: RawRowsBuilder
  readonly digester: Digester
  generation?: Generation
}

/**
 * Each generation is extended from the one before where that saves at least half of the work: rows that are newer than
 * what is there cost what they are, rows far in the past a building from scratch.
 */
export function createReader(store: LogStore): Reader {
  let known: Known | undefined

  async function extended({ rows, generation, digester, id }: Known): Promise<Generation> {
    const raw = rows.done()
    const changes = rows.takeChanges()
    if (generation) {
      const { kept, tail } = keptOf(generation, raw, changes)
      if (kept.transfers > tail.length)
        return buildGeneration(raw, { storeId: id, digester, kept, tail })
    }
    return buildGeneration(raw, { storeId: id, digester })
  }

  return {
    async read(state) {
      const { id, sequence } = state ?? (await store.state())
      // A database that was emptied and filled again is another store.
      if (known?.id !== id || known.rows.sequence > sequence) {
        await known?.digester.close()
        // Room for what comes next: memory that nobody writes to is not taken from the machine.
        const rows = new RawRowsBuilder(sequence + (sequence >> 3))
        known = { id, rows, digester: createDigester() }
      }
      const mine = known
      mine.rows.reserve(sequence)
      for await (const entry of upTo(store.readLog(mine.rows.sequence), sequence))
        mine.rows.add(entry)
      const generation = await extended(mine).catch(async (error: unknown) => {
        // Half a generation is nothing to go on from.
        known = undefined
        await mine.digester.close()
        throw error
      })
      mine.generation = generation
      return generation.columns
    },
    async close() {
      await known?.digester.close()
      known = undefined
    },
  }
}

/** The log may grow while it is read: a generation is the log as it was when the reading began. */
async function* upTo(
  log: ReturnType<Store['readLog']>,
  sequence: number,
): ReturnType<Store['readLog']> {
  for await (const entry of log) {
    if (entry.firstSequence + lengthOf(entry) - 1 > sequence) return
    yield entry
  }
}
