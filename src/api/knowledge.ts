import { totalmem } from 'node:os'
import type { TraceContext } from '../analysis/trace.ts'
import { type Attribution, loadAttribution } from '../attribution/load.ts'
import type { RecordedAttribution } from '../attribution/recorded.ts'
import { openRegistries, type Registries } from '../attribution/registries.ts'
import { buildGraphAt } from '../graph/build.ts'
import { type Moment, openGenerations } from '../graph/generations.ts'
import type { Graph, WholeGraph } from '../graph/graph.ts'
import { askNeighbourhood, type Keeps } from '../graph/neighbourhood.ts'
import { openSummaries } from '../graph/summaries.ts'
import { type Coverage, type CoverageOfMany, lowerClaims } from '../ledger/coverage.ts'
import { KnownError } from '../ledger/errors.ts'
import { madeLocalFolder, openStore, type StorePlace } from '../store/open.ts'
import { disputeVersions, listDisputes } from '../store/proofs.ts'
import type { Store } from '../store/store.ts'

/** A store with everything that is derived from it, each part made again only when what it rests on changed. */
export interface Knowledge {
  readonly location: string
  /** With what it was opened, so that threads can open it for themselves. */
  readonly place: KnowledgePlace
  /** Folder for files beside the store. */
  readonly folder: string
  readonly store: Store
  /**
   * Asks a pure function of the graph: in memory, or of as much of the ledger as it needs where all of it is larger
   * than the memory for it. The answer is the same.
   *
   * @param keeps - accounts in which money that the answer follows came to rest, so that the histories of the others
   * need not be read. Default: all that were asked for.
   */
  read<T>(work: (graph: Graph) => T, keeps?: Keeps<T>): Promise<T>
  /**
   * The whole graph in memory, for who goes through all of it.
   *
   * @throws KnownError `graph.too-large`
   */
  graph(): Promise<WholeGraph>
  /**
   * Rows and coverage of one moment as threads share them; undefined where the ledger is larger than memory: they ask
   * the store.
   *
   * @param mostBehindMs - how old it may be while the log goes on; see {@link Generations.moment}. 0: not at all.
   */
  moment(mostBehindMs: number): Promise<Moment | undefined>
  /** What was written through this process is in every later answer, however the log goes on. */
  showAll(): Promise<void>
  /**
   * What the ledger is as a whole.
   *
   * @param mostBehindMs - as {@link Knowledge.moment} has it. Default 0.
   */
  ledger(
    mostBehindMs?: number,
  ): Promise<Pick<Graph, 'sequence' | 'digest' | 'transferCount' | 'chains'>>
  attribution(): Promise<Attribution>
  /** Claims of coverage as they may be relied on: those that something better contradicts are lowered. */
  claims(): Promise<readonly (Coverage | CoverageOfMany)[]>
  context(): Promise<TraceContext>
  /** The context together with what it was made of, so that it can be made again. */
  recordedContext(): Promise<RecordedContext>
  /**
   * Asks a pure function of the ledger as it was when the log had come to a sequence number.
   *
   * Cost: where the log has gone on, one reading of it up to there.
   *
   * @throws KnownError `trace.not-replayable` where the log never ended there, or is larger than memory and has gone on
   */
  readAt<T>(sequence: number, work: (graph: Graph) => T, keeps?: Keeps<T>): Promise<T>
  /** Has something closed before the store is. */
  onClose(close: () => Promise<void>): void
  close(): Promise<void>
}

/** What traces know besides the ledger, and the readings of the store that it was made of. */
export interface RecordedContext {
  readonly context: TraceContext
  readonly attribution: RecordedAttribution
}

/** What the owner of a thread handed over: the thread asks neither the log nor its coverage for anything newer. */
export interface HandedOver {
  readonly graph: WholeGraph
  readonly claims: readonly (Coverage | CoverageOfMany)[]
}

/** A store and how much of it may be in memory. */
export interface KnowledgePlace extends StorePlace {
  /** Largest graph to hold, bytes. Default half of the memory that this process may use. */
  readonly maxGraphBytes?: number
  /** Whether whoever else works on this machine goes before those who build graphs. Default false. */
  readonly isPatient?: boolean
}

/** Bytes of columns and indexes, at most; building them takes about twice that for a moment. */
const bytesPerTransfer = 96

