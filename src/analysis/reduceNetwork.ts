import type { FlowNetwork } from './maxFlow.ts'

/** A smaller network with the same maximum flows and minimum cuts between the nodes that were kept. */
export interface Reduction {
  readonly network: FlowNetwork
  /** Node of the smaller network in which each node went up. */
  readonly nodeOf: Int32Array
  /** A flow of the smaller network as one of the network it was made from. */
  expand(flow: readonly bigint[]): bigint[]
}

const source = 0

/** Below this part of the edges another round is not worth its time. */
const worthwhile = 0.97

/**
 * Reduces a network exactly. A node with one way out that can take all that comes in is the same place as the next one,
 * and so is a node with one way in that brings all that can go out: what an account receives in a row, what it pays in a
 * row, and what just passes through. Ways side by side are one.
 *
 * @param kept - nodes that stay apart: the first ones.
 * @param limit - no flow is larger, so an edge of this capacity can take anything.
 */
export function reduceNetwork(network: FlowNetwork, kept: number, limit: bigint): Reduction {
  let whole = reduceOnce(network, kept, limit)
  for (;;) {
    const next = reduceOnce(whole.network, kept, limit)
    const isSmaller = next.network.capacity.length < whole.network.capacity.length * worthwhile
    if (!isSmaller) return whole
    const before = whole
    whole = {
      network: next.network,
      nodeOf: before.nodeOf.map((node) => next.nodeOf[node] as number),
      expand: (flow) => before.expand(next.expand(flow)),
    }
  }
}

function reduceOnce(network: FlowNetwork, kept: number, limit: bigint): Reduction {
  const { root, tree } = contract(network, kept, limit)
  const { nodeOf, nodeCount } = numbered(network.nodeCount, root)
  const { members, from, to, capacity } = joined(network, nodeOf, limit)
  return {
    network: { nodeCount, from, to, capacity },
    nodeOf,
    expand(flow) {
      const whole = shared(network, members, flow)
      fillTrees(network, { tree, kept }, whole)
      return whole
    },
  }
}

/** Degrees and sums of the places that nodes have become; the only edge of a side is the xor of them all. */
function sidesOf({ nodeCount, from, to, capacity }: FlowNetwork) {
  const side = (end: ArrayLike<number>) => {
    const count = new Int32Array(nodeCount)
    const only = new Int32Array(nodeCount)
    const sum = new Array<bigint>(nodeCount).fill(0n)
    for (let e = 0; e < capacity.length; e++) {
      const node = end[e] as number
      if (capacity[e] === 0n) continue
      count[node] = (count[node] as number) + 1
      only[node] = (only[node] as number) ^ e
      sum[node] = (sum[node] as bigint) + (capacity[e] as bigint)
    }
    return { count, only, sum }
  }
  return { out: side(from), into: side(to) }
}

/** Contracts edges as long as one can be; they form trees, by which flow is found again. */
function contract(network: FlowNetwork, kept: number, limit: bigint) {
  const { nodeCount, from, to, capacity } = network
  const { out, into } = sidesOf(network)
  const parent = Int32Array.from({ length: nodeCount }, (_, node) => node)
  const root = (node: number): number => {
    let top = node
    while (parent[top] !== top) top = parent[top] as number
    for (let at = node; at !== top; ) {
      const next = parent[at] as number
      parent[at] = top
      at = next
    }
    return top
  }
  const tree: number[] = []
  const waiting = Array.from({ length: nodeCount - kept }, (_, i) => kept + i)

  function contractible(node: number): number {
    for (const [one, other] of [
      [out, into],
      [into, out],
    ] as const) {
      if (one.count[node] !== 1) continue
      const edge = one.only[node] as number
      const room = capacity[edge] as bigint
      const [tail, head] = [root(from[edge] as number), root(to[edge] as number)]
      // Only what the source gives keeps all flow within the limit.
      const takesAnything = room >= limit && tail !== source
      if (tail !== head && (takesAnything || room >= (other.sum[node] as bigint))) return edge
    }
    return -1
  }

  function merge(edge: number): void {
    const [tail, head] = [root(from[edge] as number), root(to[edge] as number)]
    const [stays, goes] = head < kept || (tail >= kept && tail > head) ? [head, tail] : [tail, head]
    parent[goes] = stays
    for (const [side, end] of [
      [out, tail],
      [into, head],
    ] as const) {
      side.count[end] = (side.count[end] as number) - 1
      side.only[end] = (side.only[end] as number) ^ edge
      side.sum[end] = (side.sum[end] as bigint) - (capacity[edge] as bigint)
      side.count[stays] = (side.count[stays] as number) + (side.count[goes] as number)
      side.only[stays] = (side.only[stays] as number) ^ (side.only[goes] as number)
      side.sum[stays] = (side.sum[stays] as bigint) + (side.sum[goes] as bigint)
    }
    tree.push(edge)
    if (stays >= kept) waiting.push(stays)
  }

  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (root(node) !== node) continue
    const edge = contractible(node)
    if (edge < 0) continue
    const [tail, head] = [root(from[edge] as number), root(to[edge] as number)]
    merge(edge)
    for (const end of [tail, head]) if (end >= kept && root(end) === end) waiting.push(end)
  }
  return { root, tree }
}

