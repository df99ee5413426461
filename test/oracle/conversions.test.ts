import { expect, test } from 'vitest'
import type { Account } from '../../src/ledger/account.ts'
import { dai } from '../arbitrary/trades.ts'
import { ether, hash, type Leg, ledgerOf, usdt, weth } from '../ledger.arbitrary.ts'
import { a, ask, b, fee, idIn, issue, pay, pool, router, V, wrapper, x, y, z } from './ask.ts'

const pools: ReadonlySet<Account> = new Set([pool])
const wrap = { wrapped: weth, native: ether, wrapper }

test('golden 4: a swap through a router and a pool converts; the pool stays clean', () => {
  const story = [
    [pay(V, a, 100n, usdt)],
    [
      fee(a, 2n),
      pay(a, router, 100n, usdt),
      pay(router, pool, 100n, usdt),
      pay(pool, router, 50n, ether),
      pay(router, a, 50n, ether),
    ],
    [pay(a, x, 20n, ether)],
    [pay(pool, y, 30n, usdt)],
  ]
  const { ends, units, carried } = ask(story, [0], { pools })
  // 50 ether are 100 of V's: 20 of them 40. None of the swap's own legs is said to carry anything.
  expect(carried).toEqual([100, 0, 0, 0, 0, 0, 40, 0])
  expect(ends).toEqual({ 'still_held a seed 0 hop 0': 60, 'still_held x seed 0 hop 1': 40 })
  expect(units).toEqual({ 'still_held a ether': 30, 'still_held x ether': 20 })
})

test('golden 5: a wrap and an unwrap are no hop', () => {
  const story = [
    [pay(V, a, 100n, ether)],
    [pay(a, wrapper, 60n, ether), issue(a, 60n, weth)],
    [pay(a, b, 60n, weth)],
    [{ from: b, amount: 25n, asset: weth }, pay(wrapper, b, 25n, ether)],
    [pay(b, x, 25n, ether)],
  ]
  expect(ask(story, [0], { pools, wrap }).ends).toEqual({
    'still_held a seed 0 hop 0': 40,
    'still_held b seed 0 hop 1': 35,
    'still_held x seed 0 hop 2': 25,
  })
})

test('an unwrap through a router that keeps a fee converts, since the wrapper is a trusted pool', () => {
  const story = [
    [pay(V, a, 100n, weth)],
    [
      pay(a, router, 100n, weth),
      { from: router, amount: 100n, asset: weth },
      pay(wrapper, router, 100n, ether),
      pay(router, a, 95n, ether),
    ],
  ]
  expect(ask(story, [0], { pools, wrap }).units).toEqual({ 'still_held a ether': 95 })
  // Without trusted pools only one for one is a wrap: the router gave 100 and got 95.
  expect(ask(story, [0], { wrap }).ends).toEqual({
    'contract_custody wrapper seed 0 hop 2': 100,
  })
})

test('a fee in the asset that is sold is paid before; the swap takes what its own legs took', () => {
  const story = [
    [issue(a, 5n, ether)],
    [pay(V, a, 100n, ether)],
    [fee(a, 7n), pay(a, pool, 60n, ether), pay(pool, a, 30n, usdt), pay(pool, x, 0n, usdt)],
  ]
  const { ends, units } = ask(story, [1], { pools })
  expect(ends).toEqual({ 'fees a seed 0 hop 1': 2, 'still_held a seed 0 hop 0': 98 })
  expect(units).toEqual({ 'fees a ether': 2, 'still_held a ether': 38, 'still_held a usdt': 30 })
})

test('of a swap paid with clean money too, its part converts, in order', () => {
  const story = [
    [issue(a, 40n, usdt)],
    [pay(V, a, 60n, usdt)],
    [pay(a, pool, 90n, usdt), pay(pool, a, 7n, weth)],
    [pay(a, x, 4n, weth)],
  ]
  // 50 of 90 are V's: ⌊7·50/90⌋ = 3 weth after 4 clean ones.
  const { carried, units } = ask(story, [1], { pools })
  expect(carried).toEqual([0, 60, 0, 0, 0])
  expect(units).toEqual({ 'still_held a usdt': 10, 'still_held a weth': 3 })
  expect(ask(story, [1], { pools, method: 'lifo' }).carried.at(-1)).toBe(
    // 60 of 90, the newest: ⌊7·60/90⌋ = 4 weth behind 3 clean ones. Newest first, x gets all of them.
    60,
  )
})

