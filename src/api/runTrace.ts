import { accountsWithLots } from '../analysis/accountsWithLots.ts'
import { type Comparison, compareMethods } from '../analysis/compare.ts'
import type { Resolution } from '../analysis/conversions.ts'
import type { Direction, MethodName } from '../analysis/methods.ts'
import { resolveSeeds } from '../analysis/seeds.ts'
import { type TraceContext, trace } from '../analysis/trace.ts'
import type { TraceAnswer, TraceQuery } from '../analysis/traceAnswer.ts'
import type { Graph } from '../graph/graph.ts'
import type { Account } from '../ledger/account.ts'
import type { AssetId } from '../ledger/asset.ts'
import type { TransferId } from '../ledger/transfer.ts'
import type { Knowledge } from './knowledge.ts'

/** What CLI and HTTP ask of a trace: absent fields take the defaults of {@link defaults}. */
export interface TraceRequest {
  readonly seeds?: readonly string[] | undefined
  readonly seedAddresses?: readonly Account[] | undefined
  readonly side?: 'received' | 'sent' | undefined
  readonly asset?: AssetId | undefined
  readonly since?: number | undefined
  readonly until?: number | undefined
  readonly direction?: Direction | undefined
  readonly method?: MethodName | undefined
  readonly sameTransaction?: 'matched' | 'ordered' | undefined
  readonly minShare?: number | undefined
  readonly maxHops?: number | undefined
  readonly maxIdle?: number | undefined
  readonly asOf?: Readonly<Record<string, number>> | undefined
  readonly continueThrough?: readonly Account[] | undefined
  readonly neverFollow?: readonly Account[] | undefined
  readonly resolve?: readonly Resolution[] | undefined
  readonly throughTransfer?: TransferId | undefined
  readonly maxAddresses?: number | undefined
  readonly maxTransactions?: number | undefined
}

export const defaults = {
  /** Where money went from what was received; where it came from of what was sent. */
  side: { forward: 'received', backward: 'sent' },
  direction: 'forward',
  method: 'fifo',
  sameTransaction: 'matched',
  minShare: 0.001,
  maxHops: 32,
  maxAddresses: 100_000,
  maxTransactions: 250_000,
} as const

/**
 * Runs a trace over what is known now: the one way to a trace, for CLI and HTTP alike, so that both give the same
 * bytes.
 *
 * @param interrupted - asked now and then; true gives the trace up.
 * @throws KnownError `seed.*`, `asset.ambiguous`, `trace.unsupported`, `request.timeout`, `store.*`
 */
export async function runTrace(
  knowledge: Knowledge,
  request: TraceRequest,
  interrupted?: () => boolean,
): Promise<TraceAnswer> {
  const context = await knowledge.context()
  const limits = interrupted ? { ...context, interrupted } : context
  return knowledge.read(
    (graph) => trace(graph, limits, traceQuery(graph, context, request)),
    accountsWithLots,
  )
}

/**
 * The same question under every method.
 *
 * @throws KnownError as {@link runTrace}; `request.invalid` where a method is named.
 */
export async function runComparison(
  knowledge: Knowledge,
  request: Omit<TraceRequest, 'method'>,
  interrupted?: () => boolean,
): Promise<Comparison> {
  const context = await knowledge.context()
  const limits = interrupted ? { ...context, interrupted } : context
  const { comparison } = await knowledge.read(
    (graph) => compareMethods(graph, limits, traceQuery(graph, context, request)),
    ({ traces }) => new Set(traces.flatMap((answer) => [...accountsWithLots(answer)])),
  )
  return comparison
}

/**
 * What a request asks, complete: seeds found, defaults filled in.
 *
 * @throws KnownError `seed.*`, `asset.ambiguous`
 */
export function traceQuery(
  graph: Graph,
  context: Pick<TraceContext, 'tokens'>,
  request: TraceRequest,
): TraceQuery {
  const direction = request.direction ?? defaults.direction
  const seeds = resolveSeeds(graph, context.tokens, {
    transfers: request.seeds ?? [],
    accounts: request.seedAddresses ?? [],
    side: request.side ?? defaults.side[direction],
    ...(request.asset === undefined ? {} : { asset: request.asset }),
    ...(request.since === undefined ? {} : { since: request.since }),
    ...(request.until === undefined ? {} : { until: request.until }),
  })
  return {
    seeds,
    direction,
    method: request.method ?? defaults.method,
    sameTransaction: request.sameTransaction ?? defaults.sameTransaction,
    minShare: request.minShare ?? defaults.minShare,
    maxHops: request.maxHops ?? defaults.maxHops,
    ...(request.maxIdle === undefined ? {} : { maxIdle: request.maxIdle }),
    asOf: request.asOf ?? {},
    continueThrough: request.continueThrough ?? [],
    neverFollow: request.neverFollow ?? [],
    resolve: request.resolve ?? [],
    ...(request.throughTransfer === undefined ? {} : { throughTransfer: request.throughTransfer }),
    maxAddresses: request.maxAddresses ?? defaults.maxAddresses,
    maxTransactions: request.maxTransactions ?? defaults.maxTransactions,
  }
}
