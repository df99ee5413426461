import type { Account } from '../../src/ledger/account.ts'
import { accountReference } from '../../src/ledger/account.ts'
import type { AssetId } from '../../src/ledger/asset.ts'
import type { ChainId } from '../../src/ledger/chain.ts'
import type { ConversionRecord } from '../../src/ledger/conversionRecord.ts'
import { KnownError } from '../../src/ledger/errors.ts'
import { nativeAsset } from '../../src/ledger/nativeCoins.ts'
import type { Kind, Transfer } from '../../src/ledger/transfer.ts'
import type { FirstAsked } from '../../src/store/workQueue.ts'
import type { Frame } from '../decode/frames.ts'
import { depositTopic, transferTopic, withdrawalTopic } from '../decode/tokenLog.ts'
import { callTracerFrames, parityFrames } from '../decode/traces.ts'
import { paymentsOfTransaction, transfersOfTransaction } from '../decode/transaction.ts'
import { firstLook } from './firstLook.ts'
import type { RpcNode, RpcRefusal } from './node.ts'
import { untouchedThrough } from './untouched.ts'
import {
  account,
  type Fields,
  fields,
  hash,
  invalidAnswer,
  list,
  quantity,
  wholeNumber,
} from './values.ts'

/** Which way the node can tell the calls inside transactions, best first. */
export type TraceMethod = 'trace_filter' | 'trace_block' | 'debug_traceBlock' | 'none'

/** What whole transactions moved, and what the pools in them paid to whom. */
export interface ReadTransactions {
  readonly transfers: readonly Transfer[]
  readonly payments: readonly ConversionRecord[]
}

/** Reads one wallet's transfers from one node, range by range. */
export interface ChainReader {
  readonly chain: ChainId
  readonly traces: TraceMethod
  /** Kinds that {@link ChainReader.read} finds completely. */
  readonly complete: readonly Kind[]
  head(): Promise<number>
  blockHash(number: number): Promise<string | undefined>
  /**
   * All transfers and pools' payments of every transaction that touches the wallet in these blocks.
   *
   * @param kinds - what is wanted, where the rest is known already; default all of {@link ChainReader.complete}.
   * @throws RpcRefusal when the range is too large for the node
   */
  read(
    wallet: Account,
    range: { readonly from: number; readonly to: number },
    kinds?: readonly Kind[],
  ): Promise<ReadTransactions>
  /** Block through which no native coin can have moved, by the state of the chain. Absent where that cannot be told. */
  untouchedThrough?(wallet: Account, head: number): Promise<number | undefined>
  /** What one transaction moved; undefined where the chain does not have it, or not yet. */
  readTransaction(tx: string): Promise<ReadTransactions | undefined>
  /** Asks cheaply how busy an address is, before its history is read. Absent where that cannot be told. */
  look?(wallet: Account): Promise<FirstAsked>
}

/** Transactions that are kept decoded: wallets under investigation deal with one another. */
const keptTransactions = 20_000

/** Blocks whose call trees are kept. */
const keptBlocks = 256

/** How many calls are under way at once. */
const together = 8

/**
 * Connects to a node: asks for its chain and tries which traces it has.
 *
 * @throws KnownError `rpc.*`
 */
export async function connectChain(
  node: RpcNode,
  isWrapped: (asset: AssetId) => boolean,
): Promise<ChainReader> {
  const chain =
    `eip155:${wholeNumber(await node.call('eth_chainId', []), 'the chain id')}` as ChainId
  const traces = await probeTraces(node)
  const reader = new NodeReader(node, chain, { traces, isWrapped })
  return {
    chain,
    traces,
    complete: completeKinds(traces),
    head: async () => wholeNumber(await node.call('eth_blockNumber', []), 'the head'),
    blockHash: (number) => reader.blockHash(number),
    read: (wallet, range, kinds) => reader.read(wallet, range, kinds),
    untouchedThrough: (wallet, head) => untouchedThrough(node, wallet, head),
    readTransaction: (tx) => reader.readTransaction(tx),
    look: (wallet) => firstLook(node, wallet),
  }
}

/** Withdrawals are in blocks, which are all read only where traces are not filtered. */
function completeKinds(traces: TraceMethod): Kind[] {
  if (traces === 'trace_filter') return ['native', 'internal', 'fee', 'token']
  if (traces === 'none') return ['native', 'fee', 'token', 'withdrawal']
  return ['native', 'internal', 'fee', 'token', 'withdrawal']
}

