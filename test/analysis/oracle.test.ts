import { expect, test } from 'vitest'
import type { Account } from '../../src/ledger/account.ts'
import { ether, weth } from '../ledger.arbitrary.ts'
import {
  a,
  ask,
  b,
  cleanAround,
  flashLoan,
  issue,
  mixedAccount,
  pay,
  V,
  x,
  y,
  z,
} from '../oracle/ask.ts'

/*
 * The oracle decides every disagreement with the engine, so it is itself held against examples that a reader can
 * check with pencil and paper: here what both directions and all methods share, in test/oracle the rest.
 */

test('golden 1: oldest money pays first, 10, 40 and 50 of the tainted hundred', () => {
  const { ends, carried } = ask(mixedAccount(), [1])
  expect(carried).toEqual([0, 100, 10, 40, 50])
  expect(ends).toEqual({
    'still_held x seed 0 hop 1': 10,
    'still_held y seed 0 hop 1': 40,
    'still_held z seed 0 hop 1': 50,
  })
})

test('golden 1: between clean money before and after, 0, 55 and 5', () => {
  const { carried } = ask(cleanAround(), [1])
  expect(carried).toEqual([0, 60, 0, 0, 55, 5])
})

test('golden 26: a flash loan returns in the transaction that brought it; in plain order it washes', () => {
  const story = flashLoan()
  expect(ask(story, [1]).ends).toEqual({ 'still_held x seed 0 hop 1': 100 })
  expect(ask(story, [1], { matched: false }).ends).toEqual({ 'still_held b seed 0 hop 1': 100 })
})

test('inside a transaction the newest inflow pays first, and its parts stand in order of arrival', () => {
  // y's 30 are V's 20, which came last, and 10 of the clean 40 before them; z, who gets 15 from y, gets the
  // clean 10 first, since that money reached a first.
  const { carried } = ask(
    [
      [issue(a, 5n)],
      [pay(V, b, 20n)],
      [issue(a, 40n), pay(b, a, 20n), pay(a, y, 30n)],
      [pay(y, z, 15n)],
    ],
    [1],
  )
  expect(carried).toEqual([0, 20, 0, 20, 20, 5])
})

test('what a transaction leaves joins the balance in order of arrival, behind what was there', () => {
  const { carried } = ask(
    [
      [issue(a, 5n)],
      [pay(V, a, 20n), issue(a, 7n), pay(a, x, 9n)],
      [pay(a, y, 6n)],
      [pay(a, z, 18n)],
    ],
    [1],
  )
  // x: the issued 7 and 2 of V's; y: the old 5 and 1 of V's; z: the other 17 and 1 beyond the balance.
  expect(carried).toEqual([0, 20, 0, 2, 1, 17])
})

test('golden 30: what pays for a later seed ends there, so distinct money is seeds less reseeded', () => {
  const { ends } = ask(
    [[pay(V, a, 100n)], [pay(a, b, 100n)], [pay(b, a, 80n)], [pay(a, x, 80n)]],
    [0, 2],
  )
  expect(ends).toEqual({
    'reseeded b seed 0 hop 1': 80,
    'still_held b seed 0 hop 1': 20,
    'still_held x seed 1 hop 1': 80,
  })
})

test('an outflow beyond the balance is preceded by a clean inflow: newest, so it pays first when matched', () => {
  const story = [[pay(V, a, 100n)], [pay(a, x, 130n)], [pay(x, y, 40n)]]
  const matched = ask(story, [0])
  expect(matched.carried).toEqual([100, 100, 40])
  expect(matched.gaps).toHaveLength(1)
  expect(matched.gaps[0]).toMatch(/ 30$/)
  expect(ask([[pay(V, a, 100n)], [pay(b, x, 9n)]], [0]).gaps).toEqual([])
})

test('a stop takes lots on arrival, and what leaves it is clean', () => {
  const { ends, carried } = ask([[pay(V, a, 10n)], [pay(a, b, 10n)], [pay(b, x, 10n)]], [0], {
    stops: new Map([[b, 'mixer']]),
  })
  expect(ends).toEqual({ 'mixer b seed 0 hop 1': 10 })
  expect(carried).toEqual([10, 10, 0])
})

test('a lot at the hop limit may rest, and ends when it is spent', () => {
  const story = [[pay(V, a, 10n)], [pay(a, b, 10n)], [pay(b, x, 4n)]]
  expect(ask(story, [0], { maxHops: 1 }).ends).toEqual({
    'hop_limit b seed 0 hop 1': 4,
    'still_held b seed 0 hop 1': 6,
  })
})

test('crumbs are dust until the share is halved far enough that the dust is small', () => {
  const half = { numerator: 1n, denominator: 2n }
  const story = [[pay(V, a, 100n)], [pay(a, x, 30n), pay(a, y, 30n)], [pay(x, z, 30n)]]
  // At one half neither x nor y is followed: dust 60 is more than half of the seed. At one quarter both are.
  expect(ask(story, [0], { minShare: half }).ends).toEqual({
    'still_held a seed 0 hop 0': 40,
    'still_held y seed 0 hop 1': 30,
    'still_held z seed 0 hop 2': 30,
  })
  const short = [[pay(V, a, 100n)], [pay(a, x, 30n)], [pay(x, z, 30n)]]
  expect(ask(short, [0], { minShare: half }).ends).toEqual({
    'still_held a seed 0 hop 0': 70,
    'dust x seed 0 hop 1': 30,
  })
})

test('a wrap converts at the end of its transaction and is no hop; the fee is paid before', () => {
  const wrapper = weth.replace('/erc20:', ':') as Account
  const { ends } = ask(
    [
      [{ from: V, to: a, amount: 100n, asset: ether, kind: 'native' }],
      [
        { from: a, amount: 1n, asset: ether, kind: 'fee' },
        { from: a, to: wrapper, amount: 60n, asset: ether, kind: 'native' },
        { to: a, amount: 60n, asset: weth },
      ],
      [{ from: a, to: x, amount: 60n, asset: weth }],
    ],
    [0],
    { wrap: { wrapped: weth, native: ether, wrapper } },
  )
  expect(ends).toEqual({
    'fees a seed 0 hop 1': 1,
    'still_held a seed 0 hop 0': 39,
    'still_held x seed 0 hop 1': 60,
  })
})
