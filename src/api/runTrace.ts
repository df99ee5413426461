import { accountsWithLots } from '../analysis/accountsWithLots.ts'
import { resolveSeeds } from '../analysis/seeds.ts'
import type { ValueTokens } from '../analysis/stops.ts'
import { trace } from '../analysis/trace.ts'
import type { TraceAnswer, TraceQuery } from '../analysis/traceAnswer.ts'
import type { Graph } from '../graph/graph.ts'
import type { Account } from '../ledger/account.ts'
import type { AssetId } from '../ledger/asset.ts'
import { KnownError } from '../ledger/errors.ts'
import type { Knowledge } from './knowledge.ts'

/** What CLI and HTTP ask of a trace: absent fields take the defaults of {@link defaults}. */
export interface TraceRequest {
  readonly seeds?: readonly string[] | undefined
  readonly seedAddresses?: readonly Account[] | undefined
  readonly side?: 'received' | 'sent' | undefined
  readonly asset?: AssetId | undefined
  readonly since?: number | undefined
  readonly until?: number | undefined
  readonly direction?: string | undefined
  readonly method?: string | undefined
  readonly sameTransaction?: 'matched' | 'ordered' | undefined
  readonly minShare?: number | undefined
  readonly maxHops?: number | undefined
  readonly maxIdle?: number | undefined
  readonly asOf?: Readonly<Record<string, number>> | undefined
  readonly continueThrough?: readonly Account[] | undefined
  readonly neverFollow?: readonly Account[] | undefined
  readonly maxAddresses?: number | undefined
  readonly maxTransactions?: number | undefined
}

export const defaults = {
  side: 'received',
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
  refuseLater('direction', request.direction, 'forward')
  refuseLater('method', request.method, 'fifo')
  const context = await knowledge.context()
  const limits = interrupted ? { ...context, interrupted } : context
  return knowledge.read(
    (graph) => trace(graph, limits, queryOf(graph, context.tokens, request)),
    accountsWithLots,
  )
}

/** The request with its seeds found and every default filled in. */
function queryOf(graph: Graph, tokens: ValueTokens, request: TraceRequest): TraceQuery {
  const seeds = resolveSeeds(graph, tokens, {
    transfers: request.seeds ?? [],
    accounts: request.seedAddresses ?? [],
    side: request.side ?? defaults.side,
    ...(request.asset === undefined ? {} : { asset: request.asset }),
    ...(request.since === undefined ? {} : { since: request.since }),
    ...(request.until === undefined ? {} : { until: request.until }),
  })
  return {
    seeds,
    direction: 'forward',
    method: 'fifo',
    sameTransaction: request.sameTransaction ?? defaults.sameTransaction,
    minShare: request.minShare ?? defaults.minShare,
    maxHops: request.maxHops ?? defaults.maxHops,
    ...(request.maxIdle === undefined ? {} : { maxIdle: request.maxIdle }),
    asOf: request.asOf ?? {},
    continueThrough: request.continueThrough ?? [],
    neverFollow: request.neverFollow ?? [],
    maxAddresses: request.maxAddresses ?? defaults.maxAddresses,
    maxTransactions: request.maxTransactions ?? defaults.maxTransactions,
  }
}

function refuseLater(field: string, value: string | undefined, available: string): void {
  if (value === undefined || value === available) return
  throw new KnownError(
    'trace.unsupported',
    `${field} "${value.slice(0, 40)}" is not available in this version`,
    {
      facts: { field, value: value.slice(0, 40), available },
      hint: `Use ${available}.`,
    },
  )
}
