import fc from 'fast-check'
import type { Account } from '../../src/ledger/account.ts'
import type { AssetId } from '../../src/ledger/asset.ts'
import { type Transfer, transferId } from '../../src/ledger/transfer.ts'
import { ether, hash, ledgerOf, usdt, wallet, weth } from '../ledger.arbitrary.ts'
import { wrapper } from './tangledWraps.ts'
import { type Act, move, payments, pools, traded, wallets } from './trades.ts'

export interface SwapLedger {
  readonly transfers: readonly Transfer[]
  /** One to three transfers of one asset. */
  readonly seeds: readonly string[]
  readonly wrapper: Account
  readonly pools: readonly Account[]
  /** Payments of pools to others than the payer, as their events tell. */
  readonly records: readonly {
    readonly tx: string
    readonly pool: Account
    readonly recipient: Account
    readonly gets: AssetId
  }[]
  /** Leaving leg to arriving leg. */
  readonly bridges: ReadonlyMap<string, string>
}

const opening: readonly Act[] = [1, 2, 3].map((n) => ({
  legs: [usdt, weth, ether].map((of) => move(undefined, wallet(n), 30n, of)),
}))

function swapLedgerOf(
  acts: readonly Act[],
  form: { readonly perBlock: number; readonly unordered: boolean },
  choice: readonly number[],
): SwapLedger {
  const transfers = ledgerOf(
    acts.map(({ legs }) => legs),
    form,
  )
  const idOf = (act: Act, leg: number | undefined): string[] => {
    const legs = transfers.filter(({ tx }) => tx === hash(acts.indexOf(act) + 1))
    const found = leg === undefined ? undefined : legs[leg]
    return found ? [transferId(found)] : []
  }
  const arriving = acts.flatMap((act) => idOf(act, act.arrives))
  const leaving = acts.flatMap((act) => idOf(act, act.leaves))
  // Mostly payments to wallets in the first quarter, so that something follows.
  const all = transfers.filter(canBeSeed)
  const early = all.slice(0, Math.ceil(all.length / 4)).filter(({ to }) => to && wallets.has(to))
  const fit = early.length > 0 && (choice[0] ?? 0) % 4 > 0 ? early : all
  const first = fit[(choice[0] ?? 0) % Math.max(1, fit.length)]
  const ids = fit.filter((t) => t.asset === first?.asset).map(transferId)
  return {
    transfers,
    seeds: [...new Set(choice.flatMap((n) => ids[n % ids.length] ?? []))],
    wrapper,
    pools,
    records: acts.flatMap(({ record }, i) => (record ? [{ tx: hash(i + 1), ...record }] : [])),
    // Every second arrival is left out, so that some messages are used twice; some arrive before they leave.
    bridges: new Map(
      leaving.flatMap((id, i) => {
        const far = arriving[(i * 2) % Math.max(1, arriving.length)]
        return far === undefined ? [] : [[id, far] as const]
      }),
    ),
  }
}

function canBeSeed(t: Transfer): boolean {
  return t.amount > 0n && t.from !== t.to && t.to !== undefined && t.kind !== 'fee'
}

/**
 * Small nasty ledgers of four trusted assets on five wallets: swaps with a pool, through a router or an aggregator,
 * for others, into two assets; flash loans, one-wei washes, tokens that take a fee, wraps, a desk without a market,
 * bridges, reversals in one transaction, circles, payments beyond the balance, to oneself, of nothing and of all.
 */
export const swapLedger: fc.Arbitrary<SwapLedger> = fc
  .record({
    acts: fc.array(fc.oneof({ weight: 2, arbitrary: payments }, { weight: 3, arbitrary: traded }), {
      minLength: 6,
      maxLength: 24,
      size: 'max',
    }),
    funded: fc.boolean(),
    perBlock: fc.integer({ min: 1, max: 4 }),
    unordered: fc.boolean(),
    choice: fc.array(fc.nat(1000), { minLength: 1, maxLength: 3 }),
  })
  .map(({ acts, funded, choice, ...form }) =>
    swapLedgerOf(funded ? [...opening, ...acts] : acts, form, choice),
  )
