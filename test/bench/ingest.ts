import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type Transfer, transferId } from '../../src/ledger/transfer.ts'
import { type TransferBatch, transfersOf } from '../../src/ledger/transferBatch.ts'
import { openStore } from '../../src/store/open.ts'
import { inFolder, perSecond } from './folder.ts'
import { madeLedger } from './madeLedger.ts'

const count = 400_000

/** Durable ingest in batches of 1,000, each synced, beside the same rows in two plain SQLite tables. */
export async function benchIngest(): Promise<void> {
  const batches = [...madeLedger({ transfers: count, addresses: 100_000, batch: 1000, seed: 1 })]
  for (let round = 1; round <= 2; round++) {
    const ours = await inFolder((folder) => ingestOurs(folder, batches, (batch) => batch))
    const objects = await inFolder((folder) =>
      ingestOurs(folder, batches, (batch) => [...transfersOf(batch)]),
    )
    const append = await inFolder((folder) => ingestTable(folder, batches, appendTable))
    const clustered = await inFolder((folder) =>
      ingestTable(folder, batches.slice(0, 60), clusteredTable),
    )
    if (ours.rows !== append.rows) throw new Error(`${ours.rows} rows against ${append.rows}`)
    console.log(
      `ingest, round ${round}: Jejak columns ${ours.rate}, objects ${objects.rate} · SQLite append-only with unique id ${append.rate} · SQLite clustered by address (first ${clustered.rows} rows) ${clustered.rate}`,
    )
  }
}

async function ingestOurs(
  folder: string,
  batches: readonly TransferBatch[],
  form: (batch: TransferBatch) => TransferBatch | Transfer[],
): Promise<{ rate: string; rows: number }> {
  const store = await openStore(folder)
  const started = performance.now()
  for (const batch of batches)
    await store.append({ transfers: form(batch), source: 'bench', assurance: 1, coverage: [] })
  const ms = performance.now() - started
  const again = await store.append({
    transfers: batches[0] as TransferBatch,
    source: 'bench',
    assurance: 1,
    coverage: [],
  })
  if (again.added !== 0) throw new Error('a known batch was stored twice')
  const { sequence } = await store.state()
  await store.close()
  return { rate: perSecond(sequence, ms), rows: sequence }
}

interface Table {
  readonly create: string
  readonly insert: string
  readonly values: (transfer: Transfer) => (string | number)[][]
}

const fields = (t: Transfer): (string | number)[] => [
  t.block,
  t.time,
  t.tx,
  t.txIndex ?? -1,
  t.kind,
  t.position,
  t.asset,
  t.from ?? '',
  t.to ?? '',
  t.amount.toString(),
]

const appendTable: Table = {
  create:
    'CREATE TABLE t (seq INTEGER PRIMARY KEY, id TEXT UNIQUE, block, time, tx, tx_index, kind, position, asset, sender, receiver, amount)',
  insert:
    'INSERT INTO t (id, block, time, tx, tx_index, kind, position, asset, sender, receiver, amount) VALUES (?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT (id) DO NOTHING',
  values: (t) => [[transferId(t), ...fields(t)]],
}

const clusteredTable: Table = {
  create:
    'CREATE TABLE t (address, block, tx_index, position, id, time, tx, kind, asset, sender, receiver, amount, PRIMARY KEY (address, block, tx_index, position, id)) WITHOUT ROWID',
  insert:
    'INSERT INTO t (address, id, block, time, tx, tx_index, kind, position, asset, sender, receiver, amount) VALUES (?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING',
  values: (t) =>
    [t.from, t.to]
      .filter((side) => side !== undefined)
      .map((side) => [side, transferId(t), ...fields(t)]),
}

async function ingestTable(
  folder: string,
  batches: readonly TransferBatch[],
  table: Table,
): Promise<{ rate: string; rows: number }> {
  const database = new DatabaseSync(join(folder, 'peer.sqlite'))
  database.exec(
    'PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -1000000',
  )
  database.exec(table.create)
  const insert = database.prepare(table.insert)
  let rows = 0
  const started = performance.now()
  for (const batch of batches) {
    database.exec('BEGIN')
    for (const transfer of transfersOf(batch)) {
      for (const values of table.values(transfer)) insert.run(...values)
      rows++
    }
    database.exec('COMMIT')
  }
  const ms = performance.now() - started
  database.close()
  return { rate: perSecond(rows, ms), rows }
}
