import { afterEach, describe, expect, test } from 'vitest'
import { loadAttribution } from '../../src/attribution/load.ts'
import { readSteps } from '../../src/follow/followLog.ts'
import { createPlanner } from '../../src/follow/plan.ts'
import { buildGraph } from '../../src/graph/build.ts'
import type { Graph } from '../../src/graph/graph.ts'
import type { Account } from '../../src/ledger/account.ts'
import type { Tag } from '../../src/ledger/tag.ts'
import { type Transfer, transferId } from '../../src/ledger/transfer.ts'
import { flagCollection, type GivenFlag, putFlag } from '../../src/store/flags.ts'
import { continueWork, listWork, plannerState, readWork } from '../../src/store/workQueue.ts'
import { dai } from '../arbitrary/trades.ts'
import { chain, ether, hash, type Leg, ledgerOf, usdt, wallet } from '../ledger.arbitrary.ts'
import { type Played, type PlayOptions, play } from './played.ts'

const [V, a, b, c, d, x, pool] = Array.from({ length: 7 }, (_, i) => wallet(0x100 + i)) as [
  Account,
  Account,
  Account,
  Account,
  Account,
  Account,
  Account,
]
const pay = (from: Account, to: Account, amount: bigint, asset = usdt): Leg => ({
  from,
  to,
  amount,
  asset,
  kind: asset === ether ? 'internal' : 'token',
})
const mint = (to: Account, amount: bigint): Leg => ({ to, amount, asset: usdt })
const id = (ledger: readonly Transfer[], tx: number): string =>
  transferId(ledger.filter((row) => row.tx === hash(tx))[0] as Transfer)

const said = { reason: 'report 17', source: 'hotline' }
const payment = (tx: number): GivenFlag => ({ transaction: { chain, tx: hash(tx) }, ...said })
const flagOf = (tx: number): string => `${chain}:${hash(tx)}`

const opened: Played[] = []
afterEach(async () => {
  for (const played of opened.splice(0)) await played.close()
})

async function playing(
  transactions: readonly (readonly Leg[])[],
  options?: PlayOptions,
): Promise<Played & { readonly ledger: readonly Transfer[] }> {
  const ledger = ledgerOf(transactions)
  const played = await play(ledger, options)
  opened.push(played)
  return Object.assign(played, { ledger })
}

function tag(account: Account, category: string): Tag {
  return {
    account,
    category,
    label: category,
    source: 'operator',
    confidence: 90,
    sourceRank: 0,
    mayStop: true,
  }
}

const chainOfFive = [
  [mint(V, 100n)],
  [pay(V, a, 100n)],
  [pay(a, b, 60n), pay(a, c, 40n)],
  [pay(b, x, 60n)],
]

describe('from one payment', () => {
  test('every wallet that held its money is read, largest share first, and nobody else', async () => {
    const played = await playing(chainOfFive)
    await played.store.putTags([tag(x, 'exchange')])
    await putFlag(played.store, payment(2), new Date(0))
    await played.settle()
    expect(played.read).toEqual([flagOf(2), a, b, c])
    expect((await played.flag(flagOf(2))).following).toMatchObject({
      state: 'done',
      unfinished: 0,
      queued: 0,
      spent: { addresses: 3, calls: 40 },
      steps: 4,
    })
  })

  test('the log says of each step why, what it cost and what it changed', async () => {
    const played = await playing(chainOfFive)
    await played.store.putTags([tag(x, 'exchange')])
    await putFlag(played.store, payment(2), new Date(0))
    await played.settle()
    const steps = await readSteps(played.store, flagOf(2), { after: 0, limit: 10 })
    expect(steps.map(({ number, before, after }) => [number, before, after])).toEqual([
      [1, 1, 1],
      [2, 1, 1],
      [3, 1, 0.4],
      [4, 0.4, 0],
    ])
    expect(steps[2]).toMatchObject({
      result: 'read',
      share: 0.6,
      reason: '60 % of the seed rests there, and what left it is not read',
      cost: { calls: 10 },
    })
  })

  test('a transfer that is named by its id is followed alone', async () => {
    const played = await playing(chainOfFive)
    const seed = id(played.ledger, 3) as never
    await putFlag(played.store, { payment: seed, ...said }, new Date(0))
    await played.settle()
    expect(played.read).toEqual([flagOf(3), b, x])
    expect((await played.flag(seed)).following).toMatchObject({ state: 'done' })
  })

  test('error: a transaction with several transfers of value is refused with all of them', async () => {
    const played = await playing(chainOfFive)
    await putFlag(played.store, payment(3), new Date(0))
    await played.settle()
    const { following } = await played.flag(flagOf(3))
    expect(following).toMatchObject({ state: 'failed', error: { code: 'seed.ambiguous' } })
    for (const leg of played.ledger.filter(({ tx }) => tx === hash(3)))
      expect(following?.error?.message).toContain(transferId(leg))
  })

  test('error: a hash that matches nothing is told as such', async () => {
    const played = await playing(chainOfFive)
    await putFlag(played.store, payment(99), new Date(0))
    await played.settle()
    expect((await played.flag(flagOf(99))).following).toMatchObject({
      state: 'failed',
      error: { code: 'seed.not-found' },
    })
  })
})

