/** A small seeded generator (mulberry32): the same seed gives the same case on every machine. */
export interface RandomNumbers {
  /** A whole number from 0 up to but not including `limit`, at most 2^32. */
  below(limit: number): number
  /** `count` bytes as lower-case hex. */
  hex(count: number): string
  pick<T>(list: readonly T[]): T
}

export function createRandomNumbers(seed: number): RandomNumbers {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
  const below = (limit: number): number => Math.floor((next() / 0x100000000) * limit)
  return {
    below,
    hex: (count) =>
      Array.from({ length: count }, () => below(256).toString(16).padStart(2, '0')).join(''),
    pick: (list) => {
      if (list.length === 0) throw new RangeError('nothing to pick from')
      return list[below(list.length)] as (typeof list)[number]
    },
  }
}
