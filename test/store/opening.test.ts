import { spawn } from 'node:child_process'
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, expect, test } from 'vitest'
import { openEmbeddedStore } from '../../src/store/embedded.ts'
import { openStore } from '../../src/store/open.ts'
import { ledgerOf, wallet } from '../ledger.arbitrary.ts'
import { canonical } from './contract.ts'

const folders: string[] = []

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'jejak-open-'))
  folders.push(made)
  return made
}

afterEach(() => {
  for (const made of folders.splice(0)) rmSync(made, { recursive: true, force: true })
})

const plain = ledgerOf([[{ from: wallet(1), to: wallet(2), amount: 5n }]])
const told = { source: 'w', assurance: 1, coverage: [] } as const
const fileOf = (location: string): string => join(location, 'jejak.sqlite')

/** Everything that lies in a folder, byte for byte. */
function contents(location: string): Record<string, string> {
  const names = readdirSync(location).sort()
  return Object.fromEntries(
    names.map((name) => [name, readFileSync(join(location, name)).toString('base64')]),
  )
}

/** A process that opens a store, at a moment when several do, and says how it went. */
function opener(location: string, at: number): Promise<string> {
  const code = `
    const { openStore } = await import(${JSON.stringify(join(import.meta.dirname, '../../src/store/open.ts'))})
    while (Date.now() < ${at}) await new Promise((resolve) => setImmediate(resolve))
    const store = await openStore(${JSON.stringify(location)})
    await store.writeDocument('opened', String(process.pid), 0, true)
    await store.close()
    process.stdout.write('fine')`
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      if (!/Warning/.test(chunk.toString())) said += chunk.toString()
    })
  return new Promise((resolve) => child.once('close', () => resolve(said)))
}

test('several processes may make one new store at the same moment', async () => {
  for (let round = 0; round < 4; round++) {
    const location = folder()
    const at = Date.now() + 700
    const said = await Promise.all(Array.from({ length: 4 }, () => opener(location, at)))
    expect(said).toEqual(['fine', 'fine', 'fine', 'fine'])
    const store = await openStore(location)
    expect(await store.listDocuments('opened')).toHaveLength(4)
    await store.close()
  }
})

/** Opens a store, ready to be killed while it does. */
function killableOpener(location: string): ReturnType<typeof spawn> {
  const code = `
    const { openStore } = await import(${JSON.stringify(join(import.meta.dirname, '../../src/store/open.ts'))})
    process.stdout.write('now')
    await openStore(${JSON.stringify(location)})
    setTimeout(() => undefined, 10_000)`
  return spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
}

test('killed while a store is made, the folder still becomes one', async () => {
  for (let kill = 0; kill < 24; kill++) {
    const location = folder()
    const child = killableOpener(location)
    await new Promise((resolve) => child.stdout?.once('data', resolve))
    await new Promise((resolve) => setTimeout(resolve, kill / 2))
    child.kill('SIGKILL')
    await new Promise((resolve) => child.once('close', resolve))
    const store = await openStore(location)
    await store.append({ transfers: plain, ...told })
    expect(await canonical(store)).toEqual(plain)
    await store.close()
  }
})

test('the two states that a kill can leave, empty file and file without tables, are begun anew', async () => {
  const empty = folder()
  writeFileSync(fileOf(empty), '')
  const bare = folder()
  const database = new DatabaseSync(fileOf(bare))
  database.exec('PRAGMA page_size = 16384')
  database.exec('PRAGMA journal_mode = WAL')
  database.close()
  for (const location of [empty, bare]) {
    const store = await openStore(location)
    await store.append({ transfers: plain, ...told })
    await store.close()
  }
})

test('error: a store cut to nothing beside its write-ahead log is damaged, not new', async () => {
  const location = folder()
  const store = await openStore(location)
  await store.append({ transfers: plain, ...told })
  truncateSync(fileOf(location), 0)
  expect(existsSync(`${fileOf(location)}-wal`)).toBe(true)
  const before = contents(location)
  await expect(openStore(location)).rejects.toMatchObject({ code: 'store.damaged' })
  expect(contents(location)).toEqual(before)
})

test('error: a newer format is refused also where only the write-ahead log says so', async () => {
  const location = folder()
  const store = await openStore(location)
  const later = new DatabaseSync(fileOf(location))
  later.exec('PRAGMA user_version = 2')
  expect(readFileSync(fileOf(location)).readUInt32BE(60)).toBe(1)
  await expect(openStore(location)).rejects.toMatchObject({ code: 'store.newer' })
  later.close()
  await store.close()
})

test('error: a store too large for the disk from the first page on says that it is full', () => {
  expect(() => openEmbeddedStore(folder(), { pageLimit: 2 })).toThrowError(
    expect.objectContaining({ code: 'store.full', retryable: true }),
  )
})

test('a file of a location that cannot be a folder is unavailable', async () => {
  const location = join(folder(), 'file')
  writeFileSync(location, 'text')
  await expect(openStore(location)).rejects.toMatchObject({ code: 'store.unavailable' })
  await expect(openStore(join(location, 'below'))).rejects.toMatchObject({
    code: 'store.unavailable',
  })
})
