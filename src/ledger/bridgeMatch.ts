import type { Account } from './account.ts'
import type { AssetId } from './asset.ts'
import type { ChainId } from './chain.ts'

/** Two legs of one bridging, matched by message id. Amounts are base units. */
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
