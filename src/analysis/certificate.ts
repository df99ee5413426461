import type { TransferId } from '../ledger/transfer.ts'

/** A moment in the ledger: right behind a transfer, or behind the transaction of which it is the last. */
export interface Moment {
  readonly after: TransferId
  readonly behind: 'transfer' | 'transaction'
}

/** A move of a whole amount; a conversion is named by the first transfer that gave. */
export interface CutTransfer {
  readonly kind: 'seed' | 'transfer' | 'conversion'
  readonly transfer: TransferId
  /** Base units. */
  readonly amount: string
}

/** What an account held from a moment on, until it next paid. */
export interface CutBalance extends Moment {
  readonly account: string
  readonly asset: string
  readonly fromBlock: number
  readonly toBlock: number
  /** Base units. */
  readonly held: string
}

/** Part of the seeds that a transfer or conversion carries in one possible accounting. */
export interface FlowPart {
  readonly kind: 'transfer' | 'conversion'
  readonly transfer: TransferId
  readonly amount: string
}

/** How much of the seeds ended how and where in that accounting. */
export interface FlowEnd {
  readonly end: string
  readonly account: string
  readonly asset: string
  readonly amount: string
}

/**
 * Why a bound holds, for who can add up (design 8.3). `cut`: transfers and balances without which no way in time order is
 * left, from the seeds to the target for a maximum, to anything else for a minimum; no more than their sum can have gone
 * there. `flow` with its `ends`: an accounting of all the seeds that attains the bound.
 */
export interface Certificate {
  readonly bound: 'max' | 'min'
  readonly amount: string
  readonly statement: string
  readonly cut: {
    readonly transfers: readonly CutTransfer[]
    readonly balances: readonly CutBalance[]
    readonly total: string
  }
  readonly flow: readonly FlowPart[]
  readonly ends: readonly FlowEnd[]
}

/** Where money ends on arrival: at all times, or only by the transfers listed. */
export interface EndPlace {
  readonly end: string
  readonly account: string
  readonly arrivals?: readonly TransferId[]
}

/** An account and an asset. */
export interface Place {
  readonly account: string
  readonly asset: string
}

/** What one account gave in a transaction; legs of `silent` holdings there are part of it and are no payments. */
export interface GivenUp extends Place {
  readonly transfer: TransferId
  readonly amount: string
  /** Twin asset in which it goes on one to one; absent where it ends. */
  readonly becomes?: string
  readonly end?: string
}

/** What a certificate rests on besides the ledger: what tags, coverage and exchanges say. */
export interface Premises {
  readonly seeds: readonly TransferId[]
  /** Name of the end that counts as the target. */
  readonly target: string
  readonly ends: readonly EndPlace[]
  readonly conversions: readonly GivenUp[]
  readonly silent: readonly (Place & { readonly transaction: string })[]
  /** Wrapped coins: what is burned of them was handed in. */
  readonly wrapped: readonly string[]
  /** Holdings whose balance is proven, and through when it limits what they can have carried. */
  readonly balances: readonly (Place & Moment)[]
  /** Holdings at rest whose later payments may be missing. */
  readonly notCovered: readonly Place[]
  readonly asOf: Readonly<Record<string, number>>
}
