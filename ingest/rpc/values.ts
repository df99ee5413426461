import { type Account, parseAccount } from '../../src/ledger/account.ts'
import type { ChainId } from '../../src/ledger/chain.ts'
import { KnownError } from '../../src/ledger/errors.ts'

/** Fields of a node's answer, checked before they are believed. */
export type Fields = Readonly<Record<string, unknown>>

export function invalidAnswer(what: string): KnownError {
  return new KnownError('rpc.invalid-answer', `the node's answer cannot be right: ${what}`, {
    hint: 'Nothing of it was stored. Use another endpoint if this goes on.',
  })
}

export function fields(value: unknown, what: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields
  throw invalidAnswer(`${what} is no object`)
}

export function list(value: unknown, what: string): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw invalidAnswer(`${what} is no list`)
}

export function quantity(value: unknown, what: string): bigint {
  if (typeof value === 'string' && /^0x[0-9a-f]{1,64}$/i.test(value)) return BigInt(value)
  throw invalidAnswer(`${what} is no quantity`)
}

export function wholeNumber(value: unknown, what: string): number {
  const number = Number(quantity(value, what))
  if (Number.isSafeInteger(number)) return number
  throw invalidAnswer(`${what} is too large`)
}

export function hash(value: unknown, what: string): string {
  if (typeof value === 'string' && /^0x[0-9a-f]{64}$/i.test(value)) return value.toLowerCase()
  throw invalidAnswer(`${what} is no hash`)
}

export function text(value: unknown, what: string): string {
  if (typeof value === 'string') return value
  throw invalidAnswer(`${what} is no text`)
}

/** An address in any case; nodes do not checksum. */
export function account(value: unknown, chain: ChainId, what: string): Account {
  if (typeof value === 'string' && /^0x[0-9a-f]{40}$/i.test(value))
    return parseAccount(value.toLowerCase(), chain)
  throw invalidAnswer(`${what} is no address`)
}

/** The address, or undefined where the field is absent or null. */
export function optionalAccount(value: unknown, chain: ChainId, what: string): Account | undefined {
  return value === null || value === undefined ? undefined : account(value, chain, what)
}

/** A number as nodes take it. */
export function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`
}
