import type { AssetId } from '../ledger/asset.ts'
import type { ChainId } from '../ledger/chain.ts'

/**
 * The columns of one generation, in shared memory: made by one thread, read by all, never changed. About 90 bytes
 * a transfer where every transaction has one transfer, less where transactions have several.
 *
 * Float amounts and block times have no column of their own: a float is made from the limbs in passing, and a
 * time is found by way of transaction and block; so the memory goes to hashes, which make every answer's transfer
 * ids readable without asking the store.
 */
export interface Columns {
  readonly meta: ColumnMeta
  readonly arrays: ColumnArrays
}

export interface ColumnMeta {
  readonly storeId: string
  readonly sequence: number
  readonly digest: string
  readonly chains: readonly ChainId[]
  readonly assets: readonly AssetId[]
  /** References of accounts that are not 20 bytes, by address number. */
  readonly textAddresses: readonly (readonly [number, string])[]
  /** Transactions that are not 32-byte hashes, by transaction number. */
  readonly textTransactions: readonly (readonly [number, string])[]
  /** Amounts beyond 128 bits, by transfer. */
  readonly wideAmounts: readonly (readonly [number, string])[]
  /** Positions of 2^29 and more, by transfer. */
  readonly widePositions: readonly (readonly [number, number])[]
  /** Assets of transfers that nobody pays and nobody gets (issued and burned in one), by transfer. */
  readonly ownerless: readonly (readonly [number, number])[]
  readonly highest: readonly (readonly [ChainId, number, string | null])[]
}

export interface ColumnArrays {
  /** Per transfer: paying and receiving holding (−1 nobody), four limbs, transaction, log sequence, leg. */
  readonly from: Int32Array
  readonly to: Int32Array
  readonly amount: Uint32Array
  readonly transaction: Uint32Array
  readonly sequence: Uint32Array
  /** Kind in the lowest 3 bits, position above. */
  readonly leg: Uint32Array
  /** Per transaction: hash, first transfer (one more at the end), block, and all transactions sorted by hash. */
  readonly txHash: Uint8Array
  readonly txFirst: Uint32Array
  readonly txBlock: Uint32Array
  readonly txByHash: Uint32Array
  /** Per block. */
  readonly blockNumber: Float64Array
  readonly blockTime: Float64Array
  readonly blockChain: Uint8Array
  readonly blockAssumed: Uint8Array
  /** Per holding: address, asset, first event (one more at the end), 1 where 128 bits do not hold its balance. */
  readonly holdingAddress: Uint32Array
  readonly holdingAsset: Uint32Array
  readonly holdingFirst: Uint32Array
  readonly holdingWide: Uint8Array
  /** Transfers of all holdings one after another, and the balance before every 16th of each; see `checkpointAt`. */
  readonly events: Uint32Array
  readonly checkpoints: Uint32Array
  /** Per address: 20 bytes, chain, first holding (one more at the end); and a hash table of addresses + 1. */
  readonly addressKey: Uint8Array
  readonly addressChain: Uint8Array
  readonly addressFirst: Uint32Array
  readonly addressSlots: Uint32Array
}

/** Events between two balances that are kept. */
export const checkpointStride = 16

/**
 * Where the balance of a holding before its event `number` × 16 is kept, number 1 and above; before the first it is
 * zero. Counted from the holding's own first event, so that it stays right when holdings before it get more events.
 * No two holdings share a place: the next one begins at least `number` × 16 events later.
 *
 * @param first - place of the holding's first event among all events.
 */
export function checkpointAt(first: number, number: number): number {
  return (Math.floor(first / checkpointStride) + number) * 4
}

export const largestShortPosition = 2 ** 29 - 1

type TypedArray = Uint8Array | Uint16Array | Uint32Array | Int32Array | Float64Array
type Constructor<A> = {
  new (buffer: SharedArrayBuffer, byteOffset?: number, length?: number): A
  readonly BYTES_PER_ELEMENT: number
}

/** An array in shared memory. */
export function shared<A extends TypedArray>(type: Constructor<A>, length: number): A {
  return new type(new SharedArrayBuffer(length * type.BYTES_PER_ELEMENT))
}

/** A longer array in shared memory that begins with another's values. */
export function grown<A extends TypedArray>(array: A, length: number): A {
  return beginningWith(array, array.length, length)
}

/** Bytes of a buffer that arrays already use; the rest is room for the next generation. */
const filled = new WeakMap<ArrayBufferLike, number>()

/**
 * An array in shared memory whose first `kept` values are another's. Where the whole of the other one is kept and its
 * buffer has room behind it that nobody took yet, both share the buffer: the shorter array never looks there.
 */
export function beginningWith<A extends TypedArray>(array: A, kept: number, length: number): A {
  const type = array.constructor as Constructor<A>
  const bytes = length * type.BYTES_PER_ELEMENT
  const { buffer } = array
  const isFree = kept === array.length && filled.get(buffer) === array.byteLength
  if (isFree && bytes <= buffer.byteLength && buffer instanceof SharedArrayBuffer) {
    filled.set(buffer, bytes)
    return new type(buffer, 0, length)
  }
  return copied(array, kept, length)
}

/** An array of its own in shared memory whose first `kept` values are another's. */
export function copied<A extends TypedArray>(array: A, kept: number, length: number): A {
  const type = array.constructor as Constructor<A>
  const bytes = length * type.BYTES_PER_ELEMENT
  // Room for what is added next: memory that nobody writes to is not taken from the machine.
  const room = bytes + Math.floor(length / 8) * type.BYTES_PER_ELEMENT
  const made = new type(new SharedArrayBuffer(room), 0, length)
  made.set(array.subarray(0, kept))
  filled.set(made.buffer, bytes)
  return made
}

export function bytesOf(arrays: ColumnArrays): number {
  return Object.values(arrays).reduce((sum, array: TypedArray) => sum + array.byteLength, 0)
}
