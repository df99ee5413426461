import type { Graph } from '../graph/graph.ts'
import { type Account, formatAccount } from '../ledger/account.ts'
import { type AssetId, formatAsset } from '../ledger/asset.ts'
import { writtenAsOf } from './asOf.ts'
import type { BoundsAnswer, BoundsQuery, BoundsTarget, TargetText } from './boundsAnswer.ts'
import { type BoundsPlan, boundsPlan } from './boundsPlan.ts'
import { type EndName, type ForwardMoves, forwardMoves } from './forwardMoves.ts'
import { type Asking, intervalOf } from './interval.ts'
import { type Balances, provenBalances } from './provenBalances.ts'
import { knowledgeDigest, type TraceContext } from './trace.ts'
import { outcomes } from './traceAnswer.ts'

/** What bounds know besides the ledger. */
export interface BoundsContext extends TraceContext {
  /** True where an account is the target, judged at the time of a transfer in seconds. */
  readonly isTarget: (account: Account, time: number) => boolean
}

/** Name and version of the engine of bounds, in every answer. */
export const boundsVersion = 'jejak-bounds/1'

/**
 * How much of the seeds' money must, and at most can, have reached a target under any accounting (design 8.3), with
 * certificates that can be added up by hand.
 *
 * The result depends on its arguments alone. Conversions other than wraps end the money here: amounts of two assets are
 * never added.
 *
 * Cost: one look at each transfer behind the first seed, then maximum flows over the corridor.
 *
 * @throws KnownError `seed.not-found`, `seed.mixed-assets`, `seed.worthless`
 */
export function bounds(graph: Graph, context: BoundsContext, query: BoundsQuery): BoundsAnswer {
  const accounts = new Map<number, Account>()
  const plan = boundsPlan(graph, context, {
    scope: query,
    isTarget(address, time) {
      // Busy accounts are asked for at each arrival, and writing out a name takes time.
      const account = accounts.get(address) ?? graph.account(address)
      accounts.set(address, account)
      return context.isTarget(account, time)
    },
  })
  const forward = forwardMoves(plan.rules)
  const asking = askingOf(graph, { plan, forward, query })
  const framing = framingOf(graph, plan, { context, query })
  if (query.to === 'by_outcome') {
    const found = endNames(forward, asking.restsAs)
    return {
      ...framing,
      target: 'by_outcome',
      outcomes: found.map((name) => intervalOf(asking, name)),
    }
  }
  const found = intervalOf(asking, query.to === 'still_held' ? 'still_held' : 'target')
  return { ...framing, ...found, target: framing.query.to }
}

function askingOf(
  graph: Graph,
  given: {
    readonly plan: BoundsPlan
    readonly forward: ForwardMoves
    readonly query: BoundsQuery
  },
): Asking {
  const { plan, forward, query } = given
  const { isBeyond, twins } = plan.rules
  const known = provenBalances(graph, { ...plan, isBeyond })
  const balances = query.opening === 'unknown' ? unknownOpening(known) : known
  const restsAs = (holding: number): 'still_held' | 'not_ingested' =>
    isCoveredSince(graph, plan, { holding, slot: forward.reached.get(holding) ?? 0 })
      ? 'still_held'
      : 'not_ingested'
  const { asOf, seedTotal } = plan
  const { maxCorridor } = query
  return { graph, forward, balances, asOf, twins, isBeyond, seedTotal, restsAs, maxCorridor }
}

/** What was there before the first known transfer is not taken for nothing: then no balance is proven. */
function unknownOpening(known: Balances): Balances {
  return {
    ...known,
    state(holding) {
      const state = known.state(holding)
      return state === 'proven' ? 'opening_unknown' : state
    },
  }
}

/** As of a trace: only where the account is covered through the as-of block is money known to rest there. */
function isCoveredSince(
  graph: Graph,
  { coverage, asOf }: BoundsPlan,
  { holding, slot }: { readonly holding: number; readonly slot: number },
): boolean {
  const account = graph.account(graph.addressOf(holding))
  const asset = graph.assets[graph.assetOf(holding)] as AssetId
  const { block: fromBlock, chain } = graph.transfer(slot >> 1)
  const through = coverage.through(account, asset, { fromBlock, side: 'out' })
  return through !== undefined && through.block >= (asOf.get(chain) ?? 0)
}

/** Ends that money of the seeds may have come to, in the order of a trace's outcomes. */
function endNames(
  { moves, reached }: ForwardMoves,
  restsAs: (holding: number) => EndName,
): readonly EndName[] {
  const found = new Set<EndName | undefined>(moves.map(({ end }) => end))
  for (const holding of reached.keys()) found.add(restsAs(holding))
  const names: readonly EndName[] = [...outcomes, 'converted']
  return names.filter((name) => found.has(name))
}

function framingOf(
  graph: Graph,
  plan: BoundsPlan,
  given: { readonly context: BoundsContext; readonly query: BoundsQuery },
) {
  const { query, context } = given
  const seeds = [...plan.rules.seeds].sort((a, b) => a - b).map((seed) => graph.transfer(seed))
  return {
    version: boundsVersion,
    query: {
      seeds: seeds.map(({ id }) => id),
      to: targetText(query.to),
      opening: query.opening,
      maxCorridor: query.maxCorridor,
      asOf: Object.fromEntries(plan.asOf),
      continueThrough: query.continueThrough.map(formatAccount),
      neverFollow: query.neverFollow.map(formatAccount),
      resolve: query.resolve.map(({ tx, account, asset }) => ({
        tx,
        account: formatAccount(account),
        asset: formatAsset(asset),
      })),
    },
    seeds: seeds.map(({ id, asset, amount }) => ({
      transfer: id,
      asset: formatAsset(asset),
      amount: amount.toString(),
    })),
    seedTotal: plan.seedTotal.toString(),
    asOf: writtenAsOf(graph, plan.asOf),
    dataset: graph.digest,
    tags: knowledgeDigest(context),
    opening: query.opening,
  }
}

function targetText(to: BoundsTarget): TargetText {
  if (typeof to === 'string' || !('accounts' in to)) return to
  return { accounts: to.accounts.map(formatAccount) }
}
