import fc from 'fast-check'
import { expect, test } from 'vitest'
import { accountsWithLots } from '../../src/analysis/accountsWithLots.ts'
import { type TraceContext, trace } from '../../src/analysis/trace.ts'
import type { TraceQuery } from '../../src/analysis/traceAnswer.ts'
import { createTagView } from '../../src/attribution/tagView.ts'
import { createTokenTrust } from '../../src/attribution/trustedTokens.ts'
import { buildColumns } from '../../src/graph/buildColumns.ts'
import { createGraph } from '../../src/graph/createGraph.ts'
import type { Graph } from '../../src/graph/graph.ts'
import { askNeighbourhood } from '../../src/graph/neighbourhood.ts'
import { readRawRows } from '../../src/graph/rawRows.ts'
import type { LedgerSummary } from '../../src/graph/summary.ts'
import { type Transfer, type TransferId, transferId } from '../../src/ledger/transfer.ts'
import { batchOf } from '../../src/ledger/transferBatch.ts'
import { expandedFrom } from '../../src/store/expansion.ts'
import type { LogEntry, Store } from '../../src/store/store.ts'
import { surroundingRows } from '../../src/store/surroundings.ts'
import { coveredFor, tag } from '../analysis/traceLedger.ts'
import { chain, etherLedger, ledgerOf, randomLedger, usd, wallet } from '../ledger.arbitrary.ts'

/** A log without a store, and the graph of all of it. */
async function ledgerWith(transfers: readonly Transfer[]): Promise<{
  readonly graph: Graph
  readonly summary: LedgerSummary
  readonly store: Pick<Store, 'surroundings' | 'expand'>
  readonly read: () => number
}> {
  const entries: LogEntry[] = []
  for (let i = 0; i < transfers.length; i += 5) {
    const batch = batchOf(transfers.slice(i, i + 5))
    entries.push({ type: 'transfers', firstSequence: i + 1, batch, source: 's', assurance: 1 })
  }
  async function* log() {
    yield* entries
  }
  const columns = await buildColumns(await readRawRows(log(), transfers.length), 'test')
  const scanned = { entries: () => entries, isDead: () => false }
  let rows = 0
  const surroundings: Store['surroundings'] = async function* (query) {
    for await (const part of surroundingRows(scanned, query)) {
      rows += part.length
      yield part
    }
  }
  return {
    graph: createGraph(columns),
    summary: { ...columns.meta, transfers: columns.arrays.from.length },
    store: { surroundings, expand: (query) => expandedFrom(scanned, query) },
    read: () => rows,
  }
}

const defaults: Omit<TraceQuery, 'seeds'> = {
  direction: 'forward',
  method: 'fifo',
  sameTransaction: 'matched',
  minShare: 0.001,
  maxHops: 32,
  asOf: {},
  continueThrough: [],
  neverFollow: [],
  resolve: [],
  maxAddresses: 100_000,
  maxTransactions: 1_000_000,
}

function answered(work: () => unknown): string {
  try {
    return JSON.stringify(work())
  } catch (error) {
    return `refused: ${(error as Error).message}`
  }
}

test('a trace over as much as it asks for has the bytes of one over the whole ledger', async () => {
  const seen = { answers: 0, refused: 0, parts: 0, outcomes: new Set<string>() }
  const wallets = fc.uniqueArray(fc.integer({ min: 1, max: 7 }).map(wallet), { maxLength: 1 })
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(randomLedger, etherLedger),
      fc.record({
        seed: fc.nat(),
        minShare: fc.constantFrom(0, 0.001, 0.2),
        maxHops: fc.integer({ min: 1, max: 9 }),
        asOf: fc.option(fc.integer({ min: 101, max: 120 })),
        continueThrough: wallets,
        neverFollow: wallets,
        exchange: wallets,
        sameTransaction: fc.constantFrom('matched' as const, 'ordered' as const),
        maxTransactions: fc.constantFrom(3, 1_000_000),
      }),
      async (transfers, { seed, asOf, exchange, ...options }) => {
        const { graph, summary, store, read } = await ledgerWith(transfers)
        const seeds = [transferId(transfers[seed % transfers.length] as Transfer)]
        const context: TraceContext = {
          tags: createTagView(exchange.map((account) => tag(account, 'exchange'))),
          tokens: createTokenTrust(),
          coverage: coveredFor(transfers),
        }
        const query: TraceQuery = {
          ...defaults,
          ...options,
          seeds,
          asOf: asOf === null ? {} : { [chain]: asOf },
        }
        const expected = answered(() => trace(graph, context, query))
        const got = await askNeighbourhood(
          { store, summary, maxRows: 10_000 },
          (part) => trace(part, context, query),
          accountsWithLots,
        ).then(JSON.stringify, (error: Error) => `refused: ${error.message}`)
        expect(got).toBe(expected)
        if (got.startsWith('refused')) seen.refused++
        else seen.answers++
        if (read() < transfers.length) seen.parts++
        for (const [outcome] of got.matchAll(/"outcome":"\w+"/g)) seen.outcomes.add(outcome)
      },
    ),
    { numRuns: 600 },
  )
  // What the property is about has happened.
  expect(Math.min(seen.answers, seen.refused, seen.parts)).toBeGreaterThan(30)
  expect(seen.outcomes.size).toBeGreaterThan(6)
}, 120_000)

