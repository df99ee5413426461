import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { createReader, readColumns } from '../../src/graph/build.ts'
import { loadColumns, saveColumns } from '../../src/graph/columnFile.ts'
import { createGraph } from '../../src/graph/createGraph.ts'
import { exportTransfers } from '../../src/graph/exportTransfers.ts'
import { openGenerations } from '../../src/graph/generations.ts'
import { ledgerOrder } from '../../src/ledger/order.ts'
import { type Transfer, transferId } from '../../src/ledger/transfer.ts'
import { openStore } from '../../src/store/open.ts'
import type { Store } from '../../src/store/store.ts'
import { graphOf } from '../analysis/traceLedger.ts'
import { madeLedger } from '../bench/madeLedger.ts'
import { chain, etherLedger, hash, ledgerOf, randomLedger, wallet } from '../ledger.arbitrary.ts'

const folder = mkdtempSync(join(tmpdir(), 'jejak-graph-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('the columns hold the ledger in ledger order, exactly', async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(randomLedger, etherLedger), async (ledger) => {
      const graph = await graphOf(ledger, 7)
      const ordered = ledgerOrder(ledger)
      expect(graph.transferCount).toBe(ordered.length)
      for (const [i, transfer] of ordered.entries()) {
        const { from, to, amount, asset, time, block } = graph.transfer(i)
        expect({ id: graph.transfer(i).id, from, to, amount, asset, time, block }).toEqual({
          id: transferId(transfer),
          from: transfer.from,
          to: transfer.to,
          amount: transfer.amount,
          asset: transfer.asset,
          time: transfer.time,
          block: transfer.block,
        })
        expect(graph.find(transferId(transfer))).toBe(i)
      }
    }),
    { numRuns: 150 },
  )
})

test('running balances equal a plain replay in which gaps are clean inflows', async () => {
  const long = ledgerOf(
    Array.from({ length: 90 }, (_, i) => [
      {
        from: wallet(1 + (i % 3)),
        to: wallet(1 + ((i * 7) % 4)),
        amount: BigInt((i * 37) % 50) * (i % 11 === 0 ? 2n ** 127n : 1n),
      },
    ]),
  )
  await fc.assert(
    fc.asyncProperty(fc.oneof(randomLedger, fc.constant(long)), async (ledger) => {
      const graph = await graphOf(ledger)
      const balances = new Map<number, bigint>()
      for (let transfer = 0; transfer < graph.transferCount; transfer++) {
        const [from, to, amount] = [
          graph.from(transfer),
          graph.to(transfer),
          graph.amount(transfer),
        ]
        for (const holding of new Set([from, to])) {
          if (holding < 0) continue
          const index = graph.events(holding).indexOf(transfer)
          expect(graph.balanceBefore(holding, index)).toBe(balances.get(holding) ?? 0n)
        }
        if (from === to) continue
        const held = balances.get(from) ?? 0n
        if (from >= 0) balances.set(from, held > amount ? held - amount : 0n)
        if (to >= 0) balances.set(to, (balances.get(to) ?? 0n) + amount)
      }
      for (const [holding, balance] of balances)
        expect(graph.balanceBefore(holding, graph.events(holding).length)).toBe(balance)
    }),
    { numRuns: 100 },
  )
})

test('neighbours, transactions and times are found', async () => {
  const ledger = ledgerOf([
    [{ from: wallet(1), to: wallet(2), amount: 5n }],
    [
      { from: wallet(2), to: wallet(3), amount: 4n },
      { from: wallet(1), to: wallet(9), amount: 1n },
    ],
  ])
  const graph = await graphOf(ledger)
  expect(graph.findTransaction(chain, hash(2))).toEqual([1, 2])
  expect(graph.findTransaction(chain, hash(3))).toEqual([])
  expect(graph.address(wallet(77))).toBe(-1)
  expect(graph.account(graph.address(wallet(9)))).toBe(wallet(9))
  expect(graph.firstAt((ledger[1] as Transfer).time)).toBe(1)
  expect(graph.firstAt(0)).toBe(0)
  expect(graph.firstAt(9e9)).toBe(3)
  expect(graph.highest(chain)).toEqual({ block: 101, hash: null })
})

