import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import neo4j, { type Driver } from 'neo4j-driver'
import { readColumns } from '../../src/graph/build.ts'
import { createGraph } from '../../src/graph/createGraph.ts'
import type { Account } from '../../src/ledger/account.ts'
import { type Transfer, transferId } from '../../src/ledger/transfer.ts'
import { BatchReader, type TransferBatch, transfersOf } from '../../src/ledger/transferBatch.ts'
import { openStore } from '../../src/store/open.ts'
import { queryText } from '../../src/store/queries.ts'
import type { Store } from '../../src/store/store.ts'
import { startNeo4j } from '../neo4j/server.ts'
import { inFolder, perSecond } from './folder.ts'
import { madeLedger } from './madeLedger.ts'

const count = Number(process.env['BENCH_ROWS'] ?? 1_000_000)
const batchRows = 5_000
const addresses = 200_000
const hubs = [0.06, 0.05]
const telling = { source: 'node:bench', assurance: 1, coverage: [] } as const

/** A real server with a million transfers and two hubs: writing, loading, paging, each beside the obvious way. */
export async function benchNeo4j(): Promise<void> {
  await inFolder(async (folder) => {
    const starting = performance.now()
    const server = await startNeo4j({
      folder: join(folder, 'server'),
      heap: '2g',
      settings: { 'server.memory.pagecache.size': '2g' },
    })
    console.log(`start to first query: ${((performance.now() - starting) / 1000).toFixed(1)} s`)
    let rows = 0
    const driver = neo4j.driver(server.uri, undefined, { disableLosslessIntegers: true })
    const store = await openStore(server.uri)
    try {
      await fill(store)
      for (let round = 1; round <= 2; round++) await writing(store, driver, round)
      await loading(store, driver)
      await paging(store, driver)
      await rounds(store)
      rows = (await store.state()).sequence
    } finally {
      await store.close()
      await driver.close()
      await server.stop()
    }
    sizes(join(folder, 'server'), rows)
  })
}

async function fill(store: Store): Promise<void> {
  const started = performance.now()
  for (const transfers of madeLedger({
    transfers: count,
    addresses,
    batch: batchRows,
    seed: 5,
    hubs,
    fromNode: true,
  }))
    await store.append({ transfers, ...telling })
  const { sequence } = await store.state()
  console.log(
    `filled with ${sequence.toLocaleString('en')} transfers at ${perSecond(sequence, performance.now() - started)}`,
  )
}

/**
 * New rows by our append and by MERGE of the relationship on its id, batch by batch in turn; then both again. MERGE
 * finds the relationship by the uniqueness constraint that our schema has; where there is only an index, as everywhere
 * before Neo4j 5.7, it walks along the node.
 */
async function writing(store: Store, driver: Driver, round: number): Promise<void> {
  for (const constraint of [true, false]) {
    if (!constraint) await withoutConstraint(driver)
    const number = round * 2 + Number(constraint)
    const batches = [
      ...madeLedger({
        transfers: 40_000,
        addresses,
        batch: batchRows,
        // The same addresses as the ledger that is there.
        seed: 5,
        thenSeed: 77_000_001 * number,
        hubs,
        fromNode: true,
        firstBlock: 21_000_000 + number * 10_000,
      }),
    ]
    const spent = { ours: 0, merge: 0, known: 0, mergeAgain: 0 }
    const rows = { ours: 0, merge: 0 }
    for (const again of [false, true]) {
      for (const [i, batch] of batches.entries()) {
        if (i % 2 === 0) {
          const ms = await timed(() => appended(store, batch, again ? 0 : batch.length))
          spent[again ? 'known' : 'ours'] += ms
          if (!again) rows.ours += batch.length
        } else {
          const given = mergeRows(batch)
          spent[again ? 'mergeAgain' : 'merge'] += await timed(() => merge(driver, given))
          if (!again) rows.merge += given.length
        }
      }
    }
    await sameDrawing(driver, batches)
    console.log(
      `ingest, round ${round}: Jejak ${perSecond(rows.ours, spent.ours)}, again ${perSecond(rows.ours, spent.known)} · MERGE on id with ${constraint ? 'a uniqueness constraint' : 'an index only'} ${perSecond(rows.merge, spent.merge)}, again ${perSecond(rows.merge, spent.mergeAgain)}`,
    )
    await removeMerged(driver)
    if (!constraint) await withConstraint(driver)
  }
}

