import { resolveSeeds } from '../analysis/seeds.ts'
import type { ValueTokens } from '../analysis/stops.ts'
import type { TraceQuery } from '../analysis/traceAnswer.ts'
import type { Graph } from '../graph/graph.ts'
import { type Account, accountChain } from '../ledger/account.ts'
import type { AssetId } from '../ledger/asset.ts'
import { compareText } from '../ledger/order.ts'
import type { TransferId } from '../ledger/transfer.ts'
import type { Flag } from '../store/flags.ts'

/** Seeds of one asset: amounts of two assets are never added, so each has a trace of its own. */
export interface SeedsOfAsset {
  readonly asset: AssetId
  readonly seeds: readonly TransferId[]
}

/**
 * What a flag follows: the payment that it names, or of a wallet all that it received, asset by asset.
 *
 * @param asOf - per chain the block through which it is followed: what a wallet received later is not.
 * @returns nothing where the ledger does not know it yet.
 * @throws KnownError `seed.not-found`, `seed.ambiguous` with the candidates
 */
export function followedSeeds(
  graph: Graph,
  tokens: ValueTokens,
  flag: Flag,
  asOf: Readonly<Record<string, number>>,
): SeedsOfAsset[] {
  if (flag.account) return receivedBy(graph, tokens, { account: flag.account, asOf })
  const named = flag.payment ?? flag.id
  const seeds = resolveSeeds(graph, tokens, { transfers: [named], accounts: [], side: 'received' })
  return seeds.map((seed) => ({
    asset: graph.transfer(graph.find(seed)).asset,
    seeds: [seed],
  }))
}

/** Only assets that carry value: what a forged token claims would send workers after nothing. */
function receivedBy(
  graph: Graph,
  tokens: ValueTokens,
  { account, asOf }: { readonly account: Account; readonly asOf: Readonly<Record<string, number>> },
): SeedsOfAsset[] {
  const until = asOf[accountChain(account)] ?? Number.POSITIVE_INFINITY
  const address = graph.address(account)
  if (address < 0) return []
  const { start, end } = graph.holdingsOf(address)
  const found: SeedsOfAsset[] = []
  for (let holding = start; holding < end; holding++) {
    const asset = graph.assets[graph.assetOf(holding)] as AssetId
    const received = [...graph.events(holding)].some((event) =>
      isSeed(graph, event, { holding, until }),
    )
    if (!received || tokens.carriesValue(asset, '' as AssetId) === undefined) continue
    const request = { transfers: [], accounts: [account], side: 'received', asset, asOf } as const
    found.push({ asset, seeds: resolveSeeds(graph, tokens, request) })
  }
  return found.sort((a, b) => compareText(a.asset, b.asset))
}

function isSeed(
  graph: Graph,
  event: number,
  { holding, until }: { readonly holding: number; readonly until: number },
): boolean {
  if (graph.to(event) !== holding || graph.from(event) === holding) return false
  const { number } = graph.block(graph.blockOf(graph.transactionOf(event)))
  return graph.amount(event) > 0n && number <= until
}

/** The usual question, so that what is followed is what an analyst sees who asks without options. */
export function followedQuery(
  flag: Flag,
  seeds: readonly TransferId[],
  more: Pick<TraceQuery, 'asOf' | 'continueThrough' | 'resolve'>,
): TraceQuery {
  return {
    seeds,
    direction: 'forward',
    method: 'fifo',
    sameTransaction: 'matched',
    minShare: flag.minShare,
    maxHops: 32,
    neverFollow: [],
    maxAddresses: 100_000,
    maxTransactions: 250_000,
    ...more,
  }
}