/** A method that the node does not have is refused at once; anything else means that it is there. */
async function probeTraces(node: RpcNode): Promise<TraceMethod> {
  const attempts: readonly (readonly [TraceMethod, string, readonly unknown[]])[] = [
    [
      'trace_filter',
      'trace_filter',
      [{ fromBlock: '0x0', toBlock: '0x0', fromAddress: [`0x${'0'.repeat(39)}1`] }],
    ],
    ['trace_block', 'trace_block', ['0x0']],
    ['debug_traceBlock', 'debug_traceBlockByNumber', ['0x1', { tracer: 'callTracer' }]],
  ]
  for (const [name, method, params] of attempts) {
    try {
      if (Array.isArray(await node.call(method, params))) return name
    } catch (error) {
      if (!(error instanceof KnownError) || error.code === 'rpc.unavailable') throw error
    }
  }
  return 'none'
}

interface BlockHead {
  readonly number: number
  readonly hash: string
  readonly time: number
  readonly transactions: readonly Fields[]
  readonly withdrawals: readonly Fields[]
}

class NodeReader {
  readonly #node: RpcNode
  readonly #chain: ChainId
  readonly #traces: TraceMethod
  readonly #isWrapped: (asset: AssetId) => boolean
  /** By block hash and transaction, so that a reorganised block is read again. */
  readonly #decoded = new Map<string, ReadTransactions>()
  /** Call trees of whole blocks by block hash: a block is traced once for all wallets. */
  readonly #frames = new Map<string, Map<string, Frame[]>>()

  constructor(
    node: RpcNode,
    chain: ChainId,
    options: { readonly traces: TraceMethod; readonly isWrapped: (asset: AssetId) => boolean },
  ) {
    this.#node = node
    this.#chain = chain
    this.#traces = options.traces
    this.#isWrapped = options.isWrapped
  }

  async blockHash(number: number): Promise<string | undefined> {
    const block = await this.#node.call('eth_getBlockByNumber', [hex(number), false])
    return block === null ? undefined : hash(fields(block, 'a block')['hash'], 'a block hash')
  }

