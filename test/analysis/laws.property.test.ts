import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type MethodName, methodNames, methods } from '../../src/analysis/methods.ts'
import { trace } from '../../src/analysis/trace.ts'
import type { TraceAnswer, TraceQuery } from '../../src/analysis/traceAnswer.ts'
import { createTagView } from '../../src/attribution/tagView.ts'
import { createTokenTrust } from '../../src/attribution/trustedTokens.ts'
import type { Graph } from '../../src/graph/graph.ts'
import { ledgerOrder } from '../../src/ledger/order.ts'
import { type Transfer, type TransferId, transferId } from '../../src/ledger/transfer.ts'
import { randomLedger, usd } from '../ledger.arbitrary.ts'
import { coveredFor, graphOf } from './traceLedger.ts'

/* What holds whatever the ledger, each on more than five thousand ledgers. */

const runs = methodNames.flatMap((method) =>
  (['forward', 'backward'] as const)
    .filter((direction) => direction === 'forward' || methods[method].backward)
    .map((direction) => ({ method, direction })),
)

interface Question extends Partial<TraceQuery> {
  readonly method: MethodName
}

function ask(graph: Graph, transfers: readonly Transfer[], question: Question): TraceAnswer {
  const context = {
    tags: createTagView([]),
    tokens: createTokenTrust(),
    coverage: coveredFor(transfers),
  }
  return trace(graph, context, {
    direction: 'forward',
    sameTransaction: 'matched',
    minShare: 0,
    maxHops: 64,
    asOf: {},
    continueThrough: [],
    neverFollow: [],
    resolve: [],
    maxAddresses: 100_000,
    maxTransactions: 1_000_000,
    seeds: [],
    ...question,
  })
}

/** Transfers of dollars that can be seeds, in ledger order. */
function fitting(transfers: readonly Transfer[]): TransferId[] {
  return ledgerOrder(transfers)
    .filter((t) => t.asset === usd && t.amount > 0n && t.from !== t.to && t.kind !== 'fee')
    .map(transferId)
}

function chosen(ids: readonly TransferId[], numbers: readonly number[]): TransferId[] {
  return [...new Set(numbers.flatMap((n) => ids.slice(n % Math.max(1, ids.length)).slice(0, 1)))]
}

const choice = fc.array(fc.nat(1000), { minLength: 1, maxLength: 3 })

describe.each(runs)('$method $direction', (run) => {
  test('outcomes are the seeds, no transfer carries more than its amount, no balance more than it has', async () => {
    let looked = 0
    await fc.assert(
      fc.asyncProperty(randomLedger, choice, fc.boolean(), async (transfers, numbers, matched) => {
        const seeds = chosen(fitting(transfers), numbers)
        if (seeds.length === 0) return
        const graph = await graphOf(transfers)
        const sameTransaction = matched ? ('matched' as const) : ('ordered' as const)
        const answer = ask(graph, transfers, { ...run, seeds, sameTransaction })
        const total = answer.outcomes.reduce((sum, { face }) => sum + BigInt(face), 0n)
        expect(total).toBe(BigInt(answer.seedTotal))
        for (const { face, amount } of answer.movements) {
          expect(0n < BigInt(face) && BigInt(face) <= BigInt(amount)).toBe(true)
          looked++
        }
        // In one asset a face is units: what rests somewhere is part of what is there at the end.
        for (const { outcome, account, amount, face } of answer.outcomes) {
          expect(amount).toBe(face)
          if (outcome !== 'still_held') continue
          const address = graph.address(account.toLowerCase() as never)
          const holding = graph.holding(address, graph.asset(usd))
          const balance = graph.balanceBefore(holding, graph.events(holding).length)
          expect(BigInt(amount) <= balance).toBe(true)
        }
      }),
      { numRuns: 650 },
    )
    expect(looked).toBeGreaterThan(500)
  }, 120_000)

  test('neither the order of arrival nor the cut into batches changes a byte', async () => {
    await fc.assert(
      fc.asyncProperty(
        randomLedger,
        choice,
        fc.integer({ min: 1, max: 7 }),
        async (transfers, numbers, batchSize) => {
          const seeds = chosen(fitting(transfers), numbers)
          if (seeds.length === 0) return
          const straight = ask(await graphOf(transfers), transfers, { ...run, seeds })
          const turned = [...transfers].reverse()
          const other = ask(await graphOf(turned, batchSize), transfers, { ...run, seeds })
          expect(JSON.stringify(other)).toBe(JSON.stringify(straight))
        },
      ),
      { numRuns: 650 },
    )
  }, 120_000)

  test('with more seeds no transfer carries less', async () => {
    let more = 0
    await fc.assert(
      fc.asyncProperty(randomLedger, choice, fc.nat(1000), async (transfers, numbers, another) => {
        const ids = fitting(transfers)
        const seeds = chosen(ids, numbers)
        if (seeds.length === 0) return
        const graph = await graphOf(transfers)
        const few = ask(graph, transfers, { ...run, seeds })
        const many = ask(graph, transfers, { ...run, seeds: [...seeds, ...chosen(ids, [another])] })
        const carried = new Map(
          many.movements.map(({ transfer, face }) => [transfer, BigInt(face)]),
        )
        for (const { transfer, face } of few.movements) {
          expect((carried.get(transfer) ?? 0n) >= BigInt(face), transfer).toBe(true)
          more++
        }
      }),
      { numRuns: 650 },
    )
    expect(more).toBeGreaterThan(500)
  }, 120_000)
})

describe.each(['fifo', 'lifo'] as const)('%s', (method) => {
  test('forward and backward give the same lots', async () => {
    let pairs = 0
    await fc.assert(
      fc.asyncProperty(randomLedger, fc.boolean(), async (transfers, matched) => {
        const ids = fitting(transfers).slice(0, 12)
        const graph = await graphOf(transfers)
        const sameTransaction = matched ? ('matched' as const) : ('ordered' as const)
        const lots = (direction: 'forward' | 'backward') => {
          const found = new Map<string, string>()
          for (const seed of ids) {
            const { movements } = ask(graph, transfers, {
              method,
              direction,
              sameTransaction,
              seeds: [seed],
            })
            for (const { transfer, face } of movements) {
              if (!ids.includes(transfer)) continue
              found.set(
                direction === 'forward' ? `${seed} to ${transfer}` : `${transfer} to ${seed}`,
                face,
              )
            }
          }
          return found
        }
        const there = lots('forward')
        expect([...lots('backward')].sort()).toEqual([...there].sort())
        pairs += there.size - ids.length
      }),
      { numRuns: 500 },
    )
    expect(pairs).toBeGreaterThan(500)
  }, 120_000)
})
