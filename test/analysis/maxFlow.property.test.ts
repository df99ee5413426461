import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createFlow, type Flow, type FlowNetwork } from '../../src/analysis/maxFlow.ts'

const nodes = 9
const [source, first, second] = [0, 1, 2]
const anyNode = fc.nat(nodes - 1)

/** Circles, loops, edges into the source and out of sinks: whatever a network may have. */
const anyNetwork = fc
  .record({
    edges: fc.array(fc.tuple(anyNode, anyNode, fc.bigInt(0n, 9n)), {
      minLength: 12,
      maxLength: 30,
    }),
    unit: fc.constantFrom(1n, 10n ** 30n),
  })
  .map(
    ({ edges, unit }): FlowNetwork => ({
      nodeCount: nodes,
      from: edges.map(([from]) => from),
      to: edges.map(([, to]) => to),
      capacity: edges.map(([, , amount]) => amount * unit),
    }),
  )

/** What arrives at a node less what leaves it. */
function stays({ from, to, capacity }: FlowNetwork, flow: Flow, node: number): bigint {
  return capacity.reduce((sum, _, edge) => {
    const arrives = to[edge] === node ? flow.of(edge) : 0n
    const leaves = from[edge] === node ? flow.of(edge) : 0n
    return sum + arrives - leaves
  }, 0n)
}

/** What can cross from the near side, less what crosses back: a maximum where nothing more fits. */
function crosses(network: FlowNetwork, flow: Flow, near: Uint8Array): readonly [bigint, bigint] {
  let room = 0n
  let sent = 0n
  for (const [edge, capacity] of network.capacity.entries()) {
    const [tail, head] = [near[network.from[edge] ?? 0], near[network.to[edge] ?? 0]]
    if (tail === 1 && head === 0) room += capacity
    if (tail === 1 && head === 0) sent += flow.of(edge)
    if (tail === 0 && head === 1) sent -= flow.of(edge)
  }
  return [room, sent]
}

test('what is sent fits, goes on, and fills a border of the network', () => {
  let borders = 0
  fc.assert(
    fc.property(anyNetwork, (network) => {
      const flow = createFlow(network)
      const toFirst = flow.fill(first)
      const near = flow.reachable([source])
      const [room, sent] = crosses(network, flow, near)
      expect(sent).toBe(room)
      expect(near[first]).toBe(0)
      expect(stays(network, flow, first)).toBe(toFirst)
      const toSecond = flow.fill(second)
      expect(stays(network, flow, first)).toBe(toFirst)
      const moved = flow.fill(second, first)
      const behind = flow.reachable([source, first])
      const [all, gone] = crosses(network, flow, behind)
      expect(gone).toBe(all)
      expect(stays(network, flow, second)).toBe(toSecond + moved)
      expect(stays(network, flow, first)).toBe(toFirst - moved)
      for (let node = 3; node < nodes; node++) expect(stays(network, flow, node)).toBe(0n)
      for (const [edge, capacity] of network.capacity.entries()) {
        expect(flow.of(edge) >= 0n).toBe(true)
        expect(flow.of(edge) <= capacity).toBe(true)
      }
      if (toFirst > 0n && moved > 0n) borders++
    }),
    { numRuns: 2000 },
  )
  expect(borders).toBeGreaterThan(50)
})
