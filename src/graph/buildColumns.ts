import { accountReference } from '../ledger/account.ts'
import type { ChainId } from '../ledger/chain.ts'
import { hashOfKey, keyAt } from '../ledger/transferBatch.ts'
import { addressSlots } from './addressTable.ts'
import { buildHoldings } from './buildHoldings.ts'
import {
  type ColumnArrays,
  type ColumnMeta,
  type Columns,
  largestShortPosition,
  shared,
} from './columns.ts'
import { digestAside } from './digestAside.ts'
import { type RawRows, rawAccount, rawAmount, rawTransaction } from './rawRows.ts'
import { type SortedRows, sortRows } from './sortRows.ts'

/**
 * One generation from the rows of a log: sorted, numbered, indexed. Linear but for the sorting inside blocks.
 *
 * @param storeId - which store the rows are from.
 */
export async function buildColumns(raw: RawRows, storeId: string): Promise<Columns> {
  const sorted = sortRows(raw)
  const digest = digestAside(raw, sorted)
  const transactions = buildTransactions(raw, sorted)
  const addresses = buildAddresses(raw, sorted)
  const { holdings, from, to } = buildHoldings(raw, {
    order: sorted.order,
    addressOf: addresses.numbers,
  })
  const transfers = buildTransfers(raw, sorted)
  const arrays: ColumnArrays = {
    from,
    to,
    ...transfers.arrays,
    ...transactions.arrays,
    ...buildBlocks(raw, sorted),
    ...holdings,
    addressKey: addresses.key,
    addressChain: addresses.chain,
    addressFirst: firstHoldings(holdings.holdingAddress, addresses.chain.length),
    addressSlots: addressSlots(addresses.key, addresses.chain),
  }
  const meta: ColumnMeta = {
    storeId,
    sequence: raw.sequenceEnd,
    digest: await digest,
    chains: raw.chains,
    assets: raw.assets,
    textAddresses: addresses.texts,
    textTransactions: transactions.texts,
    wideAmounts: transfers.wideAmounts,
    widePositions: transfers.widePositions,
    ownerless: transfers.ownerless,
    highest: highestBlocks(raw, sorted),
  }
  return { meta, arrays }
}

function buildTransfers(raw: RawRows, sorted: SortedRows) {
  const count = sorted.order.length
  const amount = shared(Uint32Array, count * 4)
  const sequence = shared(Uint32Array, count)
  const leg = shared(Uint32Array, count)
  const wideAmounts: [number, string][] = []
  const widePositions: [number, number][] = []
  const ownerless: [number, number][] = []
  for (let i = 0; i < count; i++) {
    const row = sorted.order[i] as number
    const at = row * 4
    amount[i * 4] = raw.amount[at] as number
    amount[i * 4 + 1] = raw.amount[at + 1] as number
    amount[i * 4 + 2] = raw.amount[at + 2] as number
    amount[i * 4 + 3] = raw.amount[at + 3] as number
    sequence[i] = raw.sequence[row] as number
    if ((raw.from[row] as number) < 0 && (raw.to[row] as number) < 0)
      ownerless.push([i, raw.asset[row] as number])
    const position = raw.position[row] as number
    if (position > largestShortPosition) widePositions.push([i, position])
    leg[i] = (Math.min(position, largestShortPosition) * 8 + (raw.kind[row] as number)) >>> 0
  }
  if (raw.wide.size > 0) {
    for (let i = 0; i < count; i++) {
      const row = sorted.order[i] as number
      if (raw.wide.has(row)) wideAmounts.push([i, rawAmount(raw, row).toString()])
    }
  }
  return { arrays: { amount, sequence, leg }, wideAmounts, widePositions, ownerless }
}

