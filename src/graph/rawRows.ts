import type { Account } from '../ledger/account.ts'
import type { AssetId } from '../ledger/asset.ts'
import { ByteTable } from '../ledger/byteTable.ts'
import type { ChainId } from '../ledger/chain.ts'
import { kinds, type Transfer } from '../ledger/transfer.ts'
import {
  accountOfKey,
  hashOfKey,
  keyAt,
  type PackedKeys,
  type TransferBatch,
} from '../ledger/transferBatch.ts'
import type { LogEntry } from '../store/store.ts'
import { grown, shared } from './columns.ts'

/**
 * The log as one set of columns in log order, with the dictionaries of all batches merged: what a generation is
 * sorted from.
 */
export interface RawRows {
  readonly count: number
  /** Per row. Addresses and assets are numbers of the dictionaries below; −1 is nobody. */
  readonly from: Int32Array
  readonly to: Int32Array
  readonly asset: Uint32Array
  readonly amount: Uint32Array
  readonly kind: Uint8Array
  readonly position: Uint32Array
  readonly context: Uint32Array
  readonly sequence: Uint32Array
  readonly flags: Uint16Array
  /** 0 for rows that a tombstone names. */
  readonly alive: Uint8Array
  readonly wide: ReadonlyMap<number, bigint>
  /** Per context: transaction hash (or text), index in the block, block, signer, block hash. */
  readonly contextHash: Uint8Array
  readonly contextText: ReadonlyMap<number, string>
  readonly contextIndex: Int32Array
  readonly contextBlock: Uint32Array
  readonly contextSigner: Int32Array
  readonly contextBlockHash: Int32Array
  readonly blocks: { readonly chain: number[]; readonly number: number[]; readonly time: number[] }
  readonly chains: readonly ChainId[]
  readonly assets: readonly AssetId[]
  readonly flagSets: readonly string[]
  /** Keys as in a batch, but with the numbers of `chains`. */
  readonly addresses: PackedKeys
  readonly blockHashes: PackedKeys
  readonly sequenceEnd: number
}

/** What became different between two generations. */
export interface RowChanges {
  /** Rows from this one on are new. */
  readonly firstRow: number
  /** Rows that a tombstone named since, new ones among them. */
  readonly dead: readonly number[]
}

/**
 * Reads the log.
 *
 * @param sequence - highest sequence number to expect; memory is taken for that many rows.
 */
export async function readRawRows(
  log: AsyncIterable<LogEntry>,
  sequence: number,
): Promise<RawRows> {
  const rows = new RawRowsBuilder(sequence)
  for await (const entry of log) rows.add(entry)
  return rows.done()
}

/** Takes the log in entry by entry; {@link RawRowsBuilder.done} may be asked for again after more of it. */
export class RawRowsBuilder {
  #capacity = 0
  #from = shared(Int32Array, 0)
  #to = shared(Int32Array, 0)
  #asset = shared(Uint32Array, 0)
  #amount = shared(Uint32Array, 0)
  #kind = shared(Uint8Array, 0)
  #position = shared(Uint32Array, 0)
  #context = shared(Uint32Array, 0)
  #sequence = shared(Uint32Array, 0)
  #flags = shared(Uint16Array, 0)
  #alive = shared(Uint8Array, 0)
  readonly #wide = new Map<number, bigint>()
  #contextHash = shared(Uint8Array, 0)
  readonly #contextText = new Map<number, string>()
  #contextIndex = shared(Int32Array, 0)
  #contextBlock = shared(Uint32Array, 0)
  #contextSigner = shared(Int32Array, 0)
  #contextBlockHash = shared(Int32Array, 0)
  readonly #blocks = { chain: [] as number[], number: [] as number[], time: [] as number[] }
  readonly #blockIds = new Map<number, Map<number, number[]>>()
  readonly #chains = new Numbering<ChainId>()
  readonly #assets = new Numbering<AssetId>()
  readonly #flagSets = new Numbering<string>()
  readonly #addresses: ByteTable
  readonly #blockHashes = new ByteTable(1024)
  /** Rows by sequence are found through the first sequence of each entry. */
  readonly #entries: { readonly firstSequence: number; readonly firstRow: number }[] = []
  #count = 0
  #contexts = 0
  #end = 0
  #dead: number[] = []
  #counted = 0

  /**
   * @param capacity - rows to take memory for; {@link reserve} takes more.
   * @param names - chains and assets that have their numbers already, in this order.
   */
  constructor(
    capacity: number,
    names: Pick<RawRows, 'chains' | 'assets'> = { chains: [], assets: [] },
  ) {
    for (const chain of names.chains) this.#chains.number(chain)
    for (const asset of names.assets) this.#assets.number(asset)
    this.#addresses = new ByteTable(Math.max(1024, capacity >> 2))
    this.#flagSets.number('')
    this.reserve(capacity)
  }

  /** Sequence number of the last entry taken in. */
  get sequence(): number {
    return this.#end
  }

