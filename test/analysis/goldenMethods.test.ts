import { describe, expect, test } from 'vitest'
import { compareMethods } from '../../src/analysis/compare.ts'
import { type MethodName, methodNames } from '../../src/analysis/methods.ts'
import type { TraceAnswer } from '../../src/analysis/traceAnswer.ts'
import { createTagView } from '../../src/attribution/tagView.ts'
import { createTokenTrust } from '../../src/attribution/trustedTokens.ts'
import type { Account } from '../../src/ledger/account.ts'
import { type Transfer, transferId } from '../../src/ledger/transfer.ts'
import { hash, type Leg, ledgerOf, wallet } from '../ledger.arbitrary.ts'
import { issue, pay } from '../oracle/ask.ts'
import { coveredFor, graphOf, type LedgerQuestion, traceLedger } from './traceLedger.ts'

/* Golden scenarios of the design that differ by method, with the design's own numbers. */

const [V, a, b, s, x, y, z] = [0xf1, 0xa, 0xb, 0xc, 0x11, 0x12, 0x13].map(wallet) as [
  Account,
  Account,
  Account,
  Account,
  Account,
  Account,
  Account,
]

const idOf = (ledger: readonly Transfer[], tx: number, leg = 0): string =>
  transferId(ledger.filter((t) => t.tx === hash(tx + 1))[leg] as Transfer)

/** Face that reached each of the accounts by payments. */
function reached(answer: TraceAnswer, accounts: readonly unknown[]): number[] {
  const total = answer.outcomes.reduce((sum, { face }) => sum + BigInt(face), 0n)
  expect(total).toBe(BigInt(answer.seedTotal))
  return accounts.map((account) =>
    answer.movements
      .filter(({ to }) => to?.toLowerCase() === account)
      .reduce((sum, { face }) => sum + Number(face), 0),
  )
}

async function paid(
  story: readonly (readonly Leg[])[],
  seedTx: number,
  accounts: readonly unknown[],
  more: Partial<LedgerQuestion> = {},
): Promise<Record<MethodName, number[]>> {
  const ledger = ledgerOf(story)
  const found = await Promise.all(
    methodNames.map(async (method) => {
      const answer = await traceLedger(ledger, {
        seeds: [idOf(ledger, seedTx)],
        minShare: 0,
        method,
        ...more,
      })
      return [method, reached(answer, accounts)] as const
    }),
  )
  return Object.fromEntries(found) as Record<MethodName, number[]>
}

test('golden 1: 50 clean, 100 tainted, then 60, 40 and 50 out', async () => {
  const story = [
    [issue(a, 50n)],
    [pay(V, a, 100n)],
    [pay(a, x, 60n)],
    [pay(a, y, 40n)],
    [pay(a, z, 50n)],
  ]
  expect(await paid(story, 1, [x, y, z])).toEqual({
    fifo: [10, 40, 50],
    'clean-first': [10, 40, 50],
    lifo: [60, 40, 0],
    'tainted-first': [60, 40, 0],
    haircut: [40, 26, 34],
  })
})

test('golden 1: 50 clean, 60 tainted, 40 clean, then 45, 60 and 45 out', async () => {
  const story = [
    [issue(a, 50n)],
    [pay(V, a, 60n)],
    [issue(a, 40n)],
    [pay(a, x, 45n)],
    [pay(a, y, 60n)],
    [pay(a, z, 45n)],
  ]
  expect(await paid(story, 1, [x, y, z])).toEqual({
    fifo: [0, 55, 5],
    lifo: [5, 55, 0],
    haircut: [18, 24, 18],
    'tainted-first': [45, 15, 0],
    'clean-first': [0, 15, 45],
  })
})

test('golden 2: a balance that dipped to 10 holds at most 10 tainted, whatever is paid in later', async () => {
  const story = [
    [pay(V, a, 100n)],
    [pay(a, x, 90n)],
    [issue(a, 500n)],
    [pay(a, y, 500n)],
    [pay(a, z, 10n)],
  ]
  const { 'clean-first': cleanFirst } = await paid(story, 0, [x, y, z])
  expect(cleanFirst).toEqual([90, 0, 10])
})

test('golden 26: a flash loan between does not wash: x gets 100 under all five methods', async () => {
  const story = [
    [issue(b, 1000n)],
    [pay(V, a, 100n)],
    [pay(b, a, 900n), pay(a, b, 900n)],
    [pay(a, x, 100n)],
  ]
  const found = await paid(story, 1, [x])
  for (const method of methodNames) expect(found[method], method).toEqual([100])
})

