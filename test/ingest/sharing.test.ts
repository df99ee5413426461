import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Clock, wallClock } from '../../ingest/rpc/clock.ts'
import { runWorker, type WorkerEvent } from '../../ingest/worker.ts'
import { openKnowledge } from '../../src/api/knowledge.ts'
import { traceMoment } from '../../src/api/runTrace.ts'
import { buildGraph } from '../../src/graph/build.ts'
import { parseAccount } from '../../src/ledger/account.ts'
import type { ChainId } from '../../src/ledger/chain.ts'
import { transferId } from '../../src/ledger/transfer.ts'
import { listFlags, putFlag, readFlag } from '../../src/store/flags.ts'
import { openStore } from '../../src/store/open.ts'
import { type Anvil, startAnvil } from '../chain/anvil.ts'
import { createScene, type Scene } from '../chain/scene.ts'

const main = resolve(import.meta.dirname, '../../ingest/main.ts')
const folder = mkdtempSync(join(tmpdir(), 'jejak-sharing-'))
const children: ChildProcess[] = []
let places = 0
let anvil: Anvil
let scene: Scene
let chain: ChainId

beforeAll(async () => {
  anvil = await startAnvil()
  scene = await createScene(anvil)
  chain = `eip155:${Number(await anvil.call('eth_chainId'))}` as ChainId
  await scene.send(scene.people[1] ?? '', scene.people[0] ?? '', { value: 5n * 10n ** 18n })
  for (let i = 0; i < 60; i++) {
    const [from = '', to = ''] = [scene.people[i % 16], scene.people[(i * 7 + 1) % 16]]
    await scene.send(from, to, { value: BigInt(i + 1) })
    if (i % 6 === 0) await anvil.call('anvil_mine', ['0x40'])
  }
}, 60_000)

afterAll(async () => {
  for (const child of children) child.kill('SIGKILL')
  await anvil.stop()
  rmSync(folder, { recursive: true, force: true })
})

async function flagged(count = 16): Promise<string> {
  const location = join(folder, String(++places))
  const store = await openStore(location)
  for (const address of scene.people.slice(0, count)) {
    const account = parseAccount(address.toLowerCase(), chain)
    await putFlag(store, { account, reason: 'test', source: 'test' }, new Date(0))
  }
  await store.close()
  return location
}

async function work(
  location: string,
  given: { readonly clock?: Clock; readonly rpc?: string; readonly leaseMs?: number } = {},
): Promise<WorkerEvent[]> {
  const events: WorkerEvent[] = []
  await runWorker({
    store: location,
    rpc: anvil.url,
    once: true,
    signal: new AbortController().signal,
    tries: 2,
    leaseMs: 2_000,
    ...given,
    tell: (event) => events.push(event),
  })
  return events
}

async function digestOf(location: string): Promise<string> {
  const store = await openStore(location)
  const states = new Set((await listFlags(store)).map(({ state }) => state))
  expect([...states]).toEqual(['done'])
  expect((await store.check()).damage).toEqual([])
  const { digest } = await buildGraph(store)
  await store.close()
  return digest
}

function spawnWorker(location: string, rpc: string): ChildProcess {
  const args = ['--disable-warning=ExperimentalWarning', main, 'worker', '--store', location]
  const more = ['--rpc', rpc, '--json', '--once', '--lease-ms', '1000']
  const child = spawn(process.execPath, [...args, ...more], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  return child
}

/** anvil behind a door where an answer can be held back or changed. */
async function door(
  pass: (method: string, params: readonly unknown[]) => Promise<object | undefined>,
): Promise<{ readonly url: string; readonly server: Server }> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks).toString()
    const { id, method, params } = JSON.parse(body) as { id: number; method: string; params: [] }
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(anvil.url, { method: 'POST', headers, body })
    const text = await answer.text()
    const own = await pass(method, params)
    response.end(own ? JSON.stringify({ jsonrpc: '2.0', id, ...own }) : text)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  return { url: `http://127.0.0.1:${port}`, server }
}

function readTwice(events: readonly WorkerEvent[]): string[] {
  const ranges = events.flatMap((e) => (e.event === 'range' ? [`${e.account} ${e.fromBlock}`] : []))
  expect(ranges.length).toBeGreaterThan(15)
  return ranges.filter((range, i) => ranges.indexOf(range) !== i)
}

test('1, 2 and 8 workers give the same content, and read nothing twice', async () => {
  const digests: string[] = []
  for (const workers of [1, 2, 8]) {
    const location = await flagged()
    const all = await Promise.all(Array.from({ length: workers }, () => work(location)))
    expect(readTwice(all.flat())).toEqual([])
    digests.push(await digestOf(location))
  }
  expect(new Set(digests).size).toBe(1)
})

test('clocks that are hours apart, and one that jumps: nothing is lost, doubled or taken from who lives', async () => {
  const location = await flagged()
  const shifted = (now: () => number): Clock => ({ ...wallClock, now })
  let jumps = 0
  const clocks = [
    shifted(() => wallClock.now() + 36e5),
    shifted(() => wallClock.now() - 36e5),
    // A day forward with every look at it: whoever waits believes at once that it waited long enough.
    shifted(() => wallClock.now() + 864e5 * ++jumps),
  ]
  const all = await Promise.all(clocks.map((clock) => work(location, { clock })))
  expect(readTwice([...(all[0] ?? []), ...(all[1] ?? [])])).toEqual([])
  const straight = await flagged()
  await work(straight)
  expect(await digestOf(location)).toBe(await digestOf(straight))
})

