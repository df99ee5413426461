import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Transfer, transferId } from '../../src/ledger/transfer.ts'
import { type SwapLedger, swapLedger } from '../arbitrary/swapLedger.ts'
import { bridge, desk } from '../arbitrary/trades.ts'
import { ether, etherLedger, randomLedger, wallet, weth } from '../ledger.arbitrary.ts'
import { expectCloseToExact, wrapper } from './ask.ts'
import type { Method } from './question.ts'
import { type OracleQuestion, oracleTrace } from './trace.ts'

const forward: readonly Method[] = ['fifo', 'lifo', 'haircut', 'tainted-first', 'clean-first']
const wrap = { wrapped: weth, native: ether, wrapper }
const nothingCut = {
  matched: true,
  minShare: { numerator: 0n, denominator: 1n },
  maxHops: 1_000,
  stops: new Map(),
  covered: () => true,
}

const settings = fc
  .record({
    method: fc.constantFrom(...forward),
    backward: fc.boolean(),
    matched: fc.boolean(),
    thousandths: fc.constantFrom(0n, 1n, 50n, 300n),
    maxHops: fc.integer({ min: 1, max: 6 }),
    maxIdle: fc.option(fc.integer({ min: 0, max: 60 }), { nil: undefined }),
    covered: fc.boolean(),
    code: fc.boolean(),
    limit: fc.integer({ min: 3, max: 12 }),
    priced: fc.boolean(),
  })
  .filter(({ method, backward }) => !backward || !method.endsWith('-first'))

function questionOf(
  ledger: SwapLedger,
  q: typeof settings extends fc.Arbitrary<infer T> ? T : never,
): OracleQuestion {
  return {
    ...ledger,
    method: q.method,
    direction: q.backward ? 'backward' : 'forward',
    matched: q.matched,
    minShare: { numerator: q.thousandths, denominator: 1000n },
    maxHops: q.maxHops,
    ...(q.maxIdle === undefined ? {} : { maxIdle: q.maxIdle }),
    stops: new Map([
      [bridge, 'bridge'],
      [wallet(5), 'service'],
    ]),
    covered: () => q.covered,
    pools: new Set(ledger.pools),
    wrap,
    hasCode: (account) => q.code && account === desk,
    receiverLimit: q.limit,
    ...(q.priced
      ? { price: (_asset: string, amount: bigint) => ({ numerator: amount, denominator: 3n }) }
      : {}),
  }
}

test('on ledgers of swaps the faces of all outcomes are the seeds, and every outcome occurs', () => {
  const seen = new Map<string, number>()
  fc.assert(
    fc.property(swapLedger, settings, (ledger, q) => {
      if (ledger.seeds.length === 0) return
      const answer = oracleTrace(questionOf(ledger, q))
      let total = 0n
      for (const [key, face] of answer.outcomes) {
        expect(face).toBeGreaterThanOrEqual(0n)
        total += face
        const [outcome = ''] = key.split(' ')
        seen.set(outcome, (seen.get(outcome) ?? 0) + 1)
      }
      if (answer.conversions.size > 0) seen.set('converted', (seen.get('converted') ?? 0) + 1)
      expect(total).toBe(answer.seedTotal)
    }),
    { numRuns: 4_000 },
  )
  // The ledgers reach all that can happen.
  const all =
    'ambiguous bridge burned contract_custody dust fees high_degree hop_limit idle issued ledger_gap not_ingested reseeded service still_held converted'
  expect(all.split(' ').filter((outcome) => (seen.get(outcome) ?? 0) < 5)).toEqual([])
}, 120_000)

test('in one asset no transfer carries more than its amount, and units are faces', () => {
  let looked = 0
  const method = fc.constantFrom(...forward)
  fc.assert(
    fc.property(randomLedger, method, fc.boolean(), fc.nat(), (transfers, how, matched, n) => {
      const fit = transfers.filter((t) => t.amount > 0n && t.from !== t.to)
      const seeds = [n, n + 1].flatMap((i) => fit.slice(i % Math.max(1, fit.length)).slice(0, 1))
      const question = { ...nothingCut, transfers, matched, seeds: seeds.map(transferId) }
      if (new Set(seeds.map(({ asset }) => asset)).size !== 1) return
      const { carried, outcomes, units } = oracleTrace({ ...question, method: how })
      expect(units).toEqual(outcomes)
      for (const t of transfers) {
        const face = carried.get(transferId(t)) ?? 0n
        expect(0n <= face && face <= t.amount).toBe(true)
        if (face > 0n) looked++
      }
    }),
    { numRuns: 1_000 },
  )
  expect(looked).toBeGreaterThan(1_000)
})

test('no outcome is further from the exact rationals than its divisions allow', () => {
  let compared = 0
  fc.assert(
    fc.property(swapLedger, settings, (ledger, q) => {
      if (ledger.seeds.length === 0) return
      expectCloseToExact(questionOf(ledger, { ...q, method: q.backward ? 'haircut' : q.method }))
      compared++
    }),
    { numRuns: 500 },
  )
  expect(compared).toBeGreaterThan(300)
}, 120_000)

/** What each possible seed brought to each transfer after it, and the same read backwards. */
function expectSameLots(transfers: readonly Transfer[], more: Partial<OracleQuestion>): number {
  const ids = transfers.filter((t) => t.amount > 0n && t.from !== t.to).map(transferId)
  const lots = (direction: 'forward' | 'backward'): Map<string, bigint> =>
    new Map(
      ids.flatMap((seed) => {
        const question = { ...nothingCut, ...more, transfers, direction, seeds: [seed] }
        return [...oracleTrace(question).carried].map(([id, face]) => [
          direction === 'forward' ? `${seed} to ${id}` : `${id} to ${seed}`,
          face,
        ])
      }),
    )
  const there = lots('forward')
  expect(lots('backward')).toEqual(there)
  return there.size - ids.length
}

describe('forward and backward give the same lots', () => {
  const queue = fc.record({
    method: fc.constantFrom<Method[]>('fifo', 'lifo'),
    matched: fc.boolean(),
  })

  test('on random ledgers', () => {
    let pairs = 0
    fc.assert(
      fc.property(randomLedger, queue, (transfers, more) => {
        pairs += expectSameLots(transfers, more)
      }),
      { numRuns: 300 },
    )
    expect(pairs).toBeGreaterThan(1_000)
  }, 120_000)

  test('through wraps and fees', () => {
    let pairs = 0
    fc.assert(
      fc.property(etherLedger, queue, (transfers, more) => {
        pairs += expectSameLots(transfers, { ...more, wrap })
      }),
      { numRuns: 200 },
    )
    expect(pairs).toBeGreaterThan(400)
  }, 120_000)
})
