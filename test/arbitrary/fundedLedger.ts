import fc from 'fast-check'
import type { Transfer } from '../../src/ledger/transfer.ts'
import { type Leg, ledgerOf, wallet } from '../ledger.arbitrary.ts'

interface Shape {
  readonly wallets: number
  readonly amount: number
  readonly transfers: number
  readonly ordered?: boolean
}

/** Ledgers in which nobody ever pays what he does not have, so that every balance is known. */
export function fundedLedger({
  wallets,
  amount,
  transfers,
  ordered,
}: Shape): fc.Arbitrary<Transfer[]> {
  const wish = fc.record({
    from: fc.integer({ min: 0, max: wallets }),
    to: fc.integer({ min: 1, max: wallets }),
    amount: fc.integer({ min: 1, max: amount }),
  })
  return fc
    .record({
      wishes: fc.array(wish, { minLength: 2, maxLength: transfers, size: 'max' }),
      perTransaction: fc.integer({ min: 1, max: 3 }),
      perBlock: fc.integer({ min: 1, max: 3 }),
      unordered: ordered ? fc.constant(false) : fc.boolean(),
    })
    .map(({ wishes, perTransaction, ...options }) => {
      const legs = affordable(wishes)
      const count = Math.ceil(legs.length / perTransaction)
      const transactions = Array.from({ length: count }, (_, i) =>
        legs.slice(i * perTransaction, (i + 1) * perTransaction),
      )
      return ledgerOf(transactions, options)
    })
}

/** Wallet 0 issues; the others pay at most what they have. */
function affordable(
  wishes: readonly { readonly from: number; readonly to: number; readonly amount: number }[],
): Leg[] {
  const held = new Map<number, number>()
  return wishes.flatMap(({ from, to, amount }) => {
    const paid = from === 0 ? amount : Math.min(amount, held.get(from) ?? 0)
    if (paid === 0 || from === to) return []
    held.set(from, (held.get(from) ?? 0) - paid)
    held.set(to, (held.get(to) ?? 0) + paid)
    const payer = from === 0 ? undefined : wallet(from)
    return [{ from: payer, to: wallet(to), amount: BigInt(paid) }]
  })
}
