import { describe, expect, test } from 'vitest'
import type { Account } from '../../src/ledger/account.ts'
import { dai } from '../arbitrary/trades.ts'
import { ether, type Leg, ledgerOf, usdt, weth } from '../ledger.arbitrary.ts'
import { a, ask, b, fee, idIn, issue, mixedAccount, pay, pool, V, wrapper, x, y, z } from './ask.ts'
import type { Method } from './question.ts'

const direction = 'backward'
const pools: ReadonlySet<Account> = new Set([pool])

describe('golden 1 from its ends: each payment finds what the victim put into it', () => {
  const story = mixedAccount()
  const found = (method: Method): (number | undefined)[] =>
    [2, 3, 4].map((seed) => ask(story, [seed], { direction, method }).carried[1])

  test('fifo and lifo as forward', () => {
    expect(found('fifo')).toEqual([10, 40, 50])
    expect(found('lifo')).toEqual([60, 40, 0])
  })

  test('haircut by the share of V in all that a still had to get', () => {
    // From x: a has 150, of which 60; V brought 100: ⌊100·60/150⌋. From z: 50 of 150. From y: 40 of 150, ⌊26.7⌋.
    expect(found('haircut')).toEqual([40, 26, 33])
  })

  test('the rest was issued; what V had is shown by no row', () => {
    expect(ask(story, [2], { direction }).ends).toEqual({
      'issued a seed 0 hop 1': 50,
      'ledger_gap V seed 0 hop 1': 10,
    })
    const covered = (account: Account) => account !== V
    expect(ask(story, [2], { direction, covered }).ends).toEqual({
      'issued a seed 0 hop 1': 50,
      'not_ingested V seed 0 hop 1': 10,
    })
    const opening = (account: Account) => (account === V ? 300n : 0n)
    expect(ask(story, [2], { direction, opening }).ends).toEqual({
      'issued a seed 0 hop 1': 50,
      'opening_balance V seed 0 hop 1': 10,
    })
  })
})

test('the other two methods have no backward form', () => {
  for (const method of ['tainted-first', 'clean-first'] as const)
    expect(() => ask([[pay(V, a, 1n)]], [0], { direction, method })).toThrow(/no backward form/)
})

test('a closing balance is what a later inflow left: it is older than everything, read backwards', () => {
  // fifo forward: x gets V's 10, b's 10 stay. Backward the 10 that stay are the oldest and answer for b first.
  const story = [[pay(V, a, 10n)], [pay(b, a, 10n)], [pay(a, x, 10n)]]
  expect(ask(story, [2], { direction }).carried).toEqual([10, 0, 10])
  expect(ask(story, [2], { direction, method: 'lifo' }).carried).toEqual([0, 10, 10])
})

test('what is missing forward is where the trail ends backward, without a hop', () => {
  const story = [[pay(V, a, 70n)], [pay(a, x, 100n)]]
  const { ends, gaps } = ask(story, [1], { direction })
  expect(ends).toEqual({ 'ledger_gap a seed 0 hop 0': 30, 'ledger_gap V seed 0 hop 1': 70 })
  const ids = ledgerOf(story)
  expect(gaps).toEqual([`${idIn(ids, 1)} 30`, `${idIn(ids, 0)} 70`])
})

test('a flash loan is no origin', () => {
  const story = [
    [issue(b, 900n)],
    [pay(V, a, 100n)],
    [pay(b, a, 900n), pay(a, b, 900n)],
    [pay(a, x, 100n)],
  ]
  for (const method of ['fifo', 'lifo', 'haircut'] as const)
    expect(ask(story, [3], { direction, method }).carried, method).toEqual([0, 100, 0, 0, 100])
})

test('a stop is an origin; of several seeds the earlier one takes what it paid for', () => {
  const story = [[pay(z, a, 50n)], [pay(a, b, 50n)], [pay(b, x, 20n)], [pay(b, y, 30n)]]
  const stops = new Map([[z, 'service']])
  expect(ask(story, [2, 3], { direction, stops }).ends).toEqual({
    'service z seed 0 hop 2': 20,
    'service z seed 1 hop 2': 30,
  })
  // Seeds keep their order in the ledger: the one on the way is reached from the later one.
  expect(ask(story, [1, 2], { direction, stops }).ends).toEqual({
    'reseeded b seed 1 hop 0': 20,
    'service z seed 0 hop 1': 50,
  })
})

