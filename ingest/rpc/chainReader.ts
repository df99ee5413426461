import type { Account } from '../../src/ledger/account.ts'
import type { AssetId } from '../../src/ledger/asset.ts'
import type { ChainId } from '../../src/ledger/chain.ts'
import type { ConversionRecord } from '../../src/ledger/conversionRecord.ts'
import { type FreezeReading, freezesThrough } from '../../src/ledger/freezes.ts'
import { freezableTokens } from '../../src/ledger/issuers.ts'
import { nativeAsset } from '../../src/ledger/nativeCoins.ts'
import type { Assurance } from '../../src/ledger/reconcile.ts'
import type { Kind, Transfer } from '../../src/ledger/transfer.ts'
import type { FirstAsked } from '../../src/store/workQueue.ts'
import type { Frame } from '../decode/frames.ts'
import { callTracer, callTracerFrames } from '../decode/traces.ts'
import { paymentsOfTransaction, transfersOfTransaction } from '../decode/transaction.ts'
import {
  type BlockHead,
  Contradiction,
  checkedBlock,
  checkedReceipt,
  isBehind,
  type Sighting,
} from './checkedAnswers.ts'
import { type Clock, wallClock } from './clock.ts'
import { type ContractReader, createContractReader } from './contracts.ts'
import { firstLook } from './firstLook.ts'
import { inTurns, mapInTurns } from './inTurns.ts'
import { issuerReader } from './issuerLogs.ts'
import { callAll, type RpcCall, type RpcNode, RpcRefusal } from './node.ts'
import {
  callsOfTransaction,
  callTracerBlockFrames,
  parityBlockFrames,
  parityTransactionFrames,
  probeTraces,
  type TraceMethod,
} from './traceMethods.ts'
import { untouchedThrough } from './untouched.ts'
import { account, fields, hash, hex, invalidAnswer, quantity, wholeNumber } from './values.ts'
import { createSightings, type Sightings } from './walletSightings.ts'
import { type BlockRange, createWindows, type KnownWindow, type Windows } from './windows.ts'

/** What whole transactions moved, and what the pools in them paid to whom. */
export interface ReadTransactions {
  readonly transfers: readonly Transfer[]
  readonly payments: readonly ConversionRecord[]
  /** What issuers of freezable tokens did in these blocks, to anybody. */
  readonly freezes?: FreezeReading
  /** Last block that was read, where the range held more than is read at once; else all of the range was. */
  readonly through?: number
  /** Who read it, where several sources stand behind one reader. */
  readonly by?: Pick<ChainReader, 'name' | 'assurance' | 'complete'>
}

/** Reads wallets' transfers from one source, range by range. */
export interface ChainReader {
  readonly chain: ChainId
  /** Name of the endpoint without its secrets: the source of what it reads. */
  readonly name: string
  /** How well what it reads is proven: 1 for a node, 0 for an explorer. */
  readonly assurance: Assurance
  /** Kinds that {@link ChainReader.read} finds completely. */
  readonly complete: readonly Kind[]
  /** Blocks to ask for at once; absent: as the worker sees fit. */
  readonly blocksAtOnce?: number
  /** Absent where the source knows transfers only. */
  readonly contracts?: ContractReader | undefined
  head(): Promise<number>
  /** The last block that the chain will not undo; undefined where the source does not say. */
  finalized(): Promise<number | undefined>
  blockHash(number: number): Promise<string | undefined>
  /**
   * The hash of the block before the one of this hash, also when that one has left the chain; undefined if unknown. Absent
   * where a source has no blocks by hash.
   */
  readonly parentHash?: (hash: string) => Promise<string | undefined>
  /**
   * All transfers and pools' payments of every transaction that touches one of the wallets in these blocks. No range
   * is too large: it is cut to what the source takes.
   *
   * @param kinds - what is wanted, where the rest is known already; default all of {@link ChainReader.complete}.
   * @throws KnownError `rpc.*`
   */
  read(
    wallets: readonly Account[],
    range: BlockRange,
    kinds?: readonly Kind[],
  ): Promise<ReadTransactions>
  /** Block through which no native coin can have moved, by the state of the chain. Absent where that cannot be told. */
  untouchedThrough?(wallet: Account, head: number): Promise<number | undefined>
  /** What one transaction moved; undefined where the chain does not have it, or not yet. Absent: cannot be asked. */
  readTransaction?(tx: string): Promise<ReadTransactions | undefined>
  /** Asks cheaply how busy an address is, before its history is read. Absent where that cannot be told. */
  look?(wallet: Account): Promise<FirstAsked | undefined>
}