const hub = wallet(500)
const service = wallet(501)
const spreader = wallet(502)

/** A victim pays 2, who pays a hub, 3 and a service, all three busy with others; far away, others pay each other. */
function busyLedger(): Transfer[] {
  const others = (from: number, to: number) => (i: number) => [
    { from: wallet(from + i), to: wallet(to + i), amount: 1n },
  ]
  return ledgerOf([
    ...Array.from({ length: 4000 }, (_, i) => [
      { from: hub, to: wallet(1000 + (i % 1500)), amount: 1n },
    ]),
    ...Array.from({ length: 2000 }, (_, i) => [
      { from: wallet(5000 + i), to: service, amount: 1n },
      { from: wallet(5000 + i), to: spreader, amount: 2n },
    ]),
    [{ from: wallet(1), to: wallet(2), amount: 100n }],
    [{ from: wallet(2), to: hub, amount: 50n }],
    // Somebody with a long history pays in the same transaction.
    [
      { from: spreader, to: wallet(4), amount: 700n },
      { from: wallet(2), to: wallet(3), amount: 40n },
    ],
    [{ from: wallet(2), to: service, amount: 10n }],
    ...Array.from({ length: 3000 }, (_, i) => others(10_000, 20_000)(i)),
  ])
}

test('of hubs, services and who merely stands by only what matters is read', async () => {
  const transfers = busyLedger()
  const { graph, summary, store, read } = await ledgerWith(transfers)
  const context: TraceContext = {
    tags: createTagView([tag(service, 'exchange')]),
    tokens: createTokenTrust(),
    coverage: coveredFor(transfers),
  }
  const seed = transferId(transfers[8000] as Transfer)
  const query: TraceQuery = { ...defaults, seeds: [seed] }
  const options = { store, summary, maxRows: 10_000 }
  const work = (part: Graph) => trace(part, context, query)
  const answer = await askNeighbourhood(options, work, accountsWithLots)
  expect(JSON.stringify(answer)).toBe(JSON.stringify(work(graph)))
  expect(answer.outcomes.map(({ outcome, face }) => [outcome, face])).toEqual([
    ['still_held', '40'],
    ['service', '10'],
    ['high_degree', '50'],
  ])
  // Two thousand payments of the hub were enough to know it for one, of its four.
  expect(read()).toBeGreaterThan(1000)
  expect(read()).toBeLessThan(2100)
  await expect(
    askNeighbourhood({ ...options, maxRows: 1500 }, work, accountsWithLots),
  ).rejects.toMatchObject({ code: 'graph.too-large', facts: { maxRows: 1500 } })
})

test('what a question finds in one graph it finds in the other: transfers, accounts, receivers, balances', async () => {
  await fc.assert(
    fc.asyncProperty(
      randomLedger,
      fc.nat(),
      fc.integer({ min: 1, max: 8 }),
      async (transfers, n, w) => {
        const { graph, summary, store } = await ledgerWith(transfers)
        const { chain: on, tx, ...row } = transfers[n % transfers.length] as Transfer
        const id = transferId({ chain: on, tx, ...row })
        const question = (part: Graph) => {
          const address = part.address(wallet(w))
          const shown = (transfer: number) => part.transfer(transfer).id
          const { start, end } = address < 0 ? { start: 0, end: 0 } : part.holdingsOf(address)
          const found = part.find(id)
          return {
            known: address >= 0,
            unknown: part.find(`${on}:0x${'e'.repeat(64)}:token:0` as TransferId),
            transfer: found >= 0 && part.transfer(found),
            legs: part.findTransaction(on, tx).map(shown),
            holdings: Array.from({ length: end - start }, (_, i) => [
              part.assets[part.assetOf(start + i)],
              [...part.events(start + i)].map(shown),
              part.balanceBefore(start + i, part.events(start + i).length).toString(),
            ]),
            receivers:
              address < 0 ||
              part.receivers(address, { counts: () => true, isBeyond: () => false, cap: 4 }),
            usd: address >= 0 && part.holding(address, part.asset(usd)) >= 0,
            whole: [part.digest, part.transferCount, part.chains, part.highest(on)],
          }
        }
        const part = await askNeighbourhood({ store, summary, maxRows: 10_000 }, question)
        expect(part).toEqual(question(graph))
      },
    ),
    { numRuns: 200 },
  )
})