/** What a part of a ledger takes while it is loaded: rows, columns and names. Less than so many would be of no use. */
const bytesPerLoaded = 400
const leastLoaded = 1_000_000

/** Rows of a summary on their way, and least rows to sort at once. */
const bytesPerSorted = 300
const leastSorted = 100_000

/** A ledger that grows while it is read is read again so often. */
const mostReadings = 3

/**
 * @param given - where the store is; a folder is made when absent.
 * @param handedOver - in a thread: what its owner handed over for the question under way, instead of what it would read
 * itself; undefined where the ledger is larger than memory.
 * @throws KnownError `store.*`
 */
export async function openKnowledge(
  given: KnowledgePlace | string,
  handedOver?: () => HandedOver | undefined,
): Promise<Knowledge> {
  const place = typeof given === 'string' ? { location: given } : given
  const store = await openStore(place)
  const folder = madeLocalFolder(place)
  const ledgers = openLedgers(store, { place, folder }, handedOver)
  const closing: (() => Promise<void>)[] = []
  const attribution = remembered(
    async () => `${(await store.state()).tagVersion} ${await documentVersions(store)}`,
    () => loadAttribution(store),
  )
  const storedClaims = remembered(
    async () => String((await store.state()).coverageVersion),
    () => store.coverageClaims(),
  )
  const disputes = remembered(
    () => disputeVersions(store),
    () => listDisputes(store),
  )
  const lowered = lowering()
  const claims = async () =>
    lowered(handedOver?.()?.claims ?? (await storedClaims()), await disputes())
  const registries = openRegistries(store)
  const recordedContext = async (): Promise<RecordedContext> => {
    const known = await attribution()
    const conversions = await registries(known)
    return {
      context: contextOf(known, await claims(), conversions),
      attribution: { ...known.recorded, registries: conversions.counts },
    }
  }
  return {
    location: place.location,
    place,
    folder,
    store,
    ...ledgers,
    attribution,
    claims,
    context: async () => (await recordedContext()).context,
    recordedContext,
    onClose(close) {
      closing.push(close)
    },
    async close() {
      await Promise.all(closing.map((close) => close()))
      await ledgers.close()
      await store.close()
    },
  }
}

/** Claims as they may be relied on, made again only when claims or disputes are others. */
function lowering(): typeof lowerClaims {
  let last: { readonly given: Parameters<typeof lowerClaims>; readonly made: Claims } | undefined
  return (claims, disputes) => {
    if (last?.given[0] !== claims || last.given[1] !== disputes)
      last = { given: [claims, disputes], made: lowerClaims(claims, disputes) }
    return last.made
  }
}

type Claims = ReturnType<typeof lowerClaims>

export function contextOf(
  { tags, tokens }: Attribution,
  coverage: TraceContext['coverage'],
  conversions: Registries,
): TraceContext {
  return { tags, tokens, coverage, conversions, freezes: conversions.freezes }
}

