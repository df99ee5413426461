import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runWorker, type WorkerEvent } from '../../ingest/worker.ts'
import { buildGraph } from '../../src/graph/build.ts'
import { parseAccount } from '../../src/ledger/account.ts'
import { type AssetId, tokenAsset } from '../../src/ledger/asset.ts'
import type { ChainId } from '../../src/ledger/chain.ts'
import { nativeAsset } from '../../src/ledger/nativeCoins.ts'
import { createRandomNumbers } from '../../src/sample/randomNumbers.ts'
import { putFlag, readFlag } from '../../src/store/flags.ts'
import { openStore } from '../../src/store/open.ts'
import { type Anvil, startAnvil } from '../chain/anvil.ts'
import { canonicalTransfers, nativeBalance, replay, tokenBalance } from '../chain/balanceProof.ts'
import { createScene, type Deployed, type Scene } from '../chain/scene.ts'

const unit = 10n ** 18n
const folders: string[] = []

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'jejak-worker-'))
  folders.push(made)
  return made
}

afterAll(() => {
  for (const made of folders) rmSync(made, { recursive: true, force: true })
})

interface Built {
  readonly anvil: Anvil
  readonly scene: Scene
  readonly chain: ChainId
  readonly tokens: readonly Deployed[]
  readonly wrapped: Deployed
  readonly forged: Deployed
  readonly failed: string
  readonly addresses: readonly string[]
}

/** A chain with everything that has ever been miscounted. */
async function buildChain(transactions: number): Promise<Built> {
  const anvil = await startAnvil()
  const scene = await createScene(anvil)
  const chain = `eip155:${Number(await anvil.call('eth_chainId'))}` as ChainId
  const [, alice = '', bob = '', carol = '', dave = ''] = scene.people
  const token = await scene.deploy('Token', [10n ** 30n])
  const second = await scene.deploy('Token', [10n ** 12n])
  const wrapped = await scene.deploy('Wrapped')
  const forged = await scene.deploy('Forged')
  const collectible = await scene.deploy('Collectible')
  const relay = await scene.deploy('Relay')
  const safebox = await scene.deploy('Safebox', [], 7n * unit)
  const maker = scene.people[0] as string
  const fresh = (n: number): string => `0x${n.toString(16).padStart(40, 'f')}`
  await scene.send(alice, bob, { value: unit })
  await scene.send(alice, alice, { value: 5n })
  await scene.send(bob, fresh(1), { value: 0n })
  await scene.call(maker, token, 'transfer', [alice, 1000n * unit])
  await scene.call(maker, second, 'transfer', [bob, 777n])
  await scene.call(alice, token, 'transfer', [alice, 3n])
  await scene.call(alice, token, 'approve', [bob, 500n * unit])
  await scene.call(bob, token, 'transferFrom', [alice, carol, 40n * unit])
  await scene.call(dave, token, 'transferFrom', [alice, fresh(2), 0n])
  await scene.call(carol, token, 'burn', [unit])
  await scene.call(alice, relay, 'pass', [fresh(3)], 2n * unit)
  await scene.call(bob, relay, 'split', [carol, fresh(4)], unit + 1n)
  await scene.call(carol, relay, 'tryAndKeep', [fresh(5)], unit)
  await scene.call(carol, relay, 'viaDelegate', [fresh(6)], unit)
  await scene.call(dave, relay, 'endow', [fresh(7)], 3n * unit)
  await scene.call(bob, safebox, 'destroy', [dave])
  const failed = await scene.call(alice, relay, 'fail', [], 9n * unit)
  await scene.call(alice, wrapped, 'deposit', [], 6n * unit)
  await scene.call(alice, wrapped, 'transfer', [bob, 2n * unit])
  await scene.call(bob, wrapped, 'withdraw', [unit])
  await scene.call(dave, forged, 'claim', [alice, carol, 10n ** 20n])
  await scene.call(alice, collectible, 'mint', [42n])
  await workload(anvil, scene, { token, wrapped, relay, transactions })
  const contracts = [token, second, wrapped, forged, collectible, relay, safebox].map(
    ({ address }) => address,
  )
  const addresses = [...scene.people, ...contracts, ...[1, 2, 3, 4, 5, 6, 7].map(fresh)].map((a) =>
    a.toLowerCase(),
  )
  return { anvil, scene, chain, tokens: [token, second], wrapped, forged, failed, addresses }
}