describe('from a flagged wallet', () => {
  test('each asset that it received is followed apart, and shares are of its own seed', async () => {
    const played = await playing([
      [pay(V, a, 100n), pay(V, a, 7n, ether)],
      [pay(a, b, 100n)],
      [pay(a, c, 7n, ether)],
    ])
    await putFlag(played.store, { account: a, ...said }, new Date(0))
    await played.plan()
    await played.work()
    await played.plan()
    const items = await listWork(played.store)
    expect(
      items.filter(({ account }) => account !== a).map((i) => [i.account, i.priority]),
    ).toEqual([
      [b, 1],
      [c, 1],
    ])
    await played.settle()
    const { following } = await played.flag(a)
    expect(following?.assets.map(({ asset, seedTotal }) => [asset, seedTotal])).toEqual([
      [usdt, '100'],
      [ether, '7'],
    ])
    expect(following?.state).toBe('done')
  })

  test('what it received later, as other wallets show, is not followed until it is flagged again', async () => {
    const played = await playing([
      [pay(V, a, 100n)],
      [pay(a, b, 100n)],
      [pay(b, a, 60n)],
      [mint(x, 1n)],
    ])
    played.head = 101
    await putFlag(played.store, { account: a, ...said }, new Date(0))
    await played.plan()
    await played.work()
    played.head = 103
    await played.settle()
    expect((await played.flag(a)).following).toMatchObject({
      state: 'done',
      error: null,
      assets: [{ seedTotal: '100' }],
    })
    await putFlag(played.store, { account: a, ...said }, new Date(0))
    await played.settle()
    expect((await played.flag(a)).following).toMatchObject({
      state: 'done',
      assets: [{ seedTotal: '160' }],
    })
  })

  test('a flag of an older store, which is in no queue, is put there', async () => {
    const played = await playing(chainOfFive)
    const old = {
      account: a,
      ...said,
      flaggedAt: 'now',
      state: 'waiting',
      progress: null,
      error: null,
    }
    await played.store.writeDocument(flagCollection, a, 0, old)
    await played.settle()
    expect(played.read[0]).toBe(a)
    expect((await played.flag(a)).following?.state).toBe('done')
  })
})

