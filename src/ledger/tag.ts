import type { Account } from './account.ts'

/** A sourced statement about an address. All tags stay visible; `src/attribution` decides which one leads. */
export interface Tag {
  readonly account: Account
  /** Hostile text: harmless only through `harmlessText`. */
  readonly label: string
  /** A concept such as `exchange` or `mixing_service`; unknown ones are kept as given. */
  readonly category: string
  readonly source: string
  /** 0 to 100 on the TagPack scale. */
  readonly confidence: number
  /** Operator's rank of the source: 0 is the operator's own word, larger is less. */
  readonly sourceRank: number
  /** Whether this tag may end a trace. False for imports with `--no-stops` and for whatever came by exchange. */
  readonly mayStop: boolean
  /** Seconds since 1970 from which, and before which, the statement holds. Absent: not stated. */
  readonly validFrom?: number
  readonly validTo?: number
}