async function appended(store: Store, batch: TransferBatch, fresh: number): Promise<void> {
  const { added } = await store.append({ transfers: batch, ...telling })
  if (added !== fresh) throw new Error(`${added} rows were new, not ${fresh}`)
}

async function withoutConstraint(driver: Driver): Promise<void> {
  await driver.executeQuery('DROP CONSTRAINT jejak_transfer')
  await driver.executeQuery('CREATE INDEX bench_id FOR ()-[t:TRANSFER]-() ON (t.id)')
  await driver.executeQuery('CALL db.awaitIndexes(300)')
}

async function withConstraint(driver: Driver): Promise<void> {
  await driver.executeQuery('DROP INDEX bench_id')
  await driver.executeQuery(queryText('neo4j/migration-1/transfer', 'cypher'))
  await driver.executeQuery('CALL db.awaitIndexes(300)')
}

const mergeText = `UNWIND $rows AS r
MERGE (a:Address {id: r.from}) MERGE (b:Address {id: r.to})
MERGE (a)-[t:TRANSFER {id: r.id}]->(b) ON CREATE SET t += r.properties, t.merged = true`

function mergeRows(batch: TransferBatch): Record<string, unknown>[] {
  return [...transfersOf(batch)]
    .filter(({ from, to }) => from !== undefined && to !== undefined)
    .map((t) => ({
      id: transferId(t),
      from: t.from,
      to: t.to,
      properties: {
        time: neo4j.int(t.time),
        block: neo4j.int(t.block),
        txIndex: neo4j.int(t.txIndex ?? 0),
        tx: t.tx,
        kind: t.kind,
        asset: t.asset,
        amount: t.amount.toString(),
        amountF: Number(t.amount),
        signer: t.signer ?? null,
        blockHash: t.blockHash ?? null,
      },
    }))
}

async function merge(driver: Driver, rows: Record<string, unknown>[]): Promise<void> {
  const session = driver.session({ database: 'neo4j' })
  await session.executeWrite((tx) => tx.run(mergeText, { rows }))
  await session.close()
}

/** Each way has drawn exactly its rows, with their amounts. */
async function sameDrawing(driver: Driver, batches: readonly TransferBatch[]): Promise<void> {
  const expected = new Map<string, string>()
  for (const batch of batches)
    for (const t of transfersOf(batch))
      if (t.from !== undefined && t.to !== undefined) expected.set(transferId(t), `${t.amount}`)
  const { records } = await driver.executeQuery(
    'UNWIND $ids AS id MATCH (:Address)-[t:TRANSFER {id: id}]->(:Address) RETURN t.id AS id, t.amount AS amount',
    { ids: [...expected.keys()] },
  )
  const found = new Map(
    records.map((row) => [row.get('id') as string, row.get('amount') as string]),
  )
  for (const [id, amount] of expected)
    if (found.get(id) !== amount) throw new Error(`${id}: ${found.get(id)} is not ${amount}`)
  if (records.length !== expected.size) throw new Error(`${records.length} of ${expected.size}`)
}

async function removeMerged(driver: Driver): Promise<void> {
  const session = driver.session({ database: 'neo4j' })
  await session.run(
    'MATCH ()-[t:TRANSFER]->() WHERE t.merged CALL (t) { DELETE t } IN TRANSACTIONS OF 5000 ROWS',
  )
  await session.close()
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return performance.now() - started
}

/** A graph in memory: from the log entries, and row by row from the relationships. */
async function loading(store: Store, driver: Driver): Promise<void> {
  for (let round = 1; round <= 2; round++) {
    let transfers = 0
    const ours = await timed(async () => {
      const graph = createGraph(await readColumns(store))
      transfers = graph.transferCount
    })
    let read = 0
    const session = driver.session({ database: 'neo4j', fetchSize: 10_000 })
    const streaming = await timed(async () => {
      const result = session.run(
        'MATCH (a)-[t:TRANSFER]->(b) RETURN t.id, t.time, t.block, t.txIndex, t.asset, t.amount, a.id, b.id, t.signer, t.blockHash',
      )
      for await (const record of result) if (record.length === 10) read++
    })
    await session.close()
    if (read !== transfers) throw new Error(`${read} relationships for ${transfers} transfers`)
    console.log(
      `loading, round ${round}: graph of ${transfers.toLocaleString('en')} transfers, ready to trace, ${perSecond(transfers, ours)} · streaming the rows alone ${perSecond(read, streaming)}`,
    )
  }
}

