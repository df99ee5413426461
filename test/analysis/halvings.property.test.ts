import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { KnownError } from '../../src/ledger/errors.ts'
import { type Transfer, transferId } from '../../src/ledger/transfer.ts'
import { chain, usd, wallet } from '../ledger.arbitrary.ts'
import { traceLedger } from './traceLedger.ts'

const wallets = 30

const step = fc.record({
  /** Among those who have something. */
  payer: fc.nat(wallets - 1),
  to: fc.nat(wallets - 1),
  /** Of what the payer has, thousandths; more than it has now and then. */
  share: fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 1100 })),
  sameTransaction: fc.boolean(),
})

/** Money that is handed on in parts until it is everywhere, so that the share has to be halved often. */
const spreading: fc.Arbitrary<Transfer[]> = fc
  .array(step, { minLength: 80, maxLength: 160 })
  .map((steps) => {
    const start = 10n ** 18n
    const held = new Map<number, bigint>([[0, start]])
    const transfers: Transfer[] = [moved({ at: 0, tx: 1, to: 0, amount: start })]
    let tx = 1
    for (const { payer, to, share, sameTransaction } of steps) {
      const holders = [...held].filter(([, units]) => units > 0n)
      const [from, has] = holders[payer % holders.length] ?? [0, 0n]
      const amount = (has * BigInt(share)) / 1000n
      if (amount === 0n || from === to) continue
      if (!sameTransaction) tx++
      transfers.push(moved({ at: transfers.length, tx, from, to, amount }))
      held.set(from, has > amount ? has - amount : 0n)
      held.set(to, (held.get(to) ?? 0n) + amount)
    }
    return transfers
  })

function moved(given: {
  readonly at: number
  readonly tx: number
  readonly from?: number
  readonly to: number
  readonly amount: bigint
}): Transfer {
  const { at, tx, from, to, amount } = given
  return {
    chain,
    block: 100 + tx,
    time: 1_700_000_000 + tx * 12,
    tx: `0x${tx.toString(16).padStart(64, '0')}`,
    txIndex: 0,
    kind: 'token',
    position: at,
    asset: usd,
    ...(from === undefined ? {} : { from: wallet(from + 1) }),
    to: wallet(to + 1),
    amount,
    flags: [],
  }
}

const question = fc.record({
  seed: fc.nat(3),
  method: fc.constantFrom('haircut' as const, 'haircut' as const, 'fifo' as const, 'lifo' as const),
  direction: fc.constantFrom('forward' as const, 'forward' as const, 'backward' as const),
  sameTransaction: fc.constantFrom('matched' as const, 'ordered' as const),
  minShare: fc.constantFrom(0.3, 0.1, 0.03, 0.01),
  maxHops: fc.constantFrom(2, 4, 12),
  maxAddresses: fc.constantFrom(8, 20, 100),
  maxTransactions: fc.constantFrom(20, 60, 1000),
})

/** Longer than any ledger: nothing is idle, but no pass is left out any more. */
const noIdle = 1e12

/** Budgets may be too small for any pass. */
const codeOf = (error: KnownError): string => error.code

test('leaving passes out changes no byte', async () => {
  const seen = { halved: 0, cut: 0 }
  await fc.assert(
    fc.asyncProperty(spreading, question, async (transfers, { seed, ...query }) => {
      const chosen = transfers[seed]
      if (!chosen) return
      const ask = { ...query, seeds: [transferId(chosen)] }
      const answer = await traceLedger(transfers, ask).catch(codeOf)
      const inOrder = await traceLedger(transfers, { ...ask, maxIdle: noIdle }).catch(codeOf)
      if (typeof answer === 'string' || typeof inOrder === 'string') {
        expect(answer).toBe(inOrder)
        return
      }
      const { maxIdle: _, ...asked } = inOrder.query
      expect(answer).toEqual({ ...inOrder, query: asked })
      if (answer.cut.passes > 2) seen.halved++
      if (answer.cut.budget !== null) seen.cut++
    }),
    { numRuns: 300 },
  )
  expect(seen.halved).toBeGreaterThan(30)
  expect(seen.cut).toBeGreaterThan(5)
}, 60_000)
