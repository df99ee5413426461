/**
 * Numbers for byte strings: equal bytes, equal number, from 0 up in order of first appearance. An open-addressing
 * hash table over one byte pool; several times faster and smaller than a Map of strings, which matters where
 * every row of a ten-million-row file names three of them.
 */
export class ByteTable {
  #pool: Uint8Array
  /** `#ends[i]` is where key i ends in the pool; it starts where key i−1 ends. */
  #ends: Uint32Array
  #hashes: Uint32Array
  #slots: Int32Array
  #size = 0

  constructor(expected = 64) {
    const capacity = Math.max(16, expected)
    this.#pool = new Uint8Array(capacity * 24)
    this.#ends = new Uint32Array(capacity)
    this.#hashes = new Uint32Array(capacity)
    this.#slots = new Int32Array(powerOfTwo(capacity * 2)).fill(-1)
  }

  get size(): number {
    return this.#size
  }

  /** Number of `bytes[start…end)`, new when it was not known. */
  intern(bytes: Uint8Array, start = 0, end = bytes.length): number {
    const hash = hashBytes(bytes, start, end)
    const mask = this.#slots.length - 1
    let slot = hash & mask
    for (;;) {
      const id = this.#slots[slot] as number
      if (id < 0) break
      if (this.#hashes[id] === hash && this.#equals(id, bytes, start, end)) return id
      slot = (slot + 1) & mask
    }
    return this.#add(bytes, start, end, hash, slot)
  }

  /** Number of the bytes, or −1 when they are not known. */
  find(bytes: Uint8Array, start = 0, end = bytes.length): number {
    const hash = hashBytes(bytes, start, end)
    const mask = this.#slots.length - 1
    let slot = hash & mask
    for (;;) {
      const id = this.#slots[slot] as number
      if (id < 0) return -1
      if (this.#hashes[id] === hash && this.#equals(id, bytes, start, end)) return id
      slot = (slot + 1) & mask
    }
  }

  /** The bytes of a number: a view, valid until the next {@link intern}. */
  bytes(id: number): Uint8Array {
    return this.#pool.subarray(this.#start(id), this.#ends[id])
  }

  /** All keys one after another, and where each ends: what a file needs to make the table again. */
  packed(): { readonly pool: Uint8Array; readonly ends: Uint32Array } {
    const used = this.#size === 0 ? 0 : (this.#ends[this.#size - 1] as number)
    return { pool: this.#pool.subarray(0, used), ends: this.#ends.subarray(0, this.#size) }
  }

  clear(): void {
    this.#size = 0
    this.#slots.fill(-1)
  }

  #start(id: number): number {
    return id === 0 ? 0 : (this.#ends[id - 1] as number)
  }

  #equals(id: number, bytes: Uint8Array, start: number, end: number): boolean {
    const at = this.#start(id)
    if ((this.#ends[id] as number) - at !== end - start) return false
    const pool = this.#pool
    for (let i = start, j = at; i < end; i++, j++) if (bytes[i] !== pool[j]) return false
    return true
  }

  #add(bytes: Uint8Array, start: number, end: number, hash: number, slot: number): number {
    const id = this.#size
    const at = this.#start(id)
    const stop = at + (end - start)
    if (stop > this.#pool.length)
      this.#pool = grown(this.#pool, Math.max(stop, this.#pool.length * 2))
    if (id === this.#ends.length) {
      this.#ends = grown(this.#ends, id * 2)
      this.#hashes = grown(this.#hashes, id * 2)
    }
    for (let i = start, j = at; i < end; i++, j++) this.#pool[j] = bytes[i] as number
    this.#ends[id] = stop
    this.#hashes[id] = hash
    this.#slots[slot] = id
    this.#size = id + 1
    if (this.#size * 2 > this.#slots.length) this.#rehash()
    return id
  }

  #rehash(): void {
    const slots = new Int32Array(this.#slots.length * 2).fill(-1)
    const mask = slots.length - 1
    for (let id = 0; id < this.#size; id++) {
      let slot = (this.#hashes[id] as number) & mask
      while ((slots[slot] as number) >= 0) slot = (slot + 1) & mask
      slots[slot] = id
    }
    this.#slots = slots
  }
}

function powerOfTwo(least: number): number {
  let size = 16
  while (size < least) size *= 2
  return size
}

function grown<A extends Uint8Array | Uint32Array>(array: A, length: number): A {
  const larger = new (array.constructor as new (length: number) => A)(length)
  larger.set(array)
  return larger
}

/** Murmur-like mix of four bytes at a time. Not for secrets: a flood of equal hashes only costs time. */
export function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = (end - start) | 0
  let at = start
  for (; at + 4 <= end; at += 4) {
    const word =
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)
    hash = Math.imul(hash ^ Math.imul(word, 0xcc9e2d51), 0x1b873593)
    hash = (hash << 13) | (hash >>> 19)
  }
  for (; at < end; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193)
  hash ^= hash >>> 16
  hash = Math.imul(hash, 0x85ebca6b)
  hash ^= hash >>> 13
  return hash >>> 0
}
