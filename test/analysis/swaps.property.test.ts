import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { BridgeMatch, ConversionKnowledge } from '../../src/analysis/conversionKnowledge.ts'
import { type MethodName, methodNames, methods } from '../../src/analysis/methods.ts'
import type { TraceAnswer } from '../../src/analysis/traceAnswer.ts'
import { parseAccount } from '../../src/ledger/account.ts'
import { parseAsset } from '../../src/ledger/asset.ts'
import { ledgerOrder } from '../../src/ledger/order.ts'
import { type Transfer, transferId } from '../../src/ledger/transfer.ts'
import { type SwapLedger, swapLedger } from '../arbitrary/swapLedger.ts'
import { bridge } from '../arbitrary/trades.ts'
import { ether, wallet, weth } from '../ledger.arbitrary.ts'
import { type OracleAnswer, oracleTrace } from '../oracle/trace.ts'
import { codeIn, tag, traceLedger } from './traceLedger.ts'

/*
 * The engine equals the slow oracle through everything that the design names: swaps, wraps, records, bridges, stops,
 * in every method and both directions.
 */

const question = fc.record({
  matched: fc.boolean(),
  thousandths: fc.constantFrom(0, 0, 1, 50, 300),
  maxHops: fc.integer({ min: 1, max: 7 }),
  maxIdle: fc.constantFrom(undefined, undefined, 0, 24, 100),
  service: fc.constantFrom(undefined, undefined, wallet(4)),
  covered: fc.constantFrom(true, true, false),
})
type Question = typeof question extends fc.Arbitrary<infer Q> ? Q : never

/**
 * Bridgings by leaving leg; of two that arrive by the same leg the first counts, as where messages are imported. What
 * is known of a leg is its content, so one that looks like another of its transaction proves nothing.
 */
function provenBridges(ledger: SwapLedger): ReadonlyMap<string, string> {
  const content = ({ tx, asset, amount }: Transfer): string => `${tx} ${asset} ${amount}`
  const legs = ledger.transfers.filter(({ from, to }) => from !== to)
  const isAlone = (id: string, key: (t: Transfer) => string): boolean => {
    const leg = legs.find((t) => transferId(t) === id)
    return leg !== undefined && legs.filter((t) => key(t) === key(leg)).length === 1
  }
  const place = new Map(ledgerOrder(ledger.transfers).map((t, i) => [transferId(t), i] as const))
  const used = new Set<string>()
  const pairs = [...ledger.bridges].sort(
    ([a], [b]) => (place.get(a as never) ?? 0) - (place.get(b as never) ?? 0),
  )
  return new Map(
    pairs.filter(
      ([leaving, arriving]) =>
        !used.has(arriving) &&
        used.add(arriving) !== undefined &&
        isAlone(leaving, content) &&
        isAlone(arriving, (t) => `${content(t)} ${t.to}`),
    ),
  )
}

function matchesOf(
  transfers: readonly Transfer[],
  bridges: ReadonlyMap<string, string>,
): readonly BridgeMatch[] {
  const byId = new Map<string, Transfer>(transfers.map((t) => [transferId(t), t]))
  return [...bridges].flatMap(([leaving, arriving]) => {
    const [from, to] = [byId.get(leaving), byId.get(arriving)]
    if (!from || !to?.to) return []
    return [
      {
        message: leaving,
        fromChain: from.chain,
        fromTx: from.tx,
        fromAsset: from.asset,
        fromAmount: from.amount,
        toChain: to.chain,
        toTx: to.tx,
        toAsset: to.asset,
        toAmount: to.amount,
        receiver: to.to,
      },
    ]
  })
}

function knowledgeOf(
  ledger: SwapLedger,
  matches: readonly BridgeMatch[],
): Partial<ConversionKnowledge> {
  return {
    recordsOf: (_, tx) => ledger.records.filter((record) => record.tx === tx),
    leaving: (_, tx) => matches.filter((match) => match.fromTx === tx),
    arriving: (_, tx) => matches.filter((match) => match.toTx === tx),
  }
}

interface Compared {
  readonly answer: TraceAnswer
  readonly oracle: OracleAnswer
}

