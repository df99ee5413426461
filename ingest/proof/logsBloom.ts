import { bytes, keccak } from './bytes.ts'

/**
 * Three bits of 2,048 that a value sets (yellow paper 4.4.3, M3:2048): the low eleven bits of the first three pairs of
 * bytes of its hash. Prepared once, asked of many headers.
 */
export function bloomBits(value: string): readonly number[] {
  const hashed = bytes(keccak(bytes(value, 'a bloom value')), 'a hash', 32)
  return [0, 2, 4].map((i) => (((hashed[i] as number) << 8) | (hashed[i + 1] as number)) & 2047)
}

/** False: no log of the block has the value as its address or a topic. True proves nothing. */
export function mayContain(logsBloom: Uint8Array, bits: readonly number[]): boolean {
  return bits.every((bit) => ((logsBloom[255 - (bit >> 3)] as number) >> (bit & 7)) & 1)
}

/** The filter that logs make. */
export function bloomOf(
  logs: readonly { readonly address: string; readonly topics: readonly string[] }[],
): Uint8Array {
  const bloom = new Uint8Array(256)
  for (const { address, topics } of logs) {
    for (const bit of [address, ...topics].flatMap(bloomBits))
      bloom[255 - (bit >> 3)] = (bloom[255 - (bit >> 3)] as number) | (1 << (bit & 7))
  }
  return bloom
}
