import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createNode } from '../../ingest/rpc/node.ts'
import { untouchedThrough } from '../../ingest/rpc/untouched.ts'
import { runWorker, type WorkerEvent } from '../../ingest/worker.ts'
import { type Account, parseAccount } from '../../src/ledger/account.ts'
import type { ChainId } from '../../src/ledger/chain.ts'
import { putFlag, readFlag } from '../../src/store/flags.ts'
import { openStore } from '../../src/store/open.ts'
import type { Store } from '../../src/store/store.ts'
import { changeWork, newWork, readWork, type WorkItem } from '../../src/store/workQueue.ts'
import { type Anvil, startAnvil } from '../chain/anvil.ts'
import { createScene } from '../chain/scene.ts'

let anvil: Anvil
let chain: ChainId
let payment: string
let people: readonly Account[]
let contract: Account
const folders: string[] = []

beforeAll(async () => {
  anvil = await startAnvil()
  chain = `eip155:${Number(await anvil.call('eth_chainId'))}` as ChainId
  const scene = await createScene(anvil)
  const [, a = '', b = '', c = ''] = scene.people
  payment = await scene.send(a, b, { value: 5n })
  await scene.send(b, c, { value: 3n })
  contract = parseAccount((await scene.deploy('Relay')).address, chain)
  people = [a, b, c].map((address) => parseAccount(address.toLowerCase(), chain))
  await anvil.call('anvil_setNonce', [c, '0x2711'])
  await anvil.call('anvil_mine', ['0x258'])
})

afterAll(async () => {
  await anvil.stop()
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

async function stored(fill: (store: Store) => Promise<unknown>): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'jejak-queue-'))
  folders.push(folder)
  const store = await openStore(folder)
  await fill(store)
  await store.close()
  return folder
}

function wanted(account: Account, more: Partial<WorkItem> = {}) {
  return (store: Store) =>
    changeWork(store, account, () => ({
      ...newWork({ account }),
      priority: 0.5,
      flags: ['x'],
      ...more,
    }))
}

async function work(
  folder: string,
  more: { readonly worthAsking?: number } = {},
): Promise<WorkerEvent[]> {
  const events: WorkerEvent[] = []
  const tell = (event: WorkerEvent): void => {
    events.push(event)
  }
  const signal = new AbortController().signal
  await runWorker({ store: folder, rpc: anvil.url, once: true, signal, tries: 2, tell, ...more })
  return events
}

async function found(folder: string, id: string): Promise<WorkItem | undefined> {
  const store = await openStore(folder)
  const item = await readWork(store, id)
  await store.close()
  return item
}

const [a, b, c] = [0, 1, 2]
const person = (number: number): Account => people[number] as Account
const said = { reason: 'r', source: 's' }

test('what matters most is read first, and what nobody wants is not read', async () => {
  const folder = await stored(async (store) => {
    await wanted(person(a), { priority: 0.2 })(store)
    await wanted(person(b), { priority: 0.7 })(store)
    await wanted(person(c), { priority: 0 })(store)
  })
  const done = (await work(folder)).filter(({ event }) => event === 'done')
  expect(done).toMatchObject([
    { account: expect.stringMatching(new RegExp(person(b).slice(-40), 'i')) },
    { account: expect.stringMatching(new RegExp(person(a).slice(-40), 'i')) },
  ])
  const item = await found(folder, person(b))
  expect(item).toMatchObject({ state: 'done', finished: 1, error: null })
  expect(item?.spent.calls).toBeGreaterThan(5)
  expect(item?.spent.blocks).toBe((item?.throughBlock ?? 0) + 1)
})

test('an unknown address that signed very much is parked with its numbers, unread', async () => {
  const folder = await stored(wanted(person(c), { askFirst: true }))
  const events = await work(folder)
  expect(events.at(-1)).toMatchObject({ event: 'parked', why: 'high_degree' })
  expect(await found(folder, person(c))).toMatchObject({
    state: 'parked',
    parked: 'high_degree',
    askedFirst: { transactions: 10_001, hasCode: false },
    spent: { blocks: 0 },
  })
})

test('it is read when an operator says so', async () => {
  const folder = await stored(wanted(person(c), { askFirst: true, continued: true }))
  await work(folder)
  expect(await found(folder, person(c))).toMatchObject({ state: 'done' })
})

test('a contract is known as one by being asked', async () => {
  const folder = await stored(wanted(contract, { askFirst: true }))
  await work(folder)
  const store = await openStore(folder)
  const known = await store.listDocuments('code')
  await store.close()
  expect(known.map(({ value }) => value)).toEqual([{ accounts: [contract] }])
  expect(await found(folder, contract)).toMatchObject({
    state: 'done',
    askedFirst: { hasCode: true },
  })
})

