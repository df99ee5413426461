import { execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  mkdirSync,
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
import { createRandomNumbers } from '../../src/sample/randomNumbers.ts'
import { openEmbeddedStore } from '../../src/store/embedded.ts'
import { openStore } from '../../src/store/open.ts'
import { ledgerOf, wallet } from '../ledger.arbitrary.ts'
import { canonical } from './contract.ts'

const folders: string[] = []

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'jejak-fault-'))
  folders.push(made)
  return made
}

afterEach(() => {
  for (const made of folders.splice(0)) rmSync(made, { recursive: true, force: true })
})

const rows = (count: number, first = 0) =>
  ledgerOf(
    Array.from({ length: first + count }, (_, i) => [
      { from: wallet(1), to: wallet(2), amount: BigInt(i + 1) },
    ]),
  ).slice(first)
const told = { source: 'w', assurance: 1, coverage: [] } as const

/** Starts the writer, kills it after some milliseconds, and says which batches it had acknowledged. */
async function killAfter(location: string, ms: number): Promise<number> {
  const writer = join(import.meta.dirname, 'writer.ts')
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', writer, location],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  let acknowledged = -1
  child.stdout.on('data', (chunk: Buffer) => {
    for (const line of chunk.toString().trim().split('\n'))
      acknowledged = Math.max(acknowledged, Number(line))
  })
  await new Promise<void>((resolve) => child.stdout.once('data', () => resolve()))
  await new Promise((resolve) => setTimeout(resolve, ms))
  child.kill('SIGKILL')
  await new Promise((resolve) => child.once('close', resolve))
  return acknowledged
}

test('killed a hundred times in the middle of its batches: whole batches, all acknowledged ones, true coverage', async () => {
  const random = createRandomNumbers(42)
  const half = async (): Promise<void> => {
    const location = folder()
    for (let kill = 0; kill < 50; kill++) {
      const acknowledged = await killAfter(location, random.below(40))
      const store = await openStore(location)
      const { sequence } = await store.state()
      expect(sequence % 20).toBe(0)
      expect(sequence / 20).toBeGreaterThanOrEqual(acknowledged + 1)
      const [claim] = await store.coverage(new Set([wallet(1)]))
      expect(claim?.toBlock).toBe(100 + sequence - 1)
      await store.close()
    }
    const store = await openStore(location)
    const { damage, canonical: count } = await store.check()
    expect(damage).toEqual([])
    expect(await canonical(store)).toEqual(rows(count))
    await store.close()
  }
  await Promise.all([half(), half()])
}, 180_000)

test('a full disk is said clearly, loses nothing, and is over when there is space again', async () => {
  const location = folder()
  const small = openEmbeddedStore(location, { pageLimit: 24 })
  let stored = 0
  const fill = async (): Promise<void> => {
    for (;;) {
      await small.append({ transfers: rows(400, stored), ...told })
      stored += 400
    }
  }
  await expect(fill()).rejects.toMatchObject({ code: 'store.full' })
  expect(stored).toBeGreaterThan(0)
  expect(await canonical(small)).toEqual(rows(stored))
  await small.close()
  const roomy = await openStore(location)
  await roomy.append({ transfers: rows(400, stored), ...told })
  expect(await canonical(roomy)).toEqual(rows(stored + 400))
  expect((await roomy.check()).damage).toEqual([])
  await roomy.close()
})

test.runIf(process.getuid?.() === 0)('a full file system, a real one, does the same', async () => {
  const location = folder()
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', location])
  try {
    const store = await openStore(location)
    let stored = 0
    const fill = async (): Promise<void> => {
      for (;;) {
        await store.append({ transfers: rows(500, stored), ...told })
        stored += 500
      }
    }
    await expect(fill()).rejects.toMatchObject({
      code: expect.stringMatching(/^store\.(full|unavailable)$/),
    })
    expect(await canonical(store)).toEqual(rows(stored))
    execFileSync('mount', ['-o', 'remount,size=64m', location])
    await store.append({ transfers: rows(500, stored), ...told })
    expect(await canonical(store)).toEqual(rows(stored + 500))
    await store.close()
  } finally {
    execFileSync('umount', ['-l', location])
  }
})