test('a worker that was stopped in the middle and wakes after a reorganisation writes nothing', async () => {
  const held = Promise.withResolvers<void>()
  const reading = Promise.withResolvers<void>()
  const slow = await door(async (method) => {
    if (method !== 'eth_getLogs') return undefined
    reading.resolve()
    await held.promise
    return undefined
  })
  const location = await flagged(2)
  const child = spawnWorker(location, slow.url)
  await reading.promise
  child.kill('SIGSTOP')
  // Its answers are from before the reorganisation, and wait for it.
  held.resolve()
  await anvil.call('anvil_reorg', [3, []])
  await scene.send(scene.people[0] ?? '', scene.people[1] ?? '', { value: 99n })
  await work(location)
  const before = await digestOf(location)
  const store = await openStore(location)
  const { sequence } = await store.state()
  const output: string[] = []
  child.stdout?.on('data', (chunk: Buffer) => output.push(String(chunk)))
  child.kill('SIGCONT')
  await new Promise((done) => child.once('exit', done))
  slow.server.close()
  expect(output.join('')).not.toContain('"failed"')
  expect((await store.state()).sequence).toBe(sequence)
  await store.close()
  expect(await digestOf(location)).toBe(before)
})

test('a wallet over which one worker after another died is parked with its reason', async () => {
  const location = await flagged(2)
  const store = await openStore(location)
  const [address = ''] = scene.people
  const account = parseAccount(address.toLowerCase(), chain)
  await store.writeDocument('lease', `flag ${account}`, 0, { owner: 'the fifth', lastsMs: 300 })
  await store.writeDocument('heartbeat', `flag ${account}`, 0, { lease: 1, abandoned: 4 })
  const events = await work(location)
  expect(events.filter(({ event }) => event === 'failed')).toMatchObject([
    { code: 'flag.abandoned' },
  ])
  expect(events.filter(({ event }) => event === 'done')).toHaveLength(1)
  expect(await readFlag(store, account)).toMatchObject({
    state: 'failed',
    error: { code: 'flag.abandoned' },
  })
  await putFlag(store, { account, reason: 'again', source: 'test' }, new Date(0))
  await work(location)
  expect(await readFlag(store, account)).toMatchObject({ state: 'done', error: null })
  await store.close()
})

test('golden 24: a source that refuses more: what was read is partial, and never empty and clean', async () => {
  let allowed = 12
  const limited = await door(async (method) => {
    if (method === 'trace_filter' || method === 'eth_getLogs') allowed--
    return allowed < 0
      ? { error: { code: -32005, message: 'daily request count exceeded' } }
      : undefined
  })
  const location = await flagged(1)
  await work(location, { rpc: limited.url })
  limited.server.close()
  const knowledge = await openKnowledge(location)
  try {
    const [flag] = await listFlags(knowledge.store)
    expect(flag).toMatchObject({ state: 'failed', error: { code: 'rpc.parked' } })
    const account = parseAccount((scene.people[0] ?? '').toLowerCase(), chain)
    const coverage = await knowledge.store.coverage(new Set([account]))
    const head = Number(await anvil.call('eth_blockNumber'))
    const through = Math.max(...coverage.map(({ toBlock }) => toBlock))
    expect(coverage.length).toBeGreaterThan(0)
    expect(through).toBeLessThan(head)
    const touching = await knowledge.store.transfersTouching({
      accounts: new Set([account]),
      limit: 1_000,
    })
    const seed = touching.transfers.find(
      ({ to, kind, amount }) => to === account && kind === 'native' && amount > 0n,
    )
    if (!seed) throw new Error('nothing was paid to the wallet before the limit')
    const { answer } = await traceMoment(knowledge, {
      seeds: [transferId(seed)],
      asOf: { [chain]: head },
    })
    const named = answer.outcomes.map(({ outcome }) => outcome)
    expect(named).toContain('not_ingested')
    expect(named).not.toContain('still_held')
  } finally {
    await knowledge.close()
  }
})

test('a worker that runs on notices a reorganisation by itself, and reads again', async () => {
  const location = await flagged(2)
  const stop = new AbortController()
  const events: WorkerEvent[] = []
  // Its clock runs fast, so that it looks often.
  const clock: Clock = {
    now: () => wallClock.now() * 20,
    sleep: (ms, signal) => wallClock.sleep(ms / 20, signal),
  }
  const running = runWorker({
    store: location,
    rpc: anvil.url,
    once: false,
    signal: stop.signal,
    tries: 2,
    clock,
    tell: (event) => events.push(event),
  })
  const count = (name: string): number => events.filter(({ event }) => event === name).length
  const until = async (done: () => boolean): Promise<void> => {
    for (let i = 0; i < 400 && !done(); i++) await sleep(50)
    expect(done()).toBe(true)
  }
  await until(() => count('done') === 2)
  await anvil.call('anvil_reorg', [2, []])
  await scene.send(scene.people[0] ?? '', scene.people[1] ?? '', { value: 7n })
  await until(() => count('rolledBack') === 1 && count('done') === 4)
  stop.abort()
  await running
  const straight = await flagged(2)
  await work(straight)
  expect(await digestOf(location)).toBe(await digestOf(straight))
})
