import type { Account } from '../ledger/account.ts'
import type { AssetId } from '../ledger/asset.ts'
import type { ChainId } from '../ledger/chain.ts'

/** A fraction, exact. */
export interface Rational {
  readonly numerator: bigint
  readonly denominator: bigint
}

/** What ingest decoded from a pool's event: who got what the pool paid. */
export interface PoolPayment {
  readonly pool: Account
  readonly recipient: Account
  /** What it got; absent where the event does not tell which of the pool's two assets. */
  readonly gets?: AssetId
}

/** Two legs of one bridging, matched by message id. */
export interface BridgeMatch {
  readonly message: string
  readonly fromChain: ChainId
  readonly fromTx: string
  readonly fromAsset: AssetId
  readonly fromAmount: bigint
  readonly toChain: ChainId
  readonly toTx: string
  readonly toAsset: AssetId
  readonly toAmount: bigint
  readonly receiver: Account
}

/** What a trace knows of exchanges besides ledger and tags; `src/attribution` provides it. */
export interface ConversionKnowledge {
  /** True when the account is, by CREATE2 from a listed factory, the pool of these two assets. */
  isPool(account: Account, a: AssetId, b: AssetId): boolean
  /** True for pools of two trusted assets, told without a look at what the account holds. */
  isKnownPool(account: Account): boolean
  /** Value by a dated price set, in one currency for all assets; undefined where there is no price. */
  value(asset: AssetId, amount: bigint, time: number): Rational | undefined
  recordsOf(chain: ChainId, tx: string): readonly PoolPayment[]
  /** Proven bridgings that leave by a transaction, or arrive by one. Each message stands once. */
  leaving(chain: ChainId, tx: string): readonly BridgeMatch[]
  arriving(chain: ChainId, tx: string): readonly BridgeMatch[]
  /** True when ingest recorded code at the account, or a tag says that it is a contract. */
  hasCode(account: Account): boolean
  readonly digest: string
}

/** Nothing is known but ledger and tags. */
export const noConversionKnowledge: ConversionKnowledge = {
  isPool: () => false,
  isKnownPool: () => false,
  value: () => undefined,
  recordsOf: () => [],
  leaving: () => [],
  arriving: () => [],
  hasCode: () => false,
  digest: '',
}
