import fc from 'fast-check'
import type { Account } from '../../src/ledger/account.ts'
import { type AssetId, parseAsset } from '../../src/ledger/asset.ts'
import { type Transfer, transferId } from '../../src/ledger/transfer.ts'
import { ether, hash, type Leg, ledgerOf, usdt, wallet, weth } from '../ledger.arbitrary.ts'
import { wrapper } from './tangledWraps.ts'

export const dai = parseAsset('eip155:1/erc20:0x6B175474E89094C44Da98b954EedeAC495271d0F')

/** Two trusted pools, of which everything can be bought, and the contracts that stand before them. */
export const pools: readonly Account[] = [0x9001, 0x9002].map(wallet)
export const router: Account = wallet(0x9101)
/** Keeps what it should pass on now and then. */
export const aggregator: Account = wallet(0x9102)
/** Exchanges on its own account with nothing behind it. */
export const desk: Account = wallet(0x9103)
export const bridge: Account = wallet(0x9201)

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

/** A transaction, with what else it says beside its legs. */
interface Act {
  readonly legs: readonly Leg[]
  readonly record?: { readonly pool: Account; readonly recipient: Account; readonly gets: AssetId }
  /** Index of the leg that leaves over the bridge or arrives from it. */
  readonly leaves?: number
  readonly arrives?: number
}

const wallets: ReadonlySet<Account> = new Set([1, 2, 3, 4, 5].map(wallet))
/** Few do most, so that what one gets is soon spent. */
const who = fc.constantFrom(...[1, 1, 1, 1, 2, 2, 2, 3, 4, 5].map(wallet))
const side = fc.oneof(
  { weight: 20, arbitrary: who },
  {
    weight: 3,
    arbitrary: fc.constantFrom(...pools, wrapper, router, aggregator, desk, bridge),
  },
  { weight: 2, arbitrary: fc.constant(undefined) },
)
const asset = fc.constantFrom(usdt, usdt, usdt, weth, ether, ether, dai)
const units = fc.oneof(
  { weight: 10, arbitrary: fc.bigInt(1n, 60n) },
  { weight: 3, arbitrary: fc.bigInt(0n, 3n) },
  {
    weight: 1,
    arbitrary: fc.oneof(fc.bigInt(0n, 10n ** 24n), fc.constantFrom(2n ** 128n, 2n ** 256n - 1n)),
  },
)
const pool = fc.constantFrom(...pools)

function move(
  from: Account | undefined,
  to: Account | undefined,
  amount: bigint,
  of: AssetId,
): Leg {
  return { from, to, amount, asset: of, kind: of === ether ? 'internal' : 'token' }
}

const payments: fc.Arbitrary<Act> = fc
  .array(fc.record({ from: side, to: side, amount: units, asset }), { minLength: 1, maxLength: 4 })
  .map((legs) => ({ legs: legs.map((leg) => move(leg.from, leg.to, leg.amount, leg.asset)) }))

/** All fields of the trades below: few of them matter to each. */
const trade = fc.record({
  owner: who,
  other: who,
  pool,
  gives: asset,
  gets: asset,
  also: asset,
  given: units,
  got: units,
  /** What fails to arrive. */
  short: fc.oneof({ weight: 3, arbitrary: fc.constant(0n) }, fc.bigInt(0n, 9n)),
})
type Trade = typeof trade extends fc.Arbitrary<infer T> ? T : never

/** How many of the trades below are swaps of one asset for another: they are drawn more often. */
const swaps = 5

const less = (amount: bigint, short: bigint): bigint => (amount > short ? amount - short : 0n)

