import { type Side, sidesOf } from './edgeSums.ts'
import type { FlowNetwork } from './maxFlow.ts'
import { edgesFrom } from './timeOrder.ts'

/** A smaller network with the same maximum flows and minimum cuts between the nodes that were kept. */
export interface Reduction {
  readonly network: FlowNetwork
  /** Node of the smaller network in which each node went up. */
  readonly nodeOf: Int32Array
  /** A flow of the smaller network as one of the network it was made from. */
  expand(flow: readonly bigint[]): bigint[]
}

const source = 0

/** Another round is worth its time where so large a part of the ways turned out to lie side by side. */
const worthwhile = 0.02

/**
 * Reduces a network exactly. A node with one way out that can take all that comes in is the same place as the next one,
 * and so is a node with one way in that brings all that can go out: what an account receives in a row, what it pays in a
 * row, and what just passes through. Ways side by side are one.
 *
 * @param kept - nodes that stay apart: the first ones.
 * @param limit - no flow is larger, so an edge of this capacity can take anything.
 */
export function reduceNetwork(network: FlowNetwork, kept: number, limit: bigint): Reduction {
  let { parallel, ...whole } = reduceOnce(network, kept, limit)
  while (isWorthwhile(parallel, whole.network)) {
    const before = whole
    const next = reduceOnce(whole.network, kept, limit)
    parallel = next.parallel
    whole = {
      network: next.network,
      nodeOf: before.nodeOf.map((node) => next.nodeOf[node] as number),
      expand: (flow) => before.expand(next.expand(flow)),
    }
  }
  return whole
}

/** @returns also how many edges went up in others beside them. */
function reduceOnce(
  network: FlowNetwork,
  kept: number,
  limit: bigint,
): Reduction & { readonly parallel: number } {
  const { root, tree } = contract(network, kept, limit)
  const { nodeOf, nodeCount } = numbered(network.nodeCount, root)
  const places = { nodeOf, nodeCount }
  const { edgeOf, count, parallel } = joined(network, places)
  if (tree.length === 0 && !isWorthwhile(parallel, network)) return unchanged(network, nodeOf)
  return {
    network: smaller(network, { ...places, edgeOf, count }, limit),
    parallel,
    nodeOf,
    expand(flow) {
      const whole = shared(network, edgeOf, flow)
      fillTrees(network, { tree, kept }, whole)
      return whole
    },
  }
}

function isWorthwhile(parallel: number, { capacity }: FlowNetwork): boolean {
  return parallel > capacity.length * worthwhile
}

/** Where next to nothing would go, writing down a new network takes longer than it saves. */
function unchanged(network: FlowNetwork, nodeOf: Int32Array): ReturnType<typeof reduceOnce> {
  return { network, parallel: 0, nodeOf, expand: (flow) => [...flow] }
}