/** A reader of a node. */
export interface NodeReader extends ChainReader {
  readonly traces: TraceMethod
  /** For questions about states, such as balances. */
  readonly node: Pick<RpcNode, 'name' | 'call'>
  /** What it learned about the endpoint's windows. */
  windows(): Readonly<Record<string, KnownWindow>>
}

/** Transactions that are kept decoded: wallets under investigation deal with one another. */
const keptTransactions = 20_000

/** Blocks whose call trees are kept. */
const keptBlocks = 256

/** How many blocks are under way at once, where the node does not say. */
const together = 8

/** A reading stops after the block that fills so many transactions: what is read is held in memory, then stored. */
const mostTransactions = 5_000

/** Blocks so far below the head are on every backend, where the node does not say what is final. */
const settledDepth = 256

export interface ReaderOptions {
  /** Tokens whose issuer can freeze and destroy; default those of the shipped table. */
  readonly freezable?: ReadonlySet<AssetId>
  readonly clock?: Clock
  /** What is known about the endpoint's windows on the chain that it serves. */
  readonly windows?: (chain: ChainId) => Readonly<Record<string, KnownWindow>> | undefined
}

/**
 * Connects to a node: asks for its chain and tries which traces it has.
 *
 * @throws KnownError `rpc.*`
 */
