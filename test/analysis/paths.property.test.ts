import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Order } from '../../src/analysis/bestPath.ts'
import type { PathsAnswer } from '../../src/analysis/paths.ts'
import { denseLedger } from '../arbitrary/denseLedger.ts'
import { randomLedger, usd, usdt, wallet } from '../ledger.arbitrary.ts'
import { askPaths, reversedLedger, stepsOf } from './askSweep.ts'
import { everyPath, ranked } from './everyPath.ts'
import { graphOf, tag } from './traceLedger.ts'

const ledgers = fc.oneof(randomLedger, denseLedger, denseLedger)
const runs = Number(process.env['PROPERTY_RUNS'] ?? 5000)
const timeOf = (block: number): number => 1_700_000_000 + block * 12

const question = fc
  .record({
    wallets: fc.shuffledSubarray([1, 2, 3, 4, 5, 6].map(wallet), { minLength: 2, maxLength: 5 }),
    senders: fc.integer({ min: 1, max: 3 }),
    direction: fc.constantFrom('forward', 'backward'),
    by: fc.constantFrom<Order>('hops', 'arrival', 'bottleneck'),
    k: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.constant(100)),
    asset: fc.constantFrom(undefined, undefined, usd, usd, usd, usdt),
    exchanges: fc.array(
      fc.record({
        who: fc.integer({ min: 1, max: 6 }).map(wallet),
        since: fc.integer({ min: 100, max: 110 }),
      }),
      { maxLength: 2 },
    ),
    window: fc.oneof(
      { weight: 4, arbitrary: fc.constant(undefined) },
      {
        weight: 1,
        arbitrary: fc.record({
          since: fc.integer({ min: 98, max: 105 }),
          blocks: fc.integer({ min: 3, max: 25 }),
        }),
      },
    ),
  })
  .map(({ wallets, senders, ...more }) => {
    const count = Math.min(senders, wallets.length - 1)
    return { ...more, from: wallets.slice(0, count), to: wallets.slice(count) }
  })

const idsOf = ({ paths }: PathsAnswer) =>
  paths.map(({ transfers }) => transfers.map(({ transfer }) => transfer))

test('the k best paths are the best of all that trying finds, in the same order', async () => {
  const seen = { paths: 0, several: 0, long: 0 }
  await fc.assert(
    fc.asyncProperty(ledgers, question, async (ledger, asked) => {
      const graph = await graphOf(ledger)
      const { window, by } = asked
      const from = asked.from.filter((account) => graph.address(account) >= 0)
      const to = asked.to.filter((account) => graph.address(account) >= 0)
      const asset = by === 'bottleneck' ? (asked.asset ?? usd) : asked.asset
      if (from.length === 0 || to.length === 0 || (asset && graph.asset(asset) < 0)) return
      const since = window && timeOf(window.since)
      const until = window && timeOf(window.since + window.blocks)
      const backward = asked.direction === 'backward'
      const answer = askPaths(graph, {
        from,
        to,
        by,
        k: asked.k,
        direction: backward ? 'backward' : 'forward',
        ...(asset && { asset }),
        ...(since && { since }),
        ...(until && { until }),
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
      const ends = backward ? from : to
      const tried = everyPath(steps, {
        from: backward ? to : from,
        ends,
        backward,
        follows: (name) => asset === undefined || name === asset,
        isStop: (account, time) =>
          asked.exchanges.some(({ who, since }) => who === account && time >= timeOf(since)),
      }).filter((path) => {
        const last = steps[path.at(-1) as number]
        const end = backward ? last?.from : last?.to
        return end !== undefined && ends.includes(end)
      })
      const all = ranked(steps, tried, { by, backward })
      expect(idsOf(answer)).toEqual(all.slice(0, asked.k).map(({ ids }) => ids))
      expect(answer.cut.reason === null).toBe(all.length < asked.k)
      for (const [i, path] of answer.paths.entries()) {
        const one = new Set(path.transfers.map(({ asset }) => asset)).size === 1
        expect(path.bottleneck).toBe(one ? all[i]?.least.toString() : null)
        expect(path.hops).toBe(path.transfers.length)
      }
      seen.paths += answer.paths.length
      seen.several += answer.paths.length > 1 ? 1 : 0
      seen.long += answer.paths.filter(({ hops }) => hops > 2).length
    }),
    { numRuns: runs },
  )
  expect(seen.paths).toBeGreaterThan(runs)
  expect(seen.several).toBeGreaterThan(runs / 10)
  expect(seen.long).toBeGreaterThan(runs / 10)
}, 900_000)

test('backward on a ledger is forward on the reversed one', async () => {
  let found = 0
  await fc.assert(
    fc.asyncProperty(ledgers, question, async (ledger, { from, to, by, k }) => {
      const ordered = ledger.map((row, i) => ({ ...row, txIndex: i }))
      const graph = await graphOf(ordered)
      if ([...from, ...to].some((account) => graph.address(account) < 0)) return
      if (graph.asset(usd) < 0) return
      const asked = { by, k, asset: usd }
      const back = askPaths(graph, { ...asked, from, to, direction: 'backward' })
      const mirrored = askPaths(await graphOf(reversedLedger(ordered)), {
        ...asked,
        from: to,
        to: from,
      })
      const forms = ({ paths }: PathsAnswer) =>
        paths.map(({ transfers, bottleneck }) => ({
          bottleneck,
          ends: [transfers[0]?.from, transfers.at(-1)?.to].sort(),
          amounts: transfers.map(({ amount }) => amount),
        }))
      expect(forms(back).map((path) => ({ ...path, amounts: path.amounts.toReversed() }))).toEqual(
        forms(mirrored),
      )
      found += back.paths.length
    }),
    { numRuns: Math.min(runs, 1000) },
  )
  expect(found).toBeGreaterThan(50)
}, 600_000)