/** Contracts edges as long as one can be; they form trees, by which flow is found again. */
function contract(network: FlowNetwork, kept: number, limit: bigint) {
  const { nodeCount, from, to, capacity } = network
  const { out, into } = sidesOf(network, limit)
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

  /** The only edge on one side, where it can take all of the other side; else −1. */
  function wayThrough(node: number, one: Side, other: Side): number {
    if (one.count[node] !== 1) return -1
    const edge = one.only[node] as number
    const tail = root(from[edge] as number)
    if (tail === root(to[edge] as number)) return -1
    // Only what the source gives keeps all flow within the limit.
    const takesAnything = (capacity[edge] as bigint) >= limit && tail !== source
    return takesAnything || other.sums.fits(node, edge) ? edge : -1
  }

  function join(side: Side, stays: number, goes: number): void {
    side.count[stays] = (side.count[stays] as number) + (side.count[goes] as number)
    side.only[stays] = (side.only[stays] as number) ^ (side.only[goes] as number)
    side.sums.merge(stays, goes)
  }

  function leave(side: Side, node: number, edge: number): void {
    side.count[node] = (side.count[node] as number) - 1
    side.only[node] = (side.only[node] as number) ^ edge
    side.sums.add(node, edge, -1)
  }

  function merge(edge: number): number {
    const tail = root(from[edge] as number)
    const head = root(to[edge] as number)
    const stays = head < kept || (tail >= kept && tail > head) ? head : tail
    const goes = stays === head ? tail : head
    parent[goes] = stays
    leave(out, tail, edge)
    leave(into, head, edge)
    join(out, stays, goes)
    join(into, stays, goes)
    tree.push(edge)
    return stays
  }

  for (let node = kept; node < nodeCount; node++) {
    // A place that has grown may go up in the next one; its neighbours see no other room than before.
    for (let place = root(node); place >= kept; ) {
      const forward = wayThrough(place, out, into)
      const edge = forward >= 0 ? forward : wayThrough(place, into, out)
      if (edge < 0) break
      place = merge(edge)
    }
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

interface Places {
  readonly nodeOf: Int32Array
  readonly nodeCount: number
}

/**
 * Edges between the same two places become one. Those inside a place are gone, −1, and those that can take nothing.
 *
 * @returns how many are left, and how many went up in others beside them.
 */
function joined({ from, to, capacity }: FlowNetwork, { nodeOf, nodeCount }: Places) {
  const edges = capacity.length
  const edgeOf = new Int32Array(edges).fill(-1)
  const tails = new Int32Array(edges)
  for (let e = 0; e < edges; e++) tails[e] = nodeOf[from[e] as number] as number
  // The edge to each place from the place at hand, while it is at hand.
  const known = new Int32Array(nodeCount)
  const knownFrom = new Int32Array(nodeCount).fill(-1)
  let count = 0
  let parallel = 0
  for (const e of edgesFrom(tails, nodeCount).edges) {
    const tail = tails[e] as number
    const head = nodeOf[to[e] as number] as number
    if (tail === head || capacity[e] === 0n) continue
    if (knownFrom[head] === tail) parallel++
    else {
      knownFrom[head] = tail
      known[head] = count++
    }
    edgeOf[e] = known[head] as number
  }
  return { edgeOf, count, parallel }
}

function smaller(
  network: FlowNetwork,
  {
    nodeOf,
    nodeCount,
    edgeOf,
    count,
  }: Places & { readonly edgeOf: Int32Array; readonly count: number },
  limit: bigint,
): FlowNetwork {
  const from = new Int32Array(count)
  const to = new Int32Array(count)
  const capacity = new Array<bigint>(count).fill(0n)
  for (let e = 0; e < edgeOf.length; e++) {
    const edge = edgeOf[e] as number
    if (edge < 0) continue
    from[edge] = nodeOf[network.from[e] as number] as number
    to[edge] = nodeOf[network.to[e] as number] as number
    const sum = (capacity[edge] as bigint) + (network.capacity[e] as bigint)
    capacity[edge] = sum < limit ? sum : limit
  }
  return { nodeCount, from, to, capacity }
}

/** What one edge carries for several is given to them in their order. */
function shared({ capacity }: FlowNetwork, edgeOf: Int32Array, flow: readonly bigint[]): bigint[] {
  const rest = [...flow]
  return capacity.map((room, e) => {
    const edge = edgeOf[e] as number
    const left = edge < 0 ? 0n : (rest[edge] as bigint)
    if (left === 0n) return 0n
    if (left <= room) {
      rest[edge] = 0n
      return left
    }
    rest[edge] = left - room
    return room
  })
}

/** Flow of contracted edges: what is too much at one end of a tree must pass its only edge there. */
function fillTrees(
  network: FlowNetwork,
  { tree, kept }: { readonly tree: readonly number[]; readonly kept: number },
  flow: bigint[],
): void {
  const { nodeCount, from, to } = network
  const excess = new Array<bigint>(nodeCount).fill(0n)
  for (let e = 0; e < flow.length; e++) {
    const amount = flow[e] as bigint
    if (amount === 0n) continue
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