interface Workload {
  readonly token: Deployed
  readonly wrapped: Deployed
  readonly relay: Deployed
  readonly transactions: number
}

/** A seeded mix of payments, a hundred to a block, some of which fail. */
async function workload(anvil: Anvil, scene: Scene, given: Workload): Promise<void> {
  const random = createRandomNumbers(7)
  const nonces = new Map<string, number>()
  for (const person of scene.people) {
    nonces.set(person, Number(await anvil.call('eth_getTransactionCount', [person, 'latest'])))
  }
  await anvil.call('evm_setAutomine', [false])
  for (let sent = 0; sent < given.transactions; ) {
    const batch: Promise<unknown>[] = []
    for (let i = 0; i < 100 && sent < given.transactions; i++, sent++) {
      const from = random.pick(scene.people)
      const to = random.pick(scene.people)
      const nonce = nonces.get(from) ?? 0
      nonces.set(from, nonce + 1)
      const value = BigInt(random.below(1_000_000)) * 1_000_000_007n
      const common = { from, gas: '0x50000', nonce: `0x${nonce.toString(16)}` }
      const encode = (c: Deployed, name: string, args: readonly unknown[]): string =>
        c.abi.encodeFunctionData(name, args)
      const kinds = [
        { ...common, to, value: `0x${value.toString(16)}` },
        { ...common, to: given.token.address, data: encode(given.token, 'transfer', [to, value]) },
        {
          ...common,
          to: given.relay.address,
          value: `0x${value.toString(16)}`,
          data: encode(given.relay, 'split', [to, random.pick(scene.people)]),
        },
        {
          ...common,
          to: given.wrapped.address,
          value: `0x${value.toString(16)}`,
          data: encode(given.wrapped, 'deposit', []),
        },
        {
          ...common,
          to: given.wrapped.address,
          data: encode(given.wrapped, 'withdraw', [value / 2n]),
        },
      ]
      batch.push(anvil.call('eth_sendTransaction', [random.pick(kinds)]))
    }
    await Promise.all(batch)
    await anvil.call('evm_mine')
  }
  await anvil.call('evm_setAutomine', [true])
}

async function flagAll(
  location: string,
  built: Built,
  addresses: readonly string[],
): Promise<void> {
  const store = await openStore(location)
  const asset = tokenAsset(built.chain, built.wrapped.address)
  await store.writeDocument('wrapped', asset, 0, { native: nativeAsset(built.chain) })
  for (const address of addresses) {
    await putFlag(
      store,
      { account: parseAccount(address, built.chain), reason: 'test', source: 'test' },
      new Date(0),
    )
  }
  await store.close()
}

async function work(location: string, rpc: string): Promise<WorkerEvent[]> {
  const events: WorkerEvent[] = []
  const signal = new AbortController().signal
  await runWorker({
    store: location,
    rpc,
    once: true,
    signal,
    tries: 2,
    leaseMs: 1_000,
    tell: (event) => events.push(event),
  })
  return events
}

