import type { Account } from '../../src/ledger/account.ts'
import type { Transfer } from '../../src/ledger/transfer.ts'

export type Method = 'fifo' | 'lifo' | 'haircut' | 'tainted-first' | 'clean-first'

/** An exact number that need not be whole. */
export interface Fraction {
  readonly numerator: bigint
  readonly denominator: bigint
}

/** A wrapped coin, its native coin, and the contract that exchanges the two one to one. */
export interface Wrap {
  readonly wrapped: string
  readonly native: string
  readonly wrapper: Account
}

/** What ingest decoded from a trusted pool's event: in this transaction the pool paid `gets` to `recipient`. */
export interface ConversionRecord {
  readonly tx: string
  readonly pool: Account
  readonly recipient: Account
  readonly gets: string
}

/** Everything that a trace depends on. What is optional takes the plainest value. */
export interface OracleQuestion {
  readonly transfers: readonly Transfer[]
  /** Transfer ids. */
  readonly seeds: readonly string[]
  /** `sameTransaction: 'matched'`; else `'ordered'`. */
  readonly matched: boolean
  readonly minShare: Fraction
  readonly maxHops: number
  /** Outcome at an address where lots end on arrival. */
  readonly stops: ReadonlyMap<Account, string>
  readonly wrap?: Wrap
  /** Whether the account is covered to the end; backward, from its beginning. */
  readonly covered: (account: Account) => boolean
  /** `fifo` if absent. */
  readonly method?: Method
  /** `forward` if absent. */
  readonly direction?: 'forward' | 'backward'
  /** Seconds. */
  readonly maxIdle?: number
  /** Assets whose transfers are events; all if absent. */
  readonly carriesValue?: (asset: string) => boolean
  /** Trusted pools, of which the wrapper is one without being named. If absent nothing converts by what pools took. */
  readonly pools?: ReadonlySet<Account>
  /** What an amount of an asset was worth at a time, in any one currency. */
  readonly price?: (asset: string, amount: bigint, time: number) => Fraction | undefined
  /** `<tx> <account>` to the asset that the money became there (backward: was before). */
  readonly resolve?: ReadonlyMap<string, string>
  /** Whether a contract stands at the address; nowhere if absent. */
  readonly hasCode?: (account: Account) => boolean
  readonly records?: readonly ConversionRecord[]
  /** Proven bridge legs: id of the leaving transfer to id of the arriving one. */
  readonly bridges?: ReadonlyMap<string, string>
  /** More distinct receivers than this make an untagged address a stop; 1,000 if absent. */
  readonly receiverLimit?: number
  /** Addresses with a tag of any kind; those in `stops` have one. */
  readonly tagged?: (account: Account) => boolean
  /** Addresses that are no stop whatever the rules say. */
  readonly continueThrough?: ReadonlySet<Account>
  /** Whether what is held there is on a blacklist at the end. */
  readonly frozen?: (account: Account, asset: string) => boolean
  /** Proven balance before the first transfer; zero if absent. */
  readonly opening?: (account: Account, asset: string) => bigint
}
