import { expect, test } from 'vitest'
import { sliceLength } from '../../src/analysis/slices.ts'
import { type Account, formatAccount } from '../../src/ledger/account.ts'
import { parseAsset } from '../../src/ledger/asset.ts'
import { ether, type Leg, ledgerOf, usd, usdt, wallet, weth } from '../ledger.arbitrary.ts'
import { askReach } from './askSweep.ts'
import { graphOf, tag } from './traceLedger.ts'

const [a, b, c, d] = [wallet(0xa), wallet(0xb), wallet(0xc), wallet(0xd)]
const pay = (from: Account, to: Account, more: Partial<Leg> = {}): Leg => ({
  from,
  to,
  amount: 5n,
  ...more,
})

async function hopsFrom(
  transactions: readonly (readonly Leg[])[],
  from: readonly Account[] = [a],
  question: Parameters<typeof askReach>[2] = {},
): Promise<Record<string, number>> {
  const { reached } = askReach(await graphOf(ledgerOf(transactions)), from, question)
  return Object.fromEntries(reached.map(({ account, hop }) => [account, hop]))
}
const named = (hops: readonly (readonly [Account, number])[]) =>
  Object.fromEntries(hops.map(([account, hop]) => [formatAccount(account), hop]))

test('money reaches only what is paid after it came, by the shortest way in time', async () => {
  expect(await hopsFrom([[pay(a, b)], [pay(b, c)], [pay(c, d)], [pay(a, c)]])).toEqual(
    named([
      [b, 1],
      [c, 1],
      [d, 3],
    ]),
  )
  expect(await hopsFrom([[pay(b, c)], [pay(a, b)]])).toEqual(named([[b, 1]]))
})

test('backward it says where money can have come from', async () => {
  const ledger = [[pay(a, b)], [pay(b, c)], [pay(d, b)]]
  expect(await hopsFrom(ledger, [c], { direction: 'backward' })).toEqual(
    named([
      [b, 1],
      [a, 2],
    ]),
  )
})

test('zero amounts, payments to oneself, burns, fees and forged tokens carry nothing', async () => {
  const forged = parseAsset('eip155:1/erc20:0x00000000000000000000000000000000000f0f0f')
  const nothing: Leg[] = [
    pay(a, b, { amount: 0n }),
    pay(a, a),
    pay(a, c, { asset: forged }),
    { from: a, amount: 5n },
    { from: a, amount: 5n, asset: ether, kind: 'fee' },
  ]
  expect(await hopsFrom([nothing])).toEqual({})
  expect(await hopsFrom([nothing], [a], { asset: forged })).toEqual(named([[c, 1]]))
})

test('another asset leaves an address only in a later transaction', async () => {
  const together = [pay(a, b, { asset: usd }), pay(b, c, { asset: usdt })]
  expect(await hopsFrom([together])).toEqual(named([[b, 1]]))
  expect(await hopsFrom([together.slice(0, 1), together.slice(1)])).toEqual(
    named([
      [b, 1],
      [c, 2],
    ]),
  )
  expect(await hopsFrom([[pay(a, b)], [pay(b, c, { asset: usdt })]], [a], { asset: usd })).toEqual(
    named([[b, 1]]),
  )
})

test('what was wrapped is followed on, its contract is reached and goes no further', async () => {
  const wrapper = weth.replace('/erc20:', ':') as Account
  const ledger = [
    [
      pay(a, wrapper, { asset: ether, kind: 'native' }),
      { to: a, amount: 5n, asset: weth, flags: ['wrap'] },
    ],
    [pay(a, b, { asset: weth })],
    [pay(wrapper, c, { asset: ether, kind: 'internal' })],
  ]
  expect(await hopsFrom(ledger)).toEqual(
    named([
      [wrapper, 1],
      [b, 1],
    ]),
  )
})

test('services are reached and go no further, unless asked for or continued through', async () => {
  const ledger = [[pay(a, b)], [pay(b, c)]]
  const tags = [tag(b, 'exchange')]
  const graph = await graphOf(ledgerOf(ledger))
  expect(askReach(graph, [a], { tags }).reached).toMatchObject([
    { hop: 1, stop: { outcome: 'service', category: 'exchange' } },
  ])
  const both = named([
    [b, 1],
    [c, 2],
  ])
  expect(await hopsFrom(ledger, [a], { tags, continueThrough: [b] })).toEqual(both)
  expect(await hopsFrom(ledger, [b], { tags })).toEqual(named([[c, 1]]))
  expect(await hopsFrom(ledger, [a], { neverFollow: [b] })).toEqual(named([[b, 1]]))
})

test('golden 10: a peel chain of forty is reached to its end, or as far as hops are allowed', async () => {
  const chain = Array.from({ length: 40 }, (_, i) => [
    pay(wallet(100 + i), wallet(101 + i)),
    pay(wallet(100 + i), wallet(500 + i)),
  ])
  const all = await hopsFrom(chain, [wallet(100)])
  expect(Object.keys(all)).toHaveLength(80)
  expect(all[formatAccount(wallet(140))]).toBe(40)
  expect(Math.max(...Object.values(await hopsFrom(chain, [wallet(100)], { maxHops: 12 })))).toBe(12)
})