/** A worker process that is killed some milliseconds after it connected. */
async function killedWorker(location: string, rpc: string, ms: number): Promise<void> {
  const main = join(import.meta.dirname, '../../ingest/main.ts')
  const args = [
    '--disable-warning=ExperimentalWarning',
    main,
    'worker',
    '--store',
    location,
    '--once',
    '--json',
    '--lease-ms',
    '500',
  ]
  const child = spawn(process.execPath, args, {
    env: { ...process.env, JEJAK_INGEST_RPC: rpc },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await new Promise<void>((resolve) => child.stdout.once('data', () => resolve()))
  await new Promise((resolve) => setTimeout(resolve, ms))
  child.kill('SIGKILL')
  await new Promise((resolve) => child.once('close', resolve))
}

/** Compares what the stored transfers replay to with what the node says, to the wei. */
async function expectBalances(
  location: string,
  built: Built,
  assets: 'all' | 'tokens',
): Promise<void> {
  const store = await openStore(location)
  const balances = replay(await canonicalTransfers(store))
  await store.close()
  const wrong: string[] = []
  const compare = (address: string, asset: AssetId, actual: bigint, opening = 0n): void => {
    const replayed = opening + (balances.get(`${address} ${asset}`) ?? 0n)
    if (replayed !== actual)
      wrong.push(`${address} ${asset}: replayed ${replayed}, node says ${actual}`)
  }
  for (const address of built.addresses) {
    if (assets === 'all') {
      const opening = await nativeBalance(built.anvil, address, '0x0')
      compare(address, nativeAsset(built.chain), await nativeBalance(built.anvil, address), opening)
    }
    for (const token of [...built.tokens, built.wrapped]) {
      compare(
        address,
        tokenAsset(built.chain, token.address),
        await tokenBalance(built.anvil, token, address),
      )
    }
  }
  expect(wrong).toEqual([])
}

/** A node before anvil that lacks some methods. */
async function lacking(target: string, refused: RegExp): Promise<{ url: string; server: Server }> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', async () => {
      const body = Buffer.concat(chunks).toString()
      const { id, method } = JSON.parse(body) as { id: number; method: string }
      response.setHeader('content-type', 'application/json')
      if (refused.test(method)) {
        response.end(
          JSON.stringify({
            jsonrpc: '2.0',
            id,
            error: { code: -32601, message: `the method ${method} does not exist` },
          }),
        )
        return
      }
      const answer = await fetch(target, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      }).catch(() => undefined)
      response.end((await answer?.text()) ?? '')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
    server,
  }
}