test('golden 27: lots that merge: tainted-first pays x 10 and y 10; clean-first 0 and 10, and 10 rest', async () => {
  const story = [
    [issue(a, 10n)],
    [pay(V, s, 20n)],
    [pay(s, a, 10n)],
    [pay(s, b, 10n)],
    [pay(b, a, 10n)],
    [pay(a, x, 10n)],
    [pay(a, y, 10n)],
  ]
  const found = await paid(story, 1, [x, y])
  expect(found['tainted-first']).toEqual([10, 10])
  expect(found['clean-first']).toEqual([0, 10])
})

test('golden 28: clean-first above tainted-first: x gets 10 and 0', async () => {
  const story = [[issue(a, 10n)], [pay(V, a, 10n)], [pay(a, b, 10n)], [pay(a, x, 10n)]]
  const found = await paid(story, 1, [x])
  expect(found['clean-first']).toEqual([10])
  expect(found['tainted-first']).toEqual([0])
})

describe('backward', () => {
  const story = [
    [issue(a, 50n)],
    [pay(V, a, 100n)],
    [pay(a, x, 60n)],
    [pay(a, y, 40n)],
    [pay(a, z, 50n)],
  ]

  test.each([
    ['fifo', { issued: 50, opening_balance: 10 }],
    ['lifo', { opening_balance: 60 }],
    ['haircut', { issued: 20, opening_balance: 40 }],
  ] as const)('%s: the 60 that x got came from what it took', async (method, expected) => {
    const ledger = ledgerOf([[issue(V, 0n)], ...story])
    const answer = await traceLedger(ledger, {
      seeds: [idOf(ledger, 3)],
      direction: 'backward',
      minShare: 0,
      method,
    })
    const sums: Record<string, number> = {}
    for (const { outcome, face } of answer.outcomes)
      sums[outcome === 'ledger_gap' ? 'opening_balance' : outcome] =
        (sums[outcome === 'ledger_gap' ? 'opening_balance' : outcome] ?? 0) + Number(face)
    expect(sums).toEqual(expected)
  })

  test('error: a method that asks what is traced has no backward form', async () => {
    const ledger = ledgerOf(story)
    await expect(
      traceLedger(ledger, {
        seeds: [idOf(ledger, 2)],
        direction: 'backward',
        method: 'tainted-first',
      }),
    ).rejects.toThrowError(/tainted-first has no backward form/)
  })
})

test('compare puts all methods of one question into one table, whose columns are the seeds', async () => {
  const ledger = ledgerOf([
    [issue(a, 50n)],
    [pay(V, a, 100n)],
    [pay(b, a, 30n)],
    [pay(a, x, 60n)],
    [pay(a, y, 70n)],
  ])
  const context = {
    tags: createTagView([]),
    tokens: createTokenTrust(),
    coverage: coveredFor(ledger),
  }
  const { comparison } = compareMethods(await graphOf(ledger), context, {
    seeds: [idOf(ledger, 1), idOf(ledger, 2)] as never,
    direction: 'forward',
    sameTransaction: 'matched',
    minShare: 0,
    maxHops: 32,
    asOf: {},
    continueThrough: [],
    neverFollow: [],
    resolve: [],
    maxAddresses: 1000,
    maxTransactions: 1000,
  })
  expect(comparison.methods).toEqual(methodNames)
  for (const method of methodNames) {
    const column = comparison.table.reduce((sum, { faces }) => sum + Number(faces[method]), 0)
    expect(column, method).toBe(130)
  }
  // x is paid 60 of 180: the old 50 and 10 of V's; the newest 30 and 30 of V's; a third of each.
  const ofX = comparison.places.find(({ account }) => account.toLowerCase() === x)
  expect(ofX?.faces).toEqual({
    fifo: '10',
    lifo: '60',
    haircut: '43',
    'tainted-first': '60',
    'clean-first': '10',
  })
  // One victim's own table: the same as if she were traced alone.
  expect(comparison.bySeed.map(({ table }) => table[0]?.faces)).toEqual([
    { fifo: '100', lifo: '100', haircut: '100' },
    { fifo: '30', lifo: '30', haircut: '30' },
  ])
})