/** The ledger of a store: as generations while it fits into memory, by its neighbourhoods when it does not. */
function openLedgers(
  store: Store,
  { place, folder }: { readonly place: KnowledgePlace; readonly folder: string },
  handedOver: (() => HandedOver | undefined) | undefined,
): Pick<Knowledge, 'read' | 'readAt' | 'graph' | 'moment' | 'showAll' | 'ledger' | 'close'> {
  const maxBytes = place.maxGraphBytes ?? halfOfMemory()
  const { isPatient = false } = place
  const generations = openGenerations(store, { place, folder, maxBytes, isPatient })
  const newest = async () => handedOver?.()?.graph ?? generations.current()
  const rowsAtOnce = Math.max(leastSorted, Math.floor(maxBytes / bytesPerSorted))
  const summaries = openSummaries(store, { place, folder, rowsAtOnce })
  const maxRows = Math.max(leastLoaded, Math.floor(maxBytes / bytesPerLoaded))

  async function fits(): Promise<boolean> {
    if (handedOver) return handedOver() !== undefined
    const { sequence } = await store.state()
    return sequence * bytesPerTransfer <= maxBytes
  }

  async function read<T>(work: (graph: Graph) => T, keeps?: Keeps<T>): Promise<T> {
    return (await fits()) ? work(await newest()) : nearby(work, keeps)
  }

  async function nearby<T>(work: (graph: Graph) => T, keeps?: Keeps<T>): Promise<T> {
    for (let reading = 0; reading < mostReadings; reading++) {
      const summary = await summaries.current()
      const answer = await askNeighbourhood({ store, summary, maxRows }, work, keeps)
      // Every reading of the store saw the same moment, or none counts.
      if ((await store.state()).sequence === summary.sequence) return answer
    }
    throw new KnownError('store.busy', 'the ledger changes faster than it can be read', {
      facts: { readings: mostReadings },
      hint: 'Ask again when the import or ingest is done, or raise JEJAK_MAX_GRAPH_BYTES.',
      retryable: true,
    })
  }

  return {
    read,
    async readAt(sequence, work, keeps) {
      const now = await store.state()
      const bytes = sequence * bytesPerTransfer
      if (bytes > maxBytes) {
        if (sequence === now.sequence) return nearby(work, keeps)
        throw logWentOn(sequence, now.sequence, { bytes, maxBytes })
      }
      const current = (await fits()) ? await newest() : undefined
      if (current?.sequence === sequence) return work(current)
      const graph = await buildGraphAt(store, sequence)
      if (!graph) throw logNeverEndedAt(sequence, now.sequence)
      return work(graph)
    },
    async graph() {
      if (await fits()) return newest()
      throw beyondMemory((await store.state()).sequence * bytesPerTransfer, maxBytes)
    },
    async moment(mostBehindMs) {
      if (await fits()) return generations.moment(mostBehindMs)
      // Made here once, it is read from its file by every thread.
      await summaries.current()
      return undefined
    },
    showAll: generations.showAll,
    async ledger(mostBehindMs = 0) {
      if (await fits())
        return mostBehindMs > 0 ? (await generations.moment(mostBehindMs)).graph : newest()
      const { sequence, digest, transfers, chains } = await summaries.current()
      return { sequence, digest, transferCount: transfers, chains }
    },
    async close() {
      await generations.close()
      await summaries.close()
    },
  }
}

function halfOfMemory(): number {
  // 0, or more than there is, where nothing confines this process.
  const confined = process.constrainedMemory()
  return Math.floor(Math.min(totalmem(), confined || Number.POSITIVE_INFINITY) / 2)
}

function beyondMemory(bytes: number, maxBytes: number): KnownError {
  return new KnownError(
    'graph.too-large',
    `this question goes through the whole ledger, which takes about ${bytes.toLocaleString('en')} bytes in memory; ${maxBytes.toLocaleString('en')} are allowed`,
    { facts: { bytes, maxBytes }, hint: 'Raise JEJAK_MAX_GRAPH_BYTES on a machine that has them.' },
  )
}

function logWentOn(
  sequence: number,
  now: number,
  { bytes, maxBytes }: { readonly bytes: number; readonly maxBytes: number },
): KnownError {
  return new KnownError(
    'trace.not-replayable',
    `the log has gone on from ${sequence} to ${now}, and the ledger as it was takes about ${bytes.toLocaleString('en')} bytes in memory; ${maxBytes.toLocaleString('en')} are allowed`,
    {
      facts: { sequence, now, bytes, maxBytes },
      hint: 'Raise JEJAK_MAX_GRAPH_BYTES, or replay on a machine with more memory.',
    },
  )
}

function logNeverEndedAt(sequence: number, now: number): KnownError {
  return new KnownError(
    'trace.not-replayable',
    `the log of this store, now at ${now}, never ended at ${sequence}`,
    {
      facts: { sequence, now },
      hint: 'Replay from the store in which the trace was pinned, or from a copy of it.',
    },
  )
}

/** Token lists, categories and wrapped coins are few documents: their versions together tell a change. */
async function documentVersions(store: Store): Promise<string> {
  const versions: string[] = []
  for (const collection of ['token-list', 'category', 'wrapped']) {
    for (const { id, version } of await store.listDocuments(collection))
      versions.push(`${collection} ${id} ${version}`)
  }
  return versions.join('\n')
}

function remembered<T>(key: () => Promise<string>, make: () => Promise<T>): () => Promise<T> {
  let known: { readonly key: string; readonly value: Promise<T> } | undefined
  return async () => {
    const wanted = await key()
    if (known?.key !== wanted) known = { key: wanted, value: make() }
    return known.value
  }
}
