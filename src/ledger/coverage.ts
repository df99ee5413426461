import type { Account } from './account.ts'
import type { ChainId } from './chain.ts'
import type { Assurance } from './reconcile.ts'
import type { Kind } from './transfer.ts'

/**
 * For one account and one kind of transfer: every such transfer from `fromBlock` to `toBlock` (both included)
 * is stored. An interval that no claim covers was not read: a gap, not a zero.
 */
export interface Coverage {
  readonly account: Account
  readonly kind: Kind
  readonly fromBlock: number
  readonly toBlock: number
  readonly assurance: Assurance
  readonly source: string
}

/** One claim for many accounts of one chain and several kinds, as a file import declares it. */
export interface CoverageOfMany {
  readonly chain: ChainId
  readonly accounts: readonly Account[]
  readonly kinds: readonly Kind[]
  readonly fromBlock: number
  readonly toBlock: number
  readonly assurance: Assurance
  readonly source: string
}

export interface BlockInterval {
  readonly from: number
  readonly to: number
}

/**
 * The intervals that claims cover together, sorted, touching ones joined.
 *
 * @example joinIntervals([{from: 5, to: 9}, {from: 0, to: 4}]) // [{from: 0, to: 9}]
 */
export function joinIntervals(intervals: Iterable<BlockInterval>): BlockInterval[] {
  const sorted = [...intervals].sort((a, b) => a.from - b.from || a.to - b.to)
  const joined: BlockInterval[] = []
  for (const next of sorted) {
    const last = joined.at(-1)
    if (last && next.from <= last.to + 1) {
      joined[joined.length - 1] = { from: last.from, to: Math.max(last.to, next.to) }
    } else joined.push({ from: next.from, to: next.to })
  }
  return joined
}

/** What `whole` holds and `parts` do not: the gaps. */
export function gapsIn(whole: BlockInterval, parts: Iterable<BlockInterval>): BlockInterval[] {
  const gaps: BlockInterval[] = []
  let next = whole.from
  for (const part of joinIntervals(parts)) {
    if (part.to < next) continue
    if (part.from > whole.to) break
    if (part.from > next) gaps.push({ from: next, to: part.from - 1 })
    next = part.to + 1
  }
  if (next <= whole.to) gaps.push({ from: next, to: whole.to })
  return gaps
}
