import fc from 'fast-check'
import type { Transfer } from '../../src/ledger/transfer.ts'
import { type Leg, ledgerOf, usd, usdt, wallet } from '../ledger.arbitrary.ts'

const anyWallet = fc.integer({ min: 1, max: 6 }).map(wallet)

const leg: fc.Arbitrary<Leg> = fc.record({
  from: anyWallet,
  to: anyWallet,
  amount: fc.oneof(
    { weight: 12, arbitrary: fc.bigInt(1n, 6n) },
    { weight: 1, arbitrary: fc.constantFrom(0n, 2n ** 128n - 1n, 2n ** 128n, 2n ** 256n - 1n) },
  ),
  asset: fc.constantFrom(usd, usd, usd, usd, usd, usd, usdt),
})

/** Ledgers in which most wallets can reach most others, in several ways and with many equal amounts. */
export const denseLedger: fc.Arbitrary<Transfer[]> = fc
  .record({
    transactions: fc.array(fc.array(leg, { minLength: 1, maxLength: 3 }), {
      minLength: 8,
      maxLength: 16,
      size: 'max',
    }),
    perBlock: fc.integer({ min: 1, max: 4 }),
  })
  .map(({ transactions, perBlock }) => ledgerOf(transactions, { perBlock }))
