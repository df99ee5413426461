import type { Graph } from '../graph/graph.ts'
import { shareOf } from '../ledger/amount.ts'
import { compareText } from '../ledger/order.ts'
import type { TransferId } from '../ledger/transfer.ts'
import { type MethodName, methodNames, methods } from './methods.ts'
import { createTracer, type TraceContext } from './trace.ts'
import { type Outcome, outcomes, type TraceAnswer, type TraceQuery } from './traceAnswer.ts'

/** Faces by method, decimal strings of the seeds' base units; a method that found nothing there has "0". */
export type FaceByMethod = Readonly<Partial<Record<MethodName, string>>>

export interface Comparison {
  readonly version: string
  readonly methods: readonly MethodName[]
  /** As used, but for the method. */
  readonly query: Omit<TraceAnswer['query'], 'method'>
  readonly seeds: TraceAnswer['seeds']
  readonly seedTotal: string
  /** Each column adds up to `seedTotal`. */
  readonly table: readonly {
    readonly outcome: Outcome
    readonly faces: FaceByMethod
    readonly shares: Readonly<Partial<Record<MethodName, number>>>
  }[]
  /** The same by place; the largest under any method first. */
  readonly places: readonly {
    readonly outcome: Outcome
    readonly account: string
    readonly asset: string
    readonly category?: string
    readonly label?: string
    readonly faces: FaceByMethod
  }[]
  /**
   * For several seeds, the table of each: only under methods for which it is the same whether one victim is traced or
   * all. Under the two that ask who is traced, one victim's part depends on the others.
   */
  readonly bySeed: readonly {
    readonly seed: TransferId
    readonly table: readonly { readonly outcome: Outcome; readonly faces: FaceByMethod }[]
  }[]
  /** What each method cut, and how many of its payments went beyond a balance. */
  readonly cuts: Readonly<
    Partial<Record<MethodName, TraceAnswer['cut'] & { readonly gaps: number }>>
  >
  readonly asOf: TraceAnswer['asOf']
  readonly dataset: string
  readonly tags: string
}

/**
 * One question under every method that has a form in its direction: what depends on the accounting, and what does not.
 *
 * Cost: that of one trace for each method; see `trace`.
 *
 * @throws KnownError as `trace` does.
 */
export function compareMethods(
  graph: Graph,
  context: TraceContext,
  query: Omit<TraceQuery, 'method'>,
): { readonly comparison: Comparison; readonly traces: readonly TraceAnswer[] } {
  const names = methodNames.filter(
    (name) => query.direction === 'forward' || methods[name].backward,
  )
  const traces = names.map(createTracer(graph, context, query))
  return { comparison: comparisonOf(names, traces), traces }
}

function comparisonOf(names: readonly MethodName[], traces: readonly TraceAnswer[]): Comparison {
  const [first] = traces
  if (!first) throw new RangeError('no method has a form in this direction')
  const { method: _, ...query } = first.query
  const total = BigInt(first.seedTotal)
  const linear = names.filter((name) => methods[name].backward)
  return {
    version: first.version,
    methods: names,
    query,
    seeds: first.seeds,
    seedTotal: first.seedTotal,
    table: tableOf(names, traces).map(({ outcome, faces }) => ({
      outcome,
      faces: texts(names, faces),
      shares: Object.fromEntries(
        names.map((name) => [name, shareOf(faces.get(name) ?? 0n, total)]),
      ),
    })),
    places: placesOf(names, traces),
    bySeed:
      first.seeds.length < 2
        ? []
        : first.seeds.map(({ transfer }) => ({
            seed: transfer,
            table: tableOf(linear, traces, transfer).map(({ outcome, faces }) => ({
              outcome,
              faces: texts(linear, faces),
            })),
          })),
    cuts: Object.fromEntries(
      traces.map(({ query: { method }, cut, gaps }) => [method, { ...cut, gaps: gaps.length }]),
    ),
    asOf: first.asOf,
    dataset: first.dataset,
    tags: first.tags,
  }
}

type Faces = Map<MethodName, bigint>

function tableOf(
  names: readonly MethodName[],
  traces: readonly TraceAnswer[],
  seed?: TransferId,
): readonly { readonly outcome: Outcome; readonly faces: Faces }[] {
  const rows = new Map<Outcome, Faces>()
  for (const { query, outcomes: found } of traces) {
    if (!names.includes(query.method)) continue
    for (const { outcome, face, seed: of } of found) {
      if (seed !== undefined && of !== seed) continue
      add(rows, outcome, { method: query.method, face: BigInt(face) })
    }
  }
  return outcomes.flatMap((outcome) => {
    const faces = rows.get(outcome)
    return faces ? [{ outcome, faces }] : []
  })
}

function placesOf(
  names: readonly MethodName[],
  traces: readonly TraceAnswer[],
): Comparison['places'] {
  const rows = new Map<string, Faces>()
  const places = new Map<string, Omit<Comparison['places'][number], 'faces'>>()
  for (const { query, outcomes: found } of traces) {
    for (const { outcome, account, asset, category, label, face } of found) {
      const key = `${outcome} ${account} ${asset}`
      add(rows, key, { method: query.method, face: BigInt(face) })
      const known = places.get(key)
      if (known) continue
      places.set(key, {
        outcome,
        account,
        asset,
        ...(category === undefined ? {} : { category }),
        ...(label === undefined ? {} : { label }),
      })
    }
  }
  const most = (key: string): bigint =>
    [...(rows.get(key)?.values() ?? [])].reduce((a, b) => (a > b ? a : b), 0n)
  return [...places]
    .map(([key, place]) => ({ key, place, most: most(key) }))
    .sort((a, b) => (a.most === b.most ? compareText(a.key, b.key) : a.most < b.most ? 1 : -1))
    .map(({ key, place }) => ({ ...place, faces: texts(names, rows.get(key) ?? new Map()) }))
}

function add<K>(
  rows: Map<K, Faces>,
  key: K,
  { method, face }: { readonly method: MethodName; readonly face: bigint },
): void {
  const faces: Faces = rows.get(key) ?? new Map()
  faces.set(method, (faces.get(method) ?? 0n) + face)
  rows.set(key, faces)
}

function texts(names: readonly MethodName[], faces: Faces): FaceByMethod {
  return Object.fromEntries(names.map((name) => [name, (faces.get(name) ?? 0n).toString()]))
}