test('of a lot that is divided, what is paid is rounded down, by every method', () => {
  const story = [
    [pay(V, a, 100n, usdt)],
    [pay(a, pool, 100n, usdt), pay(pool, a, 7n, weth)],
    [pay(a, x, 3n, weth)],
  ]
  // 3 of 7 weth are 42.86 of the 100.
  for (const method of ['fifo', 'lifo', 'haircut', 'tainted-first', 'clean-first'] as const)
    expect(ask(story, [0], { pools, method }).carried.at(-1), method).toBe(42)
})

test('a lot that becomes nothing is ambiguous where it was', () => {
  const story = [
    [issue(a, 99n, usdt)],
    [pay(V, a, 1n, usdt)],
    [pay(a, pool, 100n, usdt), pay(pool, a, 50n, weth)],
  ]
  expect(ask(story, [1], { pools }).units).toEqual({ 'ambiguous a usdt': 1 })
})

test('golden 34: one wei of another token in return washes nothing', () => {
  const paid = { 'still_held b seed 0 hop 1': 100 }
  const wash = [[pay(V, a, 100n, usdt)], [pay(a, b, 100n, usdt), pay(b, a, 1n, weth)]]
  expect(ask(wash, [0], { pools }).ends).toEqual(paid)
  const touched = [
    [pay(V, a, 100n, usdt)],
    [pay(a, pool, 1n, dai), pay(pool, a, 1n, dai), pay(a, b, 100n, usdt), pay(b, a, 1n, weth)],
  ]
  expect(ask(touched, [0], { pools }).ends).toEqual(paid)
})

test('golden 34: nor does one wei of what a pool paid for all of it to someone else', () => {
  const story = [
    [pay(V, a, 100n, usdt)],
    [pay(a, b, 100n, usdt), pay(b, pool, 100n, usdt), pay(pool, b, 50n, weth), pay(b, a, 1n, weth)],
  ]
  expect(ask(story, [0], { pools }).ends).toEqual({
    'contract_custody pool seed 0 hop 2': 100,
  })
})

test('nine tenths are the border of what is credible', () => {
  const swap = (kept: bigint): Leg[][] => [
    [pay(V, a, 100n, usdt)],
    [pay(a, pool, 100n, usdt), pay(pool, router, 100n, weth), pay(router, a, 100n - kept, weth)],
  ]
  expect(ask(swap(10n), [0], { pools }).units).toEqual({ 'still_held a weth': 90 })
  expect(ask(swap(11n), [0], { pools }).units).toEqual({ 'contract_custody pool usdt': 100 })
})

test('trusted pools took nine tenths of what was given', () => {
  // Of 100, 85 went to the pool; of the 100 that came, 90 are all that the pool paid.
  const swap = (kept: bigint): Leg[][] => [
    [pay(V, a, 100n, usdt)],
    [
      pay(a, pool, 100n - kept, usdt),
      pay(a, y, kept, usdt),
      pay(pool, a, 90n, weth),
      pay(z, a, 10n, weth),
    ],
  ]
  expect(ask(swap(10n), [0], { pools }).units).toEqual({ 'still_held a weth': 100 })
  expect(ask(swap(15n), [0], { pools }).units).toEqual({
    'contract_custody pool usdt': 85,
    'still_held y usdt': 15,
  })
})

test('trusted pools paid nine tenths of what came', () => {
  const swap = (other: bigint): Leg[][] => [
    [pay(V, a, 100n, usdt)],
    [pay(a, pool, 100n, usdt), pay(pool, a, 90n, weth), pay(z, a, other, weth)],
  ]
  expect(ask(swap(10n), [0], { pools }).units).toEqual({ 'still_held a weth': 100 })
  expect(ask(swap(11n), [0], { pools }).units).toEqual({ 'contract_custody pool usdt': 100 })
})

test('a price may say what no pool says', () => {
  const story = [[pay(V, a, 100n, usdt)], [pay(a, b, 100n, usdt), pay(b, a, 45n, weth)]]
  const price = (worth: bigint) => (asset: string, amount: bigint) => ({
    numerator: asset === weth ? amount * worth : amount,
    denominator: 1n,
  })
  expect(ask(story, [0], { price: price(2n) }).units).toEqual({ 'still_held a weth': 45 })
  expect(ask(story, [0], { price: price(3n) }).units).toEqual({ 'still_held b usdt': 100 })
})

const twoOutputs: readonly (readonly Leg[])[] = [
  [pay(V, a, 80n, usdt)],
  [issue(a, 20n, usdt)],
  [pay(a, pool, 100n, usdt), pay(pool, a, 30n, weth), pay(pool, a, 40n, dai)],
  [pay(a, x, 30n, weth)],
]

