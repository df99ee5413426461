import { createHash } from 'node:crypto'
import type { Account } from '../ledger/account.ts'
import type { AssetId } from '../ledger/asset.ts'
import type { BridgeMatch } from '../ledger/bridgeMatch.ts'
import type { ChainId } from '../ledger/chain.ts'
import type { PoolPayment } from '../ledger/conversionRecord.ts'
import type { Rational } from '../ledger/rational.ts'
import { createPoolRegistry } from './createdPools.ts'
import type { Attribution } from './load.ts'

/** What is known of exchanges besides ledger and tags, at one moment. */
export interface Registries {
  isPool(account: Account, a: AssetId, b: AssetId): boolean
  value(asset: AssetId, amount: bigint, time: number): Rational | undefined
  recordsOf(chain: ChainId, tx: string): readonly PoolPayment[]
  leaving(chain: ChainId, tx: string): readonly BridgeMatch[]
  arriving(chain: ChainId, tx: string): readonly BridgeMatch[]
  hasCode(account: Account): boolean
  readonly digest: string
}

/** The registries of a store, for the tags and tokens in force: made again only when one of them changed. */
export function openRegistries(): (attribution: Attribution) => Registries {
  let known: { readonly of: Attribution; readonly registries: Registries } | undefined
  return (attribution) => {
    if (known?.of !== attribution)
      known = { of: attribution, registries: createRegistries(attribution) }
    return known.registries
  }
}

function createRegistries({ tags, tokens }: Attribution): Registries {
  const pools = createPoolRegistry(tokens.wrappedOf)
  return {
    isPool: pools.isPool,
    value: () => undefined,
    recordsOf: () => [],
    leaving: () => [],
    arriving: () => [],
    hasCode: (account) => tags.hasContractTag(account),
    digest: createHash('sha256').update(pools.digest).digest('hex'),
  }
}
