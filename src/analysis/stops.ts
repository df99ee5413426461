import type { Graph } from '../graph/graph.ts'
import type { Account } from '../ledger/account.ts'
import type { AssetId } from '../ledger/asset.ts'
import type { ExchangeRules } from './crediblePairs.ts'
import { createExchangers } from './exchangers.ts'
import type { Outcome, TraceQuery } from './traceAnswer.ts'

/** Why a lot ends where it arrives. */
export interface Stop {
  readonly outcome: Outcome
  readonly category?: string
  readonly label?: string
  readonly reason?: string
}

/** What the trace needs to know of tags; `src/attribution` provides it. */
export interface StopTags {
  /** The tag that ends a trace at this account, as valid at the time in seconds. */
  stop(
    account: Account,
    time: number,
  ):
    | { readonly outcome: Outcome | 'pool'; readonly category: string; readonly label: string }
    | undefined
  /** True when the account has any tag at all. */
  isTagged(account: Account): boolean
  readonly digest: string
}

/** What the trace needs to know of tokens. */
export interface ValueTokens {
  /** How an asset carries value in a trace of `seedAsset`; undefined where it carries none. */
  carriesValue(asset: AssetId, seedAsset: AssetId): 'trusted' | 'opaque' | 'seed' | undefined
  /** Native coin of each trusted wrapped coin. */
  readonly wrappedOf: ReadonlyMap<AssetId, AssetId>
  readonly digest: string
}

/** Where money that is not converted cannot be followed further. */
const unresolved: Stop = { outcome: 'contract_custody', reason: 'conversion_unresolved' }

/** An untagged address that paid more distinct receivers than this is a service nobody has named yet. */
const mostReceivers = 1000

/**
 * Where lots end on arrival (design 8.2). Tags are judged at the time of the transfer, everything else over the
 * whole ledger up to the as-of block, so that no answer depends on the order of exploration.
 *
 * @param query.isBeyond - true for transactions beyond the as-of block: what they sent does not count.
 */
export function createStops(
  graph: Graph,
  context: { readonly tags: StopTags; readonly rules: ExchangeRules },
  query: Pick<TraceQuery, 'continueThrough' | 'neverFollow'> & {
    readonly isBeyond: (transaction: number) => boolean
  },
): (address: number, time: number) => Stop | undefined {
  const through = new Set(query.continueThrough.map((account) => graph.address(account)))
  const never = new Set(query.neverFollow.map((account) => graph.address(account)))
  const { counts, wrapperContracts, knowledge } = context.rules
  const exchanges = createExchangers(graph, context.rules, query.isBeyond)
  const busy = new Map<number, boolean>()
  const isWhole = 'columns' in graph
  /** Only tags depend on the time: what is said of an account without any holds for all arrivals. */
  const untagged = new Map<number, Stop | undefined>()

  function isBusy(address: number): boolean {
    const known = busy.get(address)
    if (known !== undefined) return known
    // Who takes part in few transfers cannot have paid many receivers. Counting them would read all of a part of it.
    if (isWhole && !hasEvents(address, mostReceivers + 1)) return false
    const options = {
      counts: (asset: number) => counts[asset] === true,
      isBeyond: query.isBeyond,
      cap: mostReceivers + 1,
    }
    const made = graph.receivers(address, options) > mostReceivers
    busy.set(address, made)
    return made
  }

  function hasEvents(address: number, least: number): boolean {
    const { start, end } = graph.holdingsOf(address)
    let events = 0
    for (let holding = start; holding < end && events < least; holding++)
      events += graph.events(holding).length
    return events >= least
  }

  function judge(address: number, account: Account, time: number): Stop | undefined {
    const tagged = context.tags.stop(account, time)
    if (tagged)
      return tagged.outcome === 'pool' ? pooled(tagged) : { ...tagged, outcome: tagged.outcome }
    if (never.has(address)) return { outcome: 'high_degree', reason: 'never_follow' }
    if (wrapperContracts.has(address) || knowledge.isKnownPool(account)) return unresolved
    // Before the exchangers, for which the whole history of an address would have to be gone through.
    if (!context.tags.isTagged(account) && isBusy(address))
      return { outcome: 'high_degree', reason: `sent to more than ${mostReceivers} receivers` }
    return exchanges(address) ? unresolved : undefined
  }

  return (address, time) => {
    if (through.has(address)) return undefined
    const known = untagged.get(address)
    if (known || untagged.has(address)) return known
    const account = graph.account(address)
    const made = judge(address, account, time)
    if (!context.tags.isTagged(account)) untagged.set(address, made)
    return made
  }
}

/** A pool holds everybody's money: what is not converted there cannot be followed out of it. */
function pooled({ category, label }: { readonly category: string; readonly label: string }): Stop {
  return { outcome: 'contract_custody', category, label, reason: 'conversion_unresolved' }
}

/** The contract of a token as an account. */
export function wrapperOf(asset: AssetId): Account {
  return asset.replace('/erc20:', ':') as Account
}