test('hops, dust and idle money count from the seed backwards', () => {
  const story = [[pay(V, a, 10n)], [issue(y, 1n)], [pay(a, b, 10n)], [pay(b, x, 10n)]]
  expect(ask(story, [3], { direction, maxHops: 1 }).ends).toEqual({
    'hop_limit a seed 0 hop 1': 10,
  })
  expect(ask(story, [3], { direction, maxIdle: 12 }).ends).toEqual({ 'idle a seed 0 hop 1': 10 })
  const minShare = { numerator: 1n, denominator: 2n }
  const crumbs = [[pay(V, a, 4n), pay(y, a, 6n)], [pay(a, x, 10n)]]
  // V brought 4 of 10: below one half, and no more than one half is dust.
  expect(ask(crumbs, [1], { direction, minShare }).ends).toEqual({
    'dust V seed 0 hop 1': 4,
    'ledger_gap y seed 0 hop 1': 6,
  })
})

test('a swap leads back to what was given, judged as it happened', () => {
  const swap = (got: bigint): Leg[][] => [
    [pay(V, a, 100n, usdt)],
    [pay(a, pool, 100n, usdt), pay(pool, a, got, weth), pay(pool, b, 50n - got, weth)],
    [pay(a, x, got, weth)],
  ]
  const { ends, carried } = ask(swap(45n), [2], { direction, pools })
  expect(ends).toEqual({ 'ledger_gap V seed 0 hop 1': 45 })
  expect(carried).toEqual([45, 0, 0, 0, 45])
  // With 44 of 50 it is no swap of a's: the weth is the pool's.
  expect(ask(swap(44n), [2], { direction, pools }).ends).toEqual({
    'contract_custody pool seed 0 hop 1': 44,
  })
})

test('a swap of several assets into one is ambiguous, in the asset that they became', () => {
  const story = [
    [pay(V, a, 60n, usdt), pay(V, a, 40n, dai)],
    [pay(a, pool, 60n, usdt), pay(a, pool, 40n, dai), pay(pool, a, 7n, weth)],
    [pay(a, x, 7n, weth)],
  ]
  expect(ask(story, [2], { direction, pools }).units).toEqual({ 'ambiguous a weth': 7 })
})

test('a conversion is the last event of its transaction, so reversed it is the first', () => {
  // Oldest first forward: y gets the 9 that a fee left of 10, x the 7 that were bought. So x's are usdt.
  const story = [
    [issue(a, 10n, ether)],
    [pay(V, a, 100n, usdt)],
    [fee(a, 1n), pay(a, pool, 100n, usdt), pay(pool, a, 7n, ether)],
    [pay(a, y, 9n, ether)],
    [pay(a, x, 7n, ether)],
  ]
  expect(ask(story, [1], { pools }).carried.at(-1)).toBe(100)
  expect(ask(story, [4], { direction, pools }).carried[1]).toBe(7)
})

test('an unwrap leads back to the wrapped coin, an issue of it elsewhere to the wrapper', () => {
  const wrap = { wrapped: weth, native: ether, wrapper }
  const story = [
    [pay(V, a, 30n, weth)],
    [{ from: a, amount: 30n, asset: weth }, pay(wrapper, a, 30n, ether)],
    [pay(a, x, 30n, ether)],
    [issue(b, 5n, weth)],
    [pay(b, x, 5n, weth)],
  ]
  expect(ask(story, [2], { direction, wrap }).ends).toEqual({ 'ledger_gap V seed 0 hop 1': 30 })
  expect(ask(story, [4], { direction, wrap }).ends).toEqual({
    'contract_custody wrapper seed 0 hop 1': 5,
  })
})

test('a proven bridge leads from the arriving leg to the leaving one', () => {
  const story = [
    [pay(V, a, 60n, usdt)],
    [pay(a, z, 60n, usdt)],
    [issue(b, 30n, dai)],
    [pay(b, x, 15n, dai)],
  ]
  const ids = ledgerOf(story)
  const more = { direction, stops: new Map([[z, 'bridge']]) } as const
  expect(ask(story, [3], more).ends).toEqual({ 'issued b seed 0 hop 1': 15 })
  const bridges = new Map([[idIn(ids, 1), idIn(ids, 2)]])
  const { ends, units, carried } = ask(story, [3], { ...more, bridges })
  expect(ends).toEqual({ 'ledger_gap V seed 0 hop 3': 15 })
  expect(units).toEqual({ 'ledger_gap V usdt': 30 })
  expect(carried).toEqual([15, 15, 15, 15])
})
