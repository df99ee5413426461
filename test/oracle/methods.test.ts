import { expect, test } from 'vitest'
import {
  a,
  ask,
  b,
  cleanAround,
  fee,
  flashLoan,
  issue,
  mixedAccount,
  pay,
  V,
  x,
  y,
  z,
} from './ask.ts'
import type { Method } from './question.ts'

const methods: readonly Method[] = ['fifo', 'lifo', 'haircut', 'tainted-first', 'clean-first']

/** What the last transfers of a story carried, by method. */
function byMethod(
  story: Parameters<typeof ask>[0],
  seed: number,
  last: number,
): Record<string, number[]> {
  return Object.fromEntries(
    methods.map((method) => [method, ask(story, [seed], { method }).carried.slice(-last)]),
  )
}

test('golden 1: 50 clean, 100 tainted, then 60, 40 and 50 out', () => {
  const story = mixedAccount()
  expect(byMethod(story, 1, 3)).toEqual({
    fifo: [10, 40, 50],
    lifo: [60, 40, 0],
    haircut: [40, 26, 34],
    'tainted-first': [60, 40, 0],
    'clean-first': [10, 40, 50],
  })
})

test('golden 1: 50 clean, 60 tainted, 40 clean, then 45, 60 and 45 out', () => {
  const story = cleanAround()
  expect(byMethod(story, 1, 3)).toEqual({
    fifo: [0, 55, 5],
    lifo: [5, 55, 0],
    haircut: [18, 24, 18],
    'tainted-first': [45, 15, 0],
    'clean-first': [0, 15, 45],
  })
})

test('golden 2: clean-first never gives more than the lowest balance in between', () => {
  const story = [
    [issue(a, 20n)],
    [pay(V, a, 100n)],
    [pay(a, x, 110n)],
    [issue(a, 90n)],
    [pay(a, y, 85n)],
    [pay(a, z, 15n)],
  ]
  // 110 out are the 20 clean and 90 tainted: 10 are left, and pay last of all.
  expect(ask(story, [1], { method: 'clean-first' }).carried.slice(2)).toEqual([90, 0, 0, 10])
})

test('golden 26: a flash loan washes nothing under any method', () => {
  const story = flashLoan()
  expect(byMethod(story, 1, 1)).toEqual({
    fifo: [100],
    lifo: [100],
    haircut: [100],
    'tainted-first': [100],
    'clean-first': [100],
  })
  const ordered = { matched: false }
  expect(ask(story, [1], { method: 'haircut', ...ordered }).carried).toEqual([
    // Of 1,000 in a, a tenth is V's: 90 of 900 go back, 10 of 100 on.
    0, 100, 0, 90, 10,
  ])
  expect(ask(story, [1], { method: 'lifo', ...ordered }).carried.at(-1)).toBe(100)
})

test('golden 27: lots that meet again', () => {
  const story = [
    [issue(a, 10n)],
    [pay(V, b, 20n)],
    [pay(b, a, 10n)],
    [pay(b, z, 10n)],
    [pay(z, a, 10n)],
    [pay(a, x, 10n)],
    [pay(a, y, 10n)],
  ]
  const carried = byMethod(story, 1, 2)
  expect(carried['tainted-first']).toEqual([10, 10])
  expect(carried['clean-first']).toEqual([0, 10])
  expect(ask(story, [1], { method: 'clean-first' }).ends).toEqual({
    'still_held y seed 0 hop 2': 10,
    'still_held a seed 0 hop 2': 10,
  })
})

test('golden 28: clean-first can be above tainted-first', () => {
  const story = [[issue(a, 10n)], [pay(V, a, 10n)], [pay(a, b, 10n)], [pay(a, x, 10n)]]
  const carried = byMethod(story, 1, 1)
  expect([carried['clean-first'], carried['tainted-first']]).toEqual([[10], [0]])
})

test('golden 30: a victim paid after another, by every method', () => {
  const story = [[pay(V, a, 100n)], [pay(a, b, 60n)], [pay(b, a, 60n)], [pay(a, x, 100n)]]
  // a has 40 of the first and 60 of the second.
  for (const method of methods) {
    const { ends } = ask(story, [0, 2], { method })
    expect(ends, method).toEqual({
      'reseeded b seed 0 hop 1': 60,
      'still_held x seed 0 hop 1': 40,
      'still_held x seed 1 hop 1': 60,
    })
  }
})

test('lifo: the newest pays first, and parts of a payment stand in order of arrival', () => {
  // x gets 5 of V's oldest and 10 of the clean ones after; z then gets those 10 and one of V's.
  const story = [[pay(V, a, 20n)], [issue(a, 10n)], [pay(a, x, 15n)], [pay(x, z, 11n)]]
  expect(ask(story, [0], { method: 'lifo' }).carried).toEqual([20, 0, 5, 1])
})

