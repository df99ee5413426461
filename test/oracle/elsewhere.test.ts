import { expect, test } from 'vitest'
import type { Account } from '../../src/ledger/account.ts'
import { dai } from '../arbitrary/trades.ts'
import { hash, type Leg, ledgerOf, usdt, weth } from '../ledger.arbitrary.ts'
import { a, ask, b, idIn, issue, pay, pool, router, V, x, y, z } from './ask.ts'

const pools: ReadonlySet<Account> = new Set([pool])

test('what someone else got needs a record of the pool', () => {
  const story = [
    [pay(V, a, 100n, usdt)],
    [pay(a, pool, 100n, usdt), pay(pool, b, 50n, weth)],
    [pay(b, x, 25n, weth)],
  ]
  expect(ask(story, [0], { pools }).ends).toEqual({ 'contract_custody pool seed 0 hop 1': 100 })
  const record = { tx: hash(2), pool, recipient: b, gets: weth }
  expect(ask(story, [0], { pools, records: [record] }).ends).toEqual({
    'still_held b seed 0 hop 0': 50,
    'still_held x seed 0 hop 1': 50,
  })
  for (const no of [{ pool: router }, { tx: hash(1) }, { recipient: x }, { gets: dai }])
    expect(ask(story, [0], { pools, records: [{ ...record, ...no }] }).ends).toEqual({
      'contract_custody pool seed 0 hop 1': 100,
    })
})

test('what one address got is not the proceeds of two payers', () => {
  const story = [
    [pay(V, a, 100n, usdt)],
    [pay(a, pool, 100n, usdt), pay(y, pool, 90n, usdt), pay(pool, b, 50n, weth)],
  ]
  const records = [{ tx: hash(2), pool, recipient: b, gets: weth }]
  expect(ask(story, [0], { pools, records }).units).toEqual({ 'ambiguous a usdt': 100 })
})

test('what was bought for a service ends there; what leaves an address not followed is dust', () => {
  const story = [
    [pay(V, a, 100n, usdt)],
    [pay(a, x, 40n, usdt)],
    [pay(x, pool, 40n, usdt), pay(pool, b, 20n, weth)],
  ]
  const more = { pools, records: [{ tx: hash(3), pool, recipient: b, gets: weth }] }
  expect(ask(story, [0], { ...more, stops: new Map([[b, 'service']]) }).units).toEqual({
    'service b weth': 20,
    'still_held a usdt': 60,
  })
  const minShare = { numerator: 1n, denominator: 2n }
  expect(ask(story, [0], { ...more, minShare }).units).toEqual({
    'dust x usdt': 40,
    'still_held a usdt': 60,
  })
})

const bridged: readonly (readonly Leg[])[] = [
  [issue(a, 20n, usdt)],
  [pay(V, a, 100n, usdt)],
  [pay(a, z, 60n, usdt)],
  [issue(b, 30n, dai)],
  [pay(b, x, 15n, dai)],
]

test('a bridge without proof is an end; a proven leg goes on, a hop for each leg', () => {
  const stops = new Map([[z, 'bridge']])
  expect(ask(bridged, [1], { stops }).ends).toEqual({
    'bridge z seed 0 hop 1': 40,
    'still_held a seed 0 hop 0': 60,
  })
  // 20 clean and 40 of V's become 10 and 20 dai; x gets the 10 and 5, a quarter of the 40.
  const ids = ledgerOf(bridged)
  const bridges = new Map([[idIn(ids, 2), idIn(ids, 3)]])
  const { ends, carried } = ask(bridged, [1], { stops, bridges })
  expect(carried).toEqual([0, 100, 40, 40, 10])
  expect(ends).toEqual({
    'still_held a seed 0 hop 0': 60,
    'still_held b seed 0 hop 2': 30,
    'still_held x seed 0 hop 3': 10,
  })
  expect(ask(bridged, [1], { stops, bridges, maxHops: 1 }).ends).toEqual({
    'hop_limit z seed 0 hop 1': 40,
    'still_held a seed 0 hop 0': 60,
  })
})

test('a message is used once, and never before it was sent', () => {
  const stops = new Map([[z, 'bridge']])
  const story = [
    [issue(b, 5n, dai)],
    [pay(V, a, 100n, usdt)],
    [pay(a, z, 50n, usdt)],
    [pay(a, z, 50n, usdt)],
    [issue(b, 50n, dai)],
  ]
  const ids = ledgerOf(story)
  const twice = new Map([
    [idIn(ids, 2), idIn(ids, 4)],
    [idIn(ids, 3), idIn(ids, 4)],
  ])
  expect(ask(story, [1], { stops, bridges: twice }).ends).toEqual({
    'bridge z seed 0 hop 1': 50,
    'still_held b seed 0 hop 2': 50,
  })
  const early = new Map([[idIn(ids, 2), idIn(ids, 0)]])
  expect(ask(story, [1], { stops, bridges: early }).ends).toEqual({ 'bridge z seed 0 hop 1': 100 })
})

test('where a wallet pays the arriving leg, its own lots in it are ambiguous', () => {
  const story = [
    [pay(V, a, 50n, usdt)],
    [pay(V, y, 40n, usdt)],
    [pay(a, z, 50n, usdt)],
    [pay(y, b, 30n, usdt)],
  ]
  const ids = ledgerOf(story)
  const bridges = new Map([[idIn(ids, 2), idIn(ids, 3)]])
  const stops = new Map([[z, 'bridge']])
  expect(ask(story, [0, 1], { stops, bridges }).ends).toEqual({
    'still_held b seed 0 hop 2': 50,
    'ambiguous y seed 1 hop 0': 30,
    'still_held y seed 1 hop 0': 10,
  })
})
