import type { Account } from './account.ts'
import type { AssetId } from './asset.ts'
import type { ChainId } from './chain.ts'

/** What ingest decoded from a pool's event: who got what the pool paid. */
export interface PoolPayment {
  readonly pool: Account
  readonly recipient: Account
  /** What it got; absent where the event does not tell which of the pool's two assets. */
  readonly gets?: AssetId
}

/** A payment with the event that shows it. */
export interface ConversionRecord extends PoolPayment {
  readonly chain: ChainId
  readonly tx: string
  /** Index of the log in its block. */
  readonly position: number
}
