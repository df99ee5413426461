/**
 * The best path of a corridor that begins with given transfers and does not go on with some others: the question that
 * the k best paths are made of. One pass in the order of time keeps for each (address, asset) the best way to it so far.
 *
 * Fewest hops are taken on every way there, so that a best path never meets an address twice: leaving a circle out makes
 * it shorter, no later and no narrower. Ties are decided by the last transfer, the earlier first, then by the one before.
 */
import type { Corridor } from './corridor.ts'
import { type Sliced, shortSlice } from './slices.ts'

export const orders = ['hops', 'arrival', 'bottleneck'] as const
/** Fewest transfers; earliest last transfer; largest smallest amount. */
export type Order = (typeof orders)[number]

/** A path as places in the corridor, ascending. */
export type Path = readonly number[]

export interface Beginning {
  readonly prefix: Path
  /** Places that must not come next. */
  readonly banned: ReadonlySet<number>
}

export interface Search {
  readonly corridor: Corridor
  readonly by: Order
  /** Compares the amounts at two places. */
  readonly compareAmounts: (a: number, b: number) => number
  /** Called with the number of transfers looked at. */
  readonly looked: (transfers: number) => void
}

const none = -1

/**
 * Cost: one pass over the corridor behind the prefix, two for `bottleneck`; `arrival` ends at the first that arrives.
 */
export function* bestPath(search: Search, beginning: Beginning): Sliced<Path | undefined> {
  const { prefix } = beginning
  const admits = admission(search.corridor, beginning)
  if (search.by !== 'bottleneck') return yield* fewestHops(search, { prefix, admits })
  const width = yield* widest(search, { prefix, admits })
  if (width === none) return undefined
  return yield* fewestHops(search, {
    prefix,
    admits: (place) => search.compareAmounts(place, width) >= 0 && admits(place),
  })
}

interface Pass {
  readonly prefix: Path
  /** `direct` where the transfer may follow the prefix itself, `onward` where only what came after it. */
  readonly admits: (place: number) => 'direct' | 'onward' | false
}

function admission(corridor: Corridor, { prefix, banned }: Beginning): Pass['admits'] {
  const { nearAddress, farAddress, nearHolding, farHolding, transaction, begins } = corridor
  const last = prefix.at(-1)
  const visited = new Set<number>(prefix.map((place) => farAddress[place] as number))
  return (place) => {
    if (visited.has(farAddress[place] as number)) return false
    const address = nearAddress[place] as number
    if (last === undefined) {
      if (begins[address] !== 1) return 'onward'
      return banned.has(place) ? false : 'direct'
    }
    if (address !== farAddress[last]) return 'onward'
    const follows =
      nearHolding[place] === farHolding[last] || transaction[place] !== transaction[last]
    return follows && !banned.has(place) ? 'direct' : false
  }
}

/** Place after the prefix from which a pass goes on. */
const behind = (prefix: Path): number => (prefix.at(-1) ?? -1) + 1

/**
 * @returns the place whose amount is the smallest on a widest path, −1 when there is no path.
 */
function* widest(search: Search, { prefix, admits }: Pass): Sliced<number> {
  const { nearHolding, farHolding, farAddress, ends, holdings, length } = search.corridor
  const narrower = (a: number, b: number): number => (search.compareAmounts(a, b) <= 0 ? a : b)
  const sofar = prefix.length === 0 ? none : prefix.reduce(narrower)
  const widths = new Int32Array(holdings).fill(none)
  let best = none
  for (let place = behind(prefix); place < length; place++) {
    if (place % shortSlice === 0) yield
    const how = admits(place)
    if (how === false) continue
    const width = how === 'direct' ? sofar : (widths[nearHolding[place] as number] as number)
    if (how === 'onward' && width === none) continue
    const through = width === none ? place : narrower(width, place)
    if (ends[farAddress[place] as number] === 1) {
      if (best === none || search.compareAmounts(through, best) > 0) best = through
      continue
    }
    const known = widths[farHolding[place] as number] as number
    if (known === none || search.compareAmounts(through, known) > 0)
      widths[farHolding[place] as number] = through
  }
  search.looked(length - behind(prefix))
  return best
}

function* fewestHops(search: Search, { prefix, admits }: Pass): Sliced<Path | undefined> {
  const { corridor } = search
  const { farAddress, ends, length } = corridor
  const ways = createWays(corridor)
  let best = none
  let place = behind(prefix)
  for (; place < length; place++) {
    if (place % shortSlice === 0) yield
    const how = admits(place)
    if (how === false) continue
    ways.beginTransactionOf(place)
    const before = how === 'direct' ? none : ways.to(place)
    if (how === 'onward' && before === none) continue
    ways.extend(place, before)
    if (ends[farAddress[place] as number] !== 1) ways.arrive(place)
    else if (best === none || ways.hops(place) < ways.hops(best)) best = place
    if (best !== none && search.by === 'arrival') break
  }
  search.looked(place - behind(prefix))
  return best === none ? undefined : [...prefix, ...ways.back(best)]
}

/** For each (address, asset), and for each address across assets, the best way to it so far. */
function createWays(corridor: Corridor) {
  const { nearHolding, farHolding, nearAddress, farAddress, transaction } = corridor
  const hops = new Int32Array(corridor.length)
  const parent = new Int32Array(corridor.length)
  const sameAsset = new Int32Array(corridor.holdings).fill(none)
  /** Another asset can leave only in a later transaction; so arrivals wait for its end. */
  const anyAsset = new Int32Array(corridor.addresses).fill(none)
  const waiting: number[] = []

  function better(a: number, b: number): number {
    if (a === none || b === none) return a === none ? b : a
    const difference = (hops[a] as number) - (hops[b] as number) || a - b
    return difference <= 0 ? a : b
  }

  function beginTransactionOf(place: number): void {
    const [first] = waiting
    if (first === undefined || transaction[first] === transaction[place]) return
    for (const arrived of waiting) {
      const address = farAddress[arrived] as number
      anyAsset[address] = better(anyAsset[address] as number, arrived)
    }
    waiting.length = 0
  }

  return {
    beginTransactionOf,
    /** Best way to whoever pays here, as the place of its last transfer. */
    to: (place: number): number =>
      better(
        sameAsset[nearHolding[place] as number] as number,
        anyAsset[nearAddress[place] as number] as number,
      ),
    extend(place: number, before: number): void {
      hops[place] = before === none ? 1 : (hops[before] as number) + 1
      parent[place] = before
    },
    arrive(place: number): void {
      const holding = farHolding[place] as number
      sameAsset[holding] = better(sameAsset[holding] as number, place)
      waiting.push(place)
    },
    hops: (place: number): number => hops[place] as number,
    back(last: number): number[] {
      const places: number[] = []
      for (let place = last; place !== none; place = parent[place] as number) places.push(place)
      return places.reverse()
    },
  }
}
