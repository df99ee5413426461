import { recoverAddress } from 'ethers'
import { type Fields, fields, invalidAnswer, list, quantity } from '../rpc/values.ts'
import { bytes, type Item, integer, keccak, rlp } from './bytes.ts'

/**
 * Transactions as they were signed, of every type that Ethereum has: legacy (EIP-155 or not), 1 (EIP-2930), 2
 * (EIP-1559), 3 (EIP-4844), 4 (EIP-7702). By hand over an RLP library, since a library for whole transactions also
 * checks what a block already decided, and refuses some of the oldest.
 */

/** The bytes that stand in the transactions trie: their Keccak-256 is the transaction hash. */
export function encodeTransaction(transaction: Fields): Uint8Array {
  return withType(transaction, [...unsigned(transaction), ...signature(transaction)])
}

/**
 * Who signed, recovered from the signature: `from` is in no trie, a node may say anything.
 *
 * Cost: about a millisecond.
 *
 * @returns the address in lower case.
 * @throws KnownError `rpc.invalid-answer` when the signature is none
 */
export function signerOf(transaction: Fields): string {
  const v = quantity(transaction['v'] ?? transaction['yParity'], 'v')
  const isLegacy = typeOf(transaction) === 0
  const isBound = isLegacy && v >= 35n
  const items = unsigned(transaction)
  const chain: Item[] = isBound
    ? [integer(`0x${((v - 35n) / 2n).toString(16)}`, 'v'), new Uint8Array(), new Uint8Array()]
    : []
  const digest = keccak(withType(transaction, [...items, ...chain]))
  const odd = isBound ? (v - 35n) % 2n : isLegacy ? v - 27n : v
  if (odd !== 0n && odd !== 1n) throw invalidAnswer(`v ${v} is of no signature`)
  return recovered(digest, word(transaction['r'], 'r'), word(transaction['s'], 's'), odd)
}

/** Half of the order of secp256k1: above it `s` is a mirror image, which the oldest blocks still have. */
const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n

function recovered(digest: string, r: bigint, given: bigint, odd: bigint): string {
  const mirrored = given > order / 2n
  const s = mirrored ? order - given : given
  const parity = mirrored ? 1n - odd : odd
  try {
    const text = { r: hex32(r), s: hex32(s), v: Number(27n + parity) }
    return recoverAddress(digest, text).toLowerCase()
  } catch {
    throw invalidAnswer('a transaction has no valid signature')
  }
}

function hex32(value: bigint): string {
  return `0x${value.toString(16).padStart(64, '0')}`
}

function word(value: unknown, what: string): bigint {
  return quantity(value, what)
}

function typeOf(transaction: Fields): number {
  const type = transaction['type']
  return type === undefined || type === null ? 0 : Number(quantity(type, 'a transaction type'))
}

function withType(transaction: Fields, items: readonly Item[]): Uint8Array {
  const type = typeOf(transaction)
  const body = rlp(items)
  return type === 0 ? body : Buffer.concat([Uint8Array.of(type), body])
}

function unsigned(transaction: Fields): Item[] {
  const whole = (name: string): Uint8Array => integer(transaction[name], name)
  const call = [receiver(transaction['to']), whole('value'), data(transaction)]
  const fees = (): Item[] => [
    whole('chainId'),
    whole('nonce'),
    whole('maxPriorityFeePerGas'),
    whole('maxFeePerGas'),
    whole('gas'),
    ...call,
    accessList(transaction),
  ]
  switch (typeOf(transaction)) {
    case 0:
      return [whole('nonce'), whole('gasPrice'), whole('gas'), ...call]
    case 1:
      return [
        whole('chainId'),
        whole('nonce'),
        whole('gasPrice'),
        whole('gas'),
        ...call,
        accessList(transaction),
      ]
    case 2:
      return fees()
    case 3:
      return [...fees(), whole('maxFeePerBlobGas'), blobHashes(transaction)]
    case 4:
      return [...fees(), authorizations(transaction)]
    default:
      throw invalidAnswer(
        `a transaction has type ${typeOf(transaction)}, which this version does not know`,
      )
  }
}

/** Legacy transactions keep `v` as signed; later ones only the parity, which some nodes call `v`. */
function signature(transaction: Fields): Item[] {
  const v =
    typeOf(transaction) === 0 ? transaction['v'] : (transaction['yParity'] ?? transaction['v'])
  return [integer(v, 'v'), integer(transaction['r'], 'r'), integer(transaction['s'], 's')]
}

function receiver(to: unknown): Uint8Array {
  return to === null || to === undefined ? new Uint8Array() : bytes(to, 'a receiver', 20)
}

function data(transaction: Fields): Uint8Array {
  return bytes(transaction['input'] ?? transaction['data'], 'the input')
}

function accessList(transaction: Fields): Item {
  return list(transaction['accessList'] ?? [], 'an access list').map((item) => {
    const { address, storageKeys } = fields(item, 'an access list entry')
    return [
      bytes(address, 'an address', 20),
      list(storageKeys, 'storage keys').map((key) => bytes(key, 'a storage key', 32)),
    ]
  })
}

function blobHashes(transaction: Fields): Item {
  return list(transaction['blobVersionedHashes'], 'blob hashes').map((item) =>
    bytes(item, 'a blob hash', 32),
  )
}

function authorizations(transaction: Fields): Item {
  return list(transaction['authorizationList'], 'authorizations').map((item) => {
    const given = fields(item, 'an authorization')
    return [
      integer(given['chainId'], 'chainId'),
      bytes(given['address'], 'an address', 20),
      integer(given['nonce'], 'a nonce'),
      integer(given['yParity'] ?? given['v'], 'yParity'),
      integer(given['r'], 'r'),
      integer(given['s'], 's'),
    ]
  })
}
