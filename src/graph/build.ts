import type { Store } from '../store/store.ts'
import { buildColumns } from './buildColumns.ts'
import type { Columns } from './columns.ts'
import { createGraph } from './createGraph.ts'
import type { Graph } from './graph.ts'
import { readRawRows } from './rawRows.ts'

/** Reads the whole log of a store into a new generation, in this thread; see `openGenerations` for servers. */
export async function buildGraph(store: Store): Promise<Graph> {
  return createGraph(await readColumns(store))
}

export async function readColumns(store: Store): Promise<Columns> {
  const { id, sequence } = await store.state()
  return buildColumns(await readRawRows(upTo(store, sequence), sequence), id)
}

/** The log may grow while it is read: a generation is the log as it was when the reading began. */
async function* upTo(store: Store, sequence: number): ReturnType<Store['readLog']> {
  for await (const entry of store.readLog(0)) {
    if (entry.firstSequence > sequence) return
    yield entry
  }
}
