import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { KnownError } from '../../src/ledger/errors.ts'
import { transferId } from '../../src/ledger/transfer.ts'
import { etherLedger, randomLedger } from '../ledger.arbitrary.ts'
import { traceLedger } from './traceLedger.ts'

const question = fc.record({
  choice: fc.nat(1000),
  method: fc.constantFrom('haircut' as const, 'fifo' as const, 'lifo' as const),
  direction: fc.constantFrom('forward' as const, 'backward' as const),
  sameTransaction: fc.constantFrom('matched' as const, 'ordered' as const),
  minShare: fc.constantFrom(0.5, 0.2, 0.03, 0.001),
  maxHops: fc.integer({ min: 1, max: 6 }),
  maxAddresses: fc.constantFrom(3, 5, 100),
  maxTransactions: fc.constantFrom(10, 15, 100),
})

/** So large that rounding cannot have made the difference: else no pass is left out. */
const unit = 10n ** 12n

/** Longer than any ledger: nothing is idle, but no pass is left out any more. */
const noIdle = 1e12

/** Budgets may be too small for any pass. */
const codeOf = (error: KnownError): string => error.code

test('leaving passes out changes no byte', async () => {
  let halved = 0
  await fc.assert(
    fc.asyncProperty(fc.oneof(randomLedger, etherLedger), question, async (small, given) => {
      const { choice, ...query } = given
      const transfers = small.map((t) => ({ ...t, amount: t.amount * unit }))
      const fit = transfers.filter(
        ({ amount, kind, from, to }) => amount > 0n && kind !== 'fee' && from !== to && to,
      )
      const seed = fit[choice % fit.length]
      if (!seed) return
      const ask = { ...query, seeds: [transferId(seed)] }
      const answer = await traceLedger(transfers, ask).catch(codeOf)
      const inOrder = await traceLedger(transfers, { ...ask, maxIdle: noIdle }).catch(codeOf)
      if (typeof answer === 'string' || typeof inOrder === 'string') {
        expect(answer).toBe(inOrder)
        return
      }
      const { maxIdle: _, ...asked } = inOrder.query
      expect(answer).toEqual({ ...inOrder, query: asked })
      if (answer.cut.passes > 2) halved++
    }),
    { numRuns: 500 },
  )
  expect(halved).toBeGreaterThan(20)
}, 60_000)
