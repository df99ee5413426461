import type { Account } from './account.ts'
import type { AssetId } from './asset.ts'
import type { BridgeMatch } from './bridgeMatch.ts'
import type { ChainId } from './chain.ts'
import type { PoolPayment } from './conversionRecord.ts'
import type { Rational } from './rational.ts'

/** What a trace knows of exchanges besides ledger and tags; `src/attribution` provides it. */
export interface ConversionKnowledge {
  /** True when the account is, by CREATE2 from a listed factory, the pool of these two assets. */
  isPool(account: Account, a: AssetId, b: AssetId): boolean
  /** True for pools of two trusted assets, told without a look at what the account holds. */
  isKnownPool(account: Account): boolean
  /** Value by a dated price set, in one currency for all assets; undefined where there is no price. */
  value(asset: AssetId, amount: bigint, time: number): Rational | undefined
  /** False where no record is known at all. */
  readonly hasRecords: boolean
  recordsOf(chain: ChainId, tx: string): readonly PoolPayment[]
  /** Proven bridgings that leave by a transaction, or arrive by one. Each message stands once. */
  leaving(chain: ChainId, tx: string): readonly BridgeMatch[]
  arriving(chain: ChainId, tx: string): readonly BridgeMatch[]
  /** True when ingest recorded code at the account, or a tag says that it is a contract. */
  hasCode(account: Account): boolean
  readonly digest: string
}
