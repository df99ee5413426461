import fc from 'fast-check'
import { expect, test } from 'vitest'
import { noConversionKnowledge } from '../../src/analysis/conversionKnowledge.ts'
import { exchangeRules } from '../../src/analysis/exchangeRules.ts'
import { createStops } from '../../src/analysis/stops.ts'
import { createSweepStops } from '../../src/analysis/sweepStops.ts'
import type { AssetId } from '../../src/ledger/asset.ts'
import type { Transfer } from '../../src/ledger/transfer.ts'
import { etherLedger, ledgerOf, randomLedger, wallet } from '../ledger.arbitrary.ts'
import { contextOf } from './askSweep.ts'
import { graphOf, tag } from './traceLedger.ts'

const wallets = fc.array(fc.integer({ min: 1, max: 6 }).map(wallet), { maxLength: 2 })
const asked = fc.record({
  tags: fc.array(
    fc.record({
      account: fc.integer({ min: 1, max: 6 }).map(wallet),
      category: fc.constantFrom('exchange', 'defi_dex', 'perpetrator', 'vault'),
      validFrom: fc.integer({ min: 1_700_001_100, max: 1_700_001_400 }),
    }),
    { maxLength: 3 },
  ),
  continueThrough: wallets,
  neverFollow: wallets,
})

/** Some ledgers with contracts among the wallets, so that some of them exchange. */
const internal = (ledger: readonly Transfer[]): Transfer[] =>
  ledger.map((row, i) =>
    i % 3 === 0 && row.asset.includes('slip44') ? { ...row, kind: 'internal' } : row,
  )
/** A wallet that paid a thousand others. */
const busy = ledgerOf(
  Array.from({ length: 1001 }, (_, i) => [{ from: wallet(1), to: wallet(10_000 + i), amount: 1n }]),
)
const ledgers = fc.oneof(
  { weight: 10, arbitrary: randomLedger },
  { weight: 10, arbitrary: etherLedger },
  { weight: 10, arbitrary: etherLedger.map(internal) },
  { weight: 1, arbitrary: fc.constant(busy) },
)

test('a sweep stops exactly where the trace does', async () => {
  const seen = { stops: 0, passes: 0 }
  await fc.assert(
    fc.asyncProperty(ledgers, asked, async (ledger, { tags, ...lists }) => {
      const graph = await graphOf(ledger)
      const context = contextOf(
        tags.map(({ account, category, validFrom }) => ({ ...tag(account, category), validFrom })),
      )
      const rules = exchangeRules(
        graph,
        { ...context, knowledge: noConversionKnowledge },
        '' as AssetId,
      )
      const query = { ...lists, isBeyond: () => false }
      const plain = createStops(graph, { tags: context.tags, rules }, query)
      const sweeping = createSweepStops(graph, { tags: context.tags, rules }, query)
      for (let transfer = 0; transfer < graph.transferCount; transfer++) {
        const holding = graph.to(transfer)
        if (holding < 0) continue
        const address = graph.addressOf(holding)
        const stop = plain(address, graph.transfer(transfer).time)
        expect(sweeping.continues(address, transfer)).toBe(stop === undefined)
        expect(sweeping.at(address, transfer)).toEqual(stop)
        seen[stop ? 'stops' : 'passes']++
      }
    }),
    { numRuns: 500, examples: [[busy, { tags: [], continueThrough: [], neverFollow: [] }]] },
  )
  expect(seen.stops).toBeGreaterThan(1000)
  expect(seen.passes).toBeGreaterThan(1000)
}, 120_000)
