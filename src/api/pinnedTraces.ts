import { accountsWithLots } from '../analysis/accountsWithLots.ts'
import { engineVersion, knowledgeDigest, type TraceContext } from '../analysis/trace.ts'
import type { TraceQuery } from '../analysis/traceAnswer.ts'
import { loadAttribution } from '../attribution/load.ts'
import { type RecordedAttribution, replaying } from '../attribution/recorded.ts'
import { openRegistries } from '../attribution/registries.ts'
import { KnownError } from '../ledger/errors.ts'
import type { Store } from '../store/store.ts'
import { contextOf, type Knowledge } from './knowledge.ts'
import type { TracedMoment } from './runTrace.ts'
import { create, putOnce, readOnce } from './storedText.ts'
import { type NamedTrace, namedCoverage, namedTrace, textDigest, traceText } from './traceId.ts'
import { type TraceWatch, watchedTrace } from './watchedTrace.ts'

/** A trace that can be made again: a document of the collection `trace` under the trace's id. */
export interface PinnedTrace {
  /** Of the engine. */
  readonly version: string
  /** As used, seeds and as-of blocks found. */
  readonly query: TraceQuery
  /** Where the log ended. */
  readonly sequence: number
  readonly dataset: string
  /** Digests under which the collections `trace-tags` and `trace-coverage` hold what was known then. */
  readonly tags: string
  readonly coverage: string
  /** SHA-256 of the answer's bytes. */
  readonly answer: string
}

/**
 * Keeps what is needed to give the same bytes again, however the ledger, its tags and its coverage go on. Tags and
 * coverage are kept once for all traces that rest on the same.
 *
 * Cost: some kilobytes a trace; all tags and claims of the store whenever they have changed.
 *
 * @throws KnownError `store.*`
 */
export async function pinTrace(store: Store, moment: TracedMoment): Promise<void> {
  const { answer, query, sequence, coverage, attribution } = moment
  if (await store.readDocument('trace', answer.id)) return
  await putOnce(store, 'trace-tags', answer.tags, () => attribution)
  await putOnce(store, 'trace-coverage', coverage.digest, () => coverage.claims)
  const pinned: PinnedTrace = {
    version: answer.version,
    query: pinnedQuery(query, answer),
    sequence,
    dataset: answer.dataset,
    tags: answer.tags,
    coverage: coverage.digest,
    answer: textDigest(traceText(answer)),
  }
  await create(store, 'trace', answer.id, pinned)
}

function pinnedQuery(query: TraceQuery, { query: used }: NamedTrace): TraceQuery {
  const { seeds, asOf, throughTransfer } = used
  return { ...query, seeds, asOf, ...(throughTransfer === undefined ? {} : { throughTransfer }) }
}

/**
 * The document of a pinned trace.
 *
 * @throws KnownError `trace.not-found`
 */
export async function readPin(
  store: Pick<Store, 'readDocument'>,
  id: string,
): Promise<PinnedTrace> {
  const document = /^[0-9a-f]{64}$/.test(id) ? await store.readDocument('trace', id) : undefined
  if (document) return document.value as PinnedTrace
  throw new KnownError('trace.not-found', `no trace ${id.slice(0, 64)} is pinned in this store`, {
    facts: { trace: id.slice(0, 64) },
    hint: 'Ids are 64 hex digits; POST /v1/traces and `jejak trace --pin` pin.',
  })
}

/**
 * A pinned trace, made again from the log as it was, with the tags and the coverage of that time: the same bytes.
 *
 * Cost: that of the trace, and of one reading of the log where it has gone on since.
 *
 * @throws KnownError `trace.not-found`; `trace.not-replayable` with the reason where the bytes cannot be had again
 */
export async function replayTrace(
  knowledge: Knowledge,
  id: string,
  watch?: TraceWatch,
): Promise<NamedTrace> {
  const pinned = await readPin(knowledge.store, id)
  if (pinned.version !== engineVersion) {
    throw notReplayable(id, `it was made by ${pinned.version}, and this is ${engineVersion}`, {
      hint: 'Replay it with the version that made it; /v1/traces/{id}/diff needs that too.',
    })
  }
  const context = await contextThen(knowledge.store, id, pinned)
  const run = watchedTrace(context, watch)
  const answer = await knowledge.readAt(
    pinned.sequence,
    (graph) => {
      // The whole trace would only fail in a more puzzling way.
      if (graph.digest !== pinned.dataset)
        throw notReplayable(id, `the ledger as it was has the digest ${graph.digest}`)
      return run(graph, pinned.query)
    },
    accountsWithLots,
  )
  const named = namedTrace(answer, pinned.coverage)
  if (named.id === id && textDigest(traceText(named)) === pinned.answer) return named
  throw notReplayable(id, 'this program makes other bytes of the same data')
}

async function contextThen(store: Store, id: string, pinned: PinnedTrace): Promise<TraceContext> {
  const recorded = await readOnce(store, 'trace-tags', pinned.tags)
  const claims = await readOnce(store, 'trace-coverage', pinned.coverage)
  if (recorded === undefined) throw notReplayable(id, 'the tags of that time are not in the store')
  if (claims === undefined) throw notReplayable(id, 'the coverage of that time is not in the store')
  const known = recorded as RecordedAttribution
  const attribution = await loadAttribution(replaying(known))
  const conversions = await openRegistries(store, known.registries)(attribution)
  const context = contextOf(attribution, claims as TraceContext['coverage'], conversions)
  if (knowledgeDigest(context) !== pinned.tags)
    throw notReplayable(id, 'the tags or token lists that ship with the program have changed')
  if (namedCoverage(context.coverage).digest !== pinned.coverage)
    throw notReplayable(id, 'the coverage of that time is damaged')
  return context
}

function notReplayable(id: string, why: string, more: { readonly hint?: string } = {}): KnownError {
  return new KnownError('trace.not-replayable', `the trace ${id} cannot be made again: ${why}`, {
    facts: { trace: id },
    hint: more.hint ?? '`jejak check` says whether the store is sound.',
  })
}