test('a budget ends a reading between two ranges, and what was read stays', async () => {
  const folder = await stored(wanted(person(a), { limits: { calls: 10_000, blocks: 100 } }))
  const events = await work(folder)
  expect(events.at(-1)).toMatchObject({ event: 'parked', why: 'budget' })
  const before = await found(folder, person(a))
  expect(before).toMatchObject({ state: 'parked', parked: 'budget' })
  const store = await openStore(folder)
  await changeWork(
    store,
    person(a),
    (known) => known && { ...known, state: 'waiting', limits: null },
  )
  await store.close()
  const ranges = (await work(folder)).filter(({ event }) => event === 'range')
  expect(ranges[0]).toMatchObject({ fromBlock: before?.spent.blocks })
  expect(await found(folder, person(a))).toMatchObject({ state: 'done' })
})

test('a node that is behind leaves a wallet to the next worker, and does not read it in vain', async () => {
  const folder = await stored(wanted(person(a), { through: 1_000_000 }))
  const events = await work(folder)
  expect(events.at(-1)).toMatchObject({ event: 'failed', code: 'rpc.unavailable' })
  expect(await found(folder, person(a))).toMatchObject({
    state: 'waiting',
    attempts: 1,
    error: { code: 'rpc.unavailable' },
    spent: { blocks: 0 },
  })
})

test('what the state shows of the time before a wallet began is not read for native coins', async () => {
  const late = parseAccount(`0x${'5a'.repeat(20)}`, chain)
  const never = parseAccount(`0x${'5b'.repeat(20)}`, chain)
  const { send, people: all } = await createScene(anvil)
  const reference = late.slice(late.lastIndexOf(':') + 1)
  for (const to of [late, never])
    await send(all[5] as string, to.slice(to.lastIndexOf(':') + 1), { value: 10n ** 18n })
  const began = Number(await anvil.call('eth_blockNumber')) - 1
  await anvil.call('anvil_impersonateAccount', [reference])
  await send(reference, all[6] as string, { value: 5n })
  const folder = await stored(async (store) => {
    await wanted(late)(store)
    await wanted(never)(store)
  })
  await work(folder, { worthAsking: 10 })
  const store = await openStore(folder)
  const spans = async (account: Account): Promise<string[]> =>
    (await store.coverage(new Set([account]))).map(
      ({ kind, fromBlock, toBlock }) => `${kind} ${fromBlock}-${toBlock}`,
    )
  const head = Number(await anvil.call('eth_blockNumber'))
  const whole = ['fee', 'internal', 'native', 'token'].map((kind) => `${kind} 0-${head}`)
  expect(await spans(late)).toEqual(whole)
  expect(await spans(never)).toEqual(whole)
  const rows = await store.transfersTouching({ accounts: new Set([late]), limit: 100 })
  expect(rows.transfers.map(({ kind, block }) => [kind, block])).toEqual([
    ['native', began],
    ['fee', began + 2],
    ['native', began + 2],
  ])
  await store.close()
  // Whoever has not signed may be a contract that comes and goes: it is read.
  const node = createNode(anvil.url)
  expect(await untouchedThrough(node, late, head)).toBe(began - 1)
  expect(await untouchedThrough(node, never, head)).toBeUndefined()
  expect(await untouchedThrough(node, contract, head)).toBeUndefined()
})

test('a flagged payment is read by its transaction, and nobody counts as covered', async () => {
  const id = `${chain}:${payment}`
  const flag = { transaction: { chain, tx: payment }, ...said }
  const folder = await stored((store) => putFlag(store, flag, new Date(0)))
  await work(folder)
  const store = await openStore(folder)
  expect(await store.transfersOfTransaction(chain, payment)).toHaveLength(2)
  expect(await store.coverageClaims()).toEqual([])
  expect(await readFlag(store, id)).toMatchObject({ state: 'done' })
  await store.close()
  expect(await found(folder, id)).toMatchObject({ state: 'done', own: [id] })
})

test('error: a payment that the chain does not have is told on its flag', async () => {
  const tx = `0x${'12'.repeat(32)}`
  const flag = { transaction: { chain, tx }, ...said }
  const folder = await stored((store) => putFlag(store, flag, new Date(0)))
  await work(folder)
  const store = await openStore(folder)
  expect(await readFlag(store, `${chain}:${tx}`)).toMatchObject({
    state: 'failed',
    error: { code: 'transfer.not-found' },
  })
  await store.close()
})

test('wallets of other chains are left to other workers', async () => {
  const elsewhere = parseAccount(`eip155:1:0x${'34'.repeat(20)}`)
  const folder = await stored(wanted(elsewhere))
  const events = await work(folder)
  expect(events.map(({ event }) => event)).toEqual(['connected'])
  expect(await found(folder, elsewhere)).toMatchObject({ state: 'waiting' })
})