  /** Makes room for the log up to a sequence number. */
  reserve(capacity: number): void {
    if (capacity <= this.#capacity) return
    // A log that is read again and again grows by a quarter, so that it is copied seldom.
    const rows = this.#capacity === 0 ? capacity : Math.max(capacity, this.#capacity * 1.25) | 0
    this.#capacity = rows
    this.#from = grown(this.#from, rows)
    this.#to = grown(this.#to, rows)
    this.#asset = grown(this.#asset, rows)
    this.#amount = grown(this.#amount, rows * 4)
    this.#kind = grown(this.#kind, rows)
    this.#position = grown(this.#position, rows)
    this.#context = grown(this.#context, rows)
    this.#sequence = grown(this.#sequence, rows)
    this.#flags = grown(this.#flags, rows)
    this.#alive = grown(this.#alive, rows)
    this.#contextHash = grown(this.#contextHash, rows * 32)
    this.#contextIndex = grown(this.#contextIndex, rows)
    this.#contextBlock = grown(this.#contextBlock, rows)
    this.#contextSigner = grown(this.#contextSigner, rows)
    this.#contextBlockHash = grown(this.#contextBlockHash, rows)
  }

  add(entry: LogEntry): void {
    if (entry.type === 'tombstones') {
      for (const sequence of entry.dead) {
        const row = this.#rowOf(sequence)
        this.#alive[row] = 0
        this.#dead.push(row)
      }
      this.#end = entry.firstSequence + entry.dead.length - 1
      return
    }
    if (this.#count + entry.batch.length > this.#capacity)
      throw new RangeError('the log grew while it was read')
    this.#entries.push({ firstSequence: entry.firstSequence, firstRow: this.#count })
    this.#end = entry.firstSequence + entry.batch.length - 1
    const chains = entry.batch.chains.map((chain) => this.#chains.number(chain))
    const accounts = this.#internAccounts(entry.batch, chains)
    const firstContext = this.#addContexts(entry.batch, chains, accounts)
    this.#addRows(entry, accounts, firstContext)
  }

  #rowOf(sequence: number): number {
    let low = 0
    let high = this.#entries.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((this.#entries[middle]?.firstSequence ?? 0) <= sequence) low = middle
      else high = middle - 1
    }
    const entry = this.#entries[low]
    return entry ? entry.firstRow + sequence - entry.firstSequence : -1
  }

  #internAccounts(batch: TransferBatch, chains: readonly number[]): Int32Array {
    const { pool, ends } = batch.accounts
    const numbers = new Int32Array(ends.length)
    // The first byte of a key is the batch's number for the chain; ours replaces it in a copy.
    const own = pool.slice()
    for (let i = 0, start = 0; i < ends.length; i++) {
      const end = ends[i] as number
      own[start] = chains[pool[start] as number] as number
      numbers[i] = this.#addresses.intern(own, start, end)
      start = end
    }
    return numbers
  }

