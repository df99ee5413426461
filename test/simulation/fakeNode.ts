import { transferTopic } from '../../ingest/decode/tokenLog.ts'
import type { Block, FakeChain, Payment } from './fakeChain.ts'
import { fee } from './fakeChain.ts'

/** What a node of the simulated chain offers. */
export interface NodeKind {
  readonly traces: 'trace_filter' | 'trace_block' | 'none'
  readonly hasFinalized: boolean
  /** Whether it still gives blocks that left the chain. */
  readonly keepsOrphans: boolean
  /** Most blocks in one question for logs or traces. */
  readonly mostBlocks: number
}

/** The chain as a node sees it. */
export interface Sight {
  readonly blocks: readonly Block[]
  readonly final: number
}

/** A refusal of the node. */
export class Refused extends Error {
  readonly code: number

  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

const hex = (value: number | bigint): string => `0x${value.toString(16)}`
const word = (address: string): string => `0x${address.slice(2).padStart(64, '0')}`

/** Answers as an honest node does. */
export function answerOf(
  {
    chain,
    kind,
    sight,
  }: { readonly chain: FakeChain; readonly kind: NodeKind; readonly sight: Sight },
  method: string,
  params: readonly unknown[],
): unknown {
  const { blocks } = sight
  const [first] = params
  switch (method) {
    case 'eth_chainId':
      return '0x7a69'
    case 'eth_blockNumber':
      return hex(blocks.length - 1)
    case 'eth_getBlockByNumber':
      return blockView(blockByTag(sight, kind, String(first)), params[1] === true)
    case 'eth_getBlockByHash':
      return blockView(blockByHash(chain, kind, sight, String(first)), params[1] === true)
    case 'eth_getTransactionReceipt':
      return receiptOf(blocks, String(first))
    case 'eth_getBlockReceipts': {
      const block = blockByTag(sight, kind, String(first))
      return block ? block.payments.map((_, i) => receiptView(block, i)) : null
    }
    case 'eth_getLogs':
      return logsOf(blocks, kind, first as Filter)
    default:
      return tracesOf(blocks, kind, method, first)
  }
}

function blockByTag(sight: Sight, kind: NodeKind, tag: string): Block | undefined {
  if (tag === 'latest') return sight.blocks.at(-1)
  if (tag === 'finalized' || tag === 'safe') {
    if (!kind.hasFinalized) throw new Refused(-32602, `invalid block tag ${tag}`)
    return sight.blocks[sight.final]
  }
  return sight.blocks[Number(tag)]
}

function blockByHash(
  chain: FakeChain,
  kind: NodeKind,
  { blocks }: Sight,
  hash: string,
): Block | undefined {
  const block = chain.byHash(hash)
  if (!block) return undefined
  return kind.keepsOrphans || blocks[block.number] === block ? block : undefined
}

function blockView(block: Block | undefined, whole: boolean): unknown {
  if (!block) return null
  return {
    number: hex(block.number),
    hash: block.hash,
    parentHash: block.parentHash,
    timestamp: hex(block.time),
    transactions: block.payments.map((payment, i) =>
      whole ? transactionView(block, payment, i) : payment.hash,
    ),
  }
}

function transactionView(block: Block, payment: Payment, index: number): unknown {
  return {
    hash: payment.hash,
    blockHash: block.hash,
    blockNumber: hex(block.number),
    transactionIndex: hex(index),
    from: payment.from,
    to: payment.to,
    value: hex(payment.value),
    gasPrice: '0x1',
  }
}

function receiptOf(blocks: readonly Block[], tx: string): unknown {
  for (const block of blocks) {
    const index = block.payments.findIndex(({ hash }) => hash === tx)
    if (index >= 0) return receiptView(block, index)
  }
  return null
}

function receiptView(block: Block, index: number): unknown {
  const payment = block.payments[index] as Payment
  return {
    transactionHash: payment.hash,
    transactionIndex: hex(index),
    blockHash: block.hash,
    blockNumber: hex(block.number),
    from: payment.from,
    to: payment.to,
    contractAddress: null,
    status: payment.failed ? '0x0' : '0x1',
    gasUsed: hex(fee),
    effectiveGasPrice: '0x1',
    logs: logsIn(block).filter(({ transactionHash }) => transactionHash === payment.hash),
  }
}

interface Log {
  readonly address: string
  readonly topics: readonly string[]
  readonly data: string
  readonly blockNumber: string
  readonly blockHash: string
  readonly transactionHash: string
  readonly transactionIndex: string
  readonly logIndex: string
  readonly removed: false
}

/** Address of the one token, the same on every simulated chain. */
export const tokenAddress = `0x${'70'.repeat(20)}`

function logsIn(block: Block): Log[] {
  let index = 0
  return block.payments.flatMap((payment, i) =>
    (payment.failed ? [] : payment.tokens).map(({ from, to, amount }) => ({
      address: tokenAddress,
      topics: [transferTopic, word(from), word(to)],
      data: `0x${amount.toString(16).padStart(64, '0')}`,
      blockNumber: hex(block.number),
      blockHash: block.hash,
      transactionHash: payment.hash,
      transactionIndex: hex(i),
      logIndex: hex(index++),
      removed: false as const,
    })),
  )
}

interface Filter {
  readonly fromBlock?: string
  readonly toBlock?: string
  readonly topics?: readonly (null | string | readonly string[])[]
  readonly fromAddress?: readonly string[]
  readonly toAddress?: readonly string[]
}

function inRange(blocks: readonly Block[], kind: NodeKind, filter: Filter): readonly Block[] {
  const [from, to] = [Number(filter.fromBlock), Number(filter.toBlock)]
  if (to - from + 1 > kind.mostBlocks)
    throw new Refused(-32602, `query exceeds max block range ${kind.mostBlocks}`)
  // A node that is behind says nothing about it: what is above its head it does not have.
  return blocks.slice(from, to + 1)
}

function logsOf(blocks: readonly Block[], kind: NodeKind, filter: Filter): Log[] {
  const matches = (log: Log): boolean =>
    (filter.topics ?? []).every((wanted, i) => {
      if (wanted === null) return true
      const topic = log.topics[i]
      return topic !== undefined && (Array.isArray(wanted) ? wanted : [wanted]).includes(topic)
    })
  return inRange(blocks, kind, filter).flatMap(logsIn).filter(matches)
}

interface Trace {
  readonly action: { readonly from: string; readonly to: string }
  readonly transactionHash: string
}

function tracesIn(block: Block): Trace[] {
  return block.payments.flatMap((payment, i) => {
    const frames = [payment, ...payment.calls]
    return frames.map(({ from, to, value }, depth) => ({
      type: 'call',
      action: { callType: 'call', from, to, value: hex(value) },
      traceAddress: depth === 0 ? [] : [depth - 1],
      subtraces: depth === 0 ? payment.calls.length : 0,
      ...(depth === 0 && payment.failed ? { error: 'Reverted' } : { result: {} }),
      transactionHash: payment.hash,
      transactionPosition: i,
      blockNumber: block.number,
      blockHash: block.hash,
    }))
  })
}

function tracesOf(
  blocks: readonly Block[],
  kind: NodeKind,
  method: string,
  first: unknown,
): unknown {
  if (method === 'trace_filter' && kind.traces === 'trace_filter') {
    const filter = first as Filter
    const among = (wanted: readonly string[] | undefined, address: string): boolean =>
      wanted === undefined || wanted.includes(address)
    return inRange(blocks, kind, filter)
      .flatMap(tracesIn)
      .filter(
        ({ action }) =>
          among(filter.fromAddress, action.from) && among(filter.toAddress, action.to),
      )
  }
  if (kind.traces === 'none' || (method !== 'trace_block' && method !== 'trace_transaction'))
    throw new Refused(-32601, `the method ${method} does not exist`)
  if (method === 'trace_block') {
    const block = blocks[Number(first)]
    return block ? tracesIn(block) : null
  }
  const block = blocks.find(({ payments }) => payments.some(({ hash }) => hash === first))
  return block ? tracesIn(block).filter(({ transactionHash }) => transactionHash === first) : null
}