const trades: readonly ((t: Trade) => Act)[] = [
  // With a pool itself; what arrives may be short of what was sent, as with a token that takes a fee.
  (t) => ({
    legs: [
      move(t.owner, t.pool, less(t.given, t.short), t.gives),
      move(t.owner, undefined, t.short, t.gives),
      move(t.pool, t.owner, t.got, t.gets),
    ],
  }),
  // Through a router that keeps a little.
  (t) => ({
    legs: [
      move(t.owner, router, t.given, t.gives),
      move(router, t.pool, t.given, t.gives),
      move(t.pool, router, t.got, t.gets),
      move(router, t.owner, less(t.got, t.short), t.gets),
    ],
  }),
  // One aggregator, two pools, and a third asset between them.
  (t) => ({
    legs: [
      move(t.owner, aggregator, t.given, t.gives),
      move(aggregator, pools[0], t.given, t.gives),
      move(pools[0], aggregator, t.got + t.short, t.also),
      move(aggregator, pools[1], t.got + t.short, t.also),
      move(pools[1], aggregator, t.got, t.gets),
      move(aggregator, t.owner, t.got, t.gets),
    ],
  }),
  // Half with each pool, from one payment.
  (t) => ({
    legs: [
      move(t.owner, pools[0], t.given / 2n, t.gives),
      move(t.owner, pools[1], t.given - t.given / 2n, t.gives),
      move(pools[0], t.owner, t.got / 2n, t.gets),
      move(pools[1], t.owner, t.got - t.got / 2n, t.gets),
    ],
  }),
  // For someone else, with an event that says so.
  (t) => ({
    legs: [move(t.owner, t.pool, t.given, t.gives), move(t.pool, t.other, t.got, t.gets)],
    record: { pool: t.pool, recipient: t.other, gets: t.gets },
  }),
  // Two assets for one, or one for two: nobody can say which became which.
  (t) => ({
    legs: [
      move(t.owner, t.pool, t.given, t.gives),
      move(t.pool, t.owner, t.got, t.gets),
      move(t.pool, t.owner, t.got + t.short, t.also),
    ],
  }),
  (t) => ({
    legs: [
      move(t.owner, t.pool, t.given, t.gives),
      move(t.owner, t.pool, t.got, t.also),
      move(t.pool, t.owner, t.got, t.gets),
    ],
  }),
  // A flash loan: the pool lends and is repaid around a payment.
  (t) => ({
    legs: [
      move(t.pool, t.owner, t.got, t.gives),
      move(t.owner, t.other, t.given, t.gives),
      move(t.owner, t.pool, t.got, t.gives),
    ],
  }),
  // A wash: a payment, and next to nothing of another asset in return.
  (t) => ({
    legs: [move(t.owner, t.other, t.given, t.gives), move(t.other, t.owner, 1n, t.gets)],
  }),
  (t) => ({
    legs: [
      move(t.owner, t.other, t.given, t.gives),
      move(t.other, t.pool, t.given, t.gives),
      move(t.pool, t.other, t.got, t.gets),
      move(t.other, t.owner, 1n, t.gets),
    ],
  }),
  // A wrap or an unwrap, through a router that keeps a little.
  (t) => ({
    legs: [
      move(t.owner, wrapper, t.given, ether),
      move(undefined, t.owner, t.given, weth),
      { from: t.owner, amount: t.short, asset: ether, kind: 'fee' },
    ],
  }),
  (t) => ({
    legs: [
      move(t.owner, router, t.given, weth),
      move(router, undefined, t.given, weth),
      move(wrapper, router, t.given, ether),
      move(router, t.owner, less(t.given, t.short), ether),
    ],
  }),
  // A desk that exchanges on its own account.
  (t) => ({
    legs: [move(t.owner, desk, t.given, t.gives), move(desk, t.owner, t.got, t.gets)],
  }),
  // Back in the transaction that brought it, and round in a circle.
  (t) => ({
    legs: [move(t.owner, t.other, t.given, t.gives), move(t.other, t.owner, t.given, t.gives)],
  }),
  (t) => ({ legs: [move(t.owner, bridge, t.given, t.gives)], leaves: 0 }),
  (t) => ({ legs: [move(bridge, t.other, less(t.given, t.short), t.gives)], arrives: 0 }),
  (t) => ({ legs: [move(undefined, t.other, t.got, t.gets)], arrives: 0 }),
  (t) => ({ legs: [move(t.owner, t.other, t.got, t.gets)], arrives: 0 }),
]

const traded: fc.Arbitrary<Act> = fc
  .record({
    form: fc.oneof(fc.constantFrom(...trades.slice(0, swaps)), fc.constantFrom(...trades)),
    t: trade,
    fee: fc.option(fc.bigInt(0n, 3n)),
  })
  .map(({ form, t, fee }) => {
    const act = form(t)
    if (fee === null) return act
    // The last leg, so that the places of the others stay.
    const paid: Leg = { from: t.owner, amount: fee, asset: ether, kind: 'fee' }
    return { ...act, legs: [...act.legs, paid] }
  })

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