  async read(
    wallet: Account,
    range: { readonly from: number; readonly to: number },
    kinds?: readonly Kind[],
  ): Promise<ReadTransactions> {
    const touched = new Map<number, Set<string>>()
    const touch = (block: number, tx: string): void => {
      touched.set(block, (touched.get(block) ?? new Set<string>()).add(tx))
    }
    await this.#touchedByLogs(wallet, range, touch)
    const blocks = new Map<number, BlockHead>()
    const rewards: Transfer[] = []
    const onlyTokens = kinds?.every((kind) => kind === 'token') ?? false
    if (this.#traces === 'trace_filter' && !onlyTokens)
      await this.#touchedByFilter(wallet, range, touch)
    else if (!onlyTokens) {
      for await (const block of this.#allBlocks(range)) {
        blocks.set(block.number, block)
        await this.#touchedInBlock(wallet, block, touch)
        rewards.push(...withdrawalsTo(wallet, block, this.#chain))
        if (!touched.has(block.number)) blocks.delete(block.number)
      }
    }
    const found = await inParallel(
      [...touched].sort(([a], [b]) => a - b),
      async ([number, transactions]) => {
        const block = blocks.get(number) ?? (await this.#block(number))
        return this.#transactionsOf(block, transactions)
      },
    )
    const all = found.flat()
    return {
      transfers: [...all.flatMap(({ transfers }) => transfers), ...rewards],
      payments: all.flatMap(({ payments }) => payments),
    }
  }

  async readTransaction(tx: string): Promise<ReadTransactions | undefined> {
    const found = await this.#node.call('eth_getTransactionByHash', [tx])
    if (found === null || found === undefined) return undefined
    const number = fields(found, 'a transaction')['blockNumber']
    if (number === null || number === undefined) return undefined
    const block = await this.#block(wholeNumber(number, 'the block of a transaction'))
    return (await this.#transactionsOf(block, new Set([tx])))[0]
  }

  async #touchedByLogs(
    wallet: Account,
    range: { readonly from: number; readonly to: number },
    touch: (block: number, tx: string) => void,
  ): Promise<void> {
    const padded = `0x${accountReference(wallet).slice(2).padStart(64, '0')}`
    const between = { fromBlock: hex(range.from), toBlock: hex(range.to) }
    // No single filter matches a wallet in either position.
    const filters = [
      [transferTopic, padded],
      [transferTopic, null, padded],
      [[depositTopic, withdrawalTopic], padded],
    ]
    for (const topics of filters) {
      const logs = list(await this.#node.call('eth_getLogs', [{ ...between, topics }]), 'the logs')
      for (const item of logs) {
        const log = fields(item, 'a log')
        const block = wholeNumber(log['blockNumber'], 'the block of a log')
        if (block < range.from || block > range.to)
          throw invalidAnswer(`a log of block ${block} was not asked for`)
        touch(block, hash(log['transactionHash'], 'the transaction of a log'))
      }
    }
  }

  async #touchedByFilter(
    wallet: Account,
    range: { readonly from: number; readonly to: number },
    touch: (block: number, tx: string) => void,
  ): Promise<void> {
    const address = [accountReference(wallet)]
    const between = { fromBlock: hex(range.from), toBlock: hex(range.to) }
    for (const side of [{ fromAddress: address }, { toAddress: address }]) {
      const traces = list(
        await this.#node.call('trace_filter', [{ ...between, ...side }]),
        'the traces',
      )
      for (const item of traces) {
        const trace = fields(item, 'a trace')
        if (trace['transactionHash'] === null || trace['transactionHash'] === undefined) continue
        const block = trace['blockNumber']
        const number =
          typeof block === 'number' ? block : wholeNumber(block, 'the block of a trace')
        touch(number, hash(trace['transactionHash'], 'the transaction of a trace'))
      }
    }
  }

  async *#allBlocks(range: {
    readonly from: number
    readonly to: number
  }): AsyncGenerator<BlockHead> {
    for (let start = range.from; start <= range.to; start += together) {
      const end = Math.min(start + together - 1, range.to)
      const numbers = Array.from({ length: end - start + 1 }, (_, i) => start + i)
      yield* await Promise.all(numbers.map((number) => this.#block(number)))
    }
  }

  async #touchedInBlock(
    wallet: Account,
    block: BlockHead,
    touch: (block: number, tx: string) => void,
  ): Promise<void> {
    const reference = accountReference(wallet)
    const involved = (value: unknown): boolean =>
      typeof value === 'string' && value.toLowerCase() === reference
    for (const transaction of block.transactions) {
      if (involved(transaction['from']) || involved(transaction['to']))
        touch(block.number, hash(transaction['hash'], 'a transaction'))
    }
    if (this.#traces === 'none' || block.transactions.length === 0) return
    for (const [tx, frames] of await this.#blockFrames(block)) {
      if (frames.some((frame) => frame.from === wallet || frame.to === wallet))
        touch(block.number, tx)
    }
  }

  async #blockFrames(block: BlockHead): Promise<Map<string, Frame[]>> {
    const known = this.#frames.get(block.hash)
    if (known) return known
    const made = await this.#traceBlock(block)
    if (this.#frames.size >= keptBlocks) this.#frames.delete(this.#frames.keys().next().value ?? '')
    this.#frames.set(block.hash, made)
    return made
  }

  async #traceBlock(block: BlockHead): Promise<Map<string, Frame[]>> {
    if (this.#traces === 'trace_block') {
      const grouped = new Map<string, unknown[]>()
      for (const item of list(
        await this.#node.call('trace_block', [hex(block.number)]),
        'the traces',
      )) {
        const tx = fields(item, 'a trace')['transactionHash']
        if (typeof tx === 'string') grouped.set(tx, [...(grouped.get(tx) ?? []), item])
      }
      return new Map([...grouped].map(([tx, traces]) => [tx, parityFrames(traces, this.#chain)]))
    }
    const results = list(
      await this.#node.call('debug_traceBlockByNumber', [
        hex(block.number),
        { tracer: 'callTracer' },
      ]),
      'the traces',
    )
    if (results.length !== block.transactions.length)
      throw invalidAnswer(`block ${block.number} has another number of traces than transactions`)
    return new Map(
      results.map((item, i) => [
        hash(block.transactions[i]?.['hash'], 'a transaction'),
        callTracerFrames(fields(item, 'a trace')['result'], this.#chain),
      ]),
    )
  }

  async #block(number: number): Promise<BlockHead> {
    const block = fields(
      await this.#node.call('eth_getBlockByNumber', [hex(number), true]),
      `block ${number}`,
    )
    if (wholeNumber(block['number'], 'a block number') !== number)
      throw invalidAnswer(`block ${number} came with another number`)
    const withdrawals =
      block['withdrawals'] === undefined || block['withdrawals'] === null
        ? []
        : list(block['withdrawals'], 'withdrawals')
    return {
      number,
      hash: hash(block['hash'], 'a block hash'),
      time: wholeNumber(block['timestamp'], 'a block time'),
      transactions: list(block['transactions'], 'the transactions').map((item) =>
        fields(item, 'a transaction'),
      ),
      withdrawals: withdrawals.map((item) => fields(item, 'a withdrawal')),
    }
  }

  async #transactionsOf(
    block: BlockHead,
    transactions: ReadonlySet<string>,
  ): Promise<ReadTransactions[]> {
    const known = new Map(
      block.transactions.map((transaction) => [
        hash(transaction['hash'], 'a transaction'),
        transaction,
      ]),
    )
    const all: ReadTransactions[] = []
    for (const tx of transactions) {
      const key = `${block.hash} ${tx}`
      const decoded = this.#decoded.get(key)
      if (decoded) {
        all.push(decoded)
        continue
      }
      const transaction = known.get(tx)
      if (!transaction) throw invalidAnswer(`block ${block.number} does not have transaction ${tx}`)
      const receipt = fields(
        await this.#node.call('eth_getTransactionReceipt', [tx]),
        `the receipt of ${tx}`,
      )
      const frames = this.#frames.get(block.hash)?.get(tx) ?? (await this.#framesOf(tx))
      const transfers = transfersOfTransaction(
        { block, transaction, receipt, ...(frames === undefined ? {} : { frames }) },
        this.#chain,
        this.#isWrapped,
      )
      const payments = paymentsOfTransaction(receipt, this.#chain, transfers)
      const made = { transfers, payments }
      if (this.#decoded.size >= keptTransactions)
        this.#decoded.delete(this.#decoded.keys().next().value ?? '')
      this.#decoded.set(key, made)
      all.push(made)
    }
    return all
  }

  async #framesOf(tx: string): Promise<Frame[] | undefined> {
    if (this.#traces === 'none') return undefined
    if (this.#traces === 'debug_traceBlock') {
      return callTracerFrames(
        await this.#node.call('debug_traceTransaction', [tx, { tracer: 'callTracer' }]),
        this.#chain,
      )
    }
    return parityFrames(
      list(await this.#node.call('trace_transaction', [tx]), 'the traces'),
      this.#chain,
    )
  }
}

function withdrawalsTo(wallet: Account, block: BlockHead, chain: ChainId): Transfer[] {
  return block.withdrawals.flatMap((withdrawal) => {
    const to = account(withdrawal['address'], chain, 'the receiver of a withdrawal')
    if (to !== wallet) return []
    const index = quantity(withdrawal['index'], 'the index of a withdrawal')
    const amount = quantity(withdrawal['amount'], 'the amount of a withdrawal') * 1_000_000_000n
    const place = {
      chain,
      block: block.number,
      blockHash: block.hash,
      time: block.time,
      tx: `withdrawal:${index}`,
    }
    return [
      {
        ...place,
        kind: 'withdrawal' as const,
        position: 0,
        asset: nativeAsset(chain),
        to,
        amount,
        flags: [],
      },
    ]
  })
}

function hex(number: number): string {
  return `0x${number.toString(16)}`
}

async function inParallel<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (let start = 0; start < items.length; start += together) {
    results.push(...(await Promise.all(items.slice(start, start + together).map(work))))
  }
  return results
}

/** The range that a node says it would take, from the usual words of refusals; undefined when it says none. */
export function suggestedRange(error: RpcRefusal): number | undefined {
  const match =
    /(?:limited to|limit of|max(?:imum)?(?: block range)?(?: is set to)?|up to a?|exceeds limit of)[^0-9]{0,20}([\d,]{1,9})/i.exec(
      error.message,
    )
  const blocks = match ? Number(match[1]?.replaceAll(',', '')) : Number.NaN
  return blocks >= 1 ? blocks : undefined
}
