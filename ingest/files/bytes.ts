/** Numbers and hex straight from bytes: the hot path of large files makes no string and no object per row. */

const hexValue = new Int8Array(256).fill(-1)
for (let i = 0; i < 10; i++) hexValue[48 + i] = i
for (let i = 0; i < 6; i++) hexValue[97 + i] = 10 + i

/** Reads `0x` and lower-case hex of exactly `count` bytes into `into`; false for anything else. */
export function readHex(text: Uint8Array, start: number, end: number, into: Uint8Array): boolean {
  const count = into.length
  if (end - start !== 2 + 2 * count || text[start] !== 48 || text[start + 1] !== 120) return false
  for (let i = 0, at = start + 2; i < count; i++, at += 2) {
    const value =
      ((hexValue[text[at] as number] as number) << 4) | (hexValue[text[at + 1] as number] as number)
    if (value < 0) return false
    into[i] = value
  }
  return true
}

/** A whole number below 2^53, −1 when the bytes are none. */
export function readWhole(text: Uint8Array, start: number, end: number): number {
  if (end === start || end - start > 15) return -1
  let value = 0
  for (let at = start; at < end; at++) {
    const digit = (text[at] as number) - 48
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  return value
}

/**
 * A decimal amount as four 32-bit limbs, least significant first.
 *
 * @returns false when it is no number or does not fit 128 bits: then a bigint has to look at it.
 */
export function readLimbs(
  text: Uint8Array,
  start: number,
  end: number,
  limbs: Float64Array,
): boolean {
  if (end === start || end - start > 39) return false
  limbs.fill(0)
  for (let at = start; at < end; ) {
    const stop = Math.min(at + 6, end)
    let chunk = 0
    let scale = 1
    for (; at < stop; at++) {
      const digit = (text[at] as number) - 48
      if (digit < 0 || digit > 9) return false
      chunk = chunk * 10 + digit
      scale *= 10
    }
    if (!multiplyAdd(limbs, scale, chunk)) return false
  }
  return true
}

/** limbs × scale + add, where scale is at most 10^6, so that no product leaves the exact range of a float. */
function multiplyAdd(limbs: Float64Array, scale: number, add: number): boolean {
  let carry = add
  for (let i = 0; i < 4; i++) {
    const product = (limbs[i] as number) * scale + carry
    carry = Math.floor(product / 0x100000000)
    limbs[i] = product - carry * 0x100000000
  }
  return carry === 0
}