/** Expects the file to be refused with a code and left as it was. */
async function expectRefused(location: string, code: string): Promise<void> {
  const file = join(location, 'jejak.sqlite')
  const digest = (): string => createHash('sha256').update(readFileSync(file)).digest('hex')
  const before = { digest: digest(), files: readdirSync(location) }
  await expect(openStore(location)).rejects.toMatchObject({ code })
  expect({ digest: digest(), files: readdirSync(location) }).toEqual(before)
}

test('error: a newer, a foreign and a truncated file are each refused and left untouched', async () => {
  const foreign = folder()
  writeFileSync(
    join(foreign, 'jejak.sqlite'),
    'this is a text that somebody needs, and it is longer than a hundred bytes, so that nobody takes it for an empty one.',
  )
  await expectRefused(foreign, 'store.foreign')
  const other = folder()
  const database = new DatabaseSync(join(other, 'jejak.sqlite'))
  database.exec('CREATE TABLE cats (name TEXT)')
  database.close()
  await expectRefused(other, 'store.foreign')
  const newer = folder()
  await (await openStore(newer)).close()
  const later = new DatabaseSync(join(newer, 'jejak.sqlite'))
  later.exec('PRAGMA user_version = 99')
  later.close()
  await expectRefused(newer, 'store.newer')
  for (const length of [50, 5_000, 60_000]) {
    const cut = folder()
    const store = await openStore(cut)
    await store.append({ transfers: rows(3000), ...told })
    await store.close()
    truncateSync(join(cut, 'jejak.sqlite'), length)
    await expectRefused(cut, 'store.damaged')
  }
})

test('a flipped byte in the log is found and named', async () => {
  const location = folder()
  const store = await openStore(location)
  await store.append({ transfers: rows(3000), ...told })
  await store.close()
  const file = join(location, 'jejak.sqlite')
  const bytes = readFileSync(file)
  const at = bytes.indexOf('JB1\n') + 3_000
  bytes[at] = (bytes[at] ?? 0) ^ 1
  writeFileSync(file, bytes)
  const damaged = await openStore(location)
  const { damage } = await damaged.check()
  expect(damage.join(' ')).toMatch(/log entry 1 /)
  await damaged.close()
})

test('readers and the event loop go on while another writer holds the store', async () => {
  const location = folder()
  const [one, two] = [await openStore(location), await openStore(location)]
  await one.append({ transfers: rows(5), ...told })
  let release = (): void => undefined
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  const long = one.atomically(async (appender) => {
    await appender.append({ transfers: rows(5, 5), ...told })
    await held
  })
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(await canonical(two)).toHaveLength(5)
  const waiting = two.writeDocument('c', 'x', 0, 1)
  let ticks = 0
  for (; ticks < 5; ticks++) await new Promise((resolve) => setTimeout(resolve, 5))
  expect(ticks).toBe(5)
  release()
  await long
  await waiting
  expect(await canonical(two)).toHaveLength(10)
  await one.close()
  await two.close()
})

test('error: a writer whose patience ends says that the store is busy', async () => {
  const location = folder()
  const one = await openStore(location)
  const hasty = openEmbeddedStore(location, { patienceMs: 30 })
  await one.atomically(async () => {
    await expect(hasty.writeDocument('c', 'x', 0, 1)).rejects.toMatchObject({
      code: 'store.busy',
      retryable: true,
    })
  })
  await hasty.close()
  await one.close()
})

test('the folder is private to its user', async () => {
  const location = join(folder(), 'new')
  await (await openStore(location)).close()
  expect(execFileSync('stat', ['-c', '%a', location], { encoding: 'utf8' }).trim()).toBe('700')
  mkdirSync(join(location, 'x'))
})
