import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Columns } from '../../src/graph/columns.ts'
import { type Generations, type Moment, openGenerations } from '../../src/graph/generations.ts'
import { claimsOf } from '../../src/graph/sharedClaims.ts'
import type { Coverage } from '../../src/ledger/coverage.ts'
import type { Transfer } from '../../src/ledger/transfer.ts'
import { openStore } from '../../src/store/open.ts'
import type { Append, Store, StoreState } from '../../src/store/store.ts'
import { madeLedger } from '../bench/madeLedger.ts'
import { chain, ledgerOf, wallet } from '../ledger.arbitrary.ts'

const rows = ledgerOf([
  [{ from: wallet(1), to: wallet(2), amount: 5n }],
  [{ from: wallet(1), to: wallet(2), amount: 6n }],
])
const first = rows[0] as Transfer
const second = rows[1]?.block ?? 0
const long = 3_600_000
let folder: string
let store: Store
let generations: Generations

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'jejak-moment-'))
  store = await openStore(folder)
  generations = openGenerations(store, { place: { location: folder }, folder })
})
afterEach(async () => {
  await generations.close()
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Rows, and the claim that a payer is covered through their last block. */
async function append(transfers: Append['transfers'], toBlock: number): Promise<void> {
  const coverage = [claimThrough(toBlock)]
  await store.append({ transfers, source: 's', assurance: 1, coverage })
}

function claimThrough(toBlock: number): Coverage {
  const fromBlock = Math.min(first.block, toBlock)
  return { account: wallet(1), kind: first.kind, fromBlock, toBlock, assurance: 1, source: 's' }
}

/** Generations of a log that has gone on whenever it is looked at: the same on any machine. */
function whileWriting(): Generations {
  const batches = madeLedger({ transfers: 400_000, addresses: 2_000, batch: 2_000, seed: 4 })
  const state = async (): Promise<StoreState> => {
    const { value } = batches.next()
    if (value) await append(value, Math.max(...value.contexts.block))
    return store.state()
  }
  const written = { state } as Store
  return openGenerations(written, { place: { location: folder }, folder })
}

const claimedThrough = ({ coverage }: Moment): number =>
  Math.max(...claimsOf(coverage).map(({ toBlock }) => toBlock))

test('while nobody writes a moment holds all that was stored before, rows and claims', async () => {
  await append([first], first.block)
  expect((await generations.moment(long)).graph.transferCount).toBe(1)
  await append(rows.slice(1), second)
  const moment = await generations.moment(long)
  expect([moment.graph.transferCount, claimedThrough(moment)]).toEqual([2, second])
  // A worker that found nothing claims more of the same rows.
  await append([], second + 5_000)
  const covered = await generations.moment(long)
  expect(claimedThrough(covered)).toBe(second + 5_000)
  expect(covered.columns).toBe(moment.columns)
  await store.rollBack(chain, second)
  const back = await generations.moment(long)
  expect([back.graph.transferCount, claimedThrough(back)]).toEqual([1, first.block])
})

test('claims that were read of a later moment are not told with the rows before', async () => {
  let looks = Number.NEGATIVE_INFINITY
  const racing = {
    async state() {
      const seen = await store.state()
      // Between this look and what the thread reads, somebody appends.
      if (++looks === 2) await append(rows.slice(1), second)
      return seen
    },
  } as Store
  const beside = openGenerations(racing, { place: { location: folder }, folder })
  await append([first], first.block)
  await beside.moment(long)
  await store.append({ transfers: [], source: 's', assurance: 1, coverage: [claimThrough(1)] })
  looks = 0
  const moment = await beside.moment(0)
  expect(looks).toBeGreaterThan(2)
  expect([moment.graph.transferCount, claimedThrough(moment)]).toEqual([2, second])
  await beside.close()
})

test('while the log goes on the newest moment that is made is told, and claims nothing beyond its rows', async () => {
  const busy = whileWriting()
  const moments = new Set<Columns>()
  let behind = 0
  for (let asked = 0; asked < 40; asked++) {
    const { sequence } = await store.state()
    // Now and then somebody allows little, so that a next one is made.
    const moment = await busy.moment(asked % 10 === 9 ? 1 : long)
    if (moment.graph.sequence < sequence) behind++
    expect(claimedThrough(moment)).toBe(moment.graph.highest(chain)?.block)
    moments.add(moment.columns)
  }
  expect(behind).toBeGreaterThan(20)
  expect(moments.size).toBeGreaterThan(3)
  await busy.close()
}, 60_000)

test('who allows no age, and who has written, finds everything however the log goes on', async () => {
  const busy = whileWriting()
  await busy.moment(long)
  for (let i = 0; i < 5; i++) {
    const { sequence } = await store.state()
    expect((await busy.moment(0)).graph.sequence).toBeGreaterThanOrEqual(sequence)
  }
  for (let i = 0; i < 5; i++) {
    await busy.showAll()
    const { sequence } = await store.state()
    expect((await busy.moment(long)).graph.sequence).toBeGreaterThanOrEqual(sequence)
  }
  await busy.close()
}, 60_000)
