import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runWorker, type WorkerEvent } from '../../ingest/worker.ts'
import { formatAccount, parseAccount } from '../../src/ledger/account.ts'
import type { ChainId } from '../../src/ledger/chain.ts'
import { type BlockInterval, joinIntervals } from '../../src/ledger/coverage.ts'
import { listFlags, putFlag } from '../../src/store/flags.ts'
import { openStore } from '../../src/store/open.ts'
import { type Anvil, startAnvil } from '../chain/anvil.ts'
import { canonicalTransfers } from '../chain/balanceProof.ts'
import { createScene, type Scene } from '../chain/scene.ts'

const main = resolve(import.meta.dirname, '../../ingest/main.ts')
const folders: string[] = []
const children: ChildProcess[] = []

let anvil: Anvil
let scene: Scene
let chain: ChainId
/** The contents after an uninterrupted run. */
let whole: readonly string[]

/** A chain longer than what anvil takes in one trace_filter, with payments all along. */
beforeAll(async () => {
  anvil = await startAnvil()
  scene = await createScene(anvil)
  chain = `eip155:${Number(await anvil.call('eth_chainId'))}` as ChainId
  const [payer = '', ...receivers] = scene.people
  for (let i = 0; i < 40; i++) {
    await scene.send(payer, receivers[i % receivers.length] ?? '', { value: BigInt(i + 1) })
    await anvil.call('anvil_mine', ['0x10'])
  }
  const location = await flagged()
  await work(location, anvil.url)
  whole = await contents(location)
}, 60_000)

afterAll(async () => {
  for (const child of children) child.kill('SIGKILL')
  await anvil.stop()
  for (const made of folders) rmSync(made, { recursive: true, force: true })
})

/** A store in which some wallets wait. */
async function flagged(people = scene.people.slice(0, 6)): Promise<string> {
  const location = mkdtempSync(join(tmpdir(), 'jejak-worker-'))
  folders.push(location)
  await flag(location, people)
  return location
}

async function flag(location: string, people: readonly string[]): Promise<void> {
  const store = await openStore(location)
  for (const address of people) {
    const account = parseAccount(address.toLowerCase(), chain)
    await putFlag(store, { account, reason: 'test', source: 'test' }, new Date(0))
  }
  await store.close()
}

async function work(
  location: string,
  rpc: string,
  stop = new AbortController(),
): Promise<WorkerEvent[]> {
  const events: WorkerEvent[] = []
  const tell = (event: WorkerEvent): void => {
    events.push(event)
  }
  const { signal } = stop
  await runWorker({ store: location, rpc, once: true, signal, tries: 2, leaseMs: 1_000, tell })
  return events
}

/** What is stored, whatever the order of arrival: transfers, and coverage as joined. */
async function contents(location: string): Promise<string[]> {
  const store = await openStore(location)
  const transfers = (await canonicalTransfers(store)).map(
    (t) => `${t.tx} ${t.kind} ${t.position} ${t.blockHash} ${t.from} ${t.to} ${t.amount}`,
  )
  const accounts = new Set((await listFlags(store)).flatMap(({ account }) => account ?? []))
  const intervals = new Map<string, BlockInterval[]>()
  for (const { account, kind, fromBlock: from, toBlock: to } of await store.coverage(accounts)) {
    const key = `${account} ${kind}`
    intervals.set(key, [...(intervals.get(key) ?? []), { from, to }])
  }
  const covered = [...intervals].flatMap(([key, parts]) =>
    joinIntervals(parts).map(({ from, to }) => `${key} ${from}-${to}`),
  )
  await store.close()
  return [...transfers, ...covered].sort()
}

/** What an uninterrupted run has and this store has not, and the other way round. */
async function differences(location: string): Promise<string[]> {
  const found = new Set(await contents(location))
  const missing = whole.filter((row) => !found.has(row)).map((row) => `missing ${row}`)
  const known = new Set(whole)
  return [...missing, ...[...found].filter((row) => !known.has(row))].slice(0, 5)
}

