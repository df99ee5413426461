import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runWorker } from '../../ingest/worker.ts'
import { type Account, accountReference, parseAccount } from '../../src/ledger/account.ts'
import { tokenAsset } from '../../src/ledger/asset.ts'
import type { ChainId } from '../../src/ledger/chain.ts'
import { type BlockInterval, joinIntervals } from '../../src/ledger/coverage.ts'
import { KnownError } from '../../src/ledger/errors.ts'
import { nativeAsset } from '../../src/ledger/nativeCoins.ts'
import { createRandomNumbers, type RandomNumbers } from '../../src/sample/randomNumbers.ts'
import { openEmbeddedStore } from '../../src/store/embedded.ts'
import { listFlags, putFlag } from '../../src/store/flags.ts'
import type { Store } from '../../src/store/store.ts'
import { canonicalTransfers, replay } from '../chain/balanceProof.ts'
import { createEndpoint, type Manner } from './endpoint.ts'
import { createFakeChain, deepest, type FakeChain, fee } from './fakeChain.ts'
import { tokenAddress } from './fakeNode.ts'
import {
  createProcess,
  createVirtualTime,
  type Fate,
  kill,
  type Process,
  type VirtualTime,
} from './virtualTime.ts'

/** How much of what was met in a run: a simulation that meets nothing proves nothing. */
export interface Met {
  readonly kills: number
  readonly freezes: number
  readonly stops: number
  readonly reorganisations: number
  readonly rollBacks: number
  readonly parked: number
  readonly events: number
}

export interface Outcome {
  readonly seed: number
  /** What is wrong; empty when the store equals a rebuild. */
  readonly wrong: readonly string[]
  readonly met: Met
  /** Of everything that happened, in order. */
  readonly digest: string
}

const chainId = 'eip155:31337' as ChainId
const activeMs = 4 * 60_000

interface World {
  readonly seed: number
  readonly random: RandomNumbers
  readonly time: VirtualTime
  readonly chain: FakeChain
  readonly folder: string
  readonly manners: readonly Manner[]
  readonly accounts: readonly Account[]
  readonly wrong: string[]
  readonly met: { -readonly [K in keyof Met]: number }
}

/**
 * One run: a chain that is reorganised, endpoints that fail in every known way, workers that are killed, frozen and
 * stopped; then quiet, and the store must equal one that was built from the final chain alone.
 */