/** Rows of one transaction stand together in ledger order; a change of its name begins the next. */
function buildTransactions(raw: RawRows, { order, blocks, blockFirst }: SortedRows) {
  const transaction = shared(Uint32Array, order.length)
  const firsts: number[] = []
  const txBlocks: number[] = []
  let current = -1
  for (let rank = 0; rank < blocks.length; rank++) {
    let last = -1
    for (let i = blockFirst[rank] as number; i < (blockFirst[rank + 1] as number); i++) {
      const context = raw.context[order[i] as number] as number
      if (last < 0 || (context !== last && !sameTransaction(raw, context, last))) {
        current++
        firsts.push(i)
        txBlocks.push(rank)
      }
      last = context
      transaction[i] = current
    }
  }
  const count = firsts.length
  const txFirst = shared(Uint32Array, count + 1)
  txFirst.set(firsts)
  txFirst[count] = order.length
  const txBlock = shared(Uint32Array, count)
  txBlock.set(txBlocks)
  const txHash = shared(Uint8Array, count * 32)
  const texts: [number, string][] = []
  for (let tx = 0; tx < count; tx++) {
    const context = raw.context[order[txFirst[tx] as number] as number] as number
    const text = raw.contextText.get(context)
    if (text === undefined) copy32(raw.contextHash, context * 32, txHash, tx * 32)
    else texts.push([tx, text])
  }
  return {
    arrays: { transaction, txFirst, txBlock, txHash, txByHash: sortedByHash(txHash) },
    texts,
  }
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

/** Transactions by the first four bytes of their hashes, equal ones in ledger order: a radix sort in two passes. */
function sortedByHash(txHash: Uint8Array): Uint32Array {
  const count = txHash.length / 32
  const low = radixPass(
    Uint32Array.from({ length: count }, (_, tx) => tx),
    txHash,
    2,
  )
  const sorted = shared(Uint32Array, count)
  sorted.set(radixPass(low, txHash, 0))
  return sorted
}

function radixPass(from: Uint32Array, txHash: Uint8Array, byte: number): Uint32Array {
  const key = (tx: number): number =>
    ((txHash[tx * 32 + byte] as number) << 8) | (txHash[tx * 32 + byte + 1] as number)
  const starts = new Uint32Array(65537)
  for (const tx of from) starts[key(tx) + 1] = (starts[key(tx) + 1] as number) + 1
  for (let i = 1; i < starts.length; i++)
    starts[i] = (starts[i] as number) + (starts[i - 1] as number)
  const sorted = new Uint32Array(from.length)
  for (const tx of from) {
    const at = starts[key(tx)] as number
    sorted[at] = tx
    starts[key(tx)] = at + 1
  }
  return sorted
}

function buildBlocks(raw: RawRows, { blocks, assumed }: SortedRows) {
  const blockNumber = shared(Float64Array, blocks.length)
  const blockTime = shared(Float64Array, blocks.length)
  const blockChain = shared(Uint8Array, blocks.length)
  const blockAssumed = shared(Uint8Array, blocks.length)
  for (const [rank, block] of blocks.entries()) {
    blockNumber[rank] = raw.blocks.number[block] as number
    blockTime[rank] = raw.blocks.time[block] as number
    blockChain[rank] = raw.blocks.chain[block] as number
  }
  blockAssumed.set(assumed)
  return { blockNumber, blockTime, blockChain, blockAssumed }
}

/** Addresses that canonical rows name as sender or receiver, numbered in order of first appearance. */
function buildAddresses(raw: RawRows, { order }: SortedRows) {
  const numbers = new Int32Array(raw.addresses.ends.length).fill(-1)
  let count = 0
  for (const row of order) {
    for (const address of [raw.from[row] as number, raw.to[row] as number]) {
      if (address >= 0 && (numbers[address] as number) < 0) numbers[address] = count++
    }
  }
  const key = shared(Uint8Array, count * 20)
  const chain = shared(Uint8Array, count)
  const texts: [number, string][] = []
  const { pool, ends } = raw.addresses
  for (let address = 0; address < numbers.length; address++) {
    const number = numbers[address] as number
    if (number < 0) continue
    const start = address === 0 ? 0 : (ends[address - 1] as number)
    chain[number] = pool[start] as number
    if (raw.chains[pool[start] as number]?.startsWith('eip155:'))
      key.set(pool.subarray(start + 1, start + 21), number * 20)
    else texts.push([number, accountReference(rawAccount(raw, address))])
  }
  return { numbers, key, chain, texts }
}

function firstHoldings(holdingAddress: Uint32Array, addresses: number): Uint32Array {
  const first = shared(Uint32Array, addresses + 1)
  for (const address of holdingAddress) first[address + 1] = (first[address + 1] as number) + 1
  for (let i = 1; i < first.length; i++) first[i] = (first[i] as number) + (first[i - 1] as number)
  return first
}

function highestBlocks(
  raw: RawRows,
  { order, blocks, blockFirst }: SortedRows,
): [ChainId, number, string | null][] {
  const highest = new Map<number, { block: number; rank: number }>()
  for (const [rank, block] of blocks.entries()) {
    const chain = raw.blocks.chain[block] as number
    const number = raw.blocks.number[block] as number
    if ((highest.get(chain)?.block ?? -1) < number) highest.set(chain, { block: number, rank })
  }
  return [...highest].map(([chain, { block, rank }]) => {
    const rows = order.subarray(blockFirst[rank], blockFirst[rank + 1])
    const hash = rows
      .map((row) => raw.contextBlockHash[raw.context[row] as number] as number)
      .find((h) => h !== 0xffffffff)
    const text = hash === undefined ? null : hashOfKey(keyAt(raw.blockHashes, hash))
    return [raw.chains[chain] as ChainId, block, text]
  })
}
