import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runWorker, type WorkerEvent } from '../../ingest/worker.ts'
import { openKnowledge } from '../../src/api/knowledge.ts'
import { pinTrace, replayTrace } from '../../src/api/pinnedTraces.ts'
import { traceMoment } from '../../src/api/runTrace.ts'
import { traceText } from '../../src/api/traceId.ts'
import { buildGraph } from '../../src/graph/build.ts'
import { type Account, parseAccount } from '../../src/ledger/account.ts'
import type { ChainId } from '../../src/ledger/chain.ts'
import { nativeAsset } from '../../src/ledger/nativeCoins.ts'
import { transferId } from '../../src/ledger/transfer.ts'
import { listFlags, putFlag } from '../../src/store/flags.ts'
import { openStore } from '../../src/store/open.ts'
import type { Store } from '../../src/store/store.ts'
import { type Anvil, startAnvil } from '../chain/anvil.ts'
import { canonicalTransfers, nativeBalance, replay } from '../chain/balanceProof.ts'
import { createScene, type Scene } from '../chain/scene.ts'

const folder = mkdtempSync(join(tmpdir(), 'jejak-reorganisation-'))
let places = 0
let anvil: Anvil
let scene: Scene
let chain: ChainId
let accounts: Account[]

beforeAll(async () => {
  anvil = await startAnvil()
  scene = await createScene(anvil)
  chain = `eip155:${Number(await anvil.call('eth_chainId'))}` as ChainId
  accounts = scene.people.slice(0, 4).map((address) => parseAccount(address.toLowerCase(), chain))
  await pay(40)
}, 60_000)

afterAll(async () => {
  await anvil.stop()
  rmSync(folder, { recursive: true, force: true })
})

let paid = 0
/** Payments among the four, each in a block of its own. */
async function pay(count: number): Promise<void> {
  for (let i = 0; i < count; i++, paid++) {
    const [from = '', to = ''] = [scene.people[paid % 4], scene.people[(paid + 1) % 4]]
    await scene.send(from, to, { value: BigInt(1_000_000 + paid) })
  }
}

async function flagged(location: string): Promise<void> {
  const store = await openStore(location)
  for (const account of accounts)
    await putFlag(store, { account, reason: 'test', source: 'test' }, new Date(0))
  await store.close()
}

/** Ends the worker when it is told to, as a kill would: whatever it waits for never comes. */
class Killed extends Error {}

async function work(
  location: string,
  dieAt?: (method: string, args: readonly unknown[]) => boolean,
  before?: (method: string) => Promise<void>,
): Promise<WorkerEvent[]> {
  const events: WorkerEvent[] = []
  const inner = await openStore(location)
  const gone = Promise.withResolvers<never>()
  const store = new Proxy(inner, {
    get(target, name) {
      const method = Reflect.get(target, name)
      if (typeof method !== 'function' || name === 'close') return method?.bind(target)
      return async (...args: unknown[]) => {
        await before?.(String(name))
        const result = await (method as (...given: unknown[]) => unknown).apply(target, args)
        if (!dieAt?.(String(name), args)) return result
        await inner.close()
        gone.reject(new Killed())
        return new Promise(() => undefined)
      }
    },
  })
  const run = runWorker({
    store: async () => store as Store,
    rpc: anvil.url,
    once: true,
    signal: new AbortController().signal,
    tries: 2,
    leaseMs: 200,
    tell: (event) => events.push(event),
  })
  await Promise.race([run, gone.promise]).catch((error: unknown) => {
    if (!(error instanceof Killed)) throw error
  })
  return events
}

/** Digest of what is stored, and what it replays to where the node says otherwise. */
async function stateOf(location: string): Promise<{ digest: string; wrong: string[] }> {
  const store = await openStore(location)
  const balances = replay(await canonicalTransfers(store))
  const wrong: string[] = []
  for (const address of scene.people.slice(0, 4)) {
    const now = await nativeBalance(anvil, address)
    const change = balances.get(`${address.toLowerCase()} ${nativeAsset(chain)}`) ?? 0n
    const opening = await nativeBalance(anvil, address, '0x0')
    if (opening + change !== now)
      wrong.push(`${address}: ${opening + change}, the node says ${now}`)
  }
  wrong.push(...(await store.check()).damage)
  const states = (await listFlags(store)).map(({ state }) => state)
  if (!states.every((state) => state === 'done')) wrong.push(states.join(' '))
  const { digest } = await buildGraph(store)
  await store.close()
  return { digest, wrong }
}

async function rebuilt(): Promise<{ digest: string; wrong: string[] }> {
  const location = join(folder, String(++places))
  await flagged(location)
  await work(location)
  return stateOf(location)
}

