import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createFlow, type FlowNetwork } from '../../src/analysis/maxFlow.ts'
import { reduceNetwork } from '../../src/analysis/reduceNetwork.ts'

const kept = 3

/** What nodes 3 and above can do, and the source 0 to sinks 1 and 2: as networks of a corridor, cycles included. */
const anyNetwork: fc.Arbitrary<FlowNetwork> = fc
  .record({
    nodeCount: fc.integer({ min: 5, max: 14 }),
    scale: fc.constantFrom(1n, 1n, 1n << 200n),
    edges: fc.array(fc.tuple(fc.nat(100), fc.nat(100), fc.bigInt(0n, 12n)), {
      minLength: 4,
      maxLength: 40,
    }),
  })
  .map(({ nodeCount, scale, edges }) => {
    const inside = edges
      .map(([a, b, amount]) => {
        const tail = a % (nodeCount - 2)
        return [tail === 0 ? 0 : tail + 2, 1 + (b % (nodeCount - 1)), amount * scale] as const
      })
      .filter(([tail, head]) => tail !== head)
    return {
      nodeCount,
      from: inside.map(([tail]) => tail),
      to: inside.map(([, head]) => head),
      capacity: inside.map(([, , amount]) => amount),
    }
  })

const sourceTotal = ({ from, capacity }: FlowNetwork): bigint =>
  capacity.reduce((sum, amount, e) => (from[e] === 0 ? sum + amount : sum), 0n)

test('a reduced network has the same flows and cuts, and its flow expands to one of the whole', () => {
  let smaller = 0
  fc.assert(
    fc.property(anyNetwork, fc.constantFrom([1, 2], [2, 1]), (network, order) => {
      const limit = sourceTotal(network)
      const reduction = reduceNetwork(network, kept, limit)
      if (reduction.network.capacity.length < network.capacity.length) smaller++
      const [plain, reduced] = [createFlow(network), createFlow(reduction.network)]
      const [first = 1, then = 2] = order
      const amount = plain.fill(first)
      expect(reduced.fill(first)).toBe(amount)
      const near = reduced.reachable([0])
      const isNear = (node: number | undefined): boolean =>
        near[reduction.nodeOf[node ?? 0] ?? 0] === 1
      const across = network.capacity.filter(
        (_, e) => isNear(network.from[e]) && !isNear(network.to[e]),
      )
      expect(across.reduce((sum, one) => sum + one, 0n)).toBe(amount)
      expect(reduced.fill(then)).toBe(plain.fill(then))
      const whole = reduction.expand(reduction.network.capacity.map((_, e) => reduced.of(e)))
      expectFlow(network, whole, { first, amount })
    }),
    { numRuns: 3000 },
  )
  expect(smaller).toBeGreaterThan(1000)
})

/** Within every capacity, nothing lost on the way, and as much at the sink as was found. */
function expectFlow(
  { nodeCount, from, to, capacity }: FlowNetwork,
  flow: readonly bigint[],
  { first, amount }: { readonly first: number; readonly amount: bigint },
): void {
  const excess = new Array<bigint>(nodeCount).fill(0n)
  for (const [e, part] of flow.entries()) {
    expect(part >= 0n && part <= (capacity[e] ?? 0n)).toBe(true)
    excess[from[e] ?? 0] = (excess[from[e] ?? 0] ?? 0n) - part
    excess[to[e] ?? 0] = (excess[to[e] ?? 0] ?? 0n) + part
  }
  for (let node = kept; node < nodeCount; node++) expect(excess[node]).toBe(0n)
  expect(excess[first]).toBe(amount)
}