test('two credible outputs are ambiguous, and both are clean afterwards', () => {
  const { ends, units, carried } = ask(twoOutputs, [0], { pools })
  expect(ends).toEqual({ 'ambiguous a seed 0 hop 0': 80 })
  expect(units).toEqual({ 'ambiguous a usdt': 80 })
  expect(carried).toEqual([80, 0, 0, 0, 0, 0])
})

test('the analyst says which of the candidates it became', () => {
  const resolve = new Map([[`${hash(3)} ${a}`, weth]])
  expect(ask(twoOutputs, [0], { pools, resolve }).units).toEqual({ 'still_held x weth': 24 })
  const other = new Map([[`${hash(3)} ${a}`, ether]])
  expect(ask(twoOutputs, [0], { pools, resolve: other }).units).toEqual({
    'ambiguous a usdt': 80,
  })
})

test('a price set divides what was given by what each output was worth', () => {
  // 60 and 40 of 100: by order of the assets dai is bought with the first 40, all V's, weth with 40 of V's and 20.
  const price = (asset: string, amount: bigint) =>
    asset === usdt ? undefined : { numerator: amount * (asset === weth ? 4n : 2n), denominator: 2n }
  const { units, carried } = ask(twoOutputs, [0], { pools, price })
  expect(units).toEqual({ 'still_held a dai': 40, 'still_held x weth': 20 })
  expect(carried.at(-1)).toBe(40)
})

test("others' lots that arrive in the legs of a conversion are ambiguous there", () => {
  const story = [
    [pay(V, b, 10n, weth)],
    [issue(a, 100n, usdt)],
    [pay(a, pool, 100n, usdt), pay(pool, a, 50n, weth), pay(b, a, 4n, weth)],
  ]
  expect(ask(story, [0], { pools }).ends).toEqual({
    'ambiguous a seed 0 hop 1': 4,
    'still_held b seed 0 hop 0': 6,
  })
})

test('a conversion beyond the balance is preceded by what is missing', () => {
  const story = [
    [pay(V, a, 60n, usdt)],
    [pay(a, pool, 100n, usdt), pay(pool, a, 50n, weth)],
    [pay(a, x, 30n, weth)],
  ]
  const { carried, gaps } = ask(story, [0], { pools })
  expect(carried).toEqual([60, 0, 0, 60])
  expect(gaps).toEqual([`${idIn(ledgerOf(story), 1)} 40`])
})

test('a conversion brings nothing to the address that converts', () => {
  const minShare = { numerator: 1n, denominator: 2n }
  const story = [
    [pay(V, a, 100n, usdt)],
    [pay(a, x, 40n, usdt)],
    [pay(x, pool, 40n, usdt), pay(pool, x, 20n, weth)],
  ]
  // x was reached by 40 once, which is less than half.
  expect(ask(story, [0], { pools, minShare }).units).toEqual({
    'dust x weth': 20,
    'still_held a usdt': 60,
  })
})

test('code that exchanges by no credible pair is a stop from its first transfer on', () => {
  const story = [
    [pay(V, a, 10n, usdt)],
    [pay(a, b, 10n, usdt)],
    [pay(b, x, 10n, usdt)],
    [pay(y, b, 5n, usdt), pay(b, y, 5n, weth)],
  ]
  const hasCode = (account: Account) => account === b
  expect(ask(story, [0], { pools, hasCode }).ends).toEqual({
    'contract_custody b seed 0 hop 1': 10,
  })
  expect(ask(story, [0], { pools }).ends).toEqual({ 'still_held x seed 0 hop 2': 10 })
})

test('code that swaps with a trusted pool is a wallet', () => {
  const story = [
    [pay(V, b, 10n, usdt)],
    [pay(b, pool, 10n, usdt), pay(pool, b, 5n, weth)],
    [pay(b, x, 5n, weth)],
  ]
  expect(ask(story, [0], { pools, hasCode: () => true }).ends).toEqual({
    'still_held x seed 0 hop 1': 10,
  })
})

test('assets without value are no events and convert nothing', () => {
  const story = [
    [pay(V, a, 10n, usdt)],
    [pay(a, pool, 10n, usdt), pay(pool, a, 500n, dai), pay(pool, a, 5n, weth)],
  ]
  const carriesValue = (asset: string) => asset !== dai
  expect(ask(story, [0], { pools, carriesValue }).units).toEqual({ 'still_held a weth': 5 })
})
