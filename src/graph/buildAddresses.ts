import { accountReference } from '../ledger/account.ts'
import { isEvm } from '../ledger/chain.ts'
import { addressSlots } from './addressTable.ts'
import { beginningWith } from './columns.ts'
import type { Kept } from './generation.ts'
import { type RawRows, rawAccount } from './rawRows.ts'
import type { SortedRows } from './sortRows.ts'

/** Addresses that canonical rows name as sender or receiver, numbered in order of first appearance. */
export function buildAddresses(raw: RawRows, { order }: Pick<SortedRows, 'order'>, kept: Kept) {
  const numbers = keptNumbers(raw, kept)
  const found: number[] = []
  for (const row of order) {
    for (const address of [raw.from[row] as number, raw.to[row] as number]) {
      if (address < 0 || (numbers[address] as number) >= 0) continue
      numbers[address] = kept.addresses + found.length
      found.push(address)
    }
  }
  const before = kept.generation.columns
  const count = kept.addresses + found.length
  const key = beginningWith(before.arrays.addressKey, kept.addresses * 20, count * 20)
  const chain = beginningWith(before.arrays.addressChain, kept.addresses, count)
  const texts = before.meta.textAddresses.filter(([address]) => address < kept.addresses)
  const evm = raw.chains.map(isEvm)
  const { pool, ends } = raw.addresses
  for (const [i, address] of found.entries()) {
    const number = kept.addresses + i
    const start = address === 0 ? 0 : (ends[address - 1] as number)
    chain[number] = pool[start] as number
    if (evm[pool[start] as number]) key.set(pool.subarray(start + 1, start + 21), number * 20)
    else texts.push([number, accountReference(rawAccount(raw, address))])
  }
  const slots = addressSlots({ key, chain }, evm, {
    keys: { key: before.arrays.addressKey, chain: before.arrays.addressChain },
    slots: before.arrays.addressSlots,
    addresses: kept.addresses,
  })
  return { numbers, key, chain, texts, slots }
}

/** Numbers of raw addresses as they were; those that appeared only behind what is kept have none any more. */
function keptNumbers(raw: RawRows, kept: Kept): Int32Array {
  const { addressNumbers, sorted } = kept.generation
  const numbers = new Int32Array(raw.addresses.ends.length)
  numbers.set(addressNumbers)
  numbers.fill(-1, addressNumbers.length)
  for (const row of sorted.order.subarray(kept.transfers)) {
    for (const address of [raw.from[row] as number, raw.to[row] as number])
      if (address >= 0 && (numbers[address] as number) >= kept.addresses) numbers[address] = -1
  }
  return numbers
}
