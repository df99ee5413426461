import { shared } from './columns.ts'

/**
 * A hash table over the 20-byte addresses of a generation: slots hold the address number + 1, 0 is empty. Addresses
 * of other forms are looked up by text elsewhere; their all-zero keys are not in the table.
 */
export function addressSlots(key: Uint8Array, chain: Uint8Array): Uint32Array {
  const count = chain.length
  let size = 16
  while (size * 3 < count * 4) size *= 2
  const slots = shared(Uint32Array, size)
  for (let address = 0; address < count; address++) {
    let slot = hash(key, address * 20, chain[address] as number) & (size - 1)
    while (slots[slot] !== 0) slot = (slot + 1) & (size - 1)
    slots[slot] = address + 1
  }
  return slots
}

/** Number of the address with these 20 bytes on this chain, −1 when unknown. */
export function findAddress(
  table: { readonly slots: Uint32Array; readonly key: Uint8Array; readonly chain: Uint8Array },
  wanted: Uint8Array,
  chain: number,
): number {
  const mask = table.slots.length - 1
  for (
    let slot = hash(wanted, 0, chain) & mask;
    table.slots[slot] !== 0;
    slot = (slot + 1) & mask
  ) {
    const address = (table.slots[slot] as number) - 1
    if (table.chain[address] === chain && equals(table.key, address * 20, wanted)) return address
  }
  return -1
}

function equals(key: Uint8Array, at: number, wanted: Uint8Array): boolean {
  for (let i = 0; i < 20; i++) if (key[at + i] !== wanted[i]) return false
  return true
}

function hash(key: Uint8Array, at: number, chain: number): number {
  let mixed = chain
  for (let i = at; i < at + 20; i += 4) {
    const word =
      (key[i] as number) |
      ((key[i + 1] as number) << 8) |
      ((key[i + 2] as number) << 16) |
      ((key[i + 3] as number) << 24)
    mixed = Math.imul(mixed ^ word, 0x9e3779b1)
    mixed ^= mixed >>> 15
  }
  return mixed >>> 0
}
