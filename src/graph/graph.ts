import type { Account } from '../ledger/account.ts'
import type { AssetId } from '../ledger/asset.ts'
import type { ChainId } from '../ledger/chain.ts'
import type { Kind, TransferId } from '../ledger/transfer.ts'

/** One transfer of a generation as its columns know it; signer, block hash and flags stay in the store. */
export interface GraphTransfer {
  readonly id: TransferId
  readonly chain: ChainId
  readonly block: number
  readonly time: number
  readonly tx: string
  readonly kind: Kind
  readonly position: number
  readonly asset: AssetId
  readonly from?: Account
  readonly to?: Account
  readonly amount: bigint
}

/**
 * The columns that a sweep over a whole generation reads, as they lie in shared memory; never to be written. Ten
 * million transfers are passed in a fraction of a second this way, where a call per transfer would take several.
 */
export interface SweepColumns {
  /** Per transfer: paying and receiving holding, −1 nobody; four 32-bit limbs, all zero for a zero amount only. */
  readonly from: Int32Array
  readonly to: Int32Array
  readonly amount: Uint32Array
  /** Per holding: its address and asset. */
  readonly holdingAddress: Uint32Array
  readonly holdingAsset: Uint32Array
  /** Per holding its first event, per address its first holding (one more at the end of each). */
  readonly holdingFirst: Uint32Array
  readonly addressFirst: Uint32Array
  /** Transfers of all holdings one after another, those of each ascending. */
  readonly events: Uint32Array
}

/**
 * One immutable generation of the ledger in memory. Transfers are numbered 0…transferCount−1 in ledger order,
 * transactions likewise, so a smaller number happened first. A *holding* is one (address, asset): the account of
 * design section 8. −1 stands for nobody (issue, burn, fee) and for "not known".
 */
export interface Graph {
  readonly storeId: string
  /** Log sequence up to which this generation reads. */
  readonly sequence: number
  /** Content digest: SHA-256 over the canonical transfers in ledger order. */
  readonly digest: string
  readonly transferCount: number
  readonly transactionCount: number
  readonly addressCount: number
  /** Bytes of all columns and indexes together. */
  readonly bytes: number
  readonly chains: readonly ChainId[]
  readonly assets: readonly AssetId[]

  address(account: Account): number
  account(address: number): Account
  asset(asset: AssetId): number

  holding(address: number, asset: number): number
  /** All holdings of an address: numbers from `start` up to but not including `end`. */
  holdingsOf(address: number): { readonly start: number; readonly end: number }
  addressOf(holding: number): number
  assetOf(holding: number): number
  /** Transfers into or out of the holding, ascending; a transfer to oneself stands once. */
  events(holding: number): Uint32Array
  /** Balance of a holding just before its event `index`, with the clean inflows that ledger gaps need. */
  balanceBefore(holding: number, index: number): bigint
  /** Payments of a holding beyond its running balance, ascending. */
  shortfalls(holding: number): number[]

  /** Holding that pays, −1 when issued. */
  from(transfer: number): number
  /** Holding that receives, −1 when burned or a fee. */
  to(transfer: number): number
  amount(transfer: number): bigint
  kind(transfer: number): Kind
  transactionOf(transfer: number): number
  /** Transfers of a transaction: from `start` up to but not including `end`. */
  legs(transaction: number): { readonly start: number; readonly end: number }
  /** Place of a transaction among all blocks of the generation; equal for transactions of one block. */
  blockOf(transaction: number): number
  block(blockOrdinal: number): {
    readonly chain: ChainId
    readonly number: number
    readonly time: number
    /** True where the order inside the block is assumed (causal order). */
    readonly assumedOrder: boolean
  }
  transfer(transfer: number): GraphTransfer
  /** The id of `transfer` alone, for a fraction of the time. */
  idOf(transfer: number): TransferId
  /** Number of the transfer, −1 when it is not in this generation. */
  find(id: TransferId): number
  /** All transfers of a transaction given by hash, ascending; empty when unknown. */
  findTransaction(chain: ChainId, tx: string): number[]
  /** First transfer that happened at or after a time in seconds; transferCount when none did. */
  firstAt(time: number): number
  /** Highest block of a chain that any row reaches, with its hash where known; undefined for unknown chains. */
  highest(chain: ChainId): { readonly block: number; readonly hash: string | null } | undefined
  /**
   * How many distinct addresses this one itself sent value to, over all assets that count; burns, fees and
   * transfers to itself are none. Counting stops at `cap`.
   *
   * @param options.counts - whether an asset carries value; what a forged token claims must not count.
   * @param options.isBeyond - true for transactions that do not count any more, such as those after an as-of block.
   */
  receivers(
    address: number,
    options: {
      readonly counts: (asset: number) => boolean
      readonly isBeyond: (transaction: number) => boolean
      readonly cap: number
    },
  ): number
  /** Log sequence of a transfer: where the store holds the rest of what is known about it. */
  sequenceOf(transfer: number): number
}

/** A generation whose columns are all in memory. */
export interface WholeGraph extends Graph {
  readonly columns: SweepColumns
}
