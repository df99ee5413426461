import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ReachAnswer } from '../../src/analysis/reach.ts'
import { type Account, formatAccount } from '../../src/ledger/account.ts'
import { denseLedger } from '../arbitrary/denseLedger.ts'
import { randomLedger, usd, usdt, wallet } from '../ledger.arbitrary.ts'
import { askReach, reversedLedger, stepsOf } from './askSweep.ts'
import { everyPath, type Step } from './everyPath.ts'
import { graphOf, tag } from './traceLedger.ts'

const ledgers = fc.oneof(randomLedger, denseLedger)
const runs = Number(process.env['PROPERTY_RUNS'] ?? 5000)

const question = fc.record({
  from: fc.uniqueArray(fc.integer({ min: 1, max: 6 }).map(wallet), { minLength: 1, maxLength: 3 }),
  direction: fc.constantFrom('forward', 'backward'),
  asset: fc.constantFrom(undefined, undefined, usd, usdt),
  maxHops: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
  /** Which wallets are exchanges, and from when. */
  exchanges: fc.array(
    fc.record({
      who: fc.integer({ min: 1, max: 6 }).map(wallet),
      since: fc.integer({ min: 100, max: 110 }),
    }),
    { maxLength: 2 },
  ),
  window: fc.option(
    fc.record({
      since: fc.integer({ min: 98, max: 112 }),
      blocks: fc.integer({ min: 0, max: 15 }),
    }),
    { nil: undefined },
  ),
})

const timeOf = (block: number): number => 1_700_000_000 + block * 12

/** Per account of other wallets: fewest hops, the transfers of such paths, first arrival, and who reaches it. */
function expected(
  steps: readonly Step[],
  rules: Parameters<typeof everyPath>[1],
): Map<string, { hop: number; transfer: string; arrival: string; sources: string[] }> {
  const reached = new Map<Account, { path: number[]; source: Account }[]>()
  for (const source of rules.from) {
    for (const path of everyPath(steps, { ...rules, from: [source] })) {
      const last = steps[path.at(-1) as number] as Step
      const account = (rules.backward ? last.from : last.to) as Account
      if (rules.from.includes(account)) continue
      reached.set(account, [...(reached.get(account) ?? []), { path, source }])
    }
  }
  return new Map(
    [...reached].map(([account, paths]) => {
      const hop = Math.min(...paths.map(({ path }) => path.length))
      const lasts = (all: typeof paths) => all.map(({ path }) => path.at(-1) as number)
      const first = (all: typeof paths) =>
        steps[rules.backward ? Math.max(...lasts(all)) : Math.min(...lasts(all))]?.id ?? ''
      return [
        formatAccount(account),
        {
          hop,
          transfer: first(paths.filter(({ path }) => path.length === hop)),
          arrival: first(paths),
          sources: rules.from
            .filter((from) => paths.some(({ source }) => source === from))
            .map(formatAccount),
        },
      ]
    }),
  )
}

const toMap = (answer: ReachAnswer) =>
  new Map(
    answer.reached.map(({ account, hop, transfer, arrival, sources = [] }) => [
      account,
      { hop, transfer, arrival, sources: [...sources] },
    ]),
  )

test('reach is what trying every path finds: hops, transfers, arrival and sources', async () => {
  let reached = 0
  await fc.assert(
    fc.asyncProperty(ledgers, question, async (ledger, asked) => {
      const graph = await graphOf(ledger)
      const known = asked.from.filter((account) => graph.address(account) >= 0)
      if (known.length === 0 || (asked.asset && graph.asset(asked.asset) < 0)) return
      const { window } = asked
      const since = window && timeOf(window.since)
      const until = window && timeOf(window.since + window.blocks)
      const answer = askReach(graph, known, {
        direction: asked.direction,
        ...(asked.asset && { asset: asked.asset }),
        ...(asked.maxHops && { maxHops: asked.maxHops }),
        ...(since && { since }),
        ...(until && { until }),
        sources: true,
        tags: asked.exchanges.map(({ who, since }) => ({
          ...tag(who, 'exchange'),
          validFrom: timeOf(since),
        })),
      })
      const steps = stepsOf(graph).map((step) =>
        step.time >= (since ?? 0) && step.time <= (until ?? Number.POSITIVE_INFINITY)
          ? step
          : { ...step, amount: 0n },
      )
      const truth = expected(steps, {
        from: known,
        backward: asked.direction === 'backward',
        follows: (asset) => asked.asset === undefined || asset === asked.asset,
        isStop: (account, time) =>
          asked.exchanges.some(({ who, since }) => who === account && time >= timeOf(since)),
        ...(asked.maxHops && { mostHops: asked.maxHops }),
      })
      expect(toMap(answer)).toEqual(truth)
      expect(answer.cut).toEqual({ reached: truth.size, listed: truth.size })
      reached += truth.size
    }),
    { numRuns: runs },
  )
  expect(reached).toBeGreaterThan(runs)
}, 600_000)

test('backward on a ledger is forward on the reversed one', async () => {
  await fc.assert(
    fc.asyncProperty(ledgers, question, async (ledger, { from, maxHops }) => {
      const ordered = ledger.map((row, i) => ({ ...row, txIndex: i }))
      const graph = await graphOf(ordered)
      const known = from.filter((account) => graph.address(account) >= 0)
      if (known.length === 0) return
      const limits = maxHops === undefined ? {} : { maxHops }
      const back = askReach(graph, known, { direction: 'backward', ...limits })
      const mirrored = askReach(await graphOf(reversedLedger(ordered)), known, limits)
      const hops = ({ reached }: ReachAnswer) => reached.map(({ account, hop }) => [account, hop])
      expect(hops(back)).toEqual(hops(mirrored))
    }),
    { numRuns: Math.min(runs, 1000) },
  )
}, 600_000)