async function states(location: string): Promise<string[]> {
  const store = await openStore(location)
  const found = (await listFlags(store)).map(({ state }) => state)
  await store.close()
  return found
}

function spawnWorker(location: string, rpc: string, ...more: string[]): ChildProcess {
  const args = ['--disable-warning=ExperimentalWarning', main, 'worker', '--store', location]
  const child = spawn(process.execPath, [...args, '--rpc', rpc, '--json', ...more], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.push(child)
  return child
}

/** Waits until the process has told so many events of a kind. */
async function told(child: ChildProcess, event: string, count: number): Promise<void> {
  let seen = 0
  for await (const chunk of child.stdout?.iterator({ destroyOnReturn: false }) ?? []) {
    seen += String(chunk).split(`"event":"${event}"`).length - 1
    if (seen < count) continue
    // It goes on telling.
    child.stdout?.resume()
    return
  }
  throw new Error(`the worker ended after ${seen} "${event}"`)
}

/** anvil behind a door that lets only so much through, counts, and may rewrite answers. */
async function before(rules: {
  readonly delayMs?: number
  readonly answer?: (
    method: string,
    params: readonly unknown[],
  ) => object | undefined | Promise<undefined>
}): Promise<{ url: string; server: Server; asked: Map<string, number> }> {
  const asked = new Map<string, number>()
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', async () => {
      const text = Buffer.concat(chunks).toString()
      const { id, method, params } = JSON.parse(text) as {
        id: number
        method: string
        params: unknown[]
      }
      asked.set(method, (asked.get(method) ?? 0) + 1)
      if (rules.delayMs) await sleep(rules.delayMs)
      const own = await rules.answer?.(method, params)
      if (own) {
        response.end(JSON.stringify({ jsonrpc: '2.0', id, ...own }))
        return
      }
      const headers = { 'content-type': 'application/json' }
      const answer = await fetch(anvil.url, { method: 'POST', headers, body: text })
      response.end(await answer.text())
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  return { url: `http://127.0.0.1:${port}`, server, asked }
}

test('a worker that is told to stop ends well and gives its wallet back', async () => {
  const slow = await before({ delayMs: 15 })
  const location = await flagged()
  const child = spawnWorker(location, slow.url)
  await told(child, 'range', 2)
  child.kill('SIGTERM')
  const [code] = (await once(child, 'exit')) as [number]
  slow.server.close()
  expect(code).toBe(0)
  await work(location, anvil.url)
  expect(new Set(await states(location))).toEqual(new Set(['done']))
  expect(await differences(location)).toEqual([])
})

test('two workers share the wallets and read none twice', async () => {
  const location = await flagged()
  const slow = await before({ delayMs: 5 })
  const both = (await Promise.all([work(location, slow.url), work(location, slow.url)])).flat()
  slow.server.close()
  const ranges = both.flatMap((e) => (e.event === 'range' ? [`${e.account} ${e.fromBlock}`] : []))
  expect(ranges.length).toBeGreaterThan(6)
  expect(new Set(ranges).size).toBe(ranges.length)
  expect(both.filter(({ event }) => event === 'failed')).toEqual([])
  expect(await differences(location)).toEqual([])
})

test('a range that the node calls too large is read in smaller ones', async () => {
  const sizes: number[] = []
  const counted = await before({
    answer(method, params) {
      const { fromBlock = '0x0', toBlock = '0x0' } = (params[0] ?? {}) as Record<string, string>
      if (method === 'trace_filter') sizes.push(Number(toBlock) - Number(fromBlock) + 1)
      return undefined
    },
  })
  const location = await flagged(scene.people.slice(0, 1))
  await work(location, counted.url)
  counted.server.close()
  expect(sizes.filter((size) => size > 300).length).toBeLessThanOrEqual(1)
  expect(Math.max(...sizes.filter((size) => size <= 300))).toBeGreaterThan(200)
  expect(sizes.length).toBeLessThan(16)
})

test('a node that says too many results with the code of a rate limit is asked for less', async () => {
  const most = 200
  const limited = await before({
    answer(method, params) {
      const { fromBlock = '0x0', toBlock = '0x0' } = (params[0] ?? {}) as Record<string, string>
      if (method !== 'eth_getLogs' || Number(toBlock) - Number(fromBlock) < most) return undefined
      return { error: { code: -32005, message: 'query returned more than 10000 results' } }
    },
  })
  const location = await flagged()
  await work(location, limited.url)
  limited.server.close()
  expect(await differences(location)).toEqual([])
})

test('a node that told how much it takes is not asked for more again', async () => {
  let refused = 0
  const limited = await before({
    answer(method, params) {
      const { fromBlock = '0x0', toBlock = '0x0' } = (params[0] ?? {}) as Record<string, string>
      if (method !== 'eth_getLogs' || Number(toBlock) - Number(fromBlock) < 50) return undefined
      refused++
      return { error: { code: -32602, message: 'eth_getLogs is limited to a 50 blocks range' } }
    },
  })
  const location = await flagged(scene.people.slice(0, 1))
  await work(location, limited.url)
  expect(refused).toBe(1)
  await flag(location, scene.people.slice(1, 3))
  await work(location, limited.url)
  limited.server.close()
  expect(refused).toBe(1)
})

test('a node that lags behind undoes nothing that was read', async () => {
  const location = await flagged()
  await work(location, anvil.url)
  const lag = 50
  const head = Number(await anvil.call('eth_blockNumber')) - lag
  const lagging = await before({
    answer(method, params) {
      if (method === 'eth_blockNumber') return { result: `0x${head.toString(16)}` }
      if (method !== 'eth_getBlockByNumber' || Number(params[0]) <= head) return undefined
      return { result: null }
    },
  })
  await flag(location, scene.people.slice(0, 6))
  const events = await work(location, lagging.url)
  lagging.server.close()
  expect(events.filter(({ event }) => event === 'rolledBack')).toEqual([])
  expect(await differences(location)).toEqual([])
})

test('a wallet whose node went away is read when the node is back', async () => {
  let down = true
  const flaky = await before({
    answer: (method) =>
      down && method === 'eth_getLogs'
        ? { error: { code: -32005, message: 'try later' } }
        : undefined,
  })
  const location = await flagged(scene.people.slice(0, 1))
  const stop = new AbortController()
  const events: WorkerEvent[] = []
  const working = runWorker({
    store: location,
    rpc: flaky.url,
    once: false,
    signal: stop.signal,
    tries: 1,
    tell: (event) => events.push(event),
  })
  await sleep(1_000)
  down = false
  for (let i = 0; i < 60 && events.at(-1)?.event !== 'done'; i++) await sleep(250)
  stop.abort()
  await working
  flaky.server.close()
  expect(events.at(-1)?.event).toBe('done')
}, 30_000)

test('a lost lease is not a failure of the wallet', async () => {
  const location = await flagged(scene.people.slice(0, 1))
  let robbed = false
  const thief = await openStore(location)
  const robbing = await before({
    async answer(method) {
      if (method !== 'eth_getLogs' || robbed) return undefined
      robbed = true
      const [lease] = await thief.listDocuments('lease')
      await thief.writeDocument('lease', lease?.id ?? '', lease?.version ?? 0, {
        owner: 'another worker',
        lastsMs: 1_000,
      })
      return undefined
    },
  })
  const events = await work(location, robbing.url)
  robbing.server.close()
  await thief.close()
  expect(robbed).toBe(true)
  expect(events.filter(({ event }) => event === 'failed')).toEqual([])
  expect(await states(location)).not.toContain('failed')
})

test('flags name their accounts in the form of the program', async () => {
  const location = await flagged(scene.people.slice(0, 1))
  const [connected, ...rest] = await work(location, anvil.url)
  expect(connected).toMatchObject({ event: 'connected', chain })
  const names = new Set(rest.flatMap((e) => ('account' in e ? [e.account] : [])))
  expect(names).toEqual(
    new Set([formatAccount(parseAccount((scene.people[0] ?? '').toLowerCase(), chain))]),
  )
})
