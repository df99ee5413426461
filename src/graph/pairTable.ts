/** Second numbers are below this; first ones below 2^31, so that a pair is exact as a float. */
export const mostSeconds = 0x400000

/** Numbers for pairs of numbers, in order of first appearance. */
export interface PairTable {
  /** @param second - below {@link mostSeconds} */
  number(first: number, second: number): number
  /** The pairs by (first, second), and the place of each number in that order. */
  sorted(): {
    readonly placeOf: Uint32Array
    readonly first: Uint32Array
    readonly second: Uint32Array
  }
}

/** An open-addressing hash table: a Map of numbers is several times slower for millions of pairs. */
export function createPairTable(capacity: number): PairTable {
  let slots = new Int32Array(capacity * 2).fill(-1)
  let firsts = new Uint32Array(capacity)
  let seconds = new Uint32Array(capacity)
  let size = 0

  function number(first: number, second: number): number {
    const mask = slots.length - 1
    let slot = hashOf(first, second) & mask
    for (;;) {
      const known = slots[slot] as number
      if (known < 0) break
      if (firsts[known] === first && seconds[known] === second) return known
      slot = (slot + 1) & mask
    }
    const added = size++
    if (added === firsts.length) {
      firsts = doubled(firsts)
      seconds = doubled(seconds)
    }
    firsts[added] = first
    seconds[added] = second
    if (size * 2 > slots.length) rehash()
    else slots[slot] = added
    return added
  }

  function rehash(): void {
    slots = new Int32Array(slots.length * 2).fill(-1)
    const mask = slots.length - 1
    for (let known = 0; known < size; known++) {
      let slot = hashOf(firsts[known] as number, seconds[known] as number) & mask
      while ((slots[slot] as number) >= 0) slot = (slot + 1) & mask
      slots[slot] = known
    }
  }

  return {
    number,
    sorted() {
      // Pairs as one float each sort natively.
      const keys = new Float64Array(size)
      for (let i = 0; i < size; i++)
        keys[i] = (firsts[i] as number) * mostSeconds + (seconds[i] as number)
      keys.sort()
      const first = new Uint32Array(size)
      const second = new Uint32Array(size)
      const placeOf = new Uint32Array(size)
      for (let i = 0; i < size; i++) {
        first[i] = Math.floor((keys[i] as number) / mostSeconds)
        second[i] = (keys[i] as number) % mostSeconds
        placeOf[number(first[i] as number, second[i] as number)] = i
      }
      return { placeOf, first, second }
    },
  }
}

function hashOf(first: number, second: number): number {
  const mixed = (Math.imul(first, 0x9e3779b1) ^ Math.imul(second + 1, 0x85ebca6b)) >>> 0
  return mixed ^ (mixed >>> 15)
}

function doubled(array: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(array.length * 2)
  larger.set(array)
  return larger
}