test('a column file gives the same graph; cut, foreign or stale ones are passed over', async () => {
  const place = join(folder, 'file')
  const store = await openStore(place)
  await store.append({
    transfers: ledgerOf([[{ from: wallet(1), to: wallet(2), amount: 2n ** 200n }]]),
    source: 's',
    assurance: 1,
    coverage: [],
  })
  const columns = await readColumns(store)
  saveColumns(place, columns)
  const wanted = { storeId: columns.meta.storeId, sequence: columns.meta.sequence }
  const loaded = loadColumns(place, wanted)
  expect(loaded && createGraph(loaded).transfer(0)).toEqual(createGraph(columns).transfer(0))
  expect(loadColumns(place, { ...wanted, sequence: 9 })).toBeUndefined()
  expect(loadColumns(place, { ...wanted, storeId: 'other' })).toBeUndefined()
  expect(loadColumns(join(place, 'nowhere'), wanted)).toBeUndefined()
  truncateSync(join(place, 'generation.columns'), 900)
  expect(loadColumns(place, wanted)).toBeUndefined()
  writeFileSync(join(place, 'generation.columns'), 'something else entirely')
  expect(loadColumns(place, wanted)).toBeUndefined()
  await store.close()
})

test('a generation is built off the thread, and new rows make the next one', async () => {
  const place = join(folder, 'generations')
  const store = await openStore(place)
  const generations = openGenerations(store, { place: { location: place }, folder: place })
  expect((await generations.current()).transferCount).toBe(0)
  const rows = ledgerOf([
    [{ from: wallet(1), to: wallet(2), amount: 5n }],
    [{ from: wallet(1), to: wallet(2), amount: 6n }],
  ])
  await store.append({ transfers: rows.slice(0, 1), source: 's', assurance: 1, coverage: [] })
  const first = await generations.current()
  await store.append({ transfers: rows.slice(1), source: 's', assurance: 1, coverage: [] })
  const both = await Promise.all([generations.current(), generations.current()])
  expect([first.transferCount, ...both.map((g) => g.transferCount)]).toEqual([1, 2, 2])
  expect(generations.latest()?.digest).toBe(both[0]?.digest)
  await store.rollBack(chain, 101)
  expect((await generations.current()).digest).toBe(first.digest)
  await generations.close()
  const { id, sequence } = await store.state()
  expect(loadColumns(place, { storeId: id, sequence })).toEqual(await readColumns(store))
  await store.close()
})

test('a reader that is kept reads only what came since, and makes the same columns as one that begins anew', async () => {
  const place = join(folder, 'extended')
  const store = await openStore(place)
  const asked: number[] = []
  const reader = createReader({
    ...store,
    state: () => store.state(),
    readLog(after: number) {
      asked.push(after)
      return store.readLog(after)
    },
  } as Store)
  const known: number[] = []
  let batch = 0
  for (const transfers of madeLedger({
    transfers: 9_000,
    addresses: 300,
    batch: 900,
    seed: 12,
    fromNode: true,
  })) {
    known.push((await store.state()).sequence)
    await store.append({ transfers, source: 'file', assurance: 0, coverage: [] })
    // A better source replaces old rows, and a reorganisation takes some away: the past changes too.
    if (batch % 3 === 1)
      await store.append({ transfers, source: 'node', assurance: 1, coverage: [] })
    if (batch % 4 === 3) await store.rollBack(chain, 19_000_000 + batch * 4)
    batch++
    expect(await reader.read()).toEqual(await readColumns(store))
  }
  expect(batch).toBeGreaterThan(8)
  expect(asked).toEqual(known)
  await store.close()
}, 60_000)

test('a ledger large enough for a digest thread has the digest of its plain export, and when it goes on', async () => {
  const place = join(folder, 'large')
  const store = await openStore(place)
  for (const batch of madeLedger({
    transfers: 310_000,
    addresses: 20_000,
    batch: 16_384,
    seed: 5,
  })) {
    await store.append({ transfers: batch, source: 's', assurance: 1, coverage: [] })
  }
  const exported = async (): Promise<string> => {
    const digest = createHash('sha256')
    await exportTransfers(store, (text) => void digest.update(text), { plain: true })
    return digest.digest('hex')
  }
  const reader = createReader(store)
  const before = await reader.read()
  expect(before.meta.digest).toBe(await exported())
  for (const transfers of madeLedger({
    transfers: 20_000,
    addresses: 20_000,
    batch: 16_384,
    seed: 6,
    firstBlock: 20_000_000,
  }))
    await store.append({ transfers, source: 's', assurance: 1, coverage: [] })
  const after = await reader.read()
  expect(after.meta.digest).toBe(await exported())
  expect(after).toEqual(await readColumns(store))
  // It was extended: what is in front is the very same memory.
  expect(after.arrays.amount.buffer).toBe(before.arrays.amount.buffer)
  await reader.close()
  await store.close()
}, 60_000)
