import { shared } from './columns.ts'

/** The addresses of a generation by number: 20 bytes each, and their chains. */
export interface AddressKeys {
  readonly key: Uint8Array
  readonly chain: Uint8Array
}

/**
 * A hash table over the 20-byte addresses of a generation: slots hold the address number + 1, 0 is empty. Addresses
 * of other forms are looked up by text elsewhere and are not in the table.
 *
 * @param isEvm - by chain number.
 * @param kept - the table of the generation before, and how many of its addresses are the same in this one. They
 * were put in first, so taking the others out again, last first, leaves the table as it was before them.
 */
export function addressSlots(
  keys: AddressKeys,
  isEvm: readonly boolean[],
  kept: { readonly keys: AddressKeys; readonly slots: Uint32Array; readonly addresses: number },
): Uint32Array {
  const count = keys.chain.length
  let size = 16
  while (size * 3 < count * 4) size *= 2
  const grows = size !== kept.slots.length
  const slots = shared(Uint32Array, size)
  if (!grows) {
    slots.set(kept.slots)
    for (let address = kept.keys.chain.length - 1; address >= kept.addresses; address--)
      if (isEvm[kept.keys.chain[address] as number])
        slots[slotWith(slots, kept.keys, address, address + 1)] = 0
  }
  for (let address = grows ? 0 : kept.addresses; address < count; address++)
    if (isEvm[keys.chain[address] as number]) slots[slotWith(slots, keys, address, 0)] = address + 1
  return slots
}

/** The first slot on the way of an address that holds a value. */
function slotWith(
  slots: Uint32Array,
  { key, chain }: AddressKeys,
  address: number,
  value: number,
): number {
  const mask = slots.length - 1
  let slot = hash(key, address * 20, chain[address] as number) & mask
  while (slots[slot] !== value) slot = (slot + 1) & mask
  return slot
}

/** Number of the address with these 20 bytes on this chain, −1 when unknown. */
export function findAddress(
  table: AddressKeys & { readonly slots: Uint32Array },
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
