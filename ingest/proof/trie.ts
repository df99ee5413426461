import { MerklePatriciaTrie } from '@ethereumjs/mpt'
import { rlp } from './bytes.ts'

/**
 * Root of the trie in which a block keeps a list: the key of each item is its place in RLP (yellow paper 4.4.4).
 *
 * @param items - encoded, in their order.
 * @returns `0x` and 64 digits.
 */
export async function listRoot(items: readonly Uint8Array[]): Promise<string> {
  const trie = new MerklePatriciaTrie()
  for (const [place, item] of items.entries()) await trie.put(placeKey(place), item)
  return `0x${Buffer.from(trie.root()).toString('hex')}`
}

function placeKey(place: number): Uint8Array {
  return rlp(place === 0 ? new Uint8Array() : Buffer.from(evenHex(place), 'hex'))
}

function evenHex(place: number): string {
  const digits = place.toString(16)
  return digits.length % 2 === 0 ? digits : `0${digits}`
}