describe('budgets', () => {
  test('what is over the budget of addresses waits, and goes on with a larger one', async () => {
    const played = await playing(chainOfFive)
    await putFlag(played.store, { ...payment(2), budget: { addresses: 2 } }, new Date(0))
    await played.settle()
    expect(played.read).toEqual([flagOf(2), a, b])
    expect((await played.flag(flagOf(2))).following).toMatchObject({
      state: 'over_budget',
      over: 'addresses',
      unfinished: 1,
    })
    await putFlag(played.store, { ...payment(2), budget: { addresses: 9 } }, new Date(0))
    await played.settle()
    expect((await played.flag(flagOf(2))).following).toMatchObject({ state: 'done' })
    // Nobody is read twice for it, but the payment, by which the newest block is known.
    expect(played.read.slice(3).sort()).toEqual([c, x, flagOf(2)].sort())
  })

  test.each([
    ['calls', { calls: 15 }],
    ['blocks', { blocks: 100 }],
  ] as const)('the budget of %s ends it too', async (over, budget) => {
    const played = await playing(chainOfFive)
    await putFlag(played.store, { ...payment(2), budget }, new Date(0))
    await played.settle()
    expect(played.read).toEqual([flagOf(2), a])
    expect((await played.flag(flagOf(2))).following).toMatchObject({ state: 'over_budget', over })
  })

  test('an item may cost what is left, and says so to the worker', async () => {
    const played = await playing(chainOfFive)
    await putFlag(played.store, { ...payment(2), budget: { calls: 50 } }, new Date(0))
    await played.plan()
    await played.work()
    await played.plan()
    expect((await readWork(played.store, a))?.limits).toMatchObject({ calls: 40 })
  })

  test('no more is queued at once than the budget allows', async () => {
    const played = await playing(chainOfFive)
    await putFlag(played.store, { ...payment(2), budget: { addresses: 2 } }, new Date(0))
    for (let step = 0; step < 2; step++) {
      await played.plan()
      await played.work()
    }
    await played.plan()
    expect((await played.flag(flagOf(2))).following).toMatchObject({ queued: 1, over: 'addresses' })
  })

  test('the rest that may stay unknown is not read, though each part of it is followed', async () => {
    const played = await playing([
      [pay(V, a, 100n)],
      [pay(a, b, 35n), pay(a, c, 35n), pay(a, d, 30n)],
    ])
    await putFlag(played.store, { ...payment(1), minShare: 0.3 }, new Date(0))
    await played.settle()
    expect(played.read).toEqual([flagOf(1), a, b, c])
    expect((await played.flag(flagOf(1))).following).toMatchObject({
      state: 'done',
      unfinished: 0.3,
    })
  })

  test('what is below the share that matters is not read', async () => {
    const played = await playing(chainOfFive)
    await putFlag(played.store, { ...payment(2), minShare: 0.5 }, new Date(0))
    await played.settle()
    expect(played.read).toEqual([flagOf(2), a, b, x])
    expect((await played.flag(flagOf(2))).following).toMatchObject({ state: 'done' })
  })
})

test('of several flags the largest share of its own seed comes first', async () => {
  const played = await playing([
    [pay(V, a, 1000n)],
    [pay(a, c, 300n), pay(a, b, 700n)],
    [pay(x, d, 10n)],
  ])
  await putFlag(played.store, payment(1), new Date(0))
  await putFlag(played.store, payment(3), new Date(0))
  await played.settle()
  expect(played.read).toEqual([flagOf(1), flagOf(3), a, d, b, c])
})

test('a wallet that passed money on, and of which only that is known, is read too', async () => {
  // b had money of its own, which is older: it paid c with that, and the stolen money went to d.
  const played = await playing([
    [mint(b, 100n)],
    [pay(V, a, 100n)],
    [pay(a, b, 100n), pay(b, c, 100n)],
    [pay(b, d, 100n)],
  ])
  await putFlag(played.store, { payment: id(played.ledger, 2) as never, ...said }, new Date(0))
  await played.settle()
  expect(played.read).toContain(b)
  expect((await played.flag(id(played.ledger, 2))).following?.state).toBe('done')
})

test('behind a conversion that nobody can tell, every candidate is followed', async () => {
  const played = await playing([
    [pay(V, a, 100n)],
    [pay(a, pool, 100n), pay(pool, a, 30n, ether), pay(pool, a, 20n, dai)],
    [pay(a, b, 30n, ether)],
    [pay(a, c, 20n, dai)],
  ])
  await played.store.putTags([tag(pool, 'defi_dex')])
  await putFlag(played.store, payment(1), new Date(0))
  await played.settle()
  expect(played.read).toEqual([flagOf(1), a, b, c])
})