export async function connectChain(
  node: RpcNode,
  isWrapped: (asset: AssetId) => boolean,
  options: ReaderOptions = {},
): Promise<NodeReader> {
  const chain =
    `eip155:${wholeNumber(await node.call('eth_chainId', []), 'the chain id')}` as ChainId
  const windows = createWindows({
    clock: options.clock ?? wallClock,
    known: options.windows?.(chain) ?? {},
    // Two questions are asked side by side.
    atOnce: () => Math.max(1, Math.ceil((node.atOnce ?? together) / 2)),
  })
  const reader = new BlockReader({
    node,
    chain,
    isWrapped,
    freezable: options.freezable ?? freezableTokens,
    windows,
    traces: await probeTraces(node),
  })
  return {
    chain,
    node,
    name: node.name,
    assurance: 1,
    get traces() {
      return reader.traces
    },
    get complete() {
      return completeKinds(reader.traces)
    },
    contracts: createContractReader(node),
    windows: () => windows.known(),
    head: () => reader.head(),
    finalized: () => reader.finalized(),
    blockHash: (number) => reader.blockHash(number),
    parentHash: (hash) => reader.parentHash(hash),
    read: (wallets, range, kinds) => reader.readAgain(wallets, range, kinds),
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

interface BlockReaderOptions {
  readonly node: RpcNode
  readonly chain: ChainId
  readonly isWrapped: (asset: AssetId) => boolean
  readonly freezable: ReadonlySet<AssetId>
  readonly windows: Windows
  readonly traces: TraceMethod
}

/** Where wallets were seen: by block, by transaction. */
class Touched {
  readonly blocks = new Map<number, Map<string, Sighting[]>>()

  add(sighting: Sighting): void {
    const block = this.blocks.get(sighting.block) ?? new Map<string, Sighting[]>()
    this.blocks.set(sighting.block, block)
    block.set(sighting.tx, [...(block.get(sighting.tx) ?? []), sighting])
  }

  /** In the order of blocks. */
  sorted(): (readonly [number, ReadonlyMap<string, readonly Sighting[]>])[] {
    return [...this.blocks].sort(([a], [b]) => a - b)
  }
}

class BlockReader {
  traces: TraceMethod
  readonly #node: RpcNode
  readonly #chain: ChainId
  readonly #isWrapped: (asset: AssetId) => boolean
  readonly #freezable: ReadonlySet<AssetId>
  readonly #issuers: (range: BlockRange) => Promise<FreezeReading>
  readonly #sightings: Sightings
  #settled = -1
  /** By block hash and transaction, so that a reorganised block is read again. */
  readonly #decoded = new Map<string, ReadTransactions>()
  /** Call trees of whole blocks by block hash: a block is traced once for all wallets. */
  readonly #frames = new Map<string, Map<string, Frame[]>>()

  constructor({ node, chain, isWrapped, freezable, windows, traces }: BlockReaderOptions) {
    this.#node = node
    this.#chain = chain
    this.traces = traces
    this.#isWrapped = isWrapped
    this.#freezable = freezable
    this.#issuers = issuerReader({
      chain,
      freezable,
      windows,
      ask: (method, window, filter) => this.#sightings.answerOver(method, window, filter),
    })
    this.#sightings = createSightings({ node, windows, settled: () => this.#settled })
  }

  async head(): Promise<number> {
    const head = wholeNumber(await this.#node.call('eth_blockNumber', []), 'the head')
    this.#settled = Math.max(this.#settled, head - settledDepth)
    return head
  }

  /** `finalized`, or `safe` where there is no such tag. */
  async finalized(): Promise<number | undefined> {
    for (const tag of ['finalized', 'safe']) {
      const block = await orRefused(this.#node.call('eth_getBlockByNumber', [tag, false]))
      if (typeof block === 'object' && block !== null)
        return wholeNumber(fields(block, 'a block')['number'], 'a block number')
    }
    return undefined
  }

  async blockHash(number: number): Promise<string | undefined> {
    const block = await this.#node.call('eth_getBlockByNumber', [hex(number), false])
    if (block === null) return undefined
    const given = fields(block, 'a block')
    if (wholeNumber(given['number'], 'a block number') !== number)
      throw invalidAnswer(`block ${number} came with another number`)
    return hash(given['hash'], 'a block hash')
  }

  async parentHash(of: string): Promise<string | undefined> {
    const block = await orRefused(this.#node.call('eth_getBlockByHash', [of, false]))
    if (typeof block !== 'object' || block === null) return undefined
    const told = fields(block, 'a block')
    if (hash(told['hash'], 'a block hash') !== of)
      throw invalidAnswer(`block ${of} came with another hash`)
    return hash(told['parentHash'], 'a block hash')
  }

  /** Once more where the node contradicted itself, or lacks a method that it had. */
  async readAgain(
    wallets: readonly Account[],
    range: BlockRange,
    kinds?: readonly Kind[],
  ): Promise<ReadTransactions> {
    try {
      return await this.read(wallets, range, kinds)
    } catch (error) {
      const isGone = error instanceof RpcRefusal && error.kind === 'missing'
      if (!isGone && !(error instanceof Contradiction)) throw error
      if (isGone) {
        const before = this.traces
        this.traces = await probeTraces(this.#node)
        if (this.traces === before) throw error
      }
      return this.read(wallets, range, kinds)
    }
  }

  async read(
    wallets: readonly Account[],
    range: BlockRange,
    kinds?: readonly Kind[],
  ): Promise<ReadTransactions> {
    const own = new Set(wallets)
    const touched = new Touched()
    const blocks = new Map<number, BlockHead>()
    const rewards: Transfer[] = []
    const [byLogs, byIssuers] = [this.#sightings.byLogs(wallets, range), this.#issuers(range)]
    byIssuers.catch(() => undefined)
    // Token logs alone find tokens: blocks and calls need not be gone through.
    const onlyTokens = kinds?.every((kind) => kind === 'token') ?? false
    if (onlyTokens) for (const sighting of await byLogs) touched.add(sighting)
    else if (this.traces === 'trace_filter') {
      const found = await Promise.all([byLogs, this.#sightings.byTraces(wallets, range)])
      for (const sighting of found.flat()) touched.add(sighting)
    } else {
      const scan = this.#eachBlock(range, (block, frames) => {
        for (const tx of this.#touchedIn(own, block, frames))
          touched.add({ block: block.number, blockHash: block.hash, tx })
        rewards.push(...withdrawalsTo(own, block, this.#chain))
        if (touched.blocks.has(block.number)) blocks.set(block.number, block)
      })
      const [found] = await Promise.all([byLogs, scan])
      for (const sighting of found) touched.add(sighting)
    }
    const freezes = await byIssuers
    for (const { account: holder, block, tx } of freezes.events)
      if (own.has(holder)) touched.add({ block, tx, blockHash: undefined })
    const [now, through] = upToMost(touched.sorted())
    const all = await this.#readTransactions(now, blocks)
    const isRead = ({ block }: Transfer): boolean => through === undefined || block <= through
    return {
      transfers: [...all.flatMap(({ transfers }) => transfers), ...rewards.filter(isRead)],
      payments: all.flatMap(({ payments }) => payments),
      freezes: through === undefined ? freezes : freezesThrough(freezes, through),
      ...(through === undefined ? {} : { through }),
    }
  }

  async readTransaction(tx: string): Promise<ReadTransactions | undefined> {
    const found = await this.#node.call('eth_getTransactionByHash', [tx])
    if (found === null || found === undefined) return undefined
    const number = fields(found, 'a transaction')['blockNumber']
    if (number === null || number === undefined) return undefined
    const block = await this.#block(wholeNumber(number, 'the block of a transaction'))
    return (await this.#transactionsOf(block, new Map([[tx, []]])))[0]
  }

  /** Every block of the range with its calls, in no order. */
  async #eachBlock(
    range: BlockRange,
    see: (block: BlockHead, frames: ReadonlyMap<string, Frame[]> | undefined) => void,
  ): Promise<void> {
    let number = range.from
    await inTurns(
      () => this.#atOnce(),
      () => (number <= range.to ? number++ : undefined),
      async (one) => {
        const block = await this.#block(one)
        see(block, await this.#blockFrames(block))
      },
    )
  }

  #atOnce(): number {
    return this.#node.atOnce ?? together
  }

  /** Transactions of a block that pay a wallet, are paid by it, or call it. */
  #touchedIn(
    wallets: ReadonlySet<Account>,
    block: BlockHead,
    frames: ReadonlyMap<string, Frame[]> | undefined,
  ): string[] {
    const isOwn = (value: unknown): boolean =>
      typeof value === 'string' && wallets.has(`${this.#chain}:${value.toLowerCase()}` as Account)
    return block.transactions
      .map((transaction) => [transaction, hash(transaction['hash'], 'a transaction')] as const)
      .filter(
        ([transaction, tx]) =>
          isOwn(transaction['from']) ||
          isOwn(transaction['to']) ||
          frames
            ?.get(tx)
            ?.some(({ from, to }) => (from && wallets.has(from)) || (to && wallets.has(to))),
      )
      .map(([, tx]) => tx)
  }

  /** The calls of a whole block, by transaction; undefined where the node cannot tell. */
  async #blockFrames(block: BlockHead): Promise<ReadonlyMap<string, Frame[]> | undefined> {
    if (this.traces === 'none' || block.transactions.length === 0) return undefined
    const known = this.#frames.get(block.hash)
    if (known) return known
    const isGeth = this.traces === 'debug_traceBlock'
    const answer = isGeth
      ? await this.#node.call('debug_traceBlockByNumber', [hex(block.number), callTracer])
      : await this.#node.call('trace_block', [hex(block.number)])
    const frames = isGeth
      ? callTracerBlockFrames(answer, block, this.#chain)
      : parityBlockFrames(answer, block, this.#chain)
    keep(this.#frames, block.hash, frames, keptBlocks)
    return frames
  }

  async #block(number: number): Promise<BlockHead> {
    return checkedBlock(await this.#node.call('eth_getBlockByNumber', [hex(number), true]), number)
  }

  async #readTransactions(
    touched: readonly (readonly [number, ReadonlyMap<string, readonly Sighting[]>])[],
    known: ReadonlyMap<number, BlockHead>,
  ): Promise<ReadTransactions[]> {
    const found = await mapInTurns(
      touched,
      () => this.#atOnce(),
      async ([number, transactions]) =>
        this.#transactionsOf(known.get(number) ?? (await this.#block(number)), transactions),
    )
    return found.flat()
  }

  async #transactionsOf(
    block: BlockHead,
    sightings: ReadonlyMap<string, readonly Sighting[]>,
  ): Promise<ReadTransactions[]> {
    for (const { blockHash } of [...sightings.values()].flat()) {
      if (blockHash !== undefined && blockHash !== block.hash)
        throw new Contradiction(`block ${block.number} has two hashes`)
    }
    const found = new Map(
      [...sightings.keys()].map((tx) => [tx, this.#decoded.get(`${block.hash} ${tx}`)] as const),
    )
    const missing = [...found].filter(([, known]) => !known).map(([tx]) => tx)
    const { receipts, frames } = await this.#fetched(block, missing)
    const transactions = new Map(
      block.transactions.map((item) => [hash(item['hash'], 'a transaction'), item]),
    )
    for (const [i, tx] of missing.entries()) {
      const transaction = transactions.get(tx)
      if (!transaction)
        throw new Contradiction(`block ${block.number} does not have transaction ${tx}`)
      const seen = sightings.get(tx) ?? []
      const receipt = checkedReceipt(receipts[i], { block, tx, seen })
      const calls = frames.get(tx)
      const transfers = transfersOfTransaction(
        { block, transaction, receipt, ...(calls === undefined ? {} : { frames: calls }) },
        this.#chain,
        this.#isWrapped,
        this.#freezable,
      )
      const payments = paymentsOfTransaction(receipt, this.#chain, transfers)
      found.set(tx, { transfers, payments })
      keep(this.#decoded, `${block.hash} ${tx}`, { transfers, payments }, keptTransactions)
    }
    return [...found.values()].filter((read) => read !== undefined)
  }

  /** Receipts of transactions and the calls inside them, where the node can tell those; from one backend. */
  async #fetched(
    block: BlockHead,
    transactions: readonly string[],
  ): Promise<{ receipts: readonly unknown[]; frames: ReadonlyMap<string, Frame[]> }> {
    const known = this.#frames.get(block.hash)
    const traceCall = known ? undefined : callsOfTransaction(this.traces)
    const answers = await callAll(this.#node, [
      ...transactions.map((tx): RpcCall => ['eth_getTransactionReceipt', [tx]]),
      ...(traceCall ? transactions.map(traceCall) : []),
    ])
    const receipts = answers.slice(0, transactions.length)
    if (!traceCall) return { receipts, frames: known ?? new Map() }
    const frames = transactions.map((tx, i) => {
      const answer = answers[transactions.length + i]
      if (answer === null) throw isBehind(block.number)
      return [
        tx,
        this.traces === 'debug_traceBlock'
          ? callTracerFrames(answer, this.#chain)
          : parityTransactionFrames(answer, { block, tx, chain: this.#chain }),
      ] as const
    })
    return { receipts, frames: new Map(frames) }
  }
}

/** The answer, or undefined where the node refuses the question. */
async function orRefused(answer: Promise<unknown>): Promise<unknown> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof RpcRefusal) return undefined
    throw error
  }
}

/** The blocks that are read now, and the last of them where others are left for later. */
function upToMost(
  blocks: readonly (readonly [number, ReadonlyMap<string, readonly Sighting[]>])[],
): [typeof blocks, number | undefined] {
  let transactions = 0
  for (const [i, [number, sightings]] of blocks.entries()) {
    transactions += sightings.size
    if (transactions >= mostTransactions && i + 1 < blocks.length)
      return [blocks.slice(0, i + 1), number]
  }
  return [blocks, undefined]
}

/** Keeps the newest entries of a map. */
function keep<V>(map: Map<string, V>, key: string, value: V, most: number): void {
  if (map.size >= most) map.delete(map.keys().next().value ?? '')
  map.set(key, value)
}

function withdrawalsTo(
  wallets: ReadonlySet<Account>,
  block: BlockHead,
  chain: ChainId,
): Transfer[] {
  return block.withdrawals.flatMap((withdrawal) => {
    const to = account(withdrawal['address'], chain, 'the receiver of a withdrawal')
    if (!wallets.has(to)) return []
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
