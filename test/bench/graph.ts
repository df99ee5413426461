import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { readColumns } from '../../src/graph/build.ts'
import { loadColumns, saveColumns } from '../../src/graph/columnFile.ts'
import { createGraph } from '../../src/graph/createGraph.ts'
import type { Graph } from '../../src/graph/graph.ts'
import { openStore } from '../../src/store/open.ts'
import { inFolder, perSecond } from './folder.ts'
import { madeLedger } from './madeLedger.ts'

const count = Number(process.env['BENCH_ROWS'] ?? 10_000_000)
const scans = 300_000
const page = 100

/** Ten million transfers: from the store, from the column file, and the neighbours of addresses beside SQLite. */
export async function benchGraph(): Promise<void> {
  await inFolder(async (folder) => {
    const store = await openStore(folder)
    for (const batch of madeLedger({
      transfers: count,
      addresses: 2_000_000,
      batch: 16_384,
      seed: 3,
    })) {
      await store.append({ transfers: batch, source: 'bench', assurance: 1, coverage: [] })
    }
    const started = performance.now()
    const columns = await readColumns(store)
    const graph = createGraph(columns)
    const fromStore = performance.now() - started
    saveColumns(folder, columns)
    const reading = performance.now()
    const loaded = loadColumns(folder, {
      storeId: columns.meta.storeId,
      sequence: columns.meta.sequence,
    })
    const fromFile = performance.now() - reading
    if (!loaded || createGraph(loaded).digest !== graph.digest)
      throw new Error('the column file holds something else')
    console.log(
      `${graph.transferCount.toLocaleString('en')} transfers, ${graph.addressCount.toLocaleString('en')} addresses, ${graph.transactionCount.toLocaleString('en')} transactions: from the store ${(fromStore / 1000).toFixed(1)} s, from the column file ${(fromFile / 1000).toFixed(2)} s, ${(graph.bytes / graph.transferCount).toFixed(1)} bytes each`,
    )
    await store.close()
    benchNeighbours(folder, graph)
  })
}

/** Questions: the next transfers of an address after a time, addresses weighted by how much they take part. */
function questions(graph: Graph, asked: number): { address: number; after: number }[] {
  let state = 11
  const next = (limit: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 0x100000000) * limit)
  }
  return Array.from({ length: asked }, () => {
    const transfer = next(graph.transferCount)
    return { address: graph.addressOf(graph.from(transfer)), after: next(graph.transferCount) }
  })
}

/** Takes in what was read, so that nothing can be left out. */
let sink = 0

function neighbours(graph: Graph, address: number, after: number): number {
  const { start, end } = graph.holdingsOf(address)
  let found = 0
  for (let holding = start; holding < end && found < page; holding++) {
    const events = graph.events(holding)
    let low = 0
    let high = events.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((events[middle] as number) <= after) low = middle + 1
      else high = middle
    }
    for (; low < events.length && found < page; low++, found++) sink ^= events[low] as number
  }
  return found
}

function benchNeighbours(folder: string, graph: Graph): void {
  const asked = questions(graph, scans)
  const started = performance.now()
  let rows = 0
  for (const { address, after } of asked) rows += neighbours(graph, address, after)
  const ms = performance.now() - started
  const part = Math.min(graph.transferCount, 1_000_000)
  const database = new DatabaseSync(join(folder, 'peer.sqlite'))
  database.exec(
    'PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; CREATE TABLE t (address INTEGER, ordinal INTEGER, PRIMARY KEY (address, ordinal)) WITHOUT ROWID; BEGIN',
  )
  const insert = database.prepare('INSERT OR IGNORE INTO t VALUES (?, ?)')
  for (let transfer = 0; transfer < part; transfer++) {
    insert.run(graph.addressOf(graph.from(transfer)), transfer)
    if (graph.to(transfer) >= 0) insert.run(graph.addressOf(graph.to(transfer)), transfer)
  }
  database.exec('COMMIT')
  const select = database.prepare(
    `SELECT ordinal FROM t WHERE address = ? AND ordinal > ? ORDER BY ordinal LIMIT ${page}`,
  )
  const some = asked.slice(0, 20_000)
  const peer = performance.now()
  let peerRows = 0
  for (const { address, after } of some) peerRows += select.all(address, after % part).length
  const peerMs = performance.now() - peer
  database.close()
  console.log(
    `neighbours after a time, page of ${page}: Jejak ${perSecond(scans, ms)} (${rows.toLocaleString('en')} rows, checksum ${sink}) · SQLite index over ${part.toLocaleString('en')} transfers ${perSecond(some.length, peerMs)} (${peerRows.toLocaleString('en')} rows)`,
  )
  if (rows === 0 || peerRows === 0) throw new Error('the benchmark measured nothing')
}
