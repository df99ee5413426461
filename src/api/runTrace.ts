import { accountsWithLots } from '../analysis/accountsWithLots.ts'
import { type Comparison, compareMethods } from '../analysis/compare.ts'
import type { Resolution } from '../analysis/conversions.ts'
import type { Direction, MethodName } from '../analysis/methods.ts'
import { resolveSeeds } from '../analysis/seeds.ts'
import type { TraceContext } from '../analysis/trace.ts'
import type { TraceQuery } from '../analysis/traceAnswer.ts'
import type { RecordedAttribution } from '../attribution/recorded.ts'
import type { Graph } from '../graph/graph.ts'
import type { Account } from '../ledger/account.ts'
import type { AssetId } from '../ledger/asset.ts'
import type { TransferId } from '../ledger/transfer.ts'
import type { Knowledge } from './knowledge.ts'
import { type NamedCoverage, type NamedTrace, namedCoverage, namedTrace } from './traceId.ts'
import { type TraceWatch, watchedTrace } from './watchedTrace.ts'

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

/** An answer and what it rests on: enough to pin it. */
export interface TracedMoment {
  readonly answer: NamedTrace
  readonly query: TraceQuery
  /** Where the log ended. */
  readonly sequence: number
  readonly coverage: NamedCoverage
  readonly attribution: RecordedAttribution
}

/**
 * Runs a trace over what is known now: the one way to a trace, for CLI and HTTP alike, so that both give the same
 * bytes.
 *
 * @param watch - may end the trace before its end; see {@link TraceWatch}.
 * @throws KnownError `seed.*`, `asset.ambiguous`, `trace.unsupported`, `request.timeout`, `store.*`
 */
export async function runTrace(
  knowledge: Knowledge,
  request: TraceRequest,
  watch?: TraceWatch,
): Promise<NamedTrace> {
  return (await traceMoment(knowledge, request, watch)).answer
}

/** As {@link runTrace}, with what is needed to pin the answer. */
export async function traceMoment(
  knowledge: Knowledge,
  request: TraceRequest,
  watch?: TraceWatch,
): Promise<TracedMoment> {
  const { context, attribution } = await knowledge.recordedContext()
  const run = watchedTrace(context, watch)
  const found = await knowledge.read(
    (graph) => {
      const query = traceQuery(graph, context, request)
      return { answer: run(graph, query), query, sequence: graph.sequence }
    },
    ({ answer }) => accountsWithLots(answer),
  )
  const coverage = namedCoverage(context.coverage)
  return { ...found, answer: namedTrace(found.answer, coverage.digest), coverage, attribution }
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
    ...(request.asOf === undefined ? {} : { asOf: request.asOf }),
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
