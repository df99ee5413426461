import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { type CopyProgress, copyStore } from '../../src/store/copyStore.ts'
import { openStore } from '../../src/store/open.ts'
import type { Store, StorePart } from '../../src/store/store.ts'
import { madeLedger } from '../bench/madeLedger.ts'
import { chain, wallet } from '../ledger.arbitrary.ts'
import { closeFixture, emptied, emptyStore, neo4jUri, uri } from './fixture.ts'

const folder = mkdtempSync(join(tmpdir(), 'jejak-copy-'))
let made = 0
const place = (): string => join(folder, `s${made++}`)

afterAll(async () => {
  await closeFixture()
  rmSync(folder, { recursive: true, force: true })
})

/** A store as an investigation leaves it: two sources, a reorganisation, coverage, tags, flags, a token list. */
async function fill(store: Store): Promise<void> {
  const batches = [
    ...madeLedger({ transfers: 3_000, addresses: 400, batch: 500, seed: 8, fromNode: true }),
  ]
  for (const transfers of batches)
    await store.append({ transfers, source: 'file:x', assurance: 0, coverage: [] })
  for (const transfers of batches.slice(2, 4))
    await store.append({ transfers, source: 'node:a', assurance: 1, coverage: [] })
  await store.rollBack('eip155:1' as typeof chain, 19_000_020)
  await store.append({
    transfers: batches[5] as (typeof batches)[number],
    source: 'node:a',
    assurance: 1,
    coverage: [
      {
        account: wallet(1),
        kind: 'token',
        fromBlock: 3,
        toBlock: 19_000_030,
        assurance: 1,
        source: 'node:a',
      },
      {
        chain,
        accounts: [wallet(3), wallet(2)],
        kinds: ['fee', 'native'],
        fromBlock: 1,
        toBlock: 9,
        assurance: 0,
        source: 'file:x',
      },
    ],
  })
  const tag = { category: 'exchange', source: 's', confidence: 50, sourceRank: 1, mayStop: true }
  await store.putTags([
    { ...tag, account: wallet(1), label: "x'; DROP" },
    { ...tag, account: wallet(9), label: '\u{1f600}', validTo: 99 },
  ])
  await store.writeDocument('flag', wallet(1), 0, {
    account: wallet(1),
    reason: 'r',
    source: 's',
    flaggedAt: 'now',
    state: 'done',
    progress: null,
    error: null,
  })
  await store.writeDocument('token-list', 'l', 0, { tokens: [1, 2] })
  await store.writeDocument('token-list', 'l', 1, { tokens: [3] })
}

async function parts(store: Store): Promise<StorePart[]> {
  const all: StorePart[] = []
  for await (const part of store.dump(0)) all.push(part)
  return all
}

describe.skipIf(neo4jUri === undefined)('copying stores', () => {
  test('a folder to Neo4j, interrupted and gone on with, and back to a folder: everything, and nothing else', async () => {
    const first = await openStore(place())
    await fill(first)
    const shared = await emptyStore()
    const stop = new AbortController()
    const steps: CopyProgress[] = []
    const interrupted = copyStore(first, shared, {
      signal: stop.signal,
      progress: (step) => {
        steps.push(step)
        if (step.done >= 1_000) stop.abort()
      },
    })
    await expect(interrupted).rejects.toThrow()
    const { sequence } = await shared.state()
    expect(sequence).toBeGreaterThanOrEqual(1_000)
    expect(sequence).toBeLessThan((await first.state()).sequence)
    const there = await copyStore(first, shared)
    expect(there).toMatchObject({
      found: sequence,
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
    })
    const last = await openStore(place())
    const back = await copyStore(shared, last)
    expect(back).toEqual({ ...there, found: 0, copied: (await first.state()).sequence })
    expect(await parts(last)).toEqual(await parts(first))
    for (const store of [first, shared, last]) expect((await store.check()).damage).toEqual([])
    // Once more changes nothing; and what is written later comes with the next copy.
    expect((await copyStore(first, last)).copied).toBe(0)
    await first.append({ transfers: [], source: 'x', assurance: 0, coverage: [] })
    await last.close()
    await shared.close()
    await first.close()
  }, 120_000)

  test('a target that holds something else is refused and left as it is', async () => {
    const first = await openStore(place())
    await fill(first)
    const other = await openStore(place())
    await other.putTags([
      {
        account: wallet(5),
        label: 'mine',
        category: 'c',
        source: 's',
        confidence: 1,
        sourceRank: 1,
        mayStop: false,
      },
    ])
    await expect(copyStore(first, other)).rejects.toMatchObject({ code: 'store.not-empty' })
    expect((await other.state()).sequence).toBe(0)
    const different = await openStore(place())
    for (const transfers of madeLedger({ transfers: 500, addresses: 9, batch: 100, seed: 9 }))
      await different.append({ transfers, source: 'y', assurance: 0, coverage: [] })
    await expect(copyStore(first, different)).rejects.toMatchObject({ code: 'store.not-empty' })
    for (const store of [first, other, different]) await store.close()
  })

  test('the command copies both ways and says the digest', async () => {
    const from = place()
    const store = await openStore(from)
    await fill(store)
    await store.close()
    await emptied()
    const to = place()
    const jejak = (...args: string[]) =>
      spawnSync(
        process.execPath,
        [
          '--disable-warning=ExperimentalWarning',
          join(import.meta.dirname, '../../src/cli.ts'),
          ...args,
        ],
        { encoding: 'utf8' },
      )
    const there = jejak('--json', 'store', 'copy', from, uri())
    expect([there.status, there.stderr]).toEqual([0, ''])
    const back = jejak('--json', 'store', 'copy', uri(), to)
    const digest = (JSON.parse(there.stdout) as { digest: string }).digest
    expect(JSON.parse(back.stdout)).toMatchObject({ digest })
    const migrated = jejak('--store', uri(), 'store', 'migrate')
    expect(migrated.stdout).toContain('The schema is 1 already.')
    expect(jejak('--store', from, 'store', 'migrate').status).toBe(2)
  }, 120_000)
})
