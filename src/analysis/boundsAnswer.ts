import type { Account } from '../ledger/account.ts'
import type { ChainId } from '../ledger/chain.ts'
import type { TransferId } from '../ledger/transfer.ts'
import type { BoundsScope } from './boundsPlan.ts'
import type { Certificate, Premises } from './certificate.ts'
import type { EndName } from './forwardMoves.ts'

/** What money may have reached: named accounts, all of a tag, accounts in which it rests, or each end by itself. */
export type BoundsTarget =
  | { readonly accounts: readonly Account[] }
  | { readonly category: string }
  | { readonly actor: string }
  | 'still_held'
  | 'by_outcome'

/** Everything that bounds were asked, with defaults filled in. */
export interface BoundsQuery extends BoundsScope {
  readonly to: BoundsTarget
  /** What accounts held before their first known transfer: nothing, as a trace takes it, or nobody knows. */
  readonly opening: 'assumed_zero' | 'unknown'
  /** Largest corridor that is solved, in transfers and conversions. */
  readonly maxCorridor: number
}

/** A target as it stands in answers: accounts are CAIP-10 with checksums. */
export type TargetText =
  | { readonly accounts: readonly string[] }
  | { readonly category: string }
  | { readonly actor: string }
  | string

/** Amounts are decimal strings in base units of the seeds' asset. */
export interface Interval {
  readonly target: TargetText
  /** What must have reached the target under any accounting; `null` where nothing can be claimed. */
  readonly min: string | null
  /** Why no minimum is claimed, or why the interval may be wider than it need be. */
  readonly reason?: string
  /** What at most can have reached it. */
  readonly max: string
  /** `corridor`: it was larger than `maxCorridor`, so this is a proven interval but not the narrowest. */
  readonly budget: 'corridor' | null
  readonly corridor: {
    /** Transfers and conversions from which a way still leads to the target. */
    readonly transfers: number
    /** Those by which money leaves such ways. */
    readonly leaving: number
    readonly accounts: number
  }
  /** One for the maximum and one for a minimum that is claimed; none where a budget was hit. */
  readonly certificates: readonly Certificate[]
  /** What the certificates rest on besides the ledger. */
  readonly premises: Premises
}

interface Framing {
  readonly version: string
  readonly query: Omit<BoundsQuery, 'continueThrough' | 'neverFollow' | 'resolve' | 'to'> & {
    readonly to: TargetText
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
  readonly asOf: Readonly<Record<ChainId, { readonly block: number; readonly hash: string | null }>>
  /** Content digest of the transfers, see `jejak check`. */
  readonly dataset: string
  /** Digest of tags, token list and other knowledge in force. */
  readonly tags: string
  readonly opening: 'assumed_zero' | 'unknown'
}

/** The answer to one target, or to each end of which the seeds' money may have come, by its name. */
export type BoundsAnswer = Framing &
  (Interval | { readonly target: 'by_outcome'; readonly outcomes: readonly Interval[] })

export type RestName = Extract<EndName, 'still_held' | 'not_ingested'> | 'elsewhere'