test('golden 11 and 12: a cycle is gone round once, what was scattered meets again', async () => {
  const cycle = [0, 1, 2, 3, 4].map((i) => [pay(wallet(100 + i), wallet(100 + ((i + 1) % 5)))])
  expect(Object.values(await hopsFrom([...cycle, ...cycle], [wallet(100)]))).toEqual([1, 2, 3, 4])
  const eight = [1, 2, 3, 4, 5, 6, 7, 8].map((i) => wallet(200 + i))
  const scatter = [eight.map((to) => pay(a, to)), eight.map((from) => pay(from, d))]
  expect((await hopsFrom(scatter))[formatAccount(d)]).toBe(2)
})

test('golden 13: a hub is reached and goes no further; the answer counts what it does not list', async () => {
  const out = Array.from({ length: 1500 }, (_, i) => pay(b, wallet(10_000 + i)))
  const graph = await graphOf(ledgerOf([[pay(a, b)], out]))
  expect(askReach(graph, [a]).reached).toMatchObject([{ stop: { outcome: 'high_degree' } }])
  const through = askReach(graph, [a], { continueThrough: [b], limit: 10 })
  expect(through.cut).toEqual({ reached: 1501, listed: 10 })
  expect(through.byHop).toEqual([
    { hop: 1, accounts: 1 },
    { hop: 2, accounts: 1500 },
  ])
  expect(through.reached.map(({ hop }) => hop)).toEqual([1, 2, 2, 2, 2, 2, 2, 2, 2, 2])
})

test('of thousands of accounts it is known which reach what, also where their bits run out', async () => {
  const many = Array.from({ length: 2000 }, (_, i) => wallet(10_000 + i))
  const graph = await graphOf(
    ledgerOf([many.map((from) => pay(from, b)), [pay(a, b)], [pay(b, c)]]),
  )
  const { reached } = askReach(graph, [...many, a], { sources: true })
  expect(reached.map(({ hop, sources }) => [hop, sources?.length])).toEqual([
    [1, 2001],
    [2, 2001],
  ])
  const one = askReach(graph, [a, many[0] as Account], { sources: true, maxHops: 1 })
  expect(one.reached.map(({ sources }) => sources)).toEqual([
    [formatAccount(a), formatAccount(many[0] as Account)],
  ])
})

test('what is as near stands in the order in which it was first reached, in whatever asset', async () => {
  const inEther = pay(a, c, { asset: ether, kind: 'native' })
  const graph = await graphOf(ledgerOf([[pay(a, c)], [pay(a, b)], [inEther]]))
  const { reached } = askReach(graph, [a], { tags: [tag(c, 'exchange')] })
  expect(reached.map(({ account }) => account)).toEqual([c, b].map(formatAccount))
})

test('what was reached early stays known, however much is reached after it', async () => {
  const many = Array.from({ length: 3000 }, (_, i) => wallet(10_000 + i))
  const graph = await graphOf(ledgerOf(many.map((to) => [pay(a, to)])))
  const { reached, cut } = askReach(graph, [a])
  expect(reached.map(({ account }) => account)).toEqual(many.map(formatAccount))
  expect(new Set(reached.map(({ arrival }) => arrival)).size).toBe(many.length)
  expect(cut).toEqual({ reached: many.length, listed: many.length })
})

test('what slices are cut from is the same in one piece', async () => {
  const rows = sliceLength + 10
  const legs = Array.from({ length: rows }, (_, i) => pay(wallet(1), wallet(1000 + (i % 50))))
  const graph = await graphOf(
    ledgerOf([...legs.map((leg) => [leg]), [pay(wallet(1000), a)]]),
    100_000,
  )
  expect(askReach(graph, [wallet(1)]).cut.reached).toBe(51)
  expect(askReach(graph, [a], { direction: 'backward' }).cut.reached).toBe(2)
}, 120_000)

test('error: an account or asset that the ledger does not know is no empty answer', async () => {
  const graph = await graphOf(ledgerOf([[pay(a, b)]]))
  for (const ask of [
    () => askReach(graph, [a, d]),
    () => askReach(graph, []),
    () => askReach(graph, [a], { asset: usdt }),
  ])
    expect(ask).toThrow(expect.objectContaining({ code: 'seed.not-found' }))
})

test('the as-of block and the window bound what counts', async () => {
  const ledger = [[pay(a, b)], [pay(b, c)], [pay(c, d)]]
  expect(await hopsFrom(ledger, [a], { asOf: { 'eip155:1': 101 } })).toEqual(
    named([
      [b, 1],
      [c, 2],
    ]),
  )
  const time = (block: number) => 1_700_000_000 + block * 12
  expect(await hopsFrom(ledger, [b], { since: time(101), until: time(101) })).toEqual(
    named([[c, 1]]),
  )
})
