import { createHash } from 'node:crypto'
import { transferTopic } from '../../ingest/decode/tokenLog.ts'
import type { AskedCall } from './scriptedRpc.ts'

/** What a node that only simulates a chain takes at once. */
export interface NodeLimits {
  readonly blocks: number
  readonly results: number
  readonly wordsForBlocks: string
}

export interface SimulatedChain {
  /** Plain address in lower case. */
  readonly wallet: string
  /** Token transfers of the wallet: `block:log index`, in order. */
  readonly truth: readonly string[]
  answer(call: AskedCall): { readonly result: unknown } | { readonly error: object }
}

export interface ChainShape {
  readonly head: number
  /** Transactions that pay the wallet: the block of each, and how many logs it has. */
  readonly payments: readonly { readonly block: number; readonly logs: number }[]
  readonly limits: NodeLimits
}

const token = `0x${'70'.repeat(20)}`
const payer = `0x${'ee'.repeat(20)}`
const wallet = `0x${'aa'.repeat(20)}`
const padded = (address: string): string => `0x${address.slice(2).padStart(64, '0')}`
const hex = (n: number): string => `0x${n.toString(16)}`
const hashOf = (what: string): string => `0x${createHash('sha256').update(what).digest('hex')}`

/** A chain of millions of blocks in which one wallet is paid now and then, and a node that tells it by trace_filter. */
export function createSimulatedChain({ head, payments, limits }: ChainShape): SimulatedChain {
  const logsOf = new Map(payments.map(({ block, logs }) => [block, logs]))
  const blocks = [...logsOf.keys()].sort((a, b) => a - b)
  const refused = (message: string): { error: object } => ({ error: { code: -32_602, message } })
  const log = (block: number, index: number): object => ({
    address: token,
    topics: [transferTopic, padded(payer), padded(wallet)],
    data: `0x${hex(index + 1)
      .slice(2)
      .padStart(64, '0')}`,
    blockNumber: hex(block),
    blockHash: hashOf(`block ${block}`),
    transactionHash: hashOf(`transaction ${block}`),
    transactionIndex: '0x0',
    logIndex: hex(index),
    removed: false,
  })
  const logs = (block: number): object[] =>
    Array.from({ length: logsOf.get(block) ?? 0 }, (_, i) => log(block, i))
  const call = (block: number): object => ({
    action: { from: payer, to: token, value: '0x0', callType: 'call', gas: '0x1', input: '0x' },
    blockHash: hashOf(`block ${block}`),
    blockNumber: block,
    subtraces: 0,
    traceAddress: [],
    transactionHash: hashOf(`transaction ${block}`),
    type: 'call',
    result: {},
  })
  const numberOf = new Map(blocks.map((block) => [hashOf(`transaction ${block}`), block]))

  function overRange(
    { fromBlock, toBlock }: { readonly fromBlock: string; readonly toBlock: string },
    items: () => unknown[],
  ): { result: unknown } | { error: object } {
    if (Number(toBlock) > head) return refused('BlockOutOfRangeError')
    if (Number(toBlock) - Number(fromBlock) + 1 > limits.blocks)
      return refused(limits.wordsForBlocks)
    const found = items()
    return found.length > limits.results
      ? refused(`query returned more than ${limits.results} results`)
      : { result: found }
  }

  function between(fromBlock: string, toBlock: string): number[] {
    return blocks.slice(
      firstAtLeast(blocks, Number(fromBlock)),
      firstAtLeast(blocks, Number(toBlock) + 1),
    )
  }

  const methods: Readonly<
    Record<string, (params: readonly never[]) => { result: unknown } | { error: object }>
  > = {
    eth_chainId: () => ({ result: '0x1' }),
    eth_blockNumber: () => ({ result: hex(head) }),
    eth_getLogs: ([filter]) => {
      const { fromBlock, toBlock, topics } = filter as unknown as Filter
      const paysWallet = topics.length === 3
      return overRange({ fromBlock, toBlock }, () =>
        paysWallet ? between(fromBlock, toBlock).flatMap(logs) : [],
      )
    },
    trace_filter: ([filter]) => {
      const { fromBlock, toBlock } = filter as unknown as Filter
      // The wallet takes no part in the calls themselves.
      return overRange({ fromBlock, toBlock }, () => [])
    },
    eth_getBlockByNumber: ([given]) => {
      const number = Number(given)
      if (number > head) return { result: null }
      const transaction = {
        hash: hashOf(`transaction ${number}`),
        blockHash: hashOf(`block ${number}`),
        blockNumber: hex(number),
        transactionIndex: '0x0',
        from: payer,
        to: token,
        value: '0x0',
        gasPrice: '0x1',
      }
      return {
        result: {
          number: hex(number),
          hash: hashOf(`block ${number}`),
          parentHash: hashOf(`block ${number - 1}`),
          timestamp: hex(1_600_000_000 + number * 12),
          transactions: logsOf.has(number) ? [transaction] : [],
        },
      }
    },
    eth_getTransactionReceipt: ([tx]) => {
      const number = numberOf.get(tx as unknown as string) ?? -1
      return {
        result: {
          transactionHash: tx,
          blockHash: hashOf(`block ${number}`),
          status: '0x1',
          gasUsed: '0x1',
          effectiveGasPrice: '0x1',
          logs: logs(number),
        },
      }
    },
    trace_transaction: ([tx]) => ({
      result: [call(numberOf.get(tx as unknown as string) ?? -1)],
    }),
  }
  return {
    wallet,
    truth: blocks.flatMap((block) =>
      Array.from({ length: logsOf.get(block) ?? 0 }, (_, i) => `${block}:${i}`),
    ),
    answer: ({ method, params }) =>
      methods[method]?.(params as never[]) ?? {
        error: { code: -32_601, message: 'method not found' },
      },
  }
}

interface Filter {
  readonly fromBlock: string
  readonly toBlock: string
  readonly topics: readonly unknown[]
}

function firstAtLeast(sorted: readonly number[], value: number): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] ?? 0) < value) low = middle + 1
    else high = middle
  }
  return low
}