export async function simulate(seed: number): Promise<Outcome> {
  const base = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()
  const folder = mkdtempSync(join(base, 'jejak-simulation-'))
  try {
    return await simulateIn(folder, seed)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function simulateIn(folder: string, seed: number): Promise<Outcome> {
  const random = createRandomNumbers(seed)
  const chain = createFakeChain(random, 50 + random.below(60))
  const kind = {
    traces: random.pick(['trace_filter', 'trace_block', 'none'] as const),
    hasFinalized: random.below(3) > 0,
    keepsOrphans: random.below(2) === 0,
    mostBlocks: random.pick([10, 50, 300, 10_000]),
  }
  const workers = 2 + random.below(3)
  const faults = random.pick([0, 10, 60, 200])
  const manners = Array.from({ length: workers }, () => ({
    kind,
    lagMs: random.pick([0, 0, 3_000, 20_000, 60_000]),
    faults,
    calmFrom: activeMs,
  }))
  const world: World = {
    seed,
    random,
    time: createVirtualTime(),
    chain,
    folder,
    manners,
    accounts: chain.wallets.map((wallet) => parseAccount(wallet, chainId)),
    wrong: [],
    met: { kills: 0, freezes: 0, stops: 0, reorganisations: 0, rollBacks: 0, parked: 0, events: 0 },
  }
  await runAll(world)
  const { history } = world.time
  const digest = createHash('sha256').update(history.join('\n')).digest('hex')
  return { seed, wrong: world.wrong, met: { ...world.met, events: history.length }, digest }
}

async function runAll(world: World): Promise<void> {
  const { time } = world
  const place = join(world.folder, 'run')
  const ends = world.manners.map((_, i) => keepRunning(world, place, i))
  const acting = Promise.all([reorganiseNow(world), flagNow(world, place)])
  await time.until(acting)
  await time.until(Promise.all(ends))
  await time.until(workCalmly(world, place))
  const store = openEmbeddedStore(place)
  try {
    world.wrong.push(...(await unreopened(world, store)))
    for (const account of world.accounts) await flag(world, store, account)
    await time.until(workCalmly(world, place))
    await compare(world, store)
  } finally {
    await store.close()
  }
}

/** The chain grows and is reorganised until it is quiet. */
async function reorganiseNow({ time, random, chain, met }: World): Promise<void> {
  while (time.now() < activeMs) {
    await time.after(1_000 + random.below(8_000), 'chain', () => {
      if (random.below(5) > 0) chain.grow(time.now())
      else {
        met.reorganisations++
        const room = chain.blocks.length - 1 - chain.final
        chain.reorganise(time.now(), 1 + random.below(Math.max(1, Math.min(deepest, room - 1))))
      }
    })
  }
  // So that every node has a head above all that was ever read.
  for (let i = 0; i < deepest + 5; i++) await time.after(1, 'chain', () => chain.grow(time.now()))
}

/** Wallets are flagged at the beginning and on the way, and what was parked is flagged again. */
async function flagNow(world: World, place: string): Promise<void> {
  const { time, random, accounts, met } = world
  const store = openEmbeddedStore(place)
  const [first, ...later] = accounts
  await flag(world, store, first as Account)
  for (const account of later) {
    const ms = random.below(2) === 0 ? 0 : random.below(activeMs / 2)
    time
      .after(ms, 'flag', () => flag(world, store, account))
      .catch((error: unknown) => world.wrong.push(String(error)))
  }
  while (time.now() < activeMs) {
    await time.after(20_000 + random.below(60_000), 'look', async () => {
      for (const { account, state } of await listFlags(store)) {
        if (account === null) continue
        if (state !== 'failed' && random.below(12) > 0) continue
        if (state === 'failed') met.parked++
        await flag(world, store, account)
      }
    })
  }
  await store.close()
}

async function flag(_: World, store: Store, account: Account): Promise<void> {
  await putFlag(store, { account, reason: 'simulated', source: 'simulation' }, new Date(0))
}

/** Where it matters most that a worker sleeps or dies. */
const delicate = [
  'append ',
  'rollBack eip155:31337',
  'writeDocument reorganisation',
  'writeDocument anchor',
  'writeDocument flag',
  'writeDocument lease',
  'writeDocument heartbeat',
]

function fateOf({ random }: World): Fate {
  const at = (): number => 1 + Math.floor(random.below(900) ** 2 / 900)
  return {
    ...(random.below(10) < 6 ? { killedAt: at(), diesKnowing: random.below(2) === 0 } : {}),
    ...(random.below(10) < 4 ? { frozenAt: at(), frozenMs: 1_000 + random.below(90_000) } : {}),
    ...(random.below(10) < 2 ? { stoppedAt: at() } : {}),
    ...(random.below(10) < 2 ? { frozenOn: random.pick(delicate), frozenMs: 60_000 } : {}),
    ...(random.below(10) < 2
      ? { killedOn: random.pick(delicate), diesKnowing: random.below(2) === 0 }
      : {}),
  }
}

/** A worker that is started again whenever it has ended or died. */
async function keepRunning(world: World, place: string, index: number): Promise<void> {
  const { time, random, manners, met } = world
  for (let life = 1; time.now() < activeMs; life++) {
    const fate = fateOf(world)
    const process = createProcess(`worker ${index + 1}.${life}`, fate)
    await lifeOf(world, process, { place, manner: manners[index] as Manner, once: false })
    if (!process.alive) met.kills++
    if (process.frozenUntil > 0) met.freezes++
    if (process.stop.signal.aborted) met.stops++
    await time.after(500 + random.below(30_000), 'start', () => undefined)
  }
}

interface Job {
  readonly place: string
  readonly manner: Manner
  readonly once: boolean
}

/** Resolves when the process has ended, is dead, or the quiet has come. */
async function lifeOf(world: World, process: Process, { place, manner, once }: Job): Promise<void> {
  const { time, random, met } = world
  const inner = openEmbeddedStore(place)
  const closed = Promise.withResolvers<void>()
  process.onKill = () => void inner.close().then(closed.resolve, closed.reject)
  if (!once)
    void time.after(Math.max(0, activeMs - time.now()), 'quiet', () => {
      if (random.below(2) === 0) process.stop.abort()
      else kill(process)
    })
  const ended = runWorker({
    store: async () => seen(world, process, inner),
    rpc: 'http://simulated.invalid/',
    once,
    signal: process.stop.signal,
    tries: 3,
    clock: {
      now: () => time.now(),
      sleep: (ms, signal) =>
        time.seam(process, { ms, label: 'sleep', signal, action: () => undefined }),
    },
    exchange: createEndpoint(world, manner, process),
    tell(event) {
      if (event.event === 'rolledBack') met.rollBacks++
    },
  }).catch((error: unknown) => {
    // What is known ends a worker as it would end the program; the next one is started. Anything else is a bug.
    const known =
      process.stop.signal.aborted ||
      (error instanceof KnownError && /^(rpc|chain)\./.test(error.code))
    if (!known) world.wrong.push(`${process.name}: ${error instanceof Error ? error.stack : error}`)
    if (once) world.wrong.push(`${process.name} ended with ${String(error)}`)
  })
  await Promise.race([ended, closed.promise])
}

/** A store whose every call is an event of its process. */
function seen({ time, random }: World, process: Process, inner: Store): Store {
  return new Proxy(inner, {
    get(target, name) {
      const method = Reflect.get(target, name)
      if (typeof method !== 'function') return method
      if (name === 'close') return async () => (process.alive ? inner.close() : undefined)
      return (...args: unknown[]) =>
        time.seam(process, {
          ms: 1 + random.below(4),
          label: `${String(name)} ${typeof args[0] === 'string' ? args[0] : ''}`,
          action: () => (method as (...given: unknown[]) => unknown).apply(target, args),
        })
    },
  })
}

/** One worker alone with an honest node, until nothing waits. */
async function workCalmly(world: World, place: string): Promise<void> {
  const process = createProcess('the last worker', {})
  const [manner] = world.manners
  if (manner)
    await lifeOf(world, process, { place, manner: { ...manner, calmFrom: 0 }, once: true })
}

/** Wallets that count as read though something of what they covered was undone, or still wait. */
async function unreopened({ accounts }: World, store: Store): Promise<string[]> {
  const wrong: string[] = []
  for (const { account, state, progress } of await listFlags(store)) {
    if (account === null || !accounts.includes(account) || state !== 'done') {
      if (state !== 'failed') wrong.push(`${account} is ${state} at the end`)
      continue
    }
    const through = progress?.throughBlock ?? -1
    const claims = await store.coverage(new Set([account]))
    for (const kind of ['native', 'token'] as const) {
      const intervals = claims
        .filter((claim) => claim.kind === kind)
        .map(({ fromBlock: from, toBlock: to }) => ({ from, to }))
      const [covered] = joinIntervals(intervals)
      if (covered?.from !== 0 || covered.to < through)
        wrong.push(`${account} is done through ${through}, ${kind} is covered to ${covered?.to}`)
    }
  }
  return wrong
}

async function compare(world: World, store: Store): Promise<void> {
  const { wrong, folder, time } = world
  const place = join(folder, 'rebuilt')
  const rebuilt = openEmbeddedStore(place)
  try {
    for (const account of world.accounts) await flag(world, rebuilt, account)
    await time.until(workCalmly(world, place))
    const [found, expected] = [await contents(world, store), await contents(world, rebuilt)]
    wrong.push(...differences(found, expected).slice(0, 6))
    if (expected.length < 50) wrong.push(`there was nothing to see: ${expected.length} rows`)
    wrong.push(...(await store.check()).damage, ...(await wrongBalances(world, store)))
  } finally {
    await rebuilt.close()
  }
}

function differences(found: readonly string[], expected: readonly string[]): string[] {
  const [has, wants] = [new Set(found), new Set(expected)]
  const doubled = found.filter((row, i) => found[i - 1] === row)
  return [
    ...expected.filter((row) => !has.has(row)).map((row) => `missing ${row}`),
    ...found.filter((row) => !wants.has(row)).map((row) => `too much ${row}`),
    ...doubled.map((row) => `doubled ${row}`),
  ]
}

/** What is stored, whatever the order of arrival and whichever endpoint told it. */
async function contents({ accounts }: World, store: Store): Promise<string[]> {
  const rows = (await canonicalTransfers(store)).map(
    (t) =>
      `${t.block} ${t.blockHash} ${t.time} ${t.txIndex} ${t.tx} ${t.kind} ${t.position} ${t.from} ${t.to} ${t.asset} ${t.amount}`,
  )
  const intervals = new Map<string, BlockInterval[]>()
  for (const claim of await store.coverage(new Set(accounts))) {
    // A node whose filter for traces seemed to be missing for a moment was read block by block: that covers more.
    if (claim.kind === 'withdrawal') continue
    const key = `${claim.account} ${claim.kind} A${claim.assurance}`
    const known = intervals.get(key) ?? []
    intervals.set(key, [...known, { from: claim.fromBlock, to: claim.toBlock }])
  }
  const covered = [...intervals].flatMap(([key, parts]) =>
    joinIntervals(parts).map(({ from, to }) => `${key} ${from}-${to}`),
  )
  return [...rows, ...covered].sort()
}

/** The same once more without the decoder: what the wallets' balances must be by the payments alone. */
async function wrongBalances({ chain, manners, accounts }: World, store: Store): Promise<string[]> {
  const truth = new Map<string, bigint>()
  const move = (asset: string, from: string | undefined, to: string, amount: bigint): void => {
    if (from) truth.set(`${from} ${asset}`, (truth.get(`${from} ${asset}`) ?? 0n) - amount)
    truth.set(`${to} ${asset}`, (truth.get(`${to} ${asset}`) ?? 0n) + amount)
  }
  const [coin, token] = [nativeAsset(chainId), tokenAsset(chainId, tokenAddress)]
  const hasTraces = manners[0]?.kind.traces !== 'none'
  for (const payment of chain.blocks.flatMap(({ payments }) => payments)) {
    move(coin, payment.from, 'fees', fee)
    if (payment.failed) continue
    move(coin, payment.from, payment.to, payment.value)
    for (const { from, to, value } of hasTraces ? payment.calls : []) move(coin, from, to, value)
    for (const { from, to, amount } of payment.tokens) move(token, from, to, amount)
  }
  const stored = replay(await canonicalTransfers(store))
  return accounts.flatMap((account) =>
    [coin, token].flatMap((asset) => {
      const key = `${accountReference(account)} ${asset}`
      const [is, shall] = [stored.get(key) ?? 0n, truth.get(key) ?? 0n]
      return is === shall ? [] : [`${key}: replays to ${is}, the payments come to ${shall}`]
    }),
  )
}
