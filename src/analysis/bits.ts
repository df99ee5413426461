/** Sets of numbers as bits, 32 to a word: they fit a cache where an array of the numbers' properties does not. */

export function emptyBits(length: number): Int32Array {
  return new Int32Array((length >> 5) + 1)
}

export function hasBit(bits: Int32Array, place: number): boolean {
  return (((bits[place >> 5] as number) >>> (place & 31)) & 1) === 1
}

export function addBit(bits: Int32Array, place: number): void {
  bits[place >> 5] = (bits[place >> 5] as number) | (1 << (place & 31))
}

/** 32 bits of which those before `first` and from `last` on are left out. */
export function wordWithin(bits: Int32Array, place: number, first: number, last: number): number {
  const word = bits[place] as number
  const [before, behind] = [first - place * 32, last - place * 32]
  return word & (before > 0 ? -1 << before : -1) & (behind < 32 ? (1 << behind) - 1 : -1)
}
