import { type Account, accountChain, accountReference } from './account.ts'
import type { AssetId } from './asset.ts'
import { ByteTable } from './byteTable.ts'
import { type ChainId, isEvm } from './chain.ts'
import { kinds, type Transfer } from './transfer.ts'

/**
 * Transfers as columns: what a reader of large files fills, a store keeps and a graph loads, without an object
 * per row. Everything that repeats (accounts, transactions, blocks, assets) stands once in a dictionary of the
 * batch, so a batch means the same wherever it is read.
 */
export interface TransferBatch {
  readonly length: number
  readonly chains: readonly ChainId[]
  readonly assets: readonly AssetId[]
  /** Sets of flags, sorted and joined by blanks; number 0 is the empty set. */
  readonly flagSets: readonly string[]
  /** Byte 0 is the number of the chain; then 20 address bytes on EVM chains, UTF-8 text elsewhere. */
  readonly accounts: PackedKeys
  /** Byte 0 is 0 before 32 hash bytes and 1 before UTF-8 text. */
  readonly transactions: PackedKeys
  /** As `transactions`. */
  readonly blockHashes: PackedKeys
  readonly contexts: ContextColumns
  readonly rows: RowColumns
  /** Amounts beyond 128 bits by row; their limbs are all ones. */
  readonly wide: ReadonlyMap<number, bigint>
}

/** Keys one after another; key i is `pool[ends[i−1]…ends[i])`. */
export interface PackedKeys {
  readonly pool: Uint8Array
  readonly ends: Uint32Array
}

/** What the rows of one transaction share. −1 stands for "not given". */
export interface ContextColumns {
  readonly chain: Uint8Array
  readonly transaction: Uint32Array
  readonly block: Float64Array
  readonly time: Float64Array
  readonly blockHash: Int32Array
  readonly txIndex: Int32Array
  readonly signer: Int32Array
}

export interface RowColumns {
  readonly context: Uint32Array
  /** Index into `kinds`. */
  readonly kind: Uint8Array
  readonly position: Uint32Array
  readonly asset: Uint32Array
  /** Number of the account, −1 for nobody. */
  readonly from: Int32Array
  readonly to: Int32Array
  /** Four 32-bit limbs a row, least significant first. */
  readonly amount: Uint32Array
  readonly flags: Uint32Array
}

/** What a row of a transaction says besides the movement itself. Numbers come from the builder's dictionaries. */
export interface RowContext {
  readonly chain: number
  readonly transaction: number
  readonly block: number
  readonly time: number
  readonly blockHash: number
  readonly txIndex: number
  readonly signer: number
}

const limb = 0xffffffffn
const widest = (1n << 128n) - 1n

/** Collects rows into a {@link TransferBatch}. `add` takes objects; the other methods are for fast readers. */
export class TransferBatchBuilder {
  readonly #chains: ChainId[] = []
  readonly #assets = new Map<AssetId, number>()
  readonly #flagSets = new Map<string, number>([['', 0]])
  readonly #accounts = new ByteTable(1024)
  readonly #transactions = new ByteTable(1024)
  readonly #blockHashes = new ByteTable(64)
  readonly #wide = new Map<number, bigint>()
  readonly #key = new Uint8Array(260)
  #contexts = emptyContexts(1024)
  #contextCount = 0
  #rows = emptyRows(1024)
  #length = 0

  get length(): number {
    return this.#length
  }

  add(transfer: Transfer): void {
    const chain = this.chain(transfer.chain)
    const context = this.context({
      chain,
      transaction: this.transactionText(transfer.tx),
      block: transfer.block,
      time: transfer.time,
      blockHash: transfer.blockHash === undefined ? -1 : this.blockHashText(transfer.blockHash),
      txIndex: transfer.txIndex ?? -1,
      signer: transfer.signer === undefined ? -1 : this.account(transfer.signer),
    })
    const row = this.row(
      context,
      kinds.indexOf(transfer.kind),
      transfer.position,
      this.asset(transfer.asset),
    )
    this.sides(
      row,
      transfer.from === undefined ? -1 : this.account(transfer.from),
      transfer.to === undefined ? -1 : this.account(transfer.to),
    )
    this.amount(row, transfer.amount)
    this.flags(row, transfer.flags)
  }