describe.each([1, 3, 20])('a reorganisation of depth %i', (depth) => {
  test('is rolled back to the common block and read again, by itself', async () => {
    const location = join(folder, String(++places))
    await flagged(location)
    await work(location)
    const head = Number(await anvil.call('eth_blockNumber'))
    await anvil.call('anvil_reorg', [depth, []])
    await pay(2)
    const events = await work(location)
    const rolledBack = events.find((event) => event.event === 'rolledBack')
    expect(rolledBack).toMatchObject({ chain, reopened: 4 })
    expect(rolledBack?.fromBlock).toBeLessThanOrEqual(head - depth + 1)
    expect(rolledBack?.fromBlock).toBeGreaterThan(head - 2 * depth - 1)
    expect(await stateOf(location)).toEqual(await rebuilt())
    expect((await stateOf(location)).wrong).toEqual([])
  })

  test('the worker killed after each step of it: whoever comes next completes it', async () => {
    const steps: readonly [string, (method: string, args: readonly unknown[]) => boolean][] = [
      [
        'it was announced',
        (method, [name]) => method === 'writeDocument' && name === 'reorganisation',
      ],
      ['rows were orphaned', (method) => method === 'rollBack'],
      ['anchors were dropped', (method, [name]) => method === 'writeDocument' && name === 'anchor'],
      ['a wallet was reopened', (method, [name]) => method === 'writeDocument' && name === 'flag'],
      ['rows were read again', (method) => method === 'append'],
    ]
    const location = join(folder, String(++places))
    await flagged(location)
    await work(location)
    for (const [name, step] of steps) {
      await pay(2)
      await flagged(location)
      await work(location)
      await anvil.call('anvil_reorg', [depth, []])
      await pay(1)
      let seen = false
      const isNow = (method: string, args: readonly unknown[]): boolean => {
        const hit = !seen && step(method, args)
        seen ||= hit
        return hit
      }
      await work(location, isNow)
      expect([name, seen]).toEqual([name, true])
      await work(location)
    }
    expect(await stateOf(location)).toEqual(await rebuilt())
    expect((await stateOf(location)).wrong).toEqual([])
  })
})

test('a worker that slept over its roll back, which others completed long ago, orphans nothing', async () => {
  const location = join(folder, String(++places))
  await flagged(location)
  await work(location)
  await anvil.call('anvil_reorg', [3, []])
  await pay(2)
  const asleep = Promise.withResolvers<void>()
  const awake = Promise.withResolvers<void>()
  const sleeping = work(location, undefined, async (method) => {
    if (method !== 'rollBack') return
    asleep.resolve()
    await awake.promise
  })
  await asleep.promise
  await flagged(location)
  const others = await work(location)
  expect(others.some(({ event }) => event === 'rolledBack')).toBe(true)
  const store = await openStore(location)
  const { sequence } = await store.state()
  awake.resolve()
  const events = await sleeping
  expect(events.filter(({ event }) => event === 'rolledBack')).toEqual([])
  expect((await store.state()).sequence).toBe(sequence)
  await store.close()
  expect(await stateOf(location)).toEqual(await rebuilt())
})

test('golden 15: a reorganisation of depth 3 after a trace was pinned: the old one still replays', async () => {
  const location = join(folder, String(++places))
  await flagged(location)
  const payment = await scene.send(scene.people[0] ?? '', scene.people[1] ?? '', {
    value: 5n ** 20n,
  })
  await pay(3)
  await work(location)
  const knowledge = await openKnowledge(location)
  try {
    const rows = await knowledge.store.transfersOfTransaction(chain, payment)
    const seed = rows.find(({ kind }) => kind === 'native')
    if (!seed) throw new Error('the payment was not read')
    const moment = await traceMoment(knowledge, { seeds: [transferId(seed)] })
    await pinTrace(knowledge.store, moment)
    const before = traceText(moment.answer)
    await anvil.call('anvil_reorg', [3, []])
    await pay(1)
    const events = await work(location)
    expect(events.some(({ event }) => event === 'rolledBack')).toBe(true)
    expect(traceText(await replayTrace(knowledge, moment.answer.id))).toBe(before)
    const after = await traceMoment(knowledge, { seeds: [transferId(seed)] })
    expect(after.answer.id).not.toBe(moment.answer.id)
    expect((await stateOf(location)).wrong).toEqual([])
  } finally {
    await knowledge.close()
  }
})

test('error: a node that shows another block where one was final changes nothing', async () => {
  const location = join(folder, String(++places))
  await flagged(location)
  await work(location)
  const store = await openStore(location)
  const known = await store.readDocument('anchor', chain)
  const value = known?.value as {
    anchors: unknown[]
    final: { block: number; hash: string } | null
  }
  const before = (await store.state()).sequence
  const final = { block: 1, hash: `0x${'ab'.repeat(32)}` }
  await store.writeDocument('anchor', chain, known?.version ?? 0, { ...value, anchors: [], final })
  await putFlag(store, { account: accounts[0] as Account, reason: 'r', source: 's' }, new Date(0))
  await expect(work(location)).rejects.toMatchObject({ code: 'chain.contradicted' })
  expect((await store.state()).sequence).toBe(before)
  expect((await listFlags(store)).map(({ state }) => state)).not.toContain('failed')
  await store.close()
})
