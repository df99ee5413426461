import { beginningWith, shared } from './columns.ts'
import type { Kept } from './generation.ts'
import { type RawRows, rawTransaction } from './rawRows.ts'
import type { SortedRows } from './sortRows.ts'

/**
 * Rows of one transaction stand together in ledger order; a change of its name begins the next.
 *
 * @param tail - the rows behind those that are kept.
 */
export function buildTransactions(raw: RawRows, tail: SortedRows, kept: Kept) {
  const before = kept.generation.columns.arrays
  const transfers = kept.transfers + tail.order.length
  const transaction = beginningWith(before.transaction, kept.transfers, transfers)
  const { firsts, blocks } = transactionsOf(raw, tail, (i, number) => {
    transaction[kept.transfers + i] = kept.transactions + number
  })
  const count = kept.transactions + firsts.length
  const txFirst = beginningWith(before.txFirst, kept.transactions + 1, count + 1)
  const txBlock = beginningWith(before.txBlock, kept.transactions, count)
  const txHash = beginningWith(before.txHash, kept.transactions * 32, count * 32)
  const texts = kept.generation.columns.meta.textTransactions.filter(
    ([tx]) => tx < kept.transactions,
  )
  for (const [i, first] of firsts.entries()) {
    const tx = kept.transactions + i
    txFirst[tx] = kept.transfers + first
    txBlock[tx] = kept.blocks + (blocks[i] as number)
    const context = raw.context[tail.order[first] as number] as number
    const text = raw.contextText.get(context)
    if (text === undefined) copy32(raw.contextHash, context * 32, txHash, tx * 32)
    else texts.push([tx, text])
  }
  txFirst[count] = transfers
  return {
    arrays: { transaction, txFirst, txBlock, txHash, txByHash: sortedByHash(txHash, kept) },
    texts,
  }
}

/** First row and block of each transaction, as places of the tail; `visit` hears of every row. */
function transactionsOf(
  raw: RawRows,
  { order, blocks, blockFirst }: SortedRows,
  visit: (row: number, transaction: number) => void,
): { readonly firsts: readonly number[]; readonly blocks: readonly number[] } {
  const firsts: number[] = []
  const inBlock: number[] = []
  for (let rank = 0; rank < blocks.length; rank++) {
    let last = -1
    for (let i = blockFirst[rank] as number; i < (blockFirst[rank + 1] as number); i++) {
      const context = raw.context[order[i] as number] as number
      if (last < 0 || (context !== last && !sameTransaction(raw, context, last))) {
        firsts.push(i)
        inBlock.push(rank)
      }
      last = context
      visit(i, firsts.length - 1)
    }
  }
  return { firsts, blocks: inBlock }
}

function copy32(from: Uint8Array, at: number, into: Uint8Array, to: number): void {
  for (let i = 0; i < 32; i++) into[to + i] = from[at + i] as number
}

function sameTransaction(raw: RawRows, a: number, b: number): boolean {
  if (raw.contextText.has(a) || raw.contextText.has(b))
    return rawTransaction(raw, a) === rawTransaction(raw, b)
  for (let i = a * 32, j = b * 32, end = i + 32; i < end; i++, j++) {
    if (raw.contextHash[i] !== raw.contextHash[j]) return false
  }
  return true
}

/**
 * Transactions by the first four bytes of their hashes, equal ones in ledger order: a radix sort in two passes of the
 * new ones, which then take their places among those that are kept.
 */
function sortedByHash(txHash: Uint8Array, kept: Kept): Uint32Array {
  const count = txHash.length / 32
  const first = kept.transactions
  const keys = new Uint32Array(count - first)
  for (let i = 0; i < keys.length; i++) keys[i] = hashStart(txHash, first + i)
  const inOrder = keys.map((_, i) => i)
  const sorted = radixPass(radixPass(inOrder, keys, 0), keys, 16).map((i) => first + i)
  const known = withoutDropped(kept)
  const all = shared(Uint32Array, count)
  if (known.length === 0) {
    all.set(sorted)
    return all
  }
  let taken = 0
  for (const [i, tx] of sorted.entries()) {
    const place = firstBehind(known, txHash, { from: taken, key: keys[tx - first] as number })
    all.set(known.subarray(taken, place), taken + i)
    taken = place
    all[taken + i] = tx
  }
  all.set(known.subarray(taken), taken + sorted.length)
  return all
}

function withoutDropped({ generation, transactions }: Kept): Uint32Array {
  const { txByHash } = generation.columns.arrays
  if (txByHash.length === transactions) return txByHash
  return txByHash.filter((tx) => tx < transactions)
}

function hashStart(txHash: Uint8Array, tx: number): number {
  const at = tx * 32
  const high = ((txHash[at] as number) << 8) | (txHash[at + 1] as number)
  return high * 0x10000 + (((txHash[at + 2] as number) << 8) | (txHash[at + 3] as number))
}

/**
 * Place of the first transaction whose hash begins with more than the key. Hashes are spread evenly, so it is looked for
 * around the place that the key itself tells, and further away only where it is not there.
 */
function firstBehind(
  sorted: Uint32Array,
  txHash: Uint8Array,
  { from, key }: { readonly from: number; readonly key: number },
): number {
  const isBehind = (place: number): boolean => hashStart(txHash, sorted[place] as number) > key
  const guess = Math.max(from, Math.floor((key / 0x100000000) * sorted.length))
  let [low, high] = [guess, guess]
  for (let step = 16; low > from && isBehind(low - 1); step *= 4) {
    high = low - 1
    low = Math.max(from, low - step)
  }
  for (let step = 16; high < sorted.length && !isBehind(high); step *= 4) {
    low = high + 1
    high = Math.min(sorted.length, high + step)
  }
  while (low < high) {
    const middle = (low + high) >> 1
    if (hashStart(txHash, sorted[middle] as number) <= key) low = middle + 1
    else high = middle
  }
  return low
}

/** Places in the order of 16 bits of their keys, equal ones as they were. */
function radixPass(places: Uint32Array, keys: Uint32Array, shift: number): Uint32Array {
  const key = (place: number): number => ((keys[place] as number) >>> shift) & 0xffff
  const starts = new Uint32Array(65537)
  for (const place of places) starts[key(place) + 1] = (starts[key(place) + 1] as number) + 1
  for (let i = 1; i < starts.length; i++)
    starts[i] = (starts[i] as number) + (starts[i - 1] as number)
  const sorted = new Uint32Array(places.length)
  for (const place of places) {
    const at = starts[key(place)] as number
    sorted[at] = place
    starts[key(place)] = at + 1
  }
  return sorted
}