  chain(chain: ChainId): number {
    const known = this.#chains.indexOf(chain)
    if (known >= 0) return known
    if (this.#chains.length === 255) throw new RangeError('a batch holds at most 255 chains')
    return this.#chains.push(chain) - 1
  }

  asset(asset: AssetId): number {
    return numbered(this.#assets, asset)
  }

  account(account: Account): number {
    const chain = accountChain(account)
    const number = this.chain(chain)
    const reference = accountReference(account)
    if (isEvm(chain)) {
      hexBytes(reference, 2, this.#key, 1, 20)
      return this.#accounts.intern(this.#keyOf(number, 21), 0, 21)
    }
    const { written } = new TextEncoder().encodeInto(reference, this.#key.subarray(1))
    return this.#accounts.intern(this.#keyOf(number, written + 1), 0, written + 1)
  }

  /** An EVM account from its 20 bytes at `bytes[start]`. */
  evmAccount(chain: number, bytes: Uint8Array, start: number): number {
    const key = this.#key
    key[0] = chain
    for (let i = 0; i < 20; i++) key[i + 1] = bytes[start + i] as number
    return this.#accounts.intern(key, 0, 21)
  }

  transactionText(tx: string): number {
    return this.#intern(this.#transactions, tx)
  }

  /** A transaction from the 32 bytes of its hash. */
  transactionHash(bytes: Uint8Array, start: number): number {
    return this.#internHash(this.#transactions, bytes, start)
  }

  blockHashText(hash: string): number {
    return this.#intern(this.#blockHashes, hash)
  }

  blockHash(bytes: Uint8Array, start: number): number {
    return this.#internHash(this.#blockHashes, bytes, start)
  }

  /** A context equal to the last one given is the same context. */
  context(given: RowContext): number {
    const last = this.#contextCount - 1
    const c = this.#contexts
    if (
      last >= 0 &&
      c.transaction[last] === given.transaction &&
      c.chain[last] === given.chain &&
      c.block[last] === given.block &&
      c.time[last] === given.time &&
      c.blockHash[last] === given.blockHash &&
      c.txIndex[last] === given.txIndex &&
      c.signer[last] === given.signer
    ) {
      return last
    }
    const at = this.#contextCount++
    if (at === c.chain.length) this.#contexts = grownColumns(c, at * 2)
    const columns = this.#contexts
    columns.chain[at] = given.chain
    columns.transaction[at] = given.transaction
    columns.block[at] = given.block
    columns.time[at] = given.time
    columns.blockHash[at] = given.blockHash
    columns.txIndex[at] = given.txIndex
    columns.signer[at] = given.signer
    return at
  }

  /** Starts a row with nobody on either side and amount 0; the other methods fill it. Returns its number. */
  row(context: number, kind: number, position: number, asset: number): number {
    const at = this.#length++
    if (at === this.#rows.kind.length) this.#rows = grownColumns(this.#rows, at * 2)
    const rows = this.#rows
    rows.context[at] = context
    rows.kind[at] = kind
    rows.position[at] = position
    rows.asset[at] = asset
    rows.from[at] = -1
    rows.to[at] = -1
    rows.flags[at] = 0
    rows.amount.fill(0, at * 4, at * 4 + 4)
    return at
  }

  sides(row: number, from: number, to: number): void {
    this.#rows.from[row] = from
    this.#rows.to[row] = to
  }

  amount(row: number, amount: bigint): void {
    if (amount > widest) this.#wide.set(row, amount)
    const shown = amount > widest ? widest : amount
    const limbs = this.#rows.amount
    limbs[row * 4] = Number(shown & limb)
    limbs[row * 4 + 1] = Number((shown >> 32n) & limb)
    limbs[row * 4 + 2] = Number((shown >> 64n) & limb)
    limbs[row * 4 + 3] = Number(shown >> 96n)
  }

  /** An amount that fits 128 bits, as four 32-bit limbs, least significant first. */
  limbs(row: number, from: ArrayLike<number>): void {
    const limbs = this.#rows.amount
    limbs[row * 4] = from[0] as number
    limbs[row * 4 + 1] = from[1] as number
    limbs[row * 4 + 2] = from[2] as number
    limbs[row * 4 + 3] = from[3] as number
  }

  flags(row: number, flags: readonly string[]): void {
    this.#rows.flags[row] =
      flags.length === 0 ? 0 : numbered(this.#flagSets, [...flags].sort().join(' '))
  }

  /** The rows so far as a batch of their own; the builder can be used on after {@link reset}. */
  build(): TransferBatch {
    return {
      length: this.#length,
      chains: [...this.#chains],
      assets: [...this.#assets.keys()],
      flagSets: [...this.#flagSets.keys()],
      accounts: copied(this.#accounts.packed()),
      transactions: copied(this.#transactions.packed()),
      blockHashes: copied(this.#blockHashes.packed()),
      contexts: slicedColumns(this.#contexts, this.#contextCount),
      rows: slicedColumns(this.#rows, this.#length),
      wide: new Map(this.#wide),
    }
  }

  reset(): void {
    this.#chains.length = 0
    this.#assets.clear()
    this.#flagSets.clear()
    this.#flagSets.set('', 0)
    this.#accounts.clear()
    this.#transactions.clear()
    this.#blockHashes.clear()
    this.#wide.clear()
    this.#contextCount = 0
    this.#length = 0
  }

  #keyOf(first: number, _length: number): Uint8Array {
    this.#key[0] = first
    return this.#key
  }

  #intern(table: ByteTable, text: string): number {
    if (text.length === 66 && text.startsWith('0x') && hexBytes(text, 2, this.#key, 1, 32)) {
      return table.intern(this.#keyOf(0, 33), 0, 33)
    }
    const { written } = new TextEncoder().encodeInto(text, this.#key.subarray(1))
    return table.intern(this.#keyOf(1, written + 1), 0, written + 1)
  }

  #internHash(table: ByteTable, bytes: Uint8Array, start: number): number {
    const key = this.#key
    key[0] = 0
    for (let i = 0; i < 32; i++) key[i + 1] = bytes[start + i] as number
    return table.intern(key, 0, 33)
  }
}

/** Objects as one batch. */
export function batchOf(transfers: Iterable<Transfer>): TransferBatch {
  const builder = new TransferBatchBuilder()
  for (const transfer of transfers) builder.add(transfer)
  return builder.build()
}

/** Reads single rows of a batch as objects; strings are made once per dictionary entry. */
export class BatchReader {
  readonly #batch: TransferBatch
  readonly #accounts: (Account | undefined)[] = []
  readonly #transactions: (string | undefined)[] = []
  readonly #blockHashes: (string | undefined)[] = []

  constructor(batch: TransferBatch) {
    this.#batch = batch
  }

  transfer(row: number): Transfer {
    const { rows, contexts, chains, assets, flagSets } = this.#batch
    const context = rows.context[row] as number
    const blockHash = contexts.blockHash[context] as number
    const txIndex = contexts.txIndex[context] as number
    const signer = contexts.signer[context] as number
    const from = rows.from[row] as number
    const to = rows.to[row] as number
    const flags = flagSets[rows.flags[row] as number] ?? ''
    return {
      chain: chains[contexts.chain[context] as number] as ChainId,
      block: contexts.block[context] as number,
      ...(blockHash < 0
        ? {}
        : { blockHash: this.#hash(this.#blockHashes, this.#batch.blockHashes, blockHash) }),
      time: contexts.time[context] as number,
      tx: this.transaction(contexts.transaction[context] as number),
      ...(txIndex < 0 ? {} : { txIndex }),
      ...(signer < 0 ? {} : { signer: this.account(signer) }),
      kind: kinds[rows.kind[row] as number] ?? 'native',
      position: rows.position[row] as number,
      asset: assets[rows.asset[row] as number] as AssetId,
      ...(from < 0 ? {} : { from: this.account(from) }),
      ...(to < 0 ? {} : { to: this.account(to) }),
      amount: this.amount(row),
      flags: flags === '' ? [] : flags.split(' '),
    }
  }

  account(number: number): Account {
    const known = this.#accounts[number]
    if (known !== undefined) return known
    const key = keyAt(this.#batch.accounts, number)
    const made = accountOfKey(this.#batch.chains[key[0] as number] as ChainId, key)
    this.#accounts[number] = made
    return made
  }

  transaction(number: number): string {
    return this.#hash(this.#transactions, this.#batch.transactions, number)
  }

  amount(row: number): bigint {
    return this.#batch.wide.get(row) ?? amountOfLimbs(this.#batch.rows.amount, row)
  }

  #hash(made: (string | undefined)[], keys: PackedKeys, number: number): string {
    const known = made[number]
    if (known !== undefined) return known
    const text = hashOfKey(keyAt(keys, number))
    made[number] = text
    return text
  }
}

/** All rows of a batch as objects, in the order of the batch. */
export function* transfersOf(batch: TransferBatch): Generator<Transfer> {
  const reader = new BatchReader(batch)
  for (let row = 0; row < batch.length; row++) yield reader.transfer(row)
}

export function keyAt(keys: PackedKeys, number: number): Uint8Array {
  return keys.pool.subarray(number === 0 ? 0 : keys.ends[number - 1], keys.ends[number])
}

/** The account of a dictionary key whose chain is known; see {@link TransferBatch.accounts}. */
export function accountOfKey(chain: ChainId, key: Uint8Array): Account {
  const reference = isEvm(chain)
    ? `0x${hexText(key, 1)}`
    : new TextDecoder().decode(key.subarray(1))
  return `${chain}:${reference}` as Account
}

/** The hash or text of a dictionary key; see {@link TransferBatch.transactions}. */
export function hashOfKey(key: Uint8Array): string {
  return key[0] === 0 ? `0x${hexText(key, 1)}` : new TextDecoder().decode(key.subarray(1))
}

function hexText(bytes: Uint8Array, start: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, bytes.length - start).toString('hex')
}

export function amountOfLimbs(limbs: Uint32Array, row: number): bigint {
  const low = BigInt(limbs[row * 4] as number) | (BigInt(limbs[row * 4 + 1] as number) << 32n)
  const l2 = limbs[row * 4 + 2] as number
  const l3 = limbs[row * 4 + 3] as number
  if (l2 === 0 && l3 === 0) return low
  return low | (BigInt(l2) << 64n) | (BigInt(l3) << 96n)
}

/** Writes `count` bytes from lower-case hex text; false when the text holds anything else. */
function hexBytes(
  text: string,
  start: number,
  into: Uint8Array,
  at: number,
  count: number,
): boolean {
  for (let i = 0; i < count; i++) {
    const high = nibble(text.charCodeAt(start + 2 * i))
    const low = nibble(text.charCodeAt(start + 2 * i + 1))
    if (high < 0 || low < 0) return false
    into[at + i] = (high << 4) | low
  }
  return true
}

function nibble(code: number): number {
  if (code >= 48 && code <= 57) return code - 48
  return code >= 97 && code <= 102 ? code - 87 : -1
}

function numbered<K>(map: Map<K, number>, key: K): number {
  const known = map.get(key)
  if (known !== undefined) return known
  map.set(key, map.size)
  return map.size - 1
}

function emptyContexts(capacity: number): ContextColumns {
  return {
    chain: new Uint8Array(capacity),
    transaction: new Uint32Array(capacity),
    block: new Float64Array(capacity),
    time: new Float64Array(capacity),
    blockHash: new Int32Array(capacity),
    txIndex: new Int32Array(capacity),
    signer: new Int32Array(capacity),
  }
}

function emptyRows(capacity: number): RowColumns {
  return {
    context: new Uint32Array(capacity),
    kind: new Uint8Array(capacity),
    position: new Uint32Array(capacity),
    asset: new Uint32Array(capacity),
    from: new Int32Array(capacity),
    to: new Int32Array(capacity),
    amount: new Uint32Array(capacity * 4),
    flags: new Uint32Array(capacity),
  }
}

type Column = Uint8Array | Uint32Array | Int32Array | Float64Array

function grownColumns<C extends ContextColumns | RowColumns>(columns: C, capacity: number): C {
  return mapColumns(columns, (column, width) => {
    const larger = new (column.constructor as new (length: number) => Column)(capacity * width)
    larger.set(column)
    return larger
  })
}

function slicedColumns<C extends ContextColumns | RowColumns>(columns: C, count: number): C {
  return mapColumns(columns, (column, width) => column.slice(0, count * width))
}

function mapColumns<C extends ContextColumns | RowColumns>(
  columns: C,
  change: (column: Column, width: number) => Column,
): C {
  const changed = Object.entries(columns).map(([name, column]: [string, Column]) => [
    name,
    change(column, name === 'amount' ? 4 : 1),
  ])
  return Object.fromEntries(changed) as C
}

function copied(keys: { readonly pool: Uint8Array; readonly ends: Uint32Array }): PackedKeys {
  return { pool: keys.pool.slice(), ends: keys.ends.slice() }
}
