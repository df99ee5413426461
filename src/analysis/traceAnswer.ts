import type { Account } from '../ledger/account.ts'
import type { ChainId } from '../ledger/chain.ts'
import type { Freezes } from '../ledger/freezes.ts'
import type { TransferId } from '../ledger/transfer.ts'
import type { Resolution } from './conversions.ts'
import type { Direction, MethodName } from './methods.ts'

/** Where a lot ended. The faces of all outcomes add up to the seeds exactly. */
export const outcomes = [
  'still_held',
  'service',
  'mixer',
  'bridge',
  'contract_custody',
  'burned',
  'frozen',
  'fees',
  'high_degree',
  'dust',
  'hop_limit',
  'budget',
  'not_ingested',
  'ledger_gap',
  'ambiguous',
  'reseeded',
  'idle',
  'issued',
  'opening_balance',
] as const

export type Outcome = (typeof outcomes)[number]

/** What a trace knows of issuers who froze what somebody holds; `src/attribution` provides it. */
export type FreezeKnowledge = Pick<Freezes, 'frozenBy' | 'digest'>

/** Everything a trace was asked, with defaults filled in: it is part of the answer. */
export interface TraceQuery {
  /** In ledger order, each once. */
  readonly seeds: readonly TransferId[]
  readonly direction: Direction
  readonly method: MethodName
  readonly sameTransaction: 'matched' | 'ordered'
  /** Share of the seed below which a part is dust, 0 to 1. Default 0.001. */
  readonly minShare: number
  /** 1 to 64. Default 32. */
  readonly maxHops: number
  /** Seconds. */
  readonly maxIdle?: number
  /** Last block to look at per chain; absent chains as far as the data goes. */
  readonly asOf: Readonly<Record<string, number>>
  readonly continueThrough: readonly Account[]
  readonly neverFollow: readonly Account[]
  /** Which asset was got, where several conversions are credible. */
  readonly resolve: readonly Resolution[]
  /** Last transfer to look at, in the order of the trace: where a deadline stopped it. Absent: to the end. */
  readonly throughTransfer?: TransferId
  /** Count budgets: how many addresses are followed, how many transactions visited. */
  readonly maxAddresses: number
  readonly maxTransactions: number
}

/** One per outcome, account, asset, seed and hop. Amounts and faces are decimal strings of base units. */
export interface TraceOutcome {
  readonly outcome: Outcome
  /** CAIP-10, checksummed. */
  readonly account: string
  readonly asset: string
  readonly amount: string
  /** In units of the seeds' asset. */
  readonly face: string
  /** Part of `seedTotal`, at most 6 decimals, for display. */
  readonly share: number
  readonly hop: number
  readonly seed: TransferId
  readonly category?: string
  readonly label?: string
  readonly reason?: string
  /** What was issued to the payer for a deposit into a contract, CAIP-19: a pool's share, a lender's receipt. */
  readonly receipt?: string
  /** Of an ambiguous conversion: the assets among which `resolve` may choose. */
  readonly candidates?: readonly string[]
}

export interface TraceMovement {
  readonly transfer: TransferId
  /** `null`: issued. */
  readonly from: string | null
  /** `null`: burned, or a fee. */
  readonly to: string | null
  readonly asset: string
  readonly amount: string
  /** Face of the lots it carried. */
  readonly face: string
  readonly time: number
  readonly block: number
}

/** `bridge`: a proven pair of legs; the others are rules of design 8.2. */
export type ConversionRule = 'wrap' | 'pool' | 'price' | 'record' | 'resolved' | 'split' | 'bridge'

export interface TraceConversion {
  readonly transaction: string
  /** Who gave; a pool's record may name another who got. */
  readonly account: string
  readonly recipient?: string
  readonly gives: { readonly asset: string; readonly amount: string }
  readonly gets: { readonly asset: string; readonly amount: string }
  /** Why it is believed; the rate is `gets.amount` to `gives.amount`. */
  readonly rule: ConversionRule
  /** Message id of a bridging, and the transaction by which it arrived. */
  readonly message?: string
  readonly arrivedBy?: string
  readonly face: string
}

export interface TraceGap {
  readonly transfer: TransferId
  readonly account: string
  readonly asset: string
  readonly missing: string
}

export interface TraceAnswer {
  readonly version: string
  /** Method and rule inside one transaction, such as `fifo/matched`: the latter differs from Clayton's case there. */
  readonly method: string
  /** As used; accounts are CAIP-10 with checksums here. */
  readonly query: Omit<TraceQuery, 'continueThrough' | 'neverFollow' | 'resolve'> & {
    readonly continueThrough: readonly string[]
    readonly neverFollow: readonly string[]
    readonly resolve: readonly {
      readonly tx: string
      readonly account: string
      readonly asset: string
    }[]
  }
  readonly seeds: readonly {
    readonly transfer: TransferId
    readonly asset: string
    readonly amount: string
  }[]
  readonly seedTotal: string
  readonly outcomes: readonly TraceOutcome[]
  readonly totals: readonly {
    readonly outcome: Outcome
    readonly face: string
    readonly share: number
  }[]
  /** In ledger order. */
  readonly movements: readonly TraceMovement[]
  readonly conversions: readonly TraceConversion[]
  readonly gaps: readonly TraceGap[]
  /** Accounts where lots rest, and through which block they are covered; `null` where not at all. */
  readonly coverage: readonly {
    readonly account: string
    readonly coveredThrough: number | null
    readonly assurance: number | null
  }[]
  readonly asOf: Readonly<Record<ChainId, { readonly block: number; readonly hash: string | null }>>
  /** Content digest of the transfers, see `jejak check`. */
  readonly dataset: string
  /** Digest of the tags and token list in force. */
  readonly tags: string
  /** Which ordering rule held, and how much face passed through blocks whose order is assumed. */
  readonly order: {
    readonly rule: 'known' | 'causal'
    readonly assumedBlocks: number
    readonly assumedFace: string
  }
  /** What was not looked at, and the effective share after halving. */
  readonly cut: {
    readonly followShare: number
    readonly passes: number
    readonly addresses: number
    readonly transactions: number
    readonly budget: 'addresses' | 'transactions' | null
  }
  /** Assets that carry value only because they are the seed's own or opaque. */
  readonly trust: { readonly seedAsset: 'trusted' | 'opaque' | 'seed' }
  /** What accounts held before the first transfer the store knows of: counted as nothing, not known to be nothing. */
  readonly opening: 'assumed_zero'
}
