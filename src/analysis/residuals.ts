import type { FlowNetwork } from './maxFlow.ts'

/** What an arc can still take, in the place of the network where a search reads it. */
export const takes = 1
/** What the arc back can still take: what leads here. */
export const givesBack = 2

/**
 * The amounts of arcs. An edge has two: one takes what it can still carry, its mate gives back what it carries.
 */
export interface Residuals {
  /** By arc: `takes`, `givesBack`, both or none. */
  readonly open: Uint8Array
  /**
   * Sends what the narrowest of the arcs can take along all of them.
   *
   * @returns how many of them come before the first that is full now.
   */
  push(path: Int32Array, length: number): number
  /** What all pushes sent together. */
  sent(): bigint
  /** What an arc can still take; of a mate it is what its edge carries. */
  rest(arc: number): bigint
}

const largestFloat = BigInt(Number.MAX_SAFE_INTEGER)

/**
 * Amounts are floats while each capacity is a whole number that a float holds exactly, else bigints: only the arithmetic
 * differs.
 *
 * @param arcOf - the arc of each edge.
 * @param mates - the other arc of the same edge, of each arc.
 */
export function createResiduals(
  { capacity }: Pick<FlowNetwork, 'capacity'>,
  arcOf: Int32Array,
  mates: Int32Array,
): Residuals {
  const open = new Uint8Array(mates.length)
  for (let e = 0; e < arcOf.length; e++) {
    const arc = arcOf[e] as number
    if ((capacity[e] as bigint) === 0n) continue
    open[arc] = takes
    open[mates[arc] as number] = givesBack
  }
  if (capacity.some((amount) => amount > largestFloat)) {
    const rest = new Array<bigint>(mates.length).fill(0n)
    for (let e = 0; e < arcOf.length; e++) rest[arcOf[e] as number] = capacity[e] as bigint
    return bigints(rest, mates, open)
  }
  const rest = new Float64Array(mates.length)
  for (let e = 0; e < arcOf.length; e++) rest[arcOf[e] as number] = Number(capacity[e])
  return floats(rest, mates, open)
}

function floats(rest: Float64Array, mates: Int32Array, open: Uint8Array): Residuals {
  let sum = 0n
  return {
    open,
    push(path, length) {
      let least = Number.POSITIVE_INFINITY
      for (let i = 0; i < length; i++) {
        const amount = rest[path[i] as number] as number
        if (amount < least) least = amount
      }
      let before = length
      for (let i = length - 1; i >= 0; i--) {
        const arc = path[i] as number
        const mate = mates[arc] as number
        const left = (rest[arc] as number) - least
        rest[arc] = left
        rest[mate] = (rest[mate] as number) + least
        if (left === 0) before = i
        reopen(open, arc, mate, left === 0)
      }
      sum += BigInt(least)
      return before
    },
    sent: () => sum,
    rest: (arc) => BigInt(rest[arc] as number),
  }
}

function bigints(rest: bigint[], mates: Int32Array, open: Uint8Array): Residuals {
  let sum = 0n
  return {
    open,
    push(path, length) {
      let least = rest[path[0] as number] as bigint
      for (let i = 1; i < length; i++) {
        const amount = rest[path[i] as number] as bigint
        if (amount < least) least = amount
      }
      let before = length
      for (let i = length - 1; i >= 0; i--) {
        const arc = path[i] as number
        const mate = mates[arc] as number
        const left = (rest[arc] as bigint) - least
        rest[arc] = left
        rest[mate] = (rest[mate] as bigint) + least
        if (left === 0n) before = i
        reopen(open, arc, mate, left === 0n)
      }
      sum += least
      return before
    },
    sent: () => sum,
    rest: (arc) => rest[arc] as bigint,
  }
}

/** What was sent can always be given back. */
function reopen(open: Uint8Array, arc: number, mate: number, isFull: boolean): void {
  open[arc] = isFull ? givesBack : takes | givesBack
  open[mate] = isFull ? takes : takes | givesBack
}
