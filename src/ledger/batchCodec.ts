import type { AssetId } from './asset.ts'
import type { ChainId } from './chain.ts'
import { KnownError } from './errors.ts'
import type { ContextColumns, PackedKeys, RowColumns, TransferBatch } from './transferBatch.ts'

/**
 * A batch as bytes and back: how a store keeps it. Each column is written with the fewest bytes that hold its
 * values (a column of one repeated value takes none), so a row with its transaction and both accounts takes about
 * a hundred bytes. The bytes are the same on every machine.
 *
 * Layout: magic `JB1\n`, length of a JSON head (uint32), the head, then the columns one after another.
 */

const magic = 0x0a31424a

interface ColumnHead {
  /** Bytes a value: 0, 1, 2, 4 or 8 (float). */
  readonly width: 0 | 1 | 2 | 4 | 8
  readonly least: number
  readonly count: number
}

interface Head {
  readonly length: number
  readonly chains: readonly string[]
  readonly assets: readonly string[]
  readonly flagSets: readonly string[]
  readonly wide: readonly (readonly [number, string])[]
  readonly columns: readonly ColumnHead[]
  readonly pools: readonly number[]
}

type Numbers = ArrayLike<number>

export function encodeBatch(batch: TransferBatch): Uint8Array {
  const columns = columnsOf(batch)
  const heads = columns.map(columnHead)
  const pools = [batch.accounts.pool, batch.transactions.pool, batch.blockHashes.pool]
  const head: Head = {
    length: batch.length,
    chains: batch.chains,
    assets: batch.assets,
    flagSets: batch.flagSets,
    wide: [...batch.wide].map(([row, amount]) => [row, amount.toString()] as const),
    columns: heads,
    pools: pools.map((pool) => pool.length),
  }
  const text = new TextEncoder().encode(JSON.stringify(head))
  const size = heads.reduce((sum, { width, count }) => sum + width * count, 0)
  const poolSize = pools.reduce((sum, pool) => sum + pool.length, 0)
  const bytes = new Uint8Array(8 + text.length + size + poolSize)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, magic, true)
  view.setUint32(4, text.length, true)
  bytes.set(text, 8)
  let at = 8 + text.length
  for (const [i, column] of columns.entries())
    at = writeColumn(view, at, column, heads[i] as ColumnHead)
  for (const pool of pools) {
    bytes.set(pool, at)
    at += pool.length
  }
  return bytes
}

/**
 * @throws KnownError `store.damaged` when the bytes are not a batch.
 */
export function decodeBatch(bytes: Uint8Array): TransferBatch {
  try {
    return decoded(bytes)
  } catch (error) {
    // A head that lies about lengths fails in many places: all mean that these are not the bytes of a batch.
    throw error instanceof KnownError ? error : damaged('its bytes make no sense')
  }
}

function decoded(bytes: Uint8Array): TransferBatch {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < 8 || view.getUint32(0, true) !== magic)
    throw damaged('it does not begin as one')
  const start = 8 + view.getUint32(4, true)
  if (start > bytes.length) throw damaged('its head is cut off')
  const head = headOf(bytes.subarray(8, start))
  let at = start
  const columns = head.columns.map((column) => {
    const values = { head: column, at }
    at += column.width * column.count
    return values
  })
  const pools = head.pools.map((length) => {
    const pool = bytes.subarray(at, at + length)
    at += length
    return pool
  })
  if (at !== bytes.length) throw damaged('its length does not match its head')
  const take = columns.values()
  const next = <A extends Numbers & object>(make: (count: number) => A): A => {
    const { value } = take.next()
    if (!value) throw damaged('it has too few columns')
    return readColumn(view, value.at, value.head, make(value.head.count))
  }
  const u32 = (count: number): Uint32Array => new Uint32Array(count)
  const i32 = (count: number): Int32Array => new Int32Array(count)
  const u8 = (count: number): Uint8Array => new Uint8Array(count)
  const f64 = (count: number): Float64Array => new Float64Array(count)
  const contexts: ContextColumns = {
    chain: next(u8),
    transaction: next(u32),
    block: next(f64),
    time: next(f64),
    blockHash: next(i32),
    txIndex: next(i32),
    signer: next(i32),
  }
  const [context, kind, position, asset] = [next(u32), next(u8), next(u32), next(u32)]
  const [from, to, flags] = [next(i32), next(i32), next(u32)]
  const amount = interleaved([next(u32), next(u32), next(u32), next(u32)], head.length)
  const rows: RowColumns = { context, kind, position, asset, from, to, amount, flags }
  const keys = (pool: Uint8Array | undefined): PackedKeys => ({
    pool: pool ?? new Uint8Array(0),
    ends: endsOf(next(u32)),
  })
  return {
    length: head.length,
    chains: head.chains as readonly ChainId[],
    assets: head.assets as readonly AssetId[],
    flagSets: head.flagSets,
    contexts,
    rows,
    accounts: keys(pools[0]),
    transactions: keys(pools[1]),
    blockHashes: keys(pools[2]),
    wide: new Map(head.wide.map(([row, amount]) => [row, BigInt(amount)])),
  }
}

/** Columns of contexts, then of rows, then of the dictionaries; see {@link columnsOf}. */
const contextColumns = 7
const rowColumns = 11
const dictionaries = 3

