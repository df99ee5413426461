import { type Account, parseAccount } from '../../src/ledger/account.ts'
import type { ChainId } from '../../src/ledger/chain.ts'
import { unbelievable } from './requests.ts'

/** Cells of an explorer's row, checked before they are believed. Numbers come as decimal text, or as numbers. */
export type Cells = Readonly<Record<string, unknown>>

export function cells(value: unknown, what: string): Cells {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Cells
  throw unbelievable(`${what} is no object`)
}

export function amountCell(value: unknown, what: string): bigint {
  if (typeof value === 'string' && /^\d{1,78}$/.test(value)) return BigInt(value)
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return BigInt(value)
  throw unbelievable(`${what} is no whole number`)
}

export function wholeCell(value: unknown, what: string): number {
  const number = Number(amountCell(value, what))
  if (Number.isSafeInteger(number)) return number
  throw unbelievable(`${what} is too large`)
}

export function hashCell(value: unknown, what: string): string {
  if (typeof value === 'string' && /^0x[0-9a-f]{64}$/i.test(value)) return value.toLowerCase()
  throw unbelievable(`${what} is no hash`)
}

/** Undefined where the cell is empty: a created contract has no receiver. */
export function accountCell(value: unknown, chain: ChainId, what: string): Account | undefined {
  if (value === null || value === undefined || value === '') return undefined
  if (typeof value === 'string' && /^0x[0-9a-f]{40}$/i.test(value))
    return parseAccount(value.toLowerCase(), chain)
  throw unbelievable(`${what} is no address`)
}