describe('a worker on a real chain', () => {
  let built: Built
  let filtered: string

  beforeAll(async () => {
    built = await buildChain(2_000)
    filtered = folder()
    await flagAll(filtered, built, built.addresses)
  }, 120_000)

  afterAll(async () => {
    await built.anvil.stop()
  })

  test('the stored transfers replay every balance to the wei: parity traces', async () => {
    const events = await work(filtered, built.anvil.url)
    expect(events[0]).toMatchObject({ event: 'connected', traces: 'trace_filter' })
    expect(events.filter(({ event }) => event === 'failed')).toEqual([])
    await expectBalances(filtered, built, 'all')
  }, 120_000)

  test('a failed transaction moves its fee and nothing else', async () => {
    const store = await openStore(filtered)
    const rows = await store.transfersOfTransaction(built.chain, built.failed)
    await store.close()
    expect(rows.map(({ kind }) => kind)).toEqual(['fee'])
  })

  test('an ERC-721 transfer is no value, and a forged token keeps to its own asset', async () => {
    const store = await openStore(filtered)
    const transfers = await canonicalTransfers(store)
    await store.close()
    expect(transfers.filter(({ amount }) => amount === 42n)).toEqual([])
    const forged = transfers.filter(
      ({ asset }) => asset === tokenAsset(built.chain, built.forged.address),
    )
    expect(forged.map(({ amount }) => amount)).toEqual([10n ** 20n])
  })

  test('what is covered is not read again', async () => {
    const store = await openStore(filtered)
    const account = parseAccount(built.addresses[1] ?? '', built.chain)
    await putFlag(store, { account, reason: 'again', source: 'test' }, new Date(0))
    await store.close()
    const events = await work(filtered, built.anvil.url)
    expect(events.filter(({ event }) => event === 'range')).toEqual([])
    const after = await openStore(filtered)
    expect((await readFlag(after, account))?.state).toBe('done')
    await after.close()
  })

  test('killed again and again it goes on, and the content is that of an uninterrupted run', async () => {
    const location = folder()
    const some = built.addresses.slice(1, 8)
    await flagAll(location, built, some)
    for (const ms of [150, 250, 350]) await killedWorker(location, built.anvil.url, ms)
    const events = await work(location, built.anvil.url)
    expect(events.filter(({ event }) => event === 'failed')).toEqual([])
    const straight = folder()
    await flagAll(straight, built, some)
    await work(straight, built.anvil.url)
    const [broken, whole] = [await openStore(location), await openStore(straight)]
    expect((await buildGraph(broken)).digest).toBe((await buildGraph(whole)).digest)
    expect((await broken.check()).damage).toEqual([])
    await broken.close()
    await whole.close()
  }, 120_000)

  test('call trees of geth give the same transfers as parity traces', async () => {
    const { url, server } = await lacking(built.anvil.url, /^trace_/)
    const location = folder()
    const some = [...built.addresses.slice(1, 3), ...built.addresses.slice(-7)]
    await flagAll(location, built, some)
    const events = await work(location, url)
    server.close()
    expect(events[0]).toMatchObject({ traces: 'debug_traceBlock' })
    const wanted = new Set(some)
    const touching = async (from: string): Promise<string[]> => {
      const store = await openStore(from)
      const rows = await canonicalTransfers(store)
      await store.close()
      const mine = rows.filter(({ from: a, to: b }) =>
        [a, b].some((side) => side && wanted.has(side.slice(side.lastIndexOf(':') + 1))),
      )
      return mine
        .map((t) => `${t.tx} ${t.kind} ${t.position} ${t.from} ${t.to} ${t.asset} ${t.amount}`)
        .sort()
    }
    expect(await touching(location)).toEqual(await touching(filtered))
  }, 120_000)

  test('without traces internal transfers are a gap, and everything else holds', async () => {
    const { url, server } = await lacking(built.anvil.url, /^(trace|debug)_/)
    const location = folder()
    await flagAll(location, built, built.addresses)
    const events = await work(location, url)
    server.close()
    expect(events[0]).toMatchObject({ traces: 'none' })
    await expectBalances(location, built, 'tokens')
    const store = await openStore(location)
    const coverage = await store.coverage(
      new Set([parseAccount(built.addresses[1] ?? '', built.chain)]),
    )
    await store.close()
    expect(coverage.map(({ kind }) => kind)).toEqual(['fee', 'native', 'token', 'withdrawal'])
  }, 120_000)

  test('after a reorganisation the orphaned rows are tombstones and the balances hold', async () => {
    await built.anvil.call('anvil_reorg', [3, []])
    const store = await openStore(filtered)
    for (const address of built.addresses) {
      await putFlag(
        store,
        { account: parseAccount(address, built.chain), reason: 'again', source: 'test' },
        new Date(0),
      )
    }
    await store.close()
    const events = await work(filtered, built.anvil.url)
    expect(events.some(({ event }) => event === 'rolledBack')).toBe(true)
    await expectBalances(filtered, built, 'all')
  }, 120_000)
})

test('a node of another chain is refused with what to do', async () => {
  const anvil = await startAnvil()
  const location = folder()
  const store = await openStore(location)
  const account = parseAccount('eip155:1:0x8576acc5c05d6ce88f4e49bf65bdf0c62f91353c')
  await putFlag(store, { account, reason: 'test', source: 'test' }, new Date(0))
  await store.close()
  const events = await work(location, anvil.url)
  await anvil.stop()
  expect(events.at(-1)).toMatchObject({ event: 'failed', code: 'chain.mismatch' })
})

test('error: a node that is not there is named as such, without its address', async () => {
  const location = folder()
  const failed = await work(location, 'http://127.0.0.1:9/secret-key').catch(
    (error: unknown) => error,
  )
  expect(failed).toMatchObject({ code: 'rpc.unavailable' })
  expect(String(failed)).not.toContain('secret-key')
}, 60_000)
