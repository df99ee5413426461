import type { AssetId } from './asset.ts'

/** What a whole unit of an asset (1 ether, 1 dollar coin) was worth at a time. */
export interface Price {
  readonly asset: AssetId
  /** Seconds since 1970. */
  readonly time: number
  readonly currency: string
  /** A plain decimal number above 0, as it was given: `1`, `3012.55`. */
  readonly price: string
  readonly source: string
}