async function both(
  ledger: SwapLedger,
  q: Question,
  run: { readonly method: MethodName; readonly direction: 'forward' | 'backward' },
): Promise<Compared> {
  const { transfers, seeds, wrapper, pools } = ledger
  const bridges = provenBridges(ledger)
  const matches = matchesOf(transfers, bridges)
  const answer = await traceLedger(transfers, {
    ...run,
    seeds,
    minShare: q.thousandths / 1000,
    maxHops: q.maxHops,
    ...(q.maxIdle === undefined ? {} : { maxIdle: q.maxIdle }),
    sameTransaction: q.matched ? 'matched' : 'ordered',
    covered: q.covered,
    tags: [
      ...pools.map((pool) => tag(pool, 'defi_dex')),
      tag(bridge, 'defi_bridge'),
      ...(q.service ? [tag(q.service, 'exchange')] : []),
    ],
    conversions: knowledgeOf(ledger, matches),
  })
  const oracle = oracleTrace({
    ...run,
    transfers,
    seeds,
    matched: q.matched,
    minShare: { numerator: BigInt(q.thousandths), denominator: 1000n },
    maxHops: q.maxHops,
    ...(q.maxIdle === undefined ? {} : { maxIdle: q.maxIdle }),
    stops: new Map([[bridge, 'bridge'], ...(q.service ? [[q.service, 'service'] as const] : [])]),
    wrap: { wrapped: weth, native: ether, wrapper },
    pools: new Set(pools),
    hasCode: codeIn(transfers),
    records: ledger.records,
    bridges,
    covered: () => q.covered,
  })
  return { answer, oracle }
}

function lines(sums: ReadonlyMap<string, bigint>): string[] {
  return [...sums]
    .filter(([, amount]) => amount > 0n)
    .map(([key, amount]) => `${key} = ${amount}`)
    .sort()
}

function keyed(answer: TraceAnswer, of: 'face' | 'amount'): string[] {
  const seeds = answer.seeds.map(({ transfer }) => transfer)
  const found = new Map<string, bigint>()
  for (const o of answer.outcomes) {
    const account = o.account === '' ? '' : parseAccount(o.account)
    const key = `${o.outcome} ${account} ${parseAsset(o.asset)} ${seeds.indexOf(o.seed)} ${o.hop}`
    found.set(key, (found.get(key) ?? 0n) + BigInt(o[of]))
  }
  return lines(found)
}

function conversionsOf(answer: TraceAnswer): string[] {
  const sums = new Map<string, bigint>()
  for (const {
    transaction,
    account,
    recipient = account,
    gives,
    gets,
    rule,
    face,
  } of answer.conversions) {
    if (rule === 'bridge') continue
    const [payer, receiver] = [parseAccount(account), parseAccount(recipient)]
    const key = `${transaction} ${payer} ${parseAsset(gives.asset)} ${receiver} ${parseAsset(gets.asset)}`
    sums.set(key, (sums.get(key) ?? 0n) + BigInt(face))
  }
  return lines(sums)
}

function expectSame({ answer, oracle }: Compared): void {
  expect(keyed(answer, 'face')).toEqual(lines(oracle.outcomes))
  expect(keyed(answer, 'amount')).toEqual(lines(oracle.units))
  expect(answer.movements.map((m) => `${m.transfer} = ${m.face}`).sort()).toEqual(
    lines(oracle.carried),
  )
  expect(conversionsOf(answer)).toEqual(lines(oracle.conversions))
  expect(answer.gaps.map((gap) => `${gap.transfer} ${gap.missing}`).sort()).toEqual(
    [...oracle.gaps].sort(),
  )
  const total = answer.outcomes.reduce((sum, { face }) => sum + BigInt(face), 0n)
  expect(total).toBe(oracle.seedTotal)
}

const runs = methodNames.flatMap((method) =>
  (['forward', 'backward'] as const)
    .filter((direction) => direction === 'forward' || methods[method].backward)
    .map((direction) => ({ method, direction })),
)

describe('the engine equals the slow oracle through swaps, wraps, records and bridges', () => {
  test.each(runs)(
    '$method $direction',
    async (run) => {
      const seen = new Map<string, number>()
      const see = (what: string): void => void seen.set(what, (seen.get(what) ?? 0) + 1)
      await fc.assert(
        fc.asyncProperty(swapLedger, question, async (ledger, q) => {
          if (ledger.seeds.length === 0) return
          const compared = await both(ledger, q, run)
          expectSame(compared)
          for (const { rule } of compared.answer.conversions) see(rule)
          for (const { outcome } of compared.answer.outcomes) see(outcome)
        }),
        { numRuns: 700 },
      )
      // Backward few traces come to a wrap or a record.
      const rules = run.direction === 'forward' ? ['pool', 'wrap', 'record'] : ['pool']
      for (const what of [...rules, 'ambiguous', 'contract_custody'])
        expect(seen.get(what) ?? 0, what).toBeGreaterThan(0)
    },
    300_000,
  )
})
