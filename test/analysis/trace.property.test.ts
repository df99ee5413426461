import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { TraceAnswer } from '../../src/analysis/traceAnswer.ts'
import { type Account, parseAccount } from '../../src/ledger/account.ts'
import { parseAsset } from '../../src/ledger/asset.ts'
import { createFreezes, type Freezes } from '../../src/ledger/freezes.ts'
import { type Transfer, transferId } from '../../src/ledger/transfer.ts'
import { chain, ether, etherLedger, randomLedger, usd, wallet, weth } from '../ledger.arbitrary.ts'
import { type OracleAnswer, oracleTrace } from '../oracle/trace.ts'
import { tag, traceLedger } from './traceLedger.ts'

const wrapper = weth.replace('/erc20:', ':') as Account

/** Up to three transfers of the asset that can be seeds, chosen by numbers. */
function seedsOf(
  transfers: readonly Transfer[],
  choice: readonly number[],
  asset: string,
): string[] {
  const fit = transfers.filter(
    (t) =>
      t.asset === asset &&
      t.amount > 0n &&
      t.from !== t.to &&
      t.to !== undefined &&
      t.kind !== 'fee',
  )
  return [
    ...new Set(
      choice.flatMap((n) =>
        fit.length === 0 ? [] : [transferId(fit[n % fit.length] as Transfer)],
      ),
    ),
  ]
}

function engineOutcomes(answer: TraceAnswer): Map<string, bigint> {
  const seeds = answer.seeds.map(({ transfer }) => transfer)
  const found = new Map<string, bigint>()
  for (const o of answer.outcomes) {
    const key = `${o.outcome} ${parseAccount(o.account)} ${parseAsset(o.asset)} ${seeds.indexOf(o.seed)} ${o.hop}`
    found.set(key, (found.get(key) ?? 0n) + BigInt(o.face))
  }
  return found
}

function sorted(map: ReadonlyMap<string, bigint>): string[] {
  return [...map]
    .filter(([, face]) => face > 0n)
    .map(([key, face]) => `${key} = ${face}`)
    .sort()
}

function expectEqual(answer: TraceAnswer, oracle: OracleAnswer): void {
  expect(sorted(engineOutcomes(answer))).toEqual(sorted(oracle.outcomes))
  expect(answer.movements.map((m) => `${m.transfer} = ${m.face}`).sort()).toEqual(
    sorted(oracle.carried),
  )
  expect(BigInt(answer.seedTotal)).toBe(oracle.seedTotal)
  const total = answer.outcomes.reduce((sum, { face }) => sum + BigInt(face), 0n)
  expect(total).toBe(oracle.seedTotal)
}

const question = fc.record({
  choice: fc.array(fc.nat(1000), { minLength: 1, maxLength: 3 }),
  matched: fc.boolean(),
  minShare: fc.constantFrom(0, 0.001, 0.05, 0.3),
  maxHops: fc.integer({ min: 1, max: 6 }),
  service: fc.boolean(),
  covered: fc.boolean(),
  frozen: fc.subarray([wallet(1), wallet(2), wallet(3), wallet(4)]),
})

/** These accounts' dollars are frozen in the last block. */
function freezesOf(accounts: readonly Account[], transfers: readonly Transfer[]): Freezes {
  const block = Math.max(...transfers.map((transfer) => transfer.block))
  const freezes = createFreezes()
  const events = accounts.map((account, position) => ({
    asset: usd,
    account,
    change: 'frozen' as const,
    block,
    tx: 'freeze',
    position,
  }))
  freezes.add({ assets: [usd], fromBlock: 0, toBlock: block, events })
  return freezes
}

const exactShare = (share: number): { numerator: bigint; denominator: bigint } => ({
  numerator: BigInt(Math.round(share * 1000)),
  denominator: 1000n,
})

describe('the engine equals the slow oracle', () => {
  test('on random ledgers of one asset', async () => {
    await fc.assert(
      fc.asyncProperty(randomLedger, question, async (transfers, q) => {
        const seeds = seedsOf(transfers, q.choice, usd)
        if (seeds.length === 0) return
        const tags = q.service ? [tag(wallet(3), 'exchange')] : []
        const options = {
          seeds,
          tags,
          covered: q.covered,
          freezes: freezesOf(q.frozen, transfers),
          minShare: q.minShare,
          maxHops: q.maxHops,
          sameTransaction: q.matched ? ('matched' as const) : ('ordered' as const),
        }
        const answer = await traceLedger(transfers, options)
        const oracle = oracleTrace({
          transfers,
          seeds,
          matched: q.matched,
          minShare: exactShare(q.minShare),
          maxHops: q.maxHops,
          stops: new Map(q.service ? [[wallet(3), 'service']] : []),
          covered: () => q.covered,
          frozen: (account) => q.frozen.includes(account),
        })
        expectEqual(answer, oracle)
        expect(answer.gaps.length).toBe(oracle.gaps.length)
      }),
      { numRuns: 2_000 },
    )
  }, 120_000)

  test('on random ledgers of ether with fees, wraps and unwraps', async () => {
    await fc.assert(
      fc.asyncProperty(
        etherLedger,
        question,
        fc.constantFrom(ether, weth),
        async (transfers, q, asset) => {
          const seeds = seedsOf(transfers, q.choice, asset)
          if (seeds.length === 0) return
          const answer = await traceLedger(transfers, {
            seeds,
            minShare: q.minShare,
            maxHops: q.maxHops,
            sameTransaction: q.matched ? 'matched' : 'ordered',
          })
          const oracle = oracleTrace({
            transfers,
            seeds,
            matched: q.matched,
            minShare: exactShare(q.minShare),
            maxHops: q.maxHops,
            stops: new Map(),
            wrap: { wrapped: weth, native: ether, wrapper },
            covered: () => true,
          })
          expectEqual(answer, oracle)
        },
      ),
      { numRuns: 1_500 },
    )
  }, 120_000)
})

test('neither the order of arrival nor the cut into batches changes a byte', async () => {
  await fc.assert(
    fc.asyncProperty(
      randomLedger,
      fc.integer({ min: 1, max: 7 }),
      fc.array(fc.nat(1000), { minLength: 1, maxLength: 2 }),
      async (transfers, batchSize, choice) => {
        const seeds = seedsOf(transfers, choice, usd)
        if (seeds.length === 0) return
        const straight = await traceLedger(transfers, { seeds })
        const shuffled = await traceLedger([...transfers].reverse(), { seeds, batchSize })
        expect(JSON.stringify(shuffled)).toBe(JSON.stringify(straight))
      },
    ),
    { numRuns: 300 },
  )
}, 60_000)

test('no transfer carries more than its amount', async () => {
  await fc.assert(
    fc.asyncProperty(randomLedger, fc.nat(1000), async (transfers, choice) => {
      const seeds = seedsOf(transfers, [choice], usd)
      if (seeds.length === 0) return
      const { movements } = await traceLedger(transfers, { seeds, minShare: 0 })
      for (const { amount, face } of movements) expect(BigInt(face) <= BigInt(amount)).toBe(true)
    }),
    { numRuns: 300 },
  )
})

test('the chain of the examples is the one the wallets are on', () => {
  expect(wallet(1).startsWith(chain)).toBe(true)
})
