import { RLP } from '@ethereumjs/rlp'
import { keccak256 } from 'ethers'
import { invalidAnswer } from '../rpc/values.ts'

/** What RLP is made of. */
export type Item = Uint8Array | readonly Item[]

/** Recursive length prefix encoding (yellow paper, appendix B). */
export function rlp(item: Item): Uint8Array {
  return RLP.encode(item as Parameters<typeof RLP.encode>[0])
}

/** Keccak-256 as `0x` and 64 digits. */
export function keccak(bytes: Uint8Array): string {
  return keccak256(bytes)
}

/**
 * Bytes of a hex text.
 *
 * @param length - how many there must be; any number where absent.
 * @throws KnownError `rpc.invalid-answer`
 */
export function bytes(value: unknown, what: string, length?: number): Uint8Array {
  if (typeof value !== 'string' || !/^0x(?:[0-9a-f]{2})*$/i.test(value))
    throw invalidAnswer(`${what} is not bytes`)
  if (length !== undefined && value.length !== 2 + 2 * length)
    throw invalidAnswer(`${what} has not ${length} bytes`)
  return Buffer.from(value.slice(2), 'hex')
}

/**
 * A number as RLP wants it: big endian without leading zeros, zero as nothing.
 *
 * @throws KnownError `rpc.invalid-answer`
 */
export function integer(value: unknown, what: string): Uint8Array {
  if (typeof value !== 'string' || !/^0x[0-9a-f]{1,64}$/i.test(value))
    throw invalidAnswer(`${what} is no quantity`)
  const digits = value.slice(2).replace(/^0+/, '')
  return Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex')
}
