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

const largestFloat = BigInt(Number.MAX_SAFE_INTEGER)

/** The amounts of arcs; 2e is edge e with what it can still take, 2e + 1 gives back what it took. */
interface Residuals {
  readonly open: Uint8Array
  /** Sends what the narrowest of the arcs can take along all of them. */
  push(arcs: Int32Array, length: number): void
  flow(edge: number): bigint
}

/**
 * Maximum flow with exact amounts of any size: E. A. Dinic, "Algorithm for solution of a problem of maximum flow in
 * networks with power estimation" (1970). Amounts are floats while each capacity is a whole number that a float holds
 * exactly, else bigints: only the arithmetic differs, the search is the same.
 *
 * Cost: O(nodes² × edges) at worst; networks in time order need few rounds.
 */
export function createFlow(network: FlowNetwork): Flow {
  const edges = network.capacity.length
  const isSmall = network.capacity.every((amount) => amount <= largestFloat)
  const residuals = isSmall ? floats(network) : bigints(network.capacity)
  const { starts, arcs, ends, heads } = adjacency(network)
  const { open } = residuals
  const level = new Int32Array(network.nodeCount)
  const current = new Int32Array(network.nodeCount)
  const queue = new Int32Array(network.nodeCount)
  const path = new Int32Array(network.nodeCount)

  /** Distance of nodes to the sink over arcs that can take more, as far as the source; false when it is cut off. */
  function rank(sink: number, start: number): boolean {
    level.fill(-1)
    level[sink] = 0
    queue[0] = sink
    let length = 1
    for (let i = 0; i < length; i++) {
      const node = queue[i] as number
      for (let a = starts[node] as number; a < (starts[node + 1] as number); a++) {
        const before = ends[a] as number
        if (level[before] !== -1 || open[(arcs[a] as number) ^ 1] === 0) continue
        level[before] = (level[node] as number) + 1
        // Whatever is as far as the source, or further, lies on no shortest way.
        if (before === start) return true
        queue[length++] = before
      }
    }
    return false
  }

  /** Next arc of a node that leads one step nearer to the sink, −1 when there is none left. */
  function nearer(node: number): number {
    const end = starts[node + 1] as number
    const wanted = (level[node] as number) - 1
    let a = current[node] as number
    for (; a < end; a++)
      if (level[ends[a] as number] === wanted && open[arcs[a] as number] === 1) break
    current[node] = a
    return a < end ? (arcs[a] as number) : -1
  }

  /** Fills all shortest ways at once. */
  function fillShortest(sink: number, start: number): void {
    current.set(starts.subarray(0, network.nodeCount))
    let length = 0
    let node = start
    for (;;) {
      if (node === sink) {
        residuals.push(path, length)
        let kept = 0
        while (open[path[kept] as number] === 1) kept++
        length = kept
        node = heads[(path[kept] as number) ^ 1] as number
        continue
      }
      const arc = nearer(node)
      if (arc >= 0) {
        path[length++] = arc
        node = heads[arc] as number
        continue
      }
      if (length === 0) return
      level[node] = -1
      length--
      node = heads[(path[length] as number) ^ 1] as number
    }
  }

  function arrivedAt(node: number): bigint {
    let sum = 0n
    for (let e = 0; e < edges; e++) if (network.to[e] === node) sum += residuals.flow(e)
    return sum
  }

  return {
    fill(sink, start = 0) {
      const before = arrivedAt(sink)
      while (rank(sink, start)) fillShortest(sink, start)
      return arrivedAt(sink) - before
    },
    of: (edge) => residuals.flow(edge),
    reachable(from) {
      const seen = new Uint8Array(network.nodeCount)
      const waiting = [...from]
      for (const node of from) seen[node] = 1
      for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
        for (let a = starts[node] as number; a < (starts[node + 1] as number); a++) {
          const arc = arcs[a] as number
          const next = heads[arc] as number
          if (open[arc] === 0 || seen[next] === 1) continue
          seen[next] = 1
          waiting.push(next)
        }
      }
      return seen
    },
  }
}

/** Arcs of each node with where they lead, side by side, and where each arc leads. */
function adjacency({ nodeCount, from, to, capacity }: FlowNetwork) {
  const edges = capacity.length
  const starts = new Int32Array(nodeCount + 1)
  const heads = new Int32Array(2 * edges)
  for (let e = 0; e < edges; e++) {
    heads[2 * e] = to[e] as number
    heads[2 * e + 1] = from[e] as number
    for (const node of [from[e] as number, to[e] as number])
      starts[node + 1] = (starts[node + 1] as number) + 1
  }
  for (let node = 0; node < nodeCount; node++)
    starts[node + 1] = (starts[node + 1] as number) + (starts[node] as number)
  const next = starts.slice(0, nodeCount)
  const arcs = new Int32Array(2 * edges)
  const ends = new Int32Array(2 * edges)
  for (let arc = 0; arc < 2 * edges; arc++) {
    const tail = heads[arc ^ 1] as number
    const at = next[tail] as number
    arcs[at] = arc
    ends[at] = heads[arc] as number
    next[tail] = at + 1
  }
  return { starts, arcs, ends, heads }
}

function floats({ capacity }: FlowNetwork): Residuals {
  const rest = new Float64Array(2 * capacity.length)
  const open = new Uint8Array(2 * capacity.length)
  for (const [e, amount] of capacity.entries()) {
    rest[2 * e] = Number(amount)
    open[2 * e] = amount > 0n ? 1 : 0
  }
  return {
    open,
    push(arcs, length) {
      let least = Number.POSITIVE_INFINITY
      for (let i = 0; i < length; i++) least = Math.min(least, rest[arcs[i] as number] as number)
      for (let i = 0; i < length; i++) {
        const arc = arcs[i] as number
        const left = (rest[arc] as number) - least
        rest[arc] = left
        if (left === 0) open[arc] = 0
        rest[arc ^ 1] = (rest[arc ^ 1] as number) + least
        open[arc ^ 1] = 1
      }
    },
    flow: (edge) => BigInt(rest[2 * edge + 1] as number),
  }
}

function bigints(capacity: readonly bigint[]): Residuals {
  const rest = capacity.flatMap((amount) => [amount, 0n])
  const open = new Uint8Array(rest.length)
  for (const [arc, amount] of rest.entries()) open[arc] = amount > 0n ? 1 : 0
  return {
    open,
    push(arcs, length) {
      let least = rest[arcs[0] as number] as bigint
      for (let i = 1; i < length; i++) {
        const amount = rest[arcs[i] as number] as bigint
        if (amount < least) least = amount
      }
      for (let i = 0; i < length; i++) {
        const arc = arcs[i] as number
        const left = (rest[arc] as bigint) - least
        rest[arc] = left
        if (left === 0n) open[arc] = 0
        rest[arc ^ 1] = (rest[arc ^ 1] as bigint) + least
        open[arc ^ 1] = 1
      }
    },
    flow: (edge) => rest[2 * edge + 1] as bigint,
  }
}