/** The next hundred transfers of a hub after a position, beside walking the hub's relationships. */
async function paging(store: Store, driver: Driver): Promise<void> {
  const [hub = ''] = await busiest(driver, 1)
  const sent: Transfer[] = []
  for await (const entry of store.readLog(0)) {
    if (entry.type !== 'transfers') continue
    const reader = new BatchReader(entry.batch)
    for (let row = 0; row < entry.batch.length; row++) {
      const transfer = reader.transfer(row)
      if (transfer.from === hub) sent.push(transfer)
    }
  }
  const [ours, walked]: [number[], number[]] = [[], []]
  for (let i = 0; i < 130; i++) {
    const since = (sent[Math.floor(((i * 0.618) % 0.95) * sent.length)] as Transfer).time
    const given = {
      accounts: new Set([hub as Account]),
      direction: 'out',
      since,
      cap: 100,
    } as const
    let page: readonly Transfer[] = []
    const spent = await timed(async () => {
      page = (await store.expand(given))[0]?.transfers ?? []
    })
    const plain: string[] = []
    const walking = await timed(async () => {
      const { records } = await driver.executeQuery(
        'MATCH (a:Address {id: $hub})-[t:TRANSFER]->(b) WHERE t.time >= $since RETURN t.id AS id, t.time AS time, t.amount AS amount, t.asset AS asset, t.block AS block, b.id AS receiver ORDER BY t.time, t.block, t.txIndex LIMIT 100',
        { hub, since: neo4j.int(since) },
        { database: 'neo4j' },
      )
      plain.push(...records.map((row) => row.get('id') as string))
    })
    if (i < 10) continue
    ours.push(spent)
    walked.push(walking)
    const times = new Set(page.map((t) => t.time))
    const whole = [...times].sort((a, b) => a - b).slice(0, -1)
    const same = page
      .filter((t) => whole.includes(t.time))
      .every((t) => plain.includes(transferId(t)))
    if (page.length !== 100 || !same) throw new Error(`page ${i} differs`)
  }
  console.log(
    `hub of ${sent.length.toLocaleString('en')} transfers, page of 100: Jejak ${percentiles(ours)} · from the node ${percentiles(walked)}`,
  )
}

async function busiest(driver: Driver, limit: number): Promise<string[]> {
  const { records } = await driver.executeQuery(
    'MATCH (a:Address) RETURN a.id AS id ORDER BY COUNT { (a)-[:TRANSFER]->() } DESC LIMIT $limit',
    { limit: neo4j.int(limit) },
  )
  return records.map((row) => row.get('id') as string)
}

/** Two hundred addresses in one round, two hubs among them. */
async function rounds(store: Store): Promise<void> {
  const known = new Set<Account>()
  for await (const entry of store.readLog(0)) {
    if (entry.type !== 'transfers') continue
    const reader = new BatchReader(entry.batch)
    for (let row = 0; row < entry.batch.length; row += 97) {
      const { from } = reader.transfer(row)
      if (from !== undefined) known.add(from)
    }
    if (known.size > 8_000) break
  }
  const all = [...known]
  const spent: number[] = []
  let transfers = 0
  for (let i = 0; i < 440; i++) {
    const accounts = new Set(
      all.slice(0, 2).concat(all.slice(2 + (i % 40) * 198, 200 + (i % 40) * 198)),
    )
    let found = 0
    const ms = await timed(async () => {
      for (const one of await store.expand({ accounts, direction: 'out', cap: 50 }))
        found += one.transfers.length
    })
    // The first forty warm both sides up.
    if (i < 40) continue
    spent.push(ms)
    transfers += found
  }
  console.log(
    `200 addresses in one round, cap 50 (${Math.round(transfers / spent.length)} transfers): ${percentiles(spent)}`,
  )
}

function percentiles(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (share: number): string =>
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] as number).toFixed(1)
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`
}

/** What a transfer takes on disk once the server has stopped in order. */
function sizes(home: string, rows: number): void {
  const folderBytes = (path: string): number =>
    readdirSync(path, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)
  const database = folderBytes(join(home, 'data', 'databases', 'neo4j'))
  const log = folderBytes(join(home, 'data', 'transactions', 'neo4j'))
  console.log(
    `on disk: ${(database / 2 ** 20).toFixed(0)} MiB for ${rows.toLocaleString('en')} log rows, ${(database / rows).toFixed(0)} bytes each; transaction log ${(log / 2 ** 20).toFixed(0)} MiB`,
  )
}
