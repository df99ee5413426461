import type { Store } from '../store/store.ts'
import { buildColumns } from './buildColumns.ts'
import type { Columns } from './columns.ts'
import { createGraph } from './createGraph.ts'
import type { Graph } from './graph.ts'
import { RawRowsBuilder } from './rawRows.ts'

/** Reads the whole log of a store into a new generation, in this thread; see `openGenerations` for servers. */
export async function buildGraph(store: Store): Promise<Graph> {
  return createGraph(await readColumns(store))
}

export function readColumns(store: Store): Promise<Columns> {
  return createReader(store).read()
}

/** Makes generation after generation of one store. */
export interface Reader {
  /** The columns of the log as it is now; reads only what came since the last time. */
  read(): Promise<Columns>
}

/** A reader keeps the rows it has read, about 80 bytes each, for as long as somebody keeps it. */
export function createReader(store: Store): Reader {
  let known: { readonly id: string; readonly rows: RawRowsBuilder } | undefined
  return {
    async read() {
      const { id, sequence } = await store.state()
      // A database that was emptied and filled again is another store.
      if (known?.id !== id || known.rows.sequence > sequence)
        known = { id, rows: new RawRowsBuilder(sequence) }
      const { rows } = known
      rows.reserve(sequence)
      for await (const entry of upTo(store.readLog(rows.sequence), sequence)) rows.add(entry)
      return buildColumns(rows.done(), id)
    },
  }
}

/** The log may grow while it is read: a generation is the log as it was when the reading began. */
async function* upTo(
  log: ReturnType<Store['readLog']>,
  sequence: number,
): ReturnType<Store['readLog']> {
  for await (const entry of log) {
    if (entry.firstSequence > sequence) return
    yield entry
  }
}
