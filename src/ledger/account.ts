import { getAddress } from 'ethers'
import { type ChainId, isEvm, parseChain } from './chain.ts'
import { KnownError } from './errors.ts'

declare const brand: unique symbol

/**
 * An address on a chain as CAIP-10 text. On EVM chains the hex is lower case, so that equal accounts are
 * equal strings; {@link formatAccount} gives the checksummed form for readers. Elsewhere it is opaque and
 * case-sensitive.
 */
export type Account = string & { readonly [brand]: 'Account' }

const evmAddress = /^0x[0-9a-fA-F]{40}$/
const lowerAddress = /^0x[0-9a-f]{40}$/
const opaqueReference = /^[-.%a-zA-Z0-9]{1,128}$/
const zero = '0x0000000000000000000000000000000000000000'

/**
 * Reads `eip155:1:0x…`, or a plain address when `chain` is given. The zero address is an account here; whoever
 * reads a transfer asks {@link isZero} first, since nothing can be held there.
 *
 * @param chain - the chain of a plain address; a full CAIP-10 text must then be of the same chain.
 * @throws KnownError `account.invalid`, also when a mixed-case EVM address has a wrong checksum.
 * @example parseAccount('0xdAC17F958D2ee523a2206206994597C13D831ec7', 'eip155:1')
 */
export function parseAccount(text: string, chain?: ChainId): Account {
  const colon = text.lastIndexOf(':')
  if (colon < 0) {
    if (chain === undefined) throw invalid(text, 'it names no chain')
    return joinAccount(chain, text)
  }
  const named = parseChain(text.slice(0, colon))
  if (chain !== undefined && named !== chain) throw invalid(text, `it is not on ${chain}`)
  return joinAccount(named, text.slice(colon + 1))
}

function joinAccount(chain: ChainId, reference: string): Account {
  if (!isEvm(chain)) {
    if (opaqueReference.test(reference)) return `${chain}:${reference}` as Account
    throw invalid(reference, 'it has characters outside A-Z a-z 0-9 . % - or is longer than 128')
  }
  if (!evmAddress.test(reference)) throw invalid(reference, 'it is not 0x and 40 hex digits')
  const lower = reference.toLowerCase()
  if (reference !== lower && reference.slice(2) !== reference.slice(2).toUpperCase()) {
    if (checksummed(lower) !== reference) throw invalid(reference, 'its checksum is wrong')
  }
  return `${chain}:${lower}` as Account
}

/**
 * The account of an address that a chain itself gave: 0x and 40 hex digits in lower case, which need no checksum.
 *
 * @throws KnownError `account.invalid`
 */
export function evmAccount(chain: ChainId, reference: string): Account {
  if (lowerAddress.test(reference)) return `${chain}:${reference}` as Account
  throw invalid(reference, 'it is not 0x and 40 hex digits in lower case')
}

function invalid(text: string, why: string): KnownError {
  const value = text.slice(0, 160)
  return new KnownError('account.invalid', `"${value}" is not an account: ${why}`, {
    facts: { value },
    hint: 'Give CAIP-10 (eip155:1:0x…) or a plain address with its chain; mixed case must be the checksum.',
  })
}

export function accountChain(account: Account): ChainId {
  return account.slice(0, account.lastIndexOf(':')) as ChainId
}

/** The address without its chain, lower case on EVM chains. */
export function accountReference(account: Account): string {
  return account.slice(account.lastIndexOf(':') + 1)
}

/** True for the EVM zero address: what comes from it is issued, what goes to it is burned. */
export function isZero(account: Account): boolean {
  return account.startsWith('eip155:') && account.endsWith(zero)
}

// Keccak costs some microseconds, and a trace or an export names the same addresses again and again.
const checksums = new Map<string, string>()
const rememberedChecksums = 500_000

/** An address of 20 bytes in lower case with its EIP-55 checksum. */
export function checksummed(lower: string): string {
  const known = checksums.get(lower)
  if (known !== undefined) return known
  if (checksums.size >= rememberedChecksums) checksums.clear()
  const made = getAddress(lower)
  checksums.set(lower, made)
  return made
}

/** CAIP-10 with the EIP-55 checksum: the form in which accounts leave Jejak. */
export function formatAccount(account: Account): string {
  const chain = accountChain(account)
  return `${chain}:${formatReference(account)}`
}

/** The address alone, checksummed on EVM chains: for columns that stand beside a chain column. */
export function formatReference(account: Account): string {
  const reference = accountReference(account)
  return isEvm(accountChain(account)) ? checksummed(reference) : reference
}
