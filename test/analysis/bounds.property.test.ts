import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bounds } from '../../src/analysis/bounds.ts'
import type { BoundsAnswer, Interval } from '../../src/analysis/boundsAnswer.ts'
import { checkCertificate } from '../../src/analysis/checkCertificate.ts'
import { elsewhere, target } from '../../src/analysis/flowNetwork.ts'
import { createFlow } from '../../src/analysis/maxFlow.ts'
import { methodNames } from '../../src/analysis/methods.ts'
import { createTagView } from '../../src/attribution/tagView.ts'
import { createTokenTrust } from '../../src/attribution/trustedTokens.ts'
import { parseAccount } from '../../src/ledger/account.ts'
import { ledgerOrder } from '../../src/ledger/order.ts'
import type { Tag } from '../../src/ledger/tag.ts'
import { type Transfer, type TransferId, transferId } from '../../src/ledger/transfer.ts'
import { fundedLedger } from '../arbitrary/fundedLedger.ts'
import { ether, etherLedger, randomLedger, usd, wallet } from '../ledger.arbitrary.ts'
import { boundsLedger } from './boundsLedger.ts'
import { coveredFor, graphOf, tag, traceLedger } from './traceLedger.ts'

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
        const cut = cutOf(outcomes)
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
    { numRuns: 600 },
  )
  expect(claimed).toBeGreaterThan(100)
  expect(positive).toBeGreaterThan(100)
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
    { numRuns: 150 },
  )
}, 120_000)

const longer = fc.record({
  transfers: fundedLedger({ wallets: 5, amount: 50, transfers: 60, ordered: true }),
  asset: fc.constant<string>(usd),
})

test('the reduced network answers as the one of the definition', async () => {
  let smaller = 0
  await fc.assert(
    fc.asyncProperty(fc.oneof(anyLedger, longer), choices, async ({ transfers, asset }, choice) => {
      const seeds = seedsOf(transfers, choice, asset)
      if (seeds.length === 0) return
      const found = await boundsLedger(transfers, { seeds, to: [wallet(3)] })
      const { unreduced, max, min, network } = found
      const total = createFlow(unreduced)
      expect(createFlow(unreduced).fill(target)).toBe(max.amount)
      total.fill(elsewhere)
      expect(total.fill(target)).toBe(min.amount)
      if (network.nodeCount < unreduced.nodeCount) smaller++
    }),
    { numRuns: 500 },
  )
  expect(smaller).toBeGreaterThan(50)
}, 120_000)

test('every end by itself: traces lie within, certificates hold, two ends complement each other', async () => {
  let pairs = 0
  let compared = 0
  await fc.assert(
    fc.asyncProperty(
      anyLedger,
      choices,
      fc.constantFrom(...methodNames),
      async ({ transfers, asset }, choice, method) => {
        const seeds = seedsOf(transfers, choice, asset)
        if (seeds.length === 0) return
        const tags = [tag(wallet(3), 'exchange'), tag(wallet(4), 'mixer')]
        const answer = await everyEnd(transfers, { seeds, tags })
        const total = BigInt(answer.seedTotal)
        const { totals } = await traceLedger(transfers, { seeds, tags, method, minShare: 0 })
        for (const { outcome, face } of totals) {
          const found = answer.outcomes.find(({ target }) => target === outcome)
          expect(BigInt(face) <= BigInt(found?.max ?? 0)).toBe(true)
          if (found?.min != null)
            expect(BigInt(found.min) <= BigInt(face) + cutOf(totals)).toBe(true)
          compared++
        }
        for (const { certificates, premises } of answer.outcomes)
          for (const certificate of certificates)
            expect(checkCertificate(ledgerOrder(transfers), premises, certificate)).toEqual([])
        const [one, two, more] = answer.outcomes
        if (one?.min == null || !two || more) return
        expect(BigInt(one.min)).toBe(total - BigInt(two.max))
        pairs++
      },
    ),
    { numRuns: 300 },
  )
  expect(compared).toBeGreaterThan(300)
  expect(pairs).toBeGreaterThan(10)
}, 120_000)

/** What a trace did not follow to its end. */
function cutOf(outcomes: readonly { readonly outcome: string; readonly face: string }[]): bigint {
  return outcomes
    .filter(({ outcome }) => cutShort.has(outcome))
    .reduce((sum, { face }) => sum + BigInt(face), 0n)
}

const cutShort = new Set([
  'dust',
  'hop_limit',
  'budget',
  'high_degree',
  'not_ingested',
  'ambiguous',
])

async function everyEnd(
  transfers: readonly Transfer[],
  { seeds, tags }: { readonly seeds: readonly string[]; readonly tags: readonly Tag[] },
): Promise<BoundsAnswer & { readonly outcomes: readonly Interval[] }> {
  const context = {
    tags: createTagView(tags),
    tokens: createTokenTrust(),
    coverage: coveredFor(transfers),
    isTarget: () => false,
  }
  const answer = bounds(await graphOf(transfers), context, {
    seeds: seeds as TransferId[],
    to: 'by_outcome',
    opening: 'assumed_zero',
    maxCorridor: 1000,
    asOf: {},
    continueThrough: [],
    neverFollow: [],
    resolve: [],
  })
  if ('outcomes' in answer) return answer
  throw new RangeError('asked for every end')
}
