import { expect, test } from 'vitest'
import type { PathsAnswer } from '../../src/analysis/paths.ts'
import type { Account } from '../../src/ledger/account.ts'
import { type Leg, ledgerOf, usd, usdt, wallet } from '../ledger.arbitrary.ts'
import { askPaths } from './askSweep.ts'
import { graphOf, tag } from './traceLedger.ts'

const [a, b, c, d, e] = [wallet(0xa), wallet(0xb), wallet(0xc), wallet(0xd), wallet(0xe)]
const pay = (from: Account, to: Account, amount = 5n, more: Partial<Leg> = {}): Leg => ({
  from,
  to,
  amount,
  ...more,
})

/** Paths as the last digit of each account on the way, such as `abd`. */
const ways = ({ paths }: PathsAnswer): string[] =>
  paths.map(({ transfers }) =>
    [transfers[0]?.from, ...transfers.map(({ to }) => to)]
      .map((account) => account?.slice(-1).toLowerCase())
      .join(''),
  )

async function waysIn(
  transactions: readonly (readonly Leg[])[],
  question: Partial<Parameters<typeof askPaths>[1]> = {},
): Promise<string[]> {
  const graph = await graphOf(ledgerOf(transactions))
  return ways(askPaths(graph, { from: [a], to: [d], k: 100, ...question }))
}

/** Three ways from a to d: short and late, long and early, wide and longest. */
const three = [
  [pay(a, b, 3n)],
  [pay(b, c, 3n)],
  [pay(c, d, 3n)],
  [pay(a, b, 50n)],
  [pay(b, c, 40n)],
  [pay(c, e, 40n)],
  [pay(e, d, 40n)],
  [pay(a, d, 1n)],
]

test('the shortest, the earliest and the widest path are told apart', async () => {
  expect(await waysIn(three, { by: 'hops', k: 1 })).toEqual(['ad'])
  expect(await waysIn(three, { by: 'arrival', k: 1 })).toEqual(['abcd'])
  expect(await waysIn(three, { by: 'bottleneck', k: 1 })).toEqual(['abced'])
  const [widest] = askPaths(await graphOf(ledgerOf(three)), {
    from: [a],
    to: [d],
    by: 'bottleneck',
  }).paths
  expect(widest).toMatchObject({ hops: 4, bottleneck: '40' })
  expect(widest?.lastTime).toBe((widest?.firstTime ?? 0) + 3 * 12)
})

test('backward finds the latest departure', async () => {
  const ledger = [[pay(a, b)], [pay(a, c)], [pay(c, d)], [pay(b, d)]]
  expect(await waysIn(ledger, { by: 'arrival' })).toEqual(['acd', 'abd'])
  expect(await waysIn(ledger, { by: 'arrival', direction: 'backward' })).toEqual(['acd', 'abd'])
  const crossed = [[pay(a, c)], [pay(a, b)], [pay(c, d)], [pay(b, d)]]
  expect(await waysIn(crossed, { by: 'arrival' })).toEqual(['acd', 'abd'])
  expect(await waysIn(crossed, { by: 'arrival', direction: 'backward' })).toEqual(['abd', 'acd'])
})

test('k paths are all there are, and the answer says whether there may be more', async () => {
  const graph = await graphOf(ledgerOf(three))
  const asked = { from: [a], to: [d], by: 'bottleneck' } as const
  const all = askPaths(graph, { ...asked, k: 100 })
  expect(all.paths.map(({ bottleneck }) => bottleneck)).toEqual(['40', '3', '3', '3', '1'])
  expect(all.cut.reason).toBeNull()
  expect(askPaths(graph, { ...asked, k: 2 }).cut.reason).toBe('paths')
})

test('a budget that is used up leaves the best paths and says so', async () => {
  const graph = await graphOf(ledgerOf(three))
  const cut = askPaths(graph, { from: [a], to: [d], k: 100, maxLooked: 8 })
  expect(ways(cut)).toEqual(['ad'])
  expect(cut.cut).toEqual({ reason: 'transfers', corridor: 8, looked: 8 })
})

test('nobody is passed twice, and neither side is passed through', async () => {
  const ledger = [[pay(a, b)], [pay(b, c)], [pay(c, b)], [pay(b, d)]]
  expect(await waysIn(ledger)).toEqual(['abd'])
  expect(await waysIn(ledger, { from: [a, b], to: [c, d] })).toEqual(['bc', 'bd'])
})

