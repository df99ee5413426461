import fc from 'fast-check'
import type { Account } from '../../src/ledger/account.ts'
import type { Transfer } from '../../src/ledger/transfer.ts'
import { ether, hash, type Leg, ledgerOf, wallet, weth } from '../ledger.arbitrary.ts'

const wallets = [1, 2, 3, 4].map(wallet)
export const wrapper = weth.replace('/erc20:', ':') as Account

const who = fc.constantFrom(...wallets)
const side = fc.oneof(
  { weight: 8, arbitrary: who },
  { weight: 1, arbitrary: fc.constantFrom(wrapper, undefined) },
)
const units = (most: number): fc.Arbitrary<bigint> => fc.bigInt(0n, BigInt(most))

const loose: fc.Arbitrary<Leg[]> = fc
  .record({ from: side, to: side, amount: units(12), asset: fc.constantFrom(ether, weth) })
  .map((leg) => [{ ...leg, kind: leg.asset === ether ? 'internal' : 'token' }])

const wrap: fc.Arbitrary<Leg[]> = fc
  .record({ owner: who, amount: units(12), unwraps: fc.boolean() })
  .map(({ owner, amount, unwraps }) => [
    {
      ...(unwraps ? { from: wrapper, to: owner } : { from: owner, to: wrapper }),
      amount,
      asset: ether,
      kind: 'internal',
    },
    { ...(unwraps ? { from: owner } : { to: owner }), amount, asset: weth },
  ])

const fee: fc.Arbitrary<Leg> = fc
  .record({ from: who, amount: units(2) })
  .map((paid) => ({ ...paid, asset: ether, kind: 'fee' }))

const transaction: fc.Arbitrary<Leg[]> = fc
  .record({
    fee: fc.option(fee),
    parts: fc.array(fc.oneof({ weight: 2, arbitrary: loose }, { weight: 1, arbitrary: wrap }), {
      minLength: 1,
      maxLength: 4,
    }),
  })
  .map((tx) => [...(tx.fee ? [tx.fee] : []), ...tx.parts.flat()])

const opening: Leg[] = [...wallets, wrapper].flatMap((to) => [
  { to, amount: 500n, asset: ether, kind: 'internal' },
  { to, amount: 500n, asset: weth },
])

/**
 * Several wraps, unwraps, payments, issues, burns and a fee in one transaction, in blocks of known or unknown
 * order, among few holders who all begin with enough: no payment is beyond a balance, since the engine's index of
 * balances counts legs where a conversion counts their net.
 */
export const tangledWraps: fc.Arbitrary<{
  readonly transfers: readonly Transfer[]
  readonly openingTx: string
}> = fc
  .record({
    transactions: fc.array(transaction, { minLength: 2, maxLength: 15 }),
    perBlock: fc.integer({ min: 1, max: 4 }),
    unordered: fc.boolean(),
  })
  .map(({ transactions, ...options }) => {
    const early = { block: 50, time: 1_600_000_000, txIndex: 0 }
    const transfers = ledgerOf([opening, ...transactions], options)
    return {
      openingTx: hash(1),
      transfers: transfers.map((t) => (t.tx === hash(1) ? { ...t, ...early } : t)),
    }
  })
