import { hashBytes } from '../ledger/byteTable.ts'

/**
 * Which segments of the log hold rows of a transaction, so that a writer can tell a new transaction from a known
 * one without reading the log. Open addressing over 64 bits of hash: 12 bytes a slot, about 20 bytes a transaction.
 * A hash may lie (two transactions alike): whoever asks then reads the segment and compares.
 */
export interface TransactionIndex {
  /** Notes that `segment` has rows of the transaction with these {@link transactionHashes}. */
  add(hash: number, fingerprint: number, segment: number): void
  /** Segments that may hold the transaction, ascending; mostly none. */
  find(hash: number, fingerprint: number): readonly number[]
}

/** Slot hash and fingerprint of a transaction: two independent views of its bytes and chain. */
export function transactionHashes(
  key: Uint8Array,
  chain: number,
): { hash: number; fingerprint: number } {
  const hash = (hashBytes(key, 0, key.length) ^ Math.imul(chain, 0x9e3779b1)) >>> 0
  let mixed = chain + 1
  for (let i = key.length - 1; i >= 0 && i >= key.length - 8; i--) {
    mixed = Math.imul(mixed ^ (key[i] as number), 0x01000193)
    mixed ^= mixed >>> 15
  }
  return { hash, fingerprint: mixed >>> 0 }
}

const none: readonly number[] = []

export function createTransactionIndex(): TransactionIndex {
  let fingerprints = new Uint32Array(1 << 14)
  let hashes = new Uint32Array(1 << 14)
  /** Segment number + 1; 0 is an empty slot. */
  let segments = new Uint32Array(1 << 14)
  let used = 0

  function place(hash: number, fingerprint: number, segment: number): void {
    const mask = segments.length - 1
    let slot = hash & mask
    while (segments[slot] !== 0) slot = (slot + 1) & mask
    segments[slot] = segment + 1
    fingerprints[slot] = fingerprint
    hashes[slot] = hash
  }

  function grow(): void {
    const old = { fingerprints, hashes, segments }
    const size = segments.length * 2
    fingerprints = new Uint32Array(size)
    hashes = new Uint32Array(size)
    segments = new Uint32Array(size)
    for (let slot = 0; slot < old.segments.length; slot++) {
      const segment = old.segments[slot] as number
      if (segment === 0) continue
      place(old.hashes[slot] as number, old.fingerprints[slot] as number, segment - 1)
    }
  }

  return {
    add(hash, fingerprint, segment) {
      if (used * 4 >= segments.length * 3) grow()
      place(hash, fingerprint, segment)
      used++
    },
    find(hash, fingerprint) {
      const mask = segments.length - 1
      let found: number[] | undefined
      for (let slot = hash & mask; segments[slot] !== 0; slot = (slot + 1) & mask) {
        if (fingerprints[slot] !== fingerprint || hashes[slot] !== hash) continue
        found ??= []
        found.push((segments[slot] as number) - 1)
      }
      return found ? [...new Set(found)].sort((a, b) => a - b) : none
    },
  }
}
