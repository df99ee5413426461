import { expect } from 'vitest'
import type { Account } from '../../src/ledger/account.ts'
import { type Transfer, transferId } from '../../src/ledger/transfer.ts'
import { dai, pools, router } from '../arbitrary/trades.ts'
import { ether, hash, type Leg, ledgerOf, usd, usdt, wallet, weth } from '../ledger.arbitrary.ts'
import { exactTrace } from './rationals.ts'
import { type OracleQuestion, oracleTrace } from './trace.ts'

/*
 * Questions to the oracle that a reader can check with pencil and paper. Each transaction stands in a block of its
 * own, twelve seconds after the one before.
 */

export const [V, a, b, x, y, z] = [1, 2, 3, 4, 5, 6].map(wallet) as [
  Account,
  Account,
  Account,
  Account,
  Account,
  Account,
]
export const wrapper = weth.replace('/erc20:', ':') as Account
export const pool = pools[0] as Account
export { router }

const names = new Map<string, string>([
  ...Object.entries({ V, a, b, x, y, z, wrapper, pool, router }).map(
    ([name, account]) => [account, name] as const,
  ),
  ...Object.entries({ usd, usdt, weth, ether, dai }).map(([name, asset]) => [asset, name] as const),
])
const named = (text: string): string => names.get(text) ?? text

export interface Told {
  /** `outcome account seed hop` to face, over all assets. */
  readonly ends: Record<string, number>
  /** `outcome account asset` to base units of the asset. */
  readonly units: Record<string, number>
  /** Face that each transfer carried, in order. */
  readonly carried: number[]
  readonly gaps: readonly string[]
}

/** Id of the first transfer of a transaction, counted from 0, or of another by its place in it. */
export function idIn(transfers: readonly Transfer[], tx: number, leg = 0): string {
  const legs = transfers.filter((t) => t.tx === hash(tx + 1))
  return transferId(legs[leg] as Transfer)
}

/** The seeds are the first transfers of the transactions named, counted from 0. */
export function ask(
  transactions: readonly (readonly Leg[])[],
  seeds: readonly number[],
  more: Partial<OracleQuestion> = {},
): Told {
  const transfers = ledgerOf(transactions)
  const question: OracleQuestion = {
    transfers,
    seeds: seeds.map((tx) => idIn(transfers, tx)),
    matched: true,
    minShare: { numerator: 0n, denominator: 1n },
    maxHops: 32,
    stops: new Map(),
    covered: () => true,
    ...more,
  }
  const answer = oracleTrace(question)
  const ends: Record<string, number> = {}
  const units: Record<string, number> = {}
  let total = 0n
  for (const [key, face] of answer.outcomes) {
    const [outcome = '', account = '', asset = '', seed, hop] = key.split(' ')
    total += face
    const end = `${outcome} ${named(account)} seed ${seed} hop ${hop}`
    if (face > 0n) ends[end] = (ends[end] ?? 0) + Number(face)
    const place = `${outcome} ${named(account)} ${named(asset)}`
    units[place] = (units[place] ?? 0) + Number(answer.units.get(key) ?? 0n)
  }
  expect(total).toBe(answer.seedTotal)
  expectCloseToExact(question)
  const carried = transfers.map((t) => Number(answer.carried.get(transferId(t)) ?? 0n))
  return { ends, units, carried, gaps: answer.gaps }
}

/** The integers against the same trace without rounding. */
export function expectCloseToExact(question: OracleQuestion): void {
  const { integers, outcomes, grain, bound } = exactTrace(question)
  for (const key of new Set([...outcomes.keys(), ...integers.outcomes.keys()])) {
    const apart = (integers.outcomes.get(key) ?? 0n) * grain - (outcomes.get(key) ?? 0n)
    expect(apart < 0n ? -apart : apart, key).toBeLessThanOrEqual(bound * grain)
  }
}

/** Golden 1: 50 clean, 100 of the victim (transaction 1), then 60, 40 and 50 out. */
export const mixedAccount = (): readonly (readonly Leg[])[] => [
  [issue(a, 50n)],
  [pay(V, a, 100n)],
  [pay(a, x, 60n)],
  [pay(a, y, 40n)],
  [pay(a, z, 50n)],
]

/** Golden 1: 50 clean, 60 of the victim (transaction 1), 40 clean, then 45, 60 and 45 out. */
export const cleanAround = (): readonly (readonly Leg[])[] => [
  [issue(a, 50n)],
  [pay(V, a, 60n)],
  [issue(a, 40n)],
  [pay(a, x, 45n)],
  [pay(a, y, 60n)],
  [pay(a, z, 45n)],
]

/** Golden 26: 100 of the victim (transaction 1) in an account that borrows 900 and gives them back at once. */
export const flashLoan = (): readonly (readonly Leg[])[] => [
  [issue(b, 1000n)],
  [pay(V, a, 100n)],
  [pay(b, a, 900n), pay(a, b, 900n)],
  [pay(a, x, 100n)],
]

export function pay(from: Account, to: Account, amount: bigint, asset = usd): Leg {
  return { from, to, amount, asset }
}

export function issue(to: Account, amount: bigint, asset = usd): Leg {
  return { to, amount, asset }
}

export function fee(from: Account, amount: bigint): Leg {
  return { from, amount, asset: ether, kind: 'fee' }
}
