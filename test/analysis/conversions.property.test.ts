import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { TraceAnswer } from '../../src/analysis/traceAnswer.ts'
import { type Transfer, transferId } from '../../src/ledger/transfer.ts'
import { tangledWraps, wrapper } from '../arbitrary/tangledWraps.ts'
import { ether, randomLedger, usd, wallet, weth } from '../ledger.arbitrary.ts'
import { oracleTrace } from '../oracle/trace.ts'
import { codeIn, tag, traceLedger } from './traceLedger.ts'

function faces(answer: TraceAnswer): string[] {
  const seeds = answer.seeds.map(({ transfer }) => transfer)
  const sums = new Map<string, bigint>()
  for (const { outcome, account, asset, seed, hop, face } of answer.outcomes) {
    const key = `${outcome} ${account} ${asset} ${seeds.indexOf(seed)} ${hop}`.toLowerCase()
    sums.set(key, (sums.get(key) ?? 0n) + BigInt(face))
  }
  return lines(sums)
}

function lines(sums: ReadonlyMap<string, bigint>): string[] {
  return [...sums]
    .filter(([, face]) => face > 0n)
    .map(([key, face]) => `${key} = ${face}`)
    .sort()
}

function canBeSeed(t: Transfer): boolean {
  return t.amount > 0n && t.from !== t.to && t.to !== undefined && t.kind !== 'fee'
}

test('the engine equals the slow oracle where one transaction wraps, unwraps and pays at once', async () => {
  let compared = 0
  await fc.assert(
    fc.asyncProperty(
      tangledWraps,
      fc.array(fc.nat(1000), { minLength: 1, maxLength: 3 }),
      fc.record({
        asset: fc.constantFrom(ether, weth),
        matched: fc.boolean(),
        thousandths: fc.constantFrom(0, 1, 50, 300),
        maxHops: fc.integer({ min: 1, max: 6 }),
        service: fc.boolean(),
      }),
      async (transfers, choice, q) => {
        const fit = transfers.filter((t) => t.asset === q.asset && canBeSeed(t))
        if (fit.length === 0) return
        const ids = fit.map(transferId)
        const seeds = [...new Set(choice.map((n) => ids[n % ids.length] as string))]
        const answer = await traceLedger(transfers, {
          seeds,
          minShare: q.thousandths / 1000,
          maxHops: q.maxHops,
          sameTransaction: q.matched ? 'matched' : 'ordered',
          tags: q.service ? [tag(wallet(3), 'exchange')] : [],
        })
        const oracle = oracleTrace({
          transfers,
          seeds,
          matched: q.matched,
          minShare: { numerator: BigInt(q.thousandths), denominator: 1000n },
          maxHops: q.maxHops,
          stops: new Map(q.service ? [[wallet(3), 'service']] : []),
          wrap: { wrapped: weth, native: ether, wrapper },
          pools: new Set(),
          hasCode: codeIn(transfers),
          covered: () => true,
        })
        compared++
        expect(faces(answer)).toEqual(lines(oracle.outcomes))
        expect(answer.movements.map((m) => `${m.transfer} = ${m.face}`).sort()).toEqual(
          lines(oracle.carried),
        )
        expect(answer.gaps).toEqual([])
        expect(oracle.gaps).toEqual([])
      },
    ),
    { numRuns: 1_000 },
  )
  expect(compared).toBeGreaterThan(500)
}, 60_000)

test('an as-of block gives what the ledger gave when it ended there', async () => {
  await fc.assert(
    fc.asyncProperty(randomLedger, fc.nat(1000), fc.nat(12), async (transfers, choice, ahead) => {
      const fit = transfers.filter((t) => t.asset === usd && canBeSeed(t))
      const seed = fit[choice % Math.max(1, fit.length)]
      if (!seed) return
      const last = Math.max(...transfers.map((t) => t.block))
      const block = Math.min(seed.block + ahead, last)
      const then = transfers.filter((t) => t.block <= block)
      const options = { seeds: [transferId(seed)], minShare: 0.01 }
      const now = await traceLedger(transfers, { ...options, asOf: { 'eip155:1': block } })
      const earlier = await traceLedger(then, options)
      expect(faces(now)).toEqual(faces(earlier))
      expect(now.movements).toEqual(earlier.movements)
      expect(now.gaps).toEqual(earlier.gaps)
    }),
    { numRuns: 400 },
  )
}, 60_000)
