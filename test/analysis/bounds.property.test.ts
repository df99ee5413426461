import fc from 'fast-check'
import { expect, test } from 'vitest'
import { methodNames } from '../../src/analysis/methods.ts'
import { parseAccount } from '../../src/ledger/account.ts'
import { type Transfer, transferId } from '../../src/ledger/transfer.ts'
import { fundedLedger } from '../arbitrary/fundedLedger.ts'
import { ether, etherLedger, randomLedger, usd, wallet } from '../ledger.arbitrary.ts'
import { boundsLedger } from './boundsLedger.ts'
import { tag, traceLedger } from './traceLedger.ts'

const anyLedger = fc.oneof(
  fc.record({ transfers: randomLedger, asset: fc.constant<string>(usd) }),
  fc.record({
    transfers: fundedLedger({ wallets: 5, amount: 50, transfers: 25 }),
    asset: fc.constant<string>(usd),
  }),
  fc.record({ transfers: etherLedger, asset: fc.constant<string>(ether) }),
)
const choices = fc.array(fc.nat(1000), { minLength: 1, maxLength: 3 })

function seedsOf(
  transfers: readonly Transfer[],
  choice: readonly number[],
  asset: string,
): string[] {
  const fit = transfers.filter(
    (t) => t.asset === asset && t.amount > 0n && t.from !== t.to && t.kind !== 'fee',
  )
  if (fit.length === 0) return []
  return [...new Set(choice.map((n) => transferId(fit[n % fit.length] as Transfer)))]
}

test('every method lies within the bounds to a service', async () => {
  let claimed = 0
  let positive = 0
  await fc.assert(
    fc.asyncProperty(
      anyLedger,
      choices,
      fc.constantFrom(...methodNames),
      async ({ transfers, asset }, choice, method) => {
        const seeds = seedsOf(transfers, choice, asset)
        if (seeds.length === 0) return
        const tags = [tag(wallet(3), 'exchange')]
        const { outcomes } = await traceLedger(transfers, { seeds, tags, method, minShare: 0 })
        const there = outcomes
          .filter(({ account, outcome }) => outcome === 'service' && isThird(account))
          .reduce((sum, { face }) => sum + BigInt(face), 0n)
        const cut = outcomes
          .filter(({ outcome }) =>
            ['dust', 'hop_limit', 'budget', 'high_degree', 'not_ingested', 'ambiguous'].includes(
              outcome,
            ),
          )
          .reduce((sum, { face }) => sum + BigInt(face), 0n)
        const { max, min, unproven } = await boundsLedger(transfers, {
          seeds,
          tags,
          to: [wallet(3)],
        })
        expect(there <= max.amount).toBe(true)
        if (there > 0n) positive++
        if (unproven.length > 0) return
        expect(min.amount <= there + cut).toBe(true)
        claimed++
      },
    ),
    { numRuns: 2000 },
  )
  expect(claimed).toBeGreaterThan(300)
  expect(positive).toBeGreaterThan(300)
}, 120_000)

const isThird = (account: string): boolean => parseAccount(account) === wallet(3)

test('neither order of arrival nor batches change a bound, and one seed more lowers none', async () => {
  await fc.assert(
    fc.asyncProperty(
      anyLedger,
      choices,
      fc.nat(1000),
      async ({ transfers, asset }, choice, more) => {
        const seeds = seedsOf(transfers, choice, asset)
        if (seeds.length === 0) return
        const to = [wallet(3)]
        const straight = await boundsLedger(transfers, { seeds, to })
        const shuffled = await boundsLedger([...transfers].reverse(), { seeds, to, batchSize: 3 })
        expect(shuffled.certificates).toEqual(straight.certificates)
        expect(shuffled.premises).toEqual(straight.premises)
        const added = [...new Set([...seeds, ...seedsOf(transfers, [more], asset)])]
        const larger = await boundsLedger(transfers, { seeds: added, to })
        expect(larger.max.amount >= straight.max.amount || added.length === seeds.length).toBe(true)
      },
    ),
    { numRuns: 500 },
  )
}, 120_000)