describe('addresses that pay very many', () => {
  const crowd = Array.from({ length: 1001 }, (_, i) => [pay(d, wallet(0x2000 + i), 1n)])
  const hub = [[mint(d, 1001n)], ...crowd, [pay(V, d, 100n)], [pay(d, b, 100n)]]
  const seed = hub.length - 1

  test('one that looks too busy is parked with its numbers, and goes on when an operator says so', async () => {
    const played = await playing(hub, { busy: [d] })
    await putFlag(played.store, payment(seed), new Date(0))
    await played.settle()
    expect(played.read).toEqual([flagOf(seed)])
    expect((await played.flag(flagOf(seed))).following).toMatchObject({
      state: 'parked',
      unfinished: 1,
      assets: [{ blocked: 1 }],
    })
    const steps = await readSteps(played.store, flagOf(seed), { after: 0, limit: 10 })
    expect(steps.at(-1)).toMatchObject({ result: 'parked', parked: 'high_degree' })
    await continueWork(played.store, d)
    await played.settle()
    expect(played.read).toEqual([flagOf(seed), d, b])
    expect((await played.flag(flagOf(seed))).following).toMatchObject({ state: 'done' })
  }, 30_000)

  test('one that was read whole is looked behind', async () => {
    const played = await playing(hub)
    await putFlag(played.store, payment(seed), new Date(0))
    await played.settle()
    expect(played.read).toEqual([flagOf(seed), d, b])
  }, 30_000)

  test('one that is tagged need not be asked', async () => {
    const played = await playing([[pay(V, a, 5n)], [pay(a, b, 5n)]])
    await played.store.putTags([tag(b, 'perpetrator')])
    await putFlag(played.store, payment(1), new Date(0))
    await played.settle()
    expect((await readWork(played.store, a))?.askFirst).toBe(true)
    expect((await readWork(played.store, b))?.askFirst).toBe(false)
  })
})

test('a node that cannot tell calls leaves a gap, and nobody reads for ever', async () => {
  const played = await playing([[pay(V, a, 5n, ether)], [pay(a, b, 5n, ether)]], {
    kinds: ['token'],
  })
  await putFlag(played.store, payment(1), new Date(0))
  await played.settle()
  expect((await played.flag(flagOf(1))).following).toMatchObject({ state: 'parked', unfinished: 1 })
})

test('flagged again, money is followed through the head of that day', async () => {
  const played = await playing([
    [pay(V, a, 100n)],
    [pay(a, b, 100n)],
    [mint(x, 1n)],
    [pay(b, c, 100n)],
  ])
  played.head = 102
  await putFlag(played.store, payment(1), new Date(0))
  await played.settle()
  expect(played.read).toEqual([flagOf(1), a, b])
  expect((await played.flag(flagOf(1))).following?.through).toEqual({ [chain]: 102 })
  played.head = 110
  await played.settle()
  expect(played.read).toHaveLength(3)
  await putFlag(played.store, payment(1), new Date(0))
  await played.settle()
  expect(played.read.slice(3)).toEqual([flagOf(1), b, c])
  expect((await played.flag(flagOf(1))).following).toMatchObject({
    state: 'done',
    through: { [chain]: 110 },
  })
})

test('what a reorganisation took away is read again', async () => {
  const played = await playing(chainOfFive)
  await putFlag(played.store, payment(2), new Date(0))
  await played.settle()
  const before = played.read.length
  await played.store.rollBack(chain, 103)
  await played.settle()
  expect(played.read.slice(before).sort()).toEqual([b, c, x].sort())
  expect((await played.flag(flagOf(2))).following).toMatchObject({ state: 'done', unfinished: 0 })
})

test('a graph that is older than the coverage beside it is no ground for a plan', async () => {
  const played = await playing(chainOfFive)
  const { store } = played
  const old = await buildGraph(store)
  let graph: Graph | undefined = old
  const planner = createPlanner({
    store,
    read: async (work) => work(graph ?? (await buildGraph(store))),
    async context() {
      const { tags, tokens } = await loadAttribution(store)
      return { tags, tokens, coverage: await store.coverageClaims() }
    },
  })
  await putFlag(store, payment(2), new Date(0))
  await played.work()
  expect((await planner.round(new Date(0))).changed).toBe(true)
  expect((await played.flag(flagOf(2))).following).toBeNull()
  graph = undefined
  await planner.round(new Date(0))
  expect((await played.flag(flagOf(2))).following).toMatchObject({ state: 'following', queued: 1 })
})

test('what nobody wants any more and nobody began is taken back', async () => {
  const played = await playing(chainOfFive)
  await putFlag(played.store, payment(2), new Date(0))
  await played.plan()
  await played.work()
  await played.plan()
  expect((await readWork(played.store, a))?.state).toBe('waiting')
  await played.store.putTags([tag(a, 'exchange')])
  await played.plan()
  expect(await readWork(played.store, a)).toBeUndefined()
  expect((await played.flag(flagOf(2))).following?.state).toBe('done')
})

test('nobody plans until somebody takes the turn', async () => {
  const played = await playing(chainOfFive)
  expect(await plannerState(played.store)).toBe('none')
})
