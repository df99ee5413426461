import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Account } from '../../src/ledger/account.ts'
import { type Transfer, transferId } from '../../src/ledger/transfer.ts'
import { fundedLedger } from '../arbitrary/fundedLedger.ts'
import { ledgerOf, wallet } from '../ledger.arbitrary.ts'
import { boundsLedger } from './boundsLedger.ts'
import { everyAllocation } from './everyAllocation.ts'

const [victim, thief, x, y, z] = [1, 2, 3, 4, 5].map(wallet) as [
  Account,
  Account,
  Account,
  Account,
  Account,
]
const seedOf = (ledger: readonly Transfer[], row: number): string =>
  transferId(ledger[row] as Transfer)

async function interval(
  ledger: readonly Transfer[],
  seeds: readonly string[],
  to: Account,
  covered = true,
): Promise<[bigint | null, bigint]> {
  const { min, max, unproven } = await boundsLedger(ledger, { seeds, to: [to], covered })
  return [unproven.length === 0 ? min.amount : null, max.amount]
}

const mixed = ledgerOf([
  [{ to: thief, amount: 50n }],
  [{ from: victim, to: thief, amount: 100n }],
  [{ from: thief, to: x, amount: 60n }],
  [{ from: thief, to: y, amount: 40n }],
  [{ from: thief, to: z, amount: 50n }],
])

test('golden 1: of a mixed account 10 to 60, 0 to 40 and 0 to 50 can have been paid on', async () => {
  const seeds = [seedOf(mixed, 1)]
  expect(await interval(mixed, seeds, x)).toEqual([10n, 60n])
  expect(await interval(mixed, seeds, y)).toEqual([0n, 40n])
  expect(await interval(mixed, seeds, z)).toEqual([0n, 50n])
})

describe('golden 31: with an unknown opening balance no minimum is claimed', () => {
  const ledger = ledgerOf([
    [{ from: victim, to: thief, amount: 100n }],
    [{ from: thief, to: x, amount: 100n }],
    [{ from: thief, to: y, amount: 50n }],
  ])
  test('where transfers may be missing', async () => {
    expect(await interval(ledger, [seedOf(ledger, 0)], x, false)).toEqual([null, 100n])
  })
  test('where the account paid more than it is known to have had', async () => {
    expect(await interval(ledger, [seedOf(ledger, 0)], x)).toEqual([null, 100n])
  })
})

test('golden 2: money that rested while the balance dipped to 10 is at most 10 afterwards', async () => {
  const ledger = ledgerOf([
    [{ from: victim, to: thief, amount: 100n }],
    [{ from: thief, to: y, amount: 90n }],
    [{ to: thief, amount: 500n }],
    [{ from: thief, to: x, amount: 300n }],
  ])
  expect(await interval(ledger, [seedOf(ledger, 0)], x)).toEqual([0n, 10n])
})

const tiny = fundedLedger({ wallets: 4, amount: 4, transfers: 9, ordered: true })

test('minimum and maximum equal what enumerating every allocation finds', async () => {
  let compared = 0
  await fc.assert(
    fc.asyncProperty(tiny, fc.nat(20), async (ledger, pick) => {
      if (ledger.length === 0) return
      const rows = [ledger[0], ledger[pick % ledger.length]] as Transfer[]
      const seeds = [...new Set(rows.map(transferId))]
      for (const to of [wallet(3), wallet(4)]) {
        const known = everyAllocation(ledger, new Set(seeds), to)
        expect(await interval(ledger, seeds, to)).toEqual([known.min, known.max])
        compared++
      }
    }),
    { numRuns: 600 },
  )
  expect(compared).toBeGreaterThan(600)
}, 60_000)
