/**
 * The k best paths, each exactly once and in order: the best path parts all others into those that leave it at its
 * first transfer, at its second and so on; the best of each part is a candidate (Lawler, "A procedure for computing the
 * k best solutions to discrete optimization problems", 1972; Yen, "Finding the k shortest loopless paths", 1971).
 */
import { type Beginning, bestPath, type Path, type Search } from './bestPath.ts'
import type { Sliced } from './slices.ts'

export interface BestPaths {
  readonly paths: readonly Path[]
  /** Transfers looked at, counted once for each time. */
  readonly looked: number
  /** `paths`: there may be more than were asked for; `transfers`: the budget was used up; null: these are all. */
  readonly cut: 'paths' | 'transfers' | null
}

interface Candidate {
  readonly path: Path
  readonly beginning: Beginning
}

/**
 * Cost: one `bestPath` per transfer of the paths found.
 *
 * @param given.k - most paths.
 * @param given.maxLooked - most transfers to look at; when they are used up the paths found so far are the answer, and
 * they are the best ones.
 */
export function* bestPaths(
  search: Omit<Search, 'looked'>,
  given: { readonly k: number; readonly maxLooked: number },
): Sliced<BestPaths> {
  let looked = 0
  const counting: Search = {
    ...search,
    looked: (transfers) => {
      looked += transfers
    },
  }
  const found: Path[] = []
  const candidates: Candidate[] = []
  function* consider(beginning: Beginning): Sliced<void> {
    const path = yield* bestPath(counting, beginning)
    if (path) candidates.push({ path, beginning })
    yield
  }
  yield* consider({ prefix: [], banned: new Set() })
  for (;;) {
    const best = takeBest(search, candidates)
    if (!best) return { paths: found, looked, cut: null }
    found.push(best.path)
    if (found.length === given.k) return { paths: found, looked, cut: 'paths' }
    for (const part of partsWithout(best)) {
      if (looked >= given.maxLooked) return { paths: found, looked, cut: 'transfers' }
      yield* consider(part)
    }
  }
}

/** What is left of a candidate's part when its path is taken out, in parts that have nothing in common. */
function partsWithout({ path, beginning }: Candidate): Beginning[] {
  const first = beginning.prefix.length
  return path.slice(first).map((place, i) => ({
    prefix: path.slice(0, first + i),
    banned: new Set(i === 0 ? [...beginning.banned, place] : [place]),
  }))
}

function takeBest(search: Omit<Search, 'looked'>, candidates: Candidate[]): Candidate | undefined {
  let best = 0
  for (let i = 1; i < candidates.length; i++) {
    const [a, b] = [candidates[i], candidates[best]]
    if (a && b && comparePaths(search, a.path, b.path) < 0) best = i
  }
  return candidates.splice(best, 1)[0]
}

/** Negative when `a` is the better path; 0 only for the same path. */
export function comparePaths(
  { by, compareAmounts }: Pick<Search, 'by' | 'compareAmounts'>,
  a: Path,
  b: Path,
): number {
  const narrowest = (path: Path): number =>
    path.reduce((least, place) => (compareAmounts(place, least) < 0 ? place : least))
  const wider = by === 'bottleneck' ? compareAmounts(narrowest(b), narrowest(a)) : 0
  const sooner = by === 'arrival' ? (a.at(-1) ?? 0) - (b.at(-1) ?? 0) : 0
  return wider || sooner || a.length - b.length || compareFromTheEnd(a, b)
}

function compareFromTheEnd(a: Path, b: Path): number {
  for (let i = a.length - 1; i >= 0; i--) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
