import type { BlockInterval } from '../../src/ledger/coverage.ts'
import type { RpcNode } from '../rpc/node.ts'
import { type Fields, fields, list } from '../rpc/values.ts'

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

/** Of blocks that do not touch the account some are read all the same, since a bloom only says "perhaps". */
const perhaps = 0.05

/**
 * Estimates what {@link proveRange} will ask for: blocks, and receipts of the share that has or may have something of the
 * account. The size of an answer is the length of its JSON.
 *
 * Cost: three blocks, and the receipts of one.
 *
 * @param stored - blocks in which the store has something of the account.
 */
export async function estimateCost(
  node: RpcNode,
  range: BlockInterval,
  given: { readonly whole: boolean; readonly anchor: number; readonly stored: number },
): Promise<Cost> {
  const blocks = range.to - range.from + 1
  const places = new Set(
    Array.from({ length: samples }, (_, i) =>
      Math.round(range.from + ((blocks - 1) * i) / (samples - 1)),
    ),
  )
  const sizes: number[] = []
  let fullest: Fields | undefined
  for (const place of places) {
    const block = fields(
      await node.call('eth_getBlockByNumber', [hex(place), given.whole]),
      `block ${place}`,
    )
    sizes.push(sizeOf(block))
    if (countOf(block) >= countOf(fullest)) fullest = block
  }
  const receiptBytes = await sizeOfReceipts(node, fullest)
  const mean = sizes.reduce((sum, size) => sum + size, 0) / sizes.length
  const headersAbove = Math.max(0, given.anchor - range.to)
  const hits = Math.min(blocks, Math.ceil(given.stored + blocks * perhaps))
  return {
    blocks,
    headersAbove,
    calls: headersAbove + blocks + hits,
    bytes: Math.round(headersAbove * 2_000 + blocks * mean + hits * receiptBytes),
  }
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

function hex(number: number): string {
  return `0x${number.toString(16)}`
}
