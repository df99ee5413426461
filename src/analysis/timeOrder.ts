import type { FlowNetwork } from './maxFlow.ts'

/**
 * Places of the nodes in an order in which every edge leads on, as those of a network in time order do; where edges go in
 * a circle, because what happened at one moment has no order, most do.
 *
 * Cost: one look at each edge.
 */
export function timeOrder({ nodeCount, from, to }: FlowNetwork): Int32Array {
  const { starts, edges } = edgesFrom(from, nodeCount)
  const next = starts.slice(0, nodeCount)
  const place = new Int32Array(nodeCount)
  const isSeen = new Uint8Array(nodeCount)
  const path = new Int32Array(nodeCount)
  let free = nodeCount
  for (let first = 0; first < nodeCount; first++) {
    if (isSeen[first] === 1) continue
    isSeen[first] = 1
    path[0] = first
    // A node stands before all to which a way leads from it: it gets its place when they have theirs.
    for (let length = 1; length > 0; ) {
      const node = path[length - 1] as number
      const edge = next[node] as number
      if (edge === starts[node + 1]) {
        place[node] = --free
        length--
        continue
      }
      next[node] = edge + 1
      const head = to[edges[edge] as number] as number
      if (isSeen[head] === 1) continue
      isSeen[head] = 1
      path[length++] = head
    }
  }
  return place
}

/** Edges by the node at this end of them, in their order: those of a node begin at its start and end at the next one's. */
export function edgesFrom(
  end: ArrayLike<number>,
  nodeCount: number,
): { readonly starts: Int32Array; readonly edges: Int32Array } {
  const starts = new Int32Array(nodeCount + 1)
  for (let e = 0; e < end.length; e++) {
    const node = (end[e] as number) + 1
    starts[node] = (starts[node] as number) + 1
  }
  for (let node = 0; node < nodeCount; node++)
    starts[node + 1] = (starts[node + 1] as number) + (starts[node] as number)
  const next = starts.slice(0, nodeCount)
  const edges = new Int32Array(end.length)
  for (let e = 0; e < end.length; e++) {
    const node = end[e] as number
    const at = next[node] as number
    edges[at] = e
    next[node] = at + 1
  }
  return { starts, edges }
}