/** Kept nodes keep their numbers, since they are the first and never go up in another. */
function numbered(nodeCount: number, root: (node: number) => number) {
  const number = new Int32Array(nodeCount).fill(-1)
  let count = 0
  for (let node = 0; node < nodeCount; node++) if (root(node) === node) number[node] = count++
  const nodeOf = Int32Array.from({ length: nodeCount }, (_, node) => number[root(node)] as number)
  return { nodeOf, nodeCount: count }
}

/** Edges between the same two places become one. Those inside a place are gone, and those that can take nothing. */
function joined({ from, to, capacity }: FlowNetwork, nodeOf: Int32Array, limit: bigint) {
  const known = new Map<number, number>()
  const joinedEdges = { from: [] as number[], to: [] as number[], capacity: [] as bigint[] }
  const members: number[][] = []
  for (let e = 0; e < capacity.length; e++) {
    const [tail, head] = [nodeOf[from[e] as number] as number, nodeOf[to[e] as number] as number]
    if (tail === head || capacity[e] === 0n) continue
    const key = tail * nodeOf.length + head
    const edge = known.get(key) ?? members.length
    if (edge === members.length) {
      known.set(key, edge)
      members.push([])
      joinedEdges.from.push(tail)
      joinedEdges.to.push(head)
      joinedEdges.capacity.push(0n)
    }
    members[edge]?.push(e)
    const sum = (joinedEdges.capacity[edge] as bigint) + (capacity[e] as bigint)
    joinedEdges.capacity[edge] = sum < limit ? sum : limit
  }
  return { members, ...joinedEdges }
}

/** What one edge carries for several is given to them in their order. */
function shared(
  { capacity }: FlowNetwork,
  members: readonly (readonly number[])[],
  flow: readonly bigint[],
): bigint[] {
  const whole = new Array<bigint>(capacity.length).fill(0n)
  for (const [edge, own] of members.entries()) {
    let rest = flow[edge] as bigint
    for (const member of own) {
      if (rest === 0n) break
      const room = capacity[member] as bigint
      const part = rest >= room ? room : rest
      whole[member] = part
      rest -= part
    }
  }
  return whole
}

/** Flow of contracted edges: what is too much at one end of a tree must pass its only edge there. */
function fillTrees(
  network: FlowNetwork,
  { tree, kept }: { readonly tree: readonly number[]; readonly kept: number },
  flow: bigint[],
): void {
  const { nodeCount, from, to } = network
  const excess = new Array<bigint>(nodeCount).fill(0n)
  for (const [e, amount] of flow.entries()) {
    excess[from[e] as number] = (excess[from[e] as number] as bigint) - amount
    excess[to[e] as number] = (excess[to[e] as number] as bigint) + amount
  }
  const degree = new Int32Array(nodeCount)
  const only = new Int32Array(nodeCount)
  for (const edge of tree) {
    for (const node of [from[edge] as number, to[edge] as number]) {
      degree[node] = (degree[node] as number) + 1
      only[node] = (only[node] as number) ^ edge
    }
  }
  peel({ network, kept, excess, degree, only, flow })
}

function peel(given: {
  readonly network: FlowNetwork
  readonly kept: number
  readonly excess: bigint[]
  readonly degree: Int32Array
  readonly only: Int32Array
  readonly flow: bigint[]
}): void {
  const { network, kept, excess, degree, only, flow } = given
  const { from, to, nodeCount } = network
  // At kept nodes flow begins and ends, so what is too much there passes nowhere.
  const waiting = Array.from({ length: nodeCount }, (_, node) => node)
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (degree[node] !== 1 || node < kept) continue
    const edge = only[node] as number
    const other = from[edge] === node ? (to[edge] as number) : (from[edge] as number)
    const surplus = excess[node] as bigint
    flow[edge] = from[edge] === node ? surplus : -surplus
    excess[other] = (excess[other] as bigint) + surplus
    degree[node] = 0
    degree[other] = (degree[other] as number) - 1
    only[other] = (only[other] as number) ^ edge
    waiting.push(other)
  }
}
