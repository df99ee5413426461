/**
 * Name, symbol and decimals of a token are whatever its contract says: bytes from a stranger. They are decoded by hand,
 * since ABI decoders throw at what old or hostile contracts answer, or cut it short without a word: `decimals()` that
 * answers 1000 is 232 as uint8.
 */

/** Names longer than this are cut: no token that means well has one. */
const longestName = 120

/** More decimals than this leave no amount that a uint256 can hold. */
const mostDecimals = 77

/**
 * Decimals as a 256-bit number that makes sense; null where the contract answers none.
 *
 * @param answer - hex of what `decimals()` returned.
 */
export function decimalsOf(answer: string): number | null {
  const first = bytesOf(answer)?.subarray(0, 32)
  if (first?.length !== 32) return null
  const value = BigInt(`0x${Buffer.from(first).toString('hex')}`)
  return value <= BigInt(mostDecimals) ? Number(value) : null
}

/**
 * Text of `name()` or `symbol()`: an ABI string, or 32 bytes of the old kind. As given; who shows it makes it harmless
 * (see `harmlessText`). Bytes that are no UTF-8 become U+FFFD. Null where there is no text.
 *
 * @param answer - hex of what the contract returned.
 */
export function tokenText(answer: string): string | null {
  const bytes = bytesOf(answer)
  if (!bytes || bytes.length < 32) return null
  const text = abiString(bytes) ?? (bytes.length === 32 ? upToZeros(bytes) : undefined)
  if (text === undefined || text.length === 0) return null
  const decoded = new TextDecoder().decode(text)
  return decoded.length <= longestName ? decoded : decoded.slice(0, longestName).toWellFormed()
}

function bytesOf(answer: string): Uint8Array | undefined {
  return /^0x(?:[0-9a-f]{2})*$/i.test(answer) ? Buffer.from(answer.slice(2), 'hex') : undefined
}

function abiString(bytes: Uint8Array): Uint8Array | undefined {
  const start = numberAt(bytes, 0)
  const length = start === undefined ? undefined : numberAt(bytes, start)
  if (start === undefined || length === undefined || start + 32 + length > bytes.length)
    return undefined
  return bytes.subarray(start + 32, start + 32 + length)
}

/** A 256-bit number that is an offset into these bytes. */
function numberAt(bytes: Uint8Array, offset: number): number | undefined {
  const word = bytes.subarray(offset, offset + 32)
  if (word.length !== 32) return undefined
  const value = BigInt(`0x${Buffer.from(word).toString('hex')}`)
  return value <= BigInt(bytes.length) ? Number(value) : undefined
}

function upToZeros(bytes: Uint8Array): Uint8Array {
  const end = bytes.findLastIndex((byte) => byte !== 0)
  return bytes.subarray(0, end + 1)
}