  #addContexts(batch: TransferBatch, chains: readonly number[], accounts: Int32Array): number {
    const first = this.#contexts
    const { contexts, transactions, blockHashes } = batch
    const hashes = Array.from(blockHashes.ends, (_, i) =>
      this.#blockHashes.intern(keyAt(blockHashes, i)),
    )
    let lastBlock = -1
    let lastNumber = -1
    for (let i = 0; i < contexts.block.length; i++) {
      const at = first + i
      const number = contexts.transaction[i] as number
      const start = number === 0 ? 0 : (transactions.ends[number - 1] as number)
      if (transactions.pool[start] === 0) {
        const target = at * 32
        for (let b = 0; b < 32; b++)
          this.#contextHash[target + b] = transactions.pool[start + 1 + b] as number
      } else this.#contextText.set(at, hashOfKey(keyAt(transactions, number)))
      const chain = chains[contexts.chain[i] as number] as number
      const block = contexts.block[i] as number
      if (
        block !== lastNumber ||
        this.#blocks.chain[lastBlock] !== chain ||
        this.#blocks.time[lastBlock] !== contexts.time[i]
      ) {
        lastBlock = this.#block(chain, block, contexts.time[i] as number)
        lastNumber = block
      }
      const signer = contexts.signer[i] as number
      const hash = contexts.blockHash[i] as number
      this.#contextBlock[at] = lastBlock
      this.#contextIndex[at] = contexts.txIndex[i] as number
      this.#contextSigner[at] = signer < 0 ? -1 : (accounts[signer] as number)
      this.#contextBlockHash[at] = hash < 0 ? -1 : (hashes[hash] as number)
    }
    this.#contexts += contexts.block.length
    return first
  }

  #block(chain: number, number: number, time: number): number {
    const ids = this.#blockIds.get(chain) ?? new Map<number, number[]>()
    this.#blockIds.set(chain, ids)
    const known = ids.get(number) ?? []
    const found = known.find((id) => this.#blocks.time[id] === time)
    if (found !== undefined) return found
    const id = this.#blocks.number.push(number) - 1
    this.#blocks.chain.push(chain)
    this.#blocks.time.push(time)
    ids.set(number, [...known, id])
    return id
  }

  #addRows(
    entry: Extract<LogEntry, { type: 'transfers' }>,
    accounts: Int32Array,
    firstContext: number,
  ): void {
    const { batch, firstSequence } = entry
    const { rows } = batch
    const assets = batch.assets.map((asset) => this.#assets.number(asset))
    const flagSets = batch.flagSets.map((flags) => this.#flagSets.number(flags))
    const first = this.#count
    for (let i = 0; i < batch.length; i++) {
      const at = first + i
      const from = rows.from[i] as number
      const to = rows.to[i] as number
      this.#from[at] = from < 0 ? -1 : (accounts[from] as number)
      this.#to[at] = to < 0 ? -1 : (accounts[to] as number)
      this.#asset[at] = assets[rows.asset[i] as number] as number
      this.#context[at] = firstContext + (rows.context[i] as number)
      this.#sequence[at] = firstSequence + i
      this.#flags[at] = flagSets[rows.flags[i] as number] as number
    }
    this.#kind.set(rows.kind, first)
    this.#position.set(rows.position, first)
    this.#amount.set(rows.amount, first * 4)
    this.#alive.fill(1, first, first + batch.length)
    for (const [row, amount] of batch.wide) this.#wide.set(first + row, amount)
    this.#count += batch.length
  }

  /** What was taken in since the last call. */
  takeChanges(): RowChanges {
    const changes = { firstRow: this.#counted, dead: this.#dead }
    this.#counted = this.#count
    this.#dead = []
    return changes
  }

  done(): RawRows {
    return {
      count: this.#count,
      from: this.#from,
      to: this.#to,
      asset: this.#asset,
      amount: this.#amount,
      kind: this.#kind,
      position: this.#position,
      context: this.#context,
      sequence: this.#sequence,
      flags: this.#flags,
      alive: this.#alive,
      wide: this.#wide,
      contextHash: this.#contextHash,
      contextText: this.#contextText,
      contextIndex: this.#contextIndex,
      contextBlock: this.#contextBlock,
      contextSigner: this.#contextSigner,
      contextBlockHash: this.#contextBlockHash,
      blocks: this.#blocks,
      chains: this.#chains.all,
      assets: this.#assets.all,
      flagSets: this.#flagSets.all,
      addresses: this.#addresses.packed(),
      blockHashes: this.#blockHashes.packed(),
      sequenceEnd: this.#end,
    }
  }
}

class Numbering<T> {
  readonly #numbers = new Map<T, number>()

  number(value: T): number {
    const known = this.#numbers.get(value)
    if (known !== undefined) return known
    this.#numbers.set(value, this.#numbers.size)
    return this.#numbers.size - 1
  }

  get all(): T[] {
    return [...this.#numbers.keys()]
  }
}

/** One row as an object: for the few that columns are too poor for. */
export function rawTransfer(raw: RawRows, row: number): Transfer {
  const context = raw.context[row] as number
  const block = raw.contextBlock[context] as number
  const chain = raw.chains[raw.blocks.chain[block] as number] as ChainId
  const txIndex = raw.contextIndex[context] as number
  const signer = raw.contextSigner[context] as number
  const from = raw.from[row] as number
  const to = raw.to[row] as number
  const hash = raw.contextBlockHash[context] as number
  const flags = raw.flagSets[raw.flags[row] as number] ?? ''
  const account = (number: number) => rawAccount(raw, number)
  return {
    chain,
    block: raw.blocks.number[block] as number,
    ...(hash < 0 ? {} : { blockHash: hashOfKey(keyAt(raw.blockHashes, hash)) }),
    time: raw.blocks.time[block] as number,
    tx: rawTransaction(raw, context),
    ...(txIndex < 0 ? {} : { txIndex }),
    ...(signer < 0 ? {} : { signer: account(signer) }),
    kind: kinds[raw.kind[row] as number] ?? 'native',
    position: raw.position[row] as number,
    asset: raw.assets[raw.asset[row] as number] as AssetId,
    ...(from < 0 ? {} : { from: account(from) }),
    ...(to < 0 ? {} : { to: account(to) }),
    amount: rawAmount(raw, row),
    flags: flags === '' ? [] : flags.split(' '),
  }
}

export function rawTransaction(raw: RawRows, context: number): string {
  const text = raw.contextText.get(context)
  if (text !== undefined) return text
  const { buffer, byteOffset } = raw.contextHash
  return `0x${Buffer.from(buffer, byteOffset + context * 32, 32).toString('hex')}`
}

export function rawAmount(raw: RawRows, row: number): bigint {
  const wide = raw.wide.get(row)
  if (wide !== undefined) return wide
  let amount = 0n
  for (let limb = 3; limb >= 0; limb--)
    amount = (amount << 32n) | BigInt(raw.amount[row * 4 + limb] as number)
  return amount
}

export function rawAccount(raw: RawRows, address: number): Account {
  const key = keyAt(raw.addresses, address)
  return accountOfKey(raw.chains[key[0] as number] as ChainId, key)
}