test('haircut with two seeds: running sums, so that the tainted total is one rounding only', () => {
  // 3 + 4 tainted of 10; 5 out: ⌊5·3/10⌋ = 1, ⌊5·7/10⌋ − 1 = 2, the clean 2.
  const story = [[pay(V, a, 3n)], [pay(b, a, 4n)], [issue(a, 3n)], [pay(a, x, 5n)]]
  expect(ask(story, [0, 1], { method: 'haircut' }).ends).toEqual({
    'still_held a seed 0 hop 0': 2,
    'still_held a seed 1 hop 0': 2,
    'still_held x seed 0 hop 1': 1,
    'still_held x seed 1 hop 1': 2,
  })
})

test('haircut merges lots of one seed and hop, and keeps other hops apart', () => {
  // a holds 5 of hop 0, then 5 + 5 of hop 1 that return over x and y, and 5 clean: 4 of 20 are 1 and 2, not 1, 1 and 1.
  const story = [
    [pay(V, a, 15n)],
    [pay(a, x, 5n)],
    [pay(a, y, 5n)],
    [pay(x, a, 5n)],
    [pay(y, a, 5n)],
    [issue(a, 5n)],
    [pay(a, z, 4n)],
  ]
  expect(ask(story, [0], { method: 'haircut' }).ends).toEqual({
    'still_held a seed 0 hop 0': 4,
    'still_held a seed 0 hop 2': 8,
    'still_held z seed 0 hop 1': 1,
    'still_held z seed 0 hop 3': 2,
  })
})

test('haircut puts the seed before the hop where it rounds', () => {
  // a holds 1 of the first seed, over b two hops on, and 1 of the second, untouched; 1 of the 2 goes out: the running
  // sum is ⌊1/2⌋ after the first seed's, so the second's is paid.
  const story = [
    [pay(V, b, 1n)],
    [pay(b, z, 1n)],
    [pay(z, a, 1n)],
    [pay(V, a, 1n)],
    [pay(a, x, 1n)],
  ]
  expect(ask(story, [0, 3], { method: 'haircut' }).ends).toEqual({
    'still_held a seed 0 hop 2': 1,
    'still_held x seed 1 hop 1': 1,
  })
})

test('inside a transaction haircut divides the newest inflow alone', () => {
  const story = [[issue(a, 90n)], [pay(V, b, 10n)], [issue(b, 10n), pay(b, a, 20n), pay(a, x, 10n)]]
  // b pays its 10 newest, which are clean, and V's 10; a pays x out of these 20.
  expect(ask(story, [1], { method: 'haircut' }).carried).toEqual([0, 10, 0, 10, 5])
})

test('a fee is the first event of its transaction and ends what pays it, a hop on', () => {
  const ether = fee(a, 1n).asset
  const story = [[pay(V, a, 10n, ether)], [pay(a, x, 4n, ether), fee(a, 3n)]]
  expect(ask(story, [0]).ends).toEqual({
    'fees a seed 0 hop 1': 3,
    'still_held x seed 0 hop 1': 4,
    'still_held a seed 0 hop 0': 3,
  })
})

test('money that rested too long ends when it is spent', () => {
  const story = [[pay(V, a, 10n)], [issue(x, 1n)], [pay(a, x, 4n)], [pay(x, y, 5n)]]
  // Twelve seconds a block: a pays after 24, x after 12 and one clean.
  expect(ask(story, [0], { maxIdle: 24 }).carried).toEqual([10, 0, 4, 4])
  expect(ask(story, [0], { maxIdle: 23 }).ends).toEqual({
    'idle a seed 0 hop 0': 4,
    'still_held a seed 0 hop 0': 6,
  })
})

test('who paid more receivers than the limit is a stop from the beginning, unless tagged', () => {
  const story = [
    [pay(V, a, 10n)],
    [pay(a, b, 10n)],
    [pay(b, x, 1n), pay(b, y, 1n), pay(b, z, 1n), { from: b, amount: 1n }],
    // Neither a receiver once more, nor nothing, nor oneself.
    [pay(b, x, 1n), pay(b, V, 0n), pay(b, b, 1n)],
  ]
  expect(ask(story, [0], { receiverLimit: 2 }).ends).toEqual({ 'high_degree b seed 0 hop 1': 10 })
  expect(ask(story, [0], { receiverLimit: 3 }).carried.slice(2)).toEqual([1, 1, 1, 1, 1, 0, 0])
  const tagged = { receiverLimit: 2, tagged: () => true }
  expect(ask(story, [0], tagged).carried.slice(2)).toEqual([1, 1, 1, 1, 1, 0, 0])
})

test('what nobody covers is not known to be held, and what is blacklisted is frozen', () => {
  const story = [[pay(V, a, 10n)], [pay(a, x, 4n)]]
  const known = { covered: (account: string) => account === a, frozen: () => true }
  expect(ask(story, [0], known).ends).toEqual({
    'frozen a seed 0 hop 0': 6,
    'not_ingested x seed 0 hop 1': 4,
  })
})