function headOf(bytes: Uint8Array): Head {
  const head = parsed(bytes) as Partial<Head> | null
  const lists = [head?.columns, head?.pools, head?.chains, head?.assets, head?.flagSets, head?.wide]
  if (!head || !lists.every(Array.isArray)) throw damaged('its head is not one')
  const { columns, pools, length } = head as Head
  const widths = columns.every((column) => [0, 1, 2, 4, 8].includes(column?.width))
  const counts = columns.map((column) => column?.count)
  const rows = counts.slice(contextColumns, contextColumns + rowColumns)
  const contexts = counts.slice(0, contextColumns)
  const keys = counts.slice(contextColumns + rowColumns)
  const sound =
    widths &&
    columns.length === contextColumns + rowColumns + dictionaries &&
    pools.length === dictionaries &&
    [...counts, ...pools].every((count) => Number.isSafeInteger(count) && count >= 0) &&
    rows.every((count) => count === length) &&
    contexts.every((count) => count === contexts[0]) &&
    keys.every((count, i) => count <= (pools[i] as number))
  if (!sound) throw damaged('its head contradicts itself')
  return head as Head
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    throw damaged('its head is not JSON')
  }
}

function damaged(why: string): KnownError {
  return new KnownError('store.damaged', `a stored batch cannot be read: ${why}`, {
    hint: 'Restore the store from a backup; `jejak check` says which batch it is.',
  })
}

/** In the order in which {@link decodeBatch} reads them. */
function columnsOf(batch: TransferBatch): Numbers[] {
  const { contexts: c, rows: r } = batch
  return [
    c.chain,
    c.transaction,
    c.block,
    c.time,
    c.blockHash,
    c.txIndex,
    c.signer,
    r.context,
    r.kind,
    r.position,
    r.asset,
    r.from,
    r.to,
    r.flags,
    ...[0, 1, 2, 3].map((limb) => everyFourth(r.amount, limb)),
    lengthsOf(batch.accounts.ends),
    lengthsOf(batch.transactions.ends),
    lengthsOf(batch.blockHashes.ends),
  ]
}

function everyFourth(amounts: Uint32Array, limb: number): Uint32Array {
  const values = new Uint32Array(amounts.length / 4)
  for (let i = 0, j = limb; i < values.length; i++, j += 4) values[i] = amounts[j] as number
  return values
}

function interleaved(limbs: readonly Uint32Array[], length: number): Uint32Array {
  const [l0, l1, l2, l3] = limbs as [Uint32Array, Uint32Array, Uint32Array, Uint32Array]
  const amounts = new Uint32Array(length * 4)
  for (let i = 0, j = 0; i < length; i++, j += 4) {
    amounts[j] = l0[i] as number
    amounts[j + 1] = l1[i] as number
    amounts[j + 2] = l2[i] as number
    amounts[j + 3] = l3[i] as number
  }
  return amounts
}

/** Ends as lengths: keys of one form all have the same, and the column vanishes. */
function lengthsOf(ends: Uint32Array): Uint32Array {
  const lengths = new Uint32Array(ends.length)
  for (let i = 0, last = 0; i < ends.length; i++) {
    lengths[i] = (ends[i] as number) - last
    last = ends[i] as number
  }
  return lengths
}

function endsOf(lengths: Uint32Array): Uint32Array {
  for (let i = 1; i < lengths.length; i++)
    lengths[i] = (lengths[i] as number) + (lengths[i - 1] as number)
  return lengths
}

function columnHead(values: Numbers): ColumnHead {
  const count = values.length
  if (count === 0) return { width: 0, least: 0, count }
  let least = values[0] as number
  let most = least
  for (let i = 1; i < count; i++) {
    const value = values[i] as number
    if (value < least) least = value
    else if (value > most) most = value
  }
  const range = most - least
  const width =
    range === 0 ? 0 : range < 0x100 ? 1 : range < 0x10000 ? 2 : range <= 0xffffffff ? 4 : 8
  return { width, least: width === 8 ? 0 : least, count }
}

function writeColumn(view: DataView, at: number, values: Numbers, head: ColumnHead): number {
  const { width, least, count } = head
  if (width === 1)
    for (let i = 0; i < count; i++) view.setUint8(at + i, (values[i] as number) - least)
  if (width === 2) {
    for (let i = 0; i < count; i++) view.setUint16(at + 2 * i, (values[i] as number) - least, true)
  }
  if (width === 4) {
    for (let i = 0; i < count; i++) view.setUint32(at + 4 * i, (values[i] as number) - least, true)
  }
  if (width === 8) {
    for (let i = 0; i < count; i++) view.setFloat64(at + 8 * i, values[i] as number, true)
  }
  return at + width * count
}

function readColumn<A extends Numbers & object>(
  view: DataView,
  at: number,
  head: ColumnHead,
  into: A,
): A {
  const { width, least, count } = head
  const values = into as unknown as Float64Array
  if (width === 0) values.fill(least)
  if (width === 1) for (let i = 0; i < count; i++) values[i] = view.getUint8(at + i) + least
  if (width === 2)
    for (let i = 0; i < count; i++) values[i] = view.getUint16(at + 2 * i, true) + least
  if (width === 4)
    for (let i = 0; i < count; i++) values[i] = view.getUint32(at + 4 * i, true) + least
  if (width === 8) for (let i = 0; i < count; i++) values[i] = view.getFloat64(at + 8 * i, true)
  return into
}
