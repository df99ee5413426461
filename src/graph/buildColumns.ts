import type { ChainId } from '../ledger/chain.ts'
import { hashOfKey, keyAt } from '../ledger/transferBatch.ts'
import { buildAddresses } from './buildAddresses.ts'
import { buildEvents } from './buildEvents.ts'
import { buildTransactions } from './buildTransactions.ts'
import {
  beginningWith,
  type ColumnArrays,
  type ColumnMeta,
  type Columns,
  largestShortPosition,
  shared,
} from './columns.ts'
import { createDigester, type Digester } from './digester.ts'
import { type Generation, type Kept, nothingKept } from './generation.ts'
import { numberHoldings } from './numberHoldings.ts'
import { type RawRows, rawAmount } from './rawRows.ts'
import { type SortedRows, sortRows } from './sortRows.ts'

/**
 * The columns of one generation from the rows of a log: sorted, numbered, indexed. Linear but for the sorting inside
 * blocks.
 *
 * @param storeId - which store the rows are from.
 */
export async function buildColumns(raw: RawRows, storeId: string): Promise<Columns> {
  const digester = createDigester()
  try {
    const { columns } = await buildGeneration(raw, { storeId, digester })
    return columns
  } finally {
    await digester.close()
  }
}

/**
 * A generation from the rows of a log, upon what is kept of the one before. The same columns, byte for byte, whatever
 * is kept.
 *
 * Cost: what is kept is copied; everything else is linear in the rows behind it and in the number of accounts.
 *
 * @param given.tail - the rows behind what is kept, whole blocks of them; absent where nothing is kept.
 */
export async function buildGeneration(
  raw: RawRows,
  given: {
    readonly storeId: string
    readonly digester: Digester
    readonly kept?: Kept
    readonly tail?: Uint32Array
  },
): Promise<Generation> {
  const kept = given.kept ?? nothingKept
  const tail = sortRows(raw, given.tail)
  const sorted = joined(kept, tail)
  const digest = given.digester.digest(raw, sorted.order, kept.transfers)
  const transactions = buildTransactions(raw, tail, kept)
  const addresses = buildAddresses(raw, tail, kept)
  const numbered = numberHoldings(raw, { order: tail.order, addressOf: addresses.numbers }, kept)
  const transfers = buildTransfers(raw, tail, kept)
  const { holdingAddress, holdingAsset, from, to } = numbered
  const wide = new Set(transfers.wideAmounts.map(([transfer]) => transfer))
  const events = buildEvents(numbered, { amount: transfers.arrays.amount, wide }, kept)
  const arrays: ColumnArrays = {
    from,
    to,
    ...transfers.arrays,
    ...transactions.arrays,
    ...buildBlocks(raw, tail, kept),
    holdingAddress,
    holdingAsset,
    ...events,
    addressKey: addresses.key,
    addressChain: addresses.chain,
    addressFirst: firstHoldings(holdingAddress, addresses.chain.length),
    addressSlots: addresses.slots,
  }
  const meta: ColumnMeta = {
    storeId: given.storeId,
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
  return { columns: { meta, arrays }, sorted, addressNumbers: addresses.numbers }
}

/** What is kept, in ledger order, and the tail behind it. */
function joined(kept: Kept, tail: SortedRows): SortedRows {
  const { sorted } = kept.generation
  if (kept.transfers === 0) return tail
  const order = beginningWith(sorted.order, kept.transfers, kept.transfers + tail.order.length)
  order.set(tail.order, kept.transfers)
  const blocks = new Uint32Array(kept.blocks + tail.blocks.length)
  blocks.set(sorted.blocks.subarray(0, kept.blocks))
  blocks.set(tail.blocks, kept.blocks)
  const blockFirst = new Uint32Array(blocks.length + 1)
  blockFirst.set(sorted.blockFirst.subarray(0, kept.blocks))
  for (const [rank, first] of tail.blockFirst.entries())
    blockFirst[kept.blocks + rank] = kept.transfers + first
  const assumed = new Uint8Array(blocks.length)
  assumed.set(sorted.assumed.subarray(0, kept.blocks))
  assumed.set(tail.assumed, kept.blocks)
  return { order, blocks, blockFirst, assumed }
}

function buildTransfers(raw: RawRows, { order }: SortedRows, kept: Kept) {
  const { arrays: before, meta } = kept.generation.columns
  const start = kept.transfers
  const count = start + order.length
  const amount = beginningWith(before.amount, start * 4, count * 4)
  const sequence = beginningWith(before.sequence, start, count)
  const leg = beginningWith(before.leg, start, count)
  const isKept = ([transfer]: readonly [number, unknown]): boolean => transfer < start
  const wideAmounts = meta.wideAmounts.filter(isKept)
  const widePositions = meta.widePositions.filter(isKept)
  const ownerless = meta.ownerless.filter(isKept)
  for (let place = 0; place < order.length; place++) {
    const row = order[place] as number
    const i = start + place
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
    for (let place = 0; place < order.length; place++) {
      const row = order[place] as number
      if (raw.wide.has(row)) wideAmounts.push([start + place, rawAmount(raw, row).toString()])
    }
  }
  return { arrays: { amount, sequence, leg }, wideAmounts, widePositions, ownerless }
}

function buildBlocks(raw: RawRows, { blocks, assumed }: SortedRows, kept: Kept) {
  const before = kept.generation.columns.arrays
  const count = kept.blocks + blocks.length
  const blockNumber = beginningWith(before.blockNumber, kept.blocks, count)
  const blockTime = beginningWith(before.blockTime, kept.blocks, count)
  const blockChain = beginningWith(before.blockChain, kept.blocks, count)
  const blockAssumed = beginningWith(before.blockAssumed, kept.blocks, count)
  for (const [rank, block] of blocks.entries()) {
    blockNumber[kept.blocks + rank] = raw.blocks.number[block] as number
    blockTime[kept.blocks + rank] = raw.blocks.time[block] as number
    blockChain[kept.blocks + rank] = raw.blocks.chain[block] as number
  }
  blockAssumed.set(assumed, kept.blocks)
  return { blockNumber, blockTime, blockChain, blockAssumed }
}

function firstHoldings(holdingAddress: Uint32Array, addresses: number): Uint32Array {
  const first = shared(Uint32Array, addresses + 1)
  for (const address of holdingAddress) first[address + 1] = (first[address + 1] as number) + 1
  for (let i = 1; i < first.length; i++) first[i] = (first[i] as number) + (first[i - 1] as number)
  return first
}

export function highestBlocks(
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
    const hashes = Array.from(
      order.subarray(blockFirst[rank], blockFirst[rank + 1]),
      (row) => raw.contextBlockHash[raw.context[row] as number] as number,
    )
    const hash = hashes.find((known) => known >= 0)
    const text = hash === undefined ? null : hashOfKey(keyAt(raw.blockHashes, hash))
    return [raw.chains[chain] as ChainId, block, text]
  })
}
