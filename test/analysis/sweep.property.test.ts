import fc from 'fast-check'
import { expect, test } from 'vitest'
import { finished } from '../../src/analysis/slices.ts'
import { notesOf, sweep } from '../../src/analysis/sweep.ts'
import { sweepRange } from '../../src/analysis/sweepQuestion.ts'
import { denseLedger } from '../arbitrary/denseLedger.ts'
import { randomLedger, usd, usdt, wallet } from '../ledger.arbitrary.ts'
import { contextOf, plainQuestion } from './askSweep.ts'
import { graphOf, tag } from './traceLedger.ts'

const wallets = fc.integer({ min: 1, max: 6 }).map(wallet)

const question = fc.record({
  from: fc.uniqueArray(wallets, { minLength: 1, maxLength: 3 }),
  direction: fc.constantFrom('forward' as const, 'backward' as const),
  asset: fc.constantFrom(undefined, undefined, usd, usdt),
  maxHops: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
  exchanges: fc.array(wallets, { maxLength: 2 }),
  since: fc.option(fc.integer({ min: 98, max: 106 }), { nil: undefined }),
  until: fc.option(fc.integer({ min: 104, max: 112 }), { nil: undefined }),
  /** Transfers put down before all are gone through. */
  few: fc.integer({ min: 1, max: 40 }),
})

const timeOf = (block: number): number => 1_700_000_000 + block * 12

test('going through the transfers of those that are reached finds what going through all finds', async () => {
  const passed = { few: 0, all: 0 }
  await fc.assert(
    fc.asyncProperty(fc.oneof(randomLedger, denseLedger), question, async (ledger, asked) => {
      const graph = await graphOf(ledger)
      const known = asked.from.map((account) => graph.address(account)).filter((a) => a >= 0)
      if (known.length === 0 || (asked.asset && graph.asset(asked.asset) < 0)) return
      const context = contextOf(asked.exchanges.map((who) => tag(who, 'exchange')))
      const range = finished(
        sweepRange(graph, context, {
          ...plainQuestion,
          direction: asked.direction,
          ...(asked.asset && { asset: asked.asset }),
          ...(asked.since && { since: timeOf(asked.since) }),
          ...(asked.until && { until: timeOf(asked.until) }),
        }),
      )
      const { maxHops } = asked
      const sources = known.map((address, place) => ({
        address,
        bits: maxHops === undefined ? 1 << place : 1,
      }))
      const found = (few: number) => {
        const swept = finished(sweep(range, sources, { maxHops, few }))
        const everyone = Array.from({ length: graph.addressCount }, (_, at) => at)
        return notesOf(range, swept, everyone)
      }
      const all = found(0)
      expect(found(Number.MAX_SAFE_INTEGER)).toEqual(all)
      expect(found(asked.few)).toEqual(all)
      passed[graph.transferCount > asked.few ? 'few' : 'all']++
    }),
    { numRuns: 2_000 },
  )
  expect(passed.few).toBeGreaterThan(50)
  expect(passed.all).toBeGreaterThan(50)
}, 60_000)