test('stops are ends, but nothing goes through them unless it is told to', async () => {
  const ledger = [[pay(a, b)], [pay(b, d)]]
  const tags = [tag(b, 'exchange'), tag(a, 'exchange'), tag(d, 'exchange')]
  expect(await waysIn(ledger, { tags })).toEqual([])
  expect(await waysIn(ledger, { tags, continueThrough: [b] })).toEqual(['abd'])
  expect(await waysIn(ledger, { tags, to: [b] })).toEqual(['ab'])
  expect(await waysIn(ledger, { tags, from: [b] })).toEqual(['bd'])
})

test('assets may change on the way where none is asked for, and then no amount is the smallest', async () => {
  const ledger = [[pay(a, b, 5n, { asset: usd })], [pay(b, d, 7n, { asset: usdt })]]
  const graph = await graphOf(ledgerOf(ledger))
  const mixed = askPaths(graph, { from: [a], to: [d] })
  expect(mixed.follows).toBe('value_carrying')
  expect(mixed.paths).toMatchObject([{ hops: 2, bottleneck: null }])
  expect(askPaths(graph, { from: [a], to: [d], asset: usd })).toMatchObject({
    follows: 'one_asset',
    paths: [],
  })
  expect(askPaths(graph, { from: [a], to: [d], by: 'bottleneck' }).paths).toEqual([])
})

test('error: by amount of several assets, from an account to itself, an unknown account', async () => {
  const both = [pay(a, d, 5n, { asset: usd }), pay(a, d, 7n, { asset: usdt })]
  const graph = await graphOf(ledgerOf([both]))
  const code = (code: string) => expect.objectContaining({ code })
  expect(() => askPaths(graph, { from: [a], to: [d], by: 'bottleneck' })).toThrow(
    code('asset.ambiguous'),
  )
  expect(() => askPaths(graph, { from: [a], to: [d, a] })).toThrow(code('request.invalid'))
  expect(() => askPaths(graph, { from: [a], to: [e] })).toThrow(code('seed.not-found'))
})

test('amounts beyond 128 bits are compared exactly', async () => {
  const huge = 2n ** 256n - 2n
  const ledger = [[pay(a, d, huge)], [pay(a, d, huge + 1n)], [pay(a, d, 2n ** 128n - 1n)]]
  const { paths } = askPaths(await graphOf(ledgerOf(ledger)), {
    from: [a],
    to: [d],
    by: 'bottleneck',
    k: 3,
  })
  expect(paths.map(({ bottleneck }) => BigInt(bottleneck ?? 0))).toEqual([
    huge + 1n,
    huge,
    2n ** 128n - 1n,
  ])
})

test('golden 10 to 12: along a peel chain, round a cycle, through a scatter', async () => {
  const chain = Array.from({ length: 40 }, (_, i) => [
    pay(wallet(100 + i), wallet(101 + i), 1000n - BigInt(i)),
    pay(wallet(100 + i), wallet(500 + i)),
  ])
  const peel = askPaths(await graphOf(ledgerOf(chain)), {
    from: [wallet(100)],
    to: [wallet(140)],
    by: 'bottleneck',
    k: 5,
  })
  expect(peel.paths).toMatchObject([{ hops: 40, bottleneck: '961' }])
  expect(peel.cut).toMatchObject({ reason: null, corridor: 40 })
  const ring = [0, 1, 2, 3, 4].map((i) => wallet(100 + i)) as [Account, ...Account[]]
  const cycle = ring.map((from, i) => [pay(from, ring[(i + 1) % 5] ?? a)])
  const twice = await graphOf(ledgerOf([...cycle, ...cycle]))
  expect(
    askPaths(twice, { from: [ring[0]], to: [ring[4] ?? a], k: 100 }).paths.map(({ hops }) => hops),
  ).toEqual([4, 4, 4, 4, 4])
  const eight = Array.from({ length: 8 }, (_, i) => wallet(200 + i))
  const scatter = await graphOf(
    ledgerOf([eight.map((to) => pay(a, to)), eight.map((from) => pay(from, d))]),
  )
  expect(askPaths(scatter, { from: [a], to: [d], k: 100 }).paths).toHaveLength(8)
})

test('golden 13: between hubs of many payments the best paths are found within bounds', async () => {
  const crowd = Array.from({ length: 20_000 }, (_, i) => wallet(10_000 + i))
  const graph = await graphOf(
    ledgerOf([
      ...crowd.map((to, i) => [pay(a, to, BigInt(i + 1))]),
      ...crowd.map((from, i) => [pay(from, d, BigInt(i + 1))]),
    ]),
    10_000,
  )
  const { paths, cut } = askPaths(graph, { from: [a], to: [d], by: 'bottleneck', k: 20 })
  expect(paths.map(({ bottleneck }) => Number(bottleneck))).toEqual(
    Array.from({ length: 20 }, (_, i) => 20_000 - i),
  )
  expect(cut).toMatchObject({ reason: 'paths', corridor: 40_000 })
})
