import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { importFiles } from '../../ingest/import.ts'
import type { ChainId } from '../../src/ledger/chain.ts'
import { openStore } from '../../src/store/open.ts'
import { inFolder, perSecond } from './folder.ts'

const count = Number(process.env['BENCH_ROWS'] ?? 5_000_000)

/** Import of an ethereum-etl token_transfers.csv with its blocks file, beside DuckDB where it is installed. */
export async function benchImport(): Promise<void> {
  await inFolder(async (folder) => {
    const files = await writeExport(folder)
    const store = await openStore(join(folder, 'store'))
    const started = performance.now()
    const report = await importFiles(
      store,
      {
        files,
        complete: false,
        covers: [],
        blocks: undefined,
        chain: 'eip155:1' as ChainId,
        onError: 'fail',
        rejects: undefined,
        decimals: undefined,
      },
      { progress: () => undefined, refused: (refusal) => console.log(refusal) },
    )
    const ms = performance.now() - started
    if (report.added !== count) throw new Error(`${report.added} of ${count} rows were stored`)
    console.log(
      `import of ${count.toLocaleString('en')} rows: Jejak ${perSecond(count, ms)}, peak resident ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB`,
    )
    await store.close()
    await besideDuckDb(folder, files[1] ?? '')
  })
}

async function besideDuckDb(folder: string, file: string): Promise<void> {
  let duckdb: {
    DuckDBInstance: {
      create(
        path: string,
        options: Record<string, string>,
      ): Promise<{
        connect(): Promise<{
          run(sql: string): Promise<unknown>
          runAndReadAll(sql: string): Promise<{ getRows(): unknown[][] }>
        }>
      }>
    }
  }
  try {
    const name = '@duckdb/node-api'
    duckdb = (await import(name)) as unknown as typeof duckdb
  } catch {
    console.log(
      'DuckDB is not installed (npm install --no-save @duckdb/node-api): no peer for the import',
    )
    return
  }
  const instance = await duckdb.DuckDBInstance.create(join(folder, 'peer.duckdb'), { threads: '2' })
  const connection = await instance.connect()
  const started = performance.now()
  await connection.run(
    `CREATE TABLE t AS SELECT * FROM read_csv('${file}', header = true, all_varchar = true)`,
  )
  await connection.run('CHECKPOINT')
  const ms = performance.now() - started
  const [row] = (await connection.runAndReadAll('SELECT count(*) FROM t')).getRows()
  if (Number(row?.[0]) !== count) throw new Error('DuckDB read another number of rows')
  console.log(
    `import of ${count.toLocaleString('en')} rows: DuckDB into a table ${perSecond(count, ms)}`,
  )
}

async function writeExport(folder: string): Promise<string[]> {
  let state = 7
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state
  }
  const word = (): string => next().toString(16).padStart(8, '0')
  const people = Array.from(
    { length: 200_000 },
    () => `0x${word()}${word()}${word()}${word()}${word()}`,
  )
  const tokens = people.slice(0, 300)
  const [blocks, transfers] = [join(folder, 'blocks.csv'), join(folder, 'token_transfers.csv')]
  const perBlock = 120
  const blockFile = createWriteStream(blocks)
  blockFile.write('number,hash,parent_hash,timestamp\n')
  for (let block = 0; block <= count / perBlock; block++)
    blockFile.write(
      `${17_000_000 + block},0x${word().repeat(8)},0x${word().repeat(8)},${1_680_000_000 + block * 12}\n`,
    )
  blockFile.end()
  const out = createWriteStream(transfers)
  out.write('token_address,from_address,to_address,value,transaction_hash,log_index,block_number\n')
  let text = ''
  let tx = ''
  for (let i = 0; i < count; i++) {
    if (i % 2 === 0) tx = `0x${Array.from({ length: 8 }, word).join('')}`
    const pick = (list: readonly string[]): string =>
      list[Math.floor((next() / 0x100000000) ** 2 * list.length)] as string
    text += `${pick(tokens)},${pick(people)},${pick(people)},${next()}${next()},${tx},${i % perBlock},${17_000_000 + Math.floor(i / perBlock)}\n`
    if (text.length > 1 << 20) {
      if (!out.write(text)) await once(out, 'drain')
      text = ''
    }
  }
  out.end(text)
  await Promise.all([
    once(out, 'finish'),
    blockFile.writableFinished ? undefined : once(blockFile, 'finish'),
  ])
  return [blocks, transfers]
}
