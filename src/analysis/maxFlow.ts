import { createResiduals, givesBack, takes } from './residuals.ts'
import { edgesFrom, timeOrder } from './timeOrder.ts'

/** A directed network; edge e runs from `from[e]` to `to[e]`. */
export interface FlowNetwork {
  readonly nodeCount: number
  readonly from: ArrayLike<number>
  readonly to: ArrayLike<number>
  /** Base units. */
  readonly capacity: readonly bigint[]
}

/** A flow that grows by augmenting. Node 0 is where everything comes from. */
export interface Flow {
  /**
   * Sends as much more to a sink as possible, and never less to where flow already ends.
   *
   * @param start - where it comes from: by default node 0, or another sink, which then gets that much less.
   * @returns how much was added.
   */
  fill(sink: number, start?: number): bigint
  of(edge: number): bigint
  /** 1 for each node that could be sent more from one of these: their border is a minimum cut of the sink filled last. */
  reachable(starts: readonly number[]): Uint8Array
}

/** Farther than any node can be. */
const nowhere = 0x7fffffff

/**
 * Maximum flow with exact amounts of any size, by blocking flows as of E. A. Dinic, "Algorithm for solution of a problem
 * of maximum flow in networks with power estimation" (1970), with lengths of 0 and 1 as of A. V. Goldberg and S. Rao,
 * "Beyond the flow decomposition barrier" (1998): a step on in time costs nothing, a step back, by which another way is
 * given back what it took, costs one. Of an arc and the one back one always costs, so ways that were full stay full, and
 * each round is for ways that go back at least once more. That makes a fraction of the rounds that counting all steps
 * makes.
 *
 * Cost: O(nodes² × edges) at worst; networks in time order need few rounds, of one look at each edge.
 */
export function createFlow(network: FlowNetwork): Flow {
  const { nodeCount } = network
  const places = timeOrder(network)
  const { arcOf, starts, heads, mates } = arcsOf(network, places)
  const residuals = createResiduals(network, arcOf, mates)
  const { open } = residuals
  const level = new Int32Array(nodeCount)
  const current = new Int32Array(nodeCount)
  const path = new Int32Array(nodeCount)
  const queue = new Int32Array(nodeCount)
  const later = new Int32Array(nodeCount)

  /** Least steps back on a way to the sink over arcs that can take more; false when the start is cut off. */
  function rank(sink: number, start: number): boolean {
    level.fill(nowhere)
    level[sink] = 0
    queue[0] = sink
    let length = 1
    for (let back = 0; length > 0; back++) {
      const waiting = rankLevel(back, length)
      if (level[start] === back) return true
      length = 0
      for (let i = 0; i < waiting; i++) {
        const node = later[i] as number
        if (level[node] === back + 1) queue[length++] = node
      }
    }
    return false
  }

  /** All nodes with so many steps back; those that need one more go to `later`, unless they turn out to need none. */
  function rankLevel(back: number, known: number): number {
    let length = known
    let waiting = 0
    for (let i = 0; i < length; i++) {
      const node = queue[i] as number
      const end = starts[node + 1] as number
      for (let arc = starts[node] as number; arc < end; arc++) {
        const before = heads[arc] as number
        if ((level[before] as number) <= back || ((open[arc] as number) & givesBack) === 0) continue
        if (before < node) {
          level[before] = back
          queue[length++] = before
        } else if (level[before] === nowhere) {
          level[before] = back + 1
          later[waiting++] = before
        }
      }
    }
    return waiting
  }

  /** Next arc of a node that leads nearer to the sink, −1 when there is none left. */
  function nearer(node: number): number {
    const end = starts[node + 1] as number
    const own = level[node] as number
    let arc = current[node] as number
    for (; arc < end; arc++) {
      if (((open[arc] as number) & takes) === 0) continue
      const next = heads[arc] as number
      if (level[next] === (next > node ? own : own - 1)) break
    }
    current[node] = arc
    return arc < end ? arc : -1
  }

  /** Fills all ways with the fewest steps back at once. */
  function fillNearest(sink: number, start: number): void {
    current.set(starts.subarray(0, nodeCount))
    let length = 0
    let node = start
    for (;;) {
      if (node === sink) {
        length = residuals.push(path, length)
        node = heads[mates[path[length] as number] as number] as number
        continue
      }
      const arc = nearer(node)
      if (arc >= 0) {
        path[length++] = arc
        node = heads[arc] as number
        continue
      }
      if (length === 0) return
      level[node] = nowhere
      length--
      node = heads[mates[path[length] as number] as number] as number
    }
  }

  return {
    fill(sink, start = 0) {
      const before = residuals.sent()
      const [last, first] = [places[sink] as number, places[start] as number]
      while (rank(last, first)) fillNearest(last, first)
      return residuals.sent() - before
    },
    of: (edge) => residuals.rest(mates[arcOf[edge] as number] as number),
    reachable(from) {
      const seen = new Uint8Array(nodeCount)
      let length = 0
      for (const node of from) {
        const place = places[node] as number
        seen[place] = 1
        queue[length++] = place
      }
      for (let i = 0; i < length; i++) {
        const node = queue[i] as number
        for (let arc = starts[node] as number; arc < (starts[node + 1] as number); arc++) {
          const next = heads[arc] as number
          if (seen[next] === 1 || ((open[arc] as number) & takes) === 0) continue
          seen[next] = 1
          queue[length++] = next
        }
      }
      return seen.map((_, node) => seen[places[node] as number] as number)
    },
  }
}

/**
 * Two arcs for each edge, side by side with the others of the node they leave; nodes go by their places. Those that lead
 * farthest come first, which makes short ways and short certificates.
 */
function arcsOf({ nodeCount, from, to, capacity }: FlowNetwork, places: Int32Array) {
  const edgeCount = capacity.length
  const tails = new Int32Array(2 * edgeCount)
  for (let e = 0; e < edgeCount; e++) {
    tails[2 * e] = places[from[e] as number] as number
    tails[2 * e + 1] = places[to[e] as number] as number
  }
  const byHead = edgesFrom(tails, nodeCount).edges.reverse()
  const sorted = byHead.map((side) => tails[side ^ 1] as number)
  const { starts, edges } = edgesFrom(sorted, nodeCount)
  const sides = edges.map((at) => (byHead[at] as number) ^ 1)
  const arcOf = new Int32Array(edgeCount)
  const heads = new Int32Array(2 * edgeCount)
  const mates = new Int32Array(2 * edgeCount)
  for (let arc = 0; arc < sides.length; arc++) {
    const side = sides[arc] as number
    heads[arc] = tails[side ^ 1] as number
    if ((side & 1) === 0) arcOf[side >> 1] = arc
  }
  for (let arc = 0; arc < sides.length; arc++) {
    const side = sides[arc] as number
    if ((side & 1) === 0) continue
    const forward = arcOf[side >> 1] as number
    mates[arc] = forward
    mates[forward] = arc
  }
  return { arcOf, starts, heads, mates }
}
