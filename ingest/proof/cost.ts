import type { BlockInterval } from '../../src/ledger/coverage.ts'
import type { RpcNode } from '../rpc/node.ts'
import { type Fields, fields, hex, list } from '../rpc/values.ts'
import { bytes } from './bytes.ts'

/** What a proof will take, estimated from a few blocks of the range. */
export interface Cost {
  readonly blocks: number
  /** Blocks above the range whose headers lead to the anchor. */
  readonly headersAbove: number
  readonly calls: number
  readonly bytes: number
}

/** Blocks looked at, spread over the range. */
const samples = 3

/**
 * Estimates what {@link proveRange} will ask for: blocks, and receipts of the share that has or may have something of the
 * account. The size of an answer is the length of its JSON.
 *
 * Cost: three blocks, and the receipts of one.
 *
 * @param given - `stored`: blocks in which the store has something of the account; `logs`: whether logs are looked for.
 */
export async function estimateCost(
  node: RpcNode,
  range: BlockInterval,
  given: {
    readonly whole: boolean
    readonly logs: boolean
    readonly anchor: number
    readonly stored: number
    /** Whether two endpoints are asked for the account's transfers as well. */
    readonly agrees: boolean
  },
): Promise<Cost> {
  const blocks = range.to - range.from + 1
  const places = new Set(
    Array.from({ length: samples }, (_, i) =>
      Math.round(range.from + ((blocks - 1) * i) / (samples - 1)),
    ),
  )
  const sizes: number[] = []
  const perhaps: number[] = []
  let fullest: Fields | undefined
  for (const place of places) {
    const block = fields(
      await node.call('eth_getBlockByNumber', [hex(place), given.whole]),
      `block ${place}`,
    )
    sizes.push(sizeOf(block))
    perhaps.push(given.logs ? mistakenShare(block['logsBloom']) : 0)
    if (countOf(block) >= countOf(fullest)) fullest = block
  }
  const receiptBytes = await sizeOfReceipts(node, fullest)
  const mean = meanOf(sizes)
  const headersAbove = Math.max(0, given.anchor - range.to)
  const hits = Math.min(blocks, Math.ceil(given.stored + blocks * meanOf(perhaps)))
  const agreement = given.agrees ? agreementCalls(blocks, given.stored) : 0
  return {
    blocks,
    headersAbove,
    calls: headersAbove + blocks + hits + agreement,
    bytes: Math.round(headersAbove * 2_000 + blocks * mean + hits * receiptBytes),
  }
}

/**
 * Two endpoints, each asked five times for every 256 blocks and three times for each block with something in it, where they
 * have `trace_filter`; where they have not, all blocks are read and traced, which is more.
 */
function agreementCalls(blocks: number, stored: number): number {
  return 2 * (5 * Math.ceil(blocks / 256) + 3 * stored)
}

/** How often a full bloom says "perhaps" of an account that the block does not have: three bits that others set. */
function mistakenShare(logsBloom: unknown): number {
  const bloom = bytes(logsBloom, 'a logs bloom', 256)
  let set = 0
  for (const byte of bloom) for (let rest = byte; rest > 0; rest &= rest - 1) set++
  return (set / 2048) ** 3
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

async function sizeOfReceipts(node: RpcNode, block: Fields | undefined): Promise<number> {
  if (!block || countOf(block) === 0) return 0
  const [first] = list(block['transactions'], 'the transactions')
  const tx = typeof first === 'string' ? first : fields(first, 'a transaction')['hash']
  return sizeOf(await node.call('eth_getTransactionReceipt', [tx])) * countOf(block)
}

function countOf(block: Fields | undefined): number {
  return block === undefined ? 0 : list(block['transactions'], 'the transactions').length
}

function sizeOf(answer: unknown): number {
  return JSON.stringify(answer)?.length ?? 0
}
