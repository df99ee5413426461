import fc from 'fast-check'
import type { Account } from '../../src/ledger/account.ts'
import { type AssetId, parseAsset } from '../../src/ledger/asset.ts'
import { ether, type Leg, usdt, wallet, weth } from '../ledger.arbitrary.ts'
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

/** A transaction, with what else it says beside its legs. */
export interface Act {
  readonly legs: readonly Leg[]
  readonly record?: { readonly pool: Account; readonly recipient: Account; readonly gets: AssetId }
  /** Index of the leg that leaves over the bridge or arrives from it. */
  readonly leaves?: number
  readonly arrives?: number
}

export const wallets: ReadonlySet<Account> = new Set([1, 2, 3, 4, 5].map(wallet))
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

export function move(
  from: Account | undefined,
  to: Account | undefined,
  amount: bigint,
  of: AssetId,
): Leg {
  return { from, to, amount, asset: of, kind: of === ether ? 'internal' : 'token' }
}

/** A few payments among wallets and others, of anything. */
export const payments: fc.Arbitrary<Act> = fc
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

/** One of the trades above, with or without a fee. */
export const traded: fc.Arbitrary<Act> = fc
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
