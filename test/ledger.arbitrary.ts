import fc from 'fast-check'
import { type Account, parseAccount } from '../src/ledger/account.ts'
import { type AssetId, parseAsset } from '../src/ledger/asset.ts'
import { parseChain } from '../src/ledger/chain.ts'
import type { Kind, Transfer } from '../src/ledger/transfer.ts'

export const chain = parseChain('eip155:1')
export const ether = parseAsset('eip155:1/slip44:60')
export const weth = parseAsset('eip155:1/erc20:0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2')
export const usdt = parseAsset('eip155:1/erc20:0xdAC17F958D2ee523a2206206994597C13D831ec7')
export const usd = parseAsset('eip155:1/iso4217:usd')

/** A wallet by number: readable in failures. */
export function wallet(n: number): Account {
  return parseAccount(`0x${n.toString(16).padStart(40, '0')}`, chain)
}

export function hash(n: number): string {
  return `0x${n.toString(16).padStart(64, '0')}`
}

/** One leg of a made-up ledger; what is absent takes the plainest value. */
export interface Leg {
  readonly from?: Account | undefined
  readonly to?: Account | undefined
  readonly amount: bigint
  readonly asset?: AssetId
  readonly kind?: Kind
  readonly flags?: readonly string[]
}

/** Transactions one after another, a block each unless said otherwise. */
export function ledgerOf(
  transactions: readonly (readonly Leg[])[],
  options: { readonly perBlock?: number; readonly unordered?: boolean } = {},
): Transfer[] {
  const perBlock = options.perBlock ?? 1
  return transactions.flatMap((legs, i) => {
    const block = 100 + Math.floor(i / perBlock)
    return legs.map(({ from, to, ...leg }, position) => ({
      chain,
      block,
      time: 1_700_000_000 + block * 12,
      tx: hash(i + 1),
      ...(options.unordered ? {} : { txIndex: i % perBlock }),
      kind: leg.kind ?? ('token' as const),
      position,
      asset: leg.asset ?? usd,
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
      amount: leg.amount,
      flags: leg.flags ?? [],
    }))
  })
}

const amounts = fc.oneof(
  { weight: 8, arbitrary: fc.bigInt(0n, 120n) },
  { weight: 1, arbitrary: fc.constant(0n) },
  { weight: 1, arbitrary: fc.bigInt(0n, 10n ** 24n) },
  { weight: 1, arbitrary: fc.constantFrom(2n ** 128n - 1n, 2n ** 128n, 2n ** 256n - 1n) },
)

const side = fc.oneof(
  { weight: 12, arbitrary: fc.integer({ min: 1, max: 6 }).map(wallet) },
  { weight: 1, arbitrary: fc.constant(undefined) },
)

const leg: fc.Arbitrary<Leg> = fc.record({
  from: side,
  to: side,
  amount: amounts,
  asset: fc.constantFrom(usd, usd, usd, usd, usdt),
})

/** Random ledgers on few wallets: cycles, reversals inside blocks, gaps, self-payments, issues and burns are usual. */
export const randomLedger: fc.Arbitrary<Transfer[]> = fc
  .record({
    transactions: fc.array(fc.array(leg, { minLength: 1, maxLength: 5 }), {
      minLength: 2,
      maxLength: 25,
    }),
    perBlock: fc.integer({ min: 1, max: 4 }),
    unordered: fc.boolean(),
  })
  .map(({ transactions, ...options }) => ledgerOf(transactions, options))

/** Ledgers of ether with fees, wraps and unwraps among the payments. */
export const etherLedger: fc.Arbitrary<Transfer[]> = fc
  .record({
    transactions: fc.array(
      fc.oneof(
        {
          weight: 3,
          arbitrary: fc
            .record({
              from: walletArbitrary(),
              to: walletArbitrary(),
              amount: fc.bigInt(0n, 90n),
              fee: fc.bigInt(0n, 3n),
            })
            .map(payment),
        },
        {
          weight: 1,
          arbitrary: fc
            .record({
              who: walletArbitrary(),
              amount: fc.bigInt(1n, 60n),
              fee: fc.bigInt(0n, 3n),
              unwrap: fc.boolean(),
            })
            .map(wrap),
        },
        {
          weight: 1,
          arbitrary: fc
            .record({ from: walletArbitrary(), to: walletArbitrary(), amount: fc.bigInt(0n, 60n) })
            .map(wethPayment),
        },
      ),
      { minLength: 2, maxLength: 25 },
    ),
    perBlock: fc.integer({ min: 1, max: 3 }),
  })
  .map(({ transactions, perBlock }) => ledgerOf(transactions, { perBlock }))

function walletArbitrary(): fc.Arbitrary<Account> {
  return fc.integer({ min: 1, max: 5 }).map(wallet)
}

function payment(p: { from: Account; to: Account; amount: bigint; fee: bigint }): Leg[] {
  return [
    { from: p.from, amount: p.fee, asset: ether, kind: 'fee' },
    { from: p.from, to: p.to, amount: p.amount, asset: ether, kind: 'native' },
  ]
}

function wethPayment(p: { from: Account; to: Account; amount: bigint }): Leg[] {
  return [{ from: p.from, to: p.to, amount: p.amount, asset: weth }]
}

const wrapper = weth.replace('/erc20:', ':') as Account

function wrap(p: { who: Account; amount: bigint; fee: bigint; unwrap: boolean }): Leg[] {
  const fee: Leg = { from: p.who, amount: p.fee, asset: ether, kind: 'fee' }
  if (p.unwrap) {
    return [
      fee,
      { from: wrapper, to: p.who, amount: p.amount, asset: ether, kind: 'internal' },
      { from: p.who, amount: p.amount, asset: weth, flags: ['wrap'] },
    ]
  }
  return [
    fee,
    { from: p.who, to: wrapper, amount: p.amount, asset: ether, kind: 'native' },
    { to: p.who, amount: p.amount, asset: weth, flags: ['wrap'] },
  ]
}
