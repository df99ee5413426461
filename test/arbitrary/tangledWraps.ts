import fc from 'fast-check'
import type { Account } from '../../src/ledger/account.ts'
import type { AssetId } from '../../src/ledger/asset.ts'
import type { Transfer } from '../../src/ledger/transfer.ts'
import { ether, type Leg, ledgerOf, wallet, weth } from '../ledger.arbitrary.ts'

export const wrapper = weth.replace('/erc20:', ':') as Account

const who = fc.integer({ min: 1, max: 4 }).map(wallet)
const side = fc.oneof(
  { weight: 9, arbitrary: who },
  { weight: 1, arbitrary: fc.constantFrom(wrapper, undefined) },
)
const units = (most: bigint): fc.Arbitrary<bigint> => fc.bigInt(0n, most)

const payment: fc.Arbitrary<Leg[]> = fc
  .record({ from: side, to: side, amount: units(12n), asset: fc.constantFrom(ether, weth) })
  .map((leg) => [{ ...leg, kind: leg.asset === ether ? 'internal' : 'token' }])

const wrap: fc.Arbitrary<Leg[]> = fc
  .record({ owner: who, amount: units(12n), unwraps: fc.boolean() })
  .map(({ owner, amount, unwraps }) => {
    const etherLeg: Leg = { amount, asset: ether, kind: 'internal' }
    return unwraps
      ? [
          { ...etherLeg, from: wrapper, to: owner },
          { from: owner, amount, asset: weth },
        ]
      : [
          { ...etherLeg, from: owner, to: wrapper },
          { to: owner, amount, asset: weth },
        ]
  })

const fee: fc.Arbitrary<Leg> = fc
  .record({ from: who, amount: units(2n) })
  .map((paid) => ({ ...paid, asset: ether, kind: 'fee' }))

/** Parts of one transaction: a fee, then payments of one leg and wraps of two. */
const transaction: fc.Arbitrary<Leg[][]> = fc
  .record({
    fee: fc.option(fee),
    parts: fc.array(fc.oneof(payment, wrap), { minLength: 1, maxLength: 4 }),
  })
  .map((tx) => [...(tx.fee ? [[tx.fee]] : []), ...tx.parts])

const opening: Leg[][] = [1, 2, 3, 4].flatMap((n): Leg[][] => [
  [{ to: wallet(n), amount: 4n, asset: ether, kind: 'internal' }],
  [{ to: wallet(n), amount: 4n, asset: weth }],
])

/**
 * Several wraps, unwraps, payments, issues, burns and a fee in one transaction, among few holders with little money.
 * No payment is beyond a balance: the engine's index of balances counts legs where a conversion counts their net,
 * and the two differ where a leg alone would be.
 */
export const tangledWraps: fc.Arbitrary<Transfer[]> = fc
  .record({
    transactions: fc.array(transaction, { minLength: 2, maxLength: 15 }),
    perBlock: fc.integer({ min: 1, max: 4 }),
  })
  .map(({ transactions, perBlock }) => {
    const balances = new Map<string, bigint>()
    const paid = [opening, ...transactions].map((parts) =>
      parts.flatMap((legs) => affordable(legs, balances)),
    )
    return ledgerOf(paid, { perBlock })
  })

/** The legs of one part with the amount that all their payers can pay, and the balances after them. */
function affordable(legs: readonly Leg[], balances: Map<string, bigint>): Leg[] {
  const key = (account: Account, asset: AssetId | undefined): string => `${account} ${asset}`
  let most = legs[0]?.amount ?? 0n
  for (const { from, asset } of legs) {
    const held = from === undefined ? most : (balances.get(key(from, asset)) ?? 0n)
    if (held < most) most = held
  }
  for (const { from, to, asset } of legs) {
    if (from !== undefined)
      balances.set(key(from, asset), (balances.get(key(from, asset)) ?? 0n) - most)
    if (to !== undefined) balances.set(key(to, asset), (balances.get(key(to, asset)) ?? 0n) + most)
  }
  return legs.map((leg) => ({ ...leg, amount: most }))
}
