import type { FlowNetwork } from './maxFlow.ts'

/** What the edges on one side of each place can take together. */
interface Sums {
  add(node: number, edge: number, sign: 1 | -1): void
  /** The one place goes up in the other. */
  merge(stays: number, goes: number): void
  /** True when an edge can take all of it. */
  fits(node: number, edge: number): boolean
}

/** One side of all places: how many edges, their sum, and by the xor of all the only one where there is one. */
export interface Side {
  readonly count: Int32Array
  readonly only: Int32Array
  readonly sums: Sums
}

/** Both sides: where edges leave, and where they arrive. */
export function sidesOf(
  network: FlowNetwork,
  limit: bigint,
): { readonly out: Side; readonly into: Side } {
  const { from, to, capacity } = network
  const isSmall = limit <= BigInt(Number.MAX_SAFE_INTEGER)
  const rooms = isSmall ? new Float64Array(capacity.length) : undefined
  if (rooms) for (let e = 0; e < rooms.length; e++) rooms[e] = Number(capacity[e])
  return { out: sideOf(network, from, rooms), into: sideOf(network, to, rooms) }
}

function sideOf(
  { nodeCount, capacity }: FlowNetwork,
  end: ArrayLike<number>,
  rooms: Float64Array | undefined,
): Side {
  const count = new Int32Array(nodeCount)
  const only = new Int32Array(nodeCount)
  const sums = rooms ? floatSums(rooms, nodeCount) : bigintSums(capacity, nodeCount)
  for (let e = 0; e < capacity.length; e++) {
    const node = end[e] as number
    if (capacity[e] === 0n) continue
    count[node] = (count[node] as number) + 1
    only[node] = (only[node] as number) ^ e
    sums.add(node, e, 1)
  }
  return { count, only, sums }
}

/** A sum that a float no longer holds exactly is taken for endless: then nothing fits, which is always safe. */
function floatSums(room: Float64Array, nodeCount: number): Sums {
  const sum = new Float64Array(nodeCount)
  const put = (node: number, value: number): void => {
    sum[node] = value > Number.MAX_SAFE_INTEGER ? Number.POSITIVE_INFINITY : value
  }
  return {
    add: (node, edge, sign) => put(node, (sum[node] as number) + sign * (room[edge] as number)),
    merge: (stays, goes) => put(stays, (sum[stays] as number) + (sum[goes] as number)),
    fits: (node, edge) => (room[edge] as number) >= (sum[node] as number),
  }
}

function bigintSums(capacity: readonly bigint[], nodeCount: number): Sums {
  const sum = new Array<bigint>(nodeCount).fill(0n)
  return {
    add(node, edge, sign) {
      const amount = capacity[edge] as bigint
      sum[node] = (sum[node] as bigint) + (sign === 1 ? amount : -amount)
    },
    merge(stays, goes) {
      sum[stays] = (sum[stays] as bigint) + (sum[goes] as bigint)
    },
    fits: (node, edge) => (capacity[edge] as bigint) >= (sum[node] as bigint),
  }
}
