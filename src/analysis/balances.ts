import type { Graph } from '../graph/graph.ts'
import { firstAtOrAbove } from './eventSearch.ts'

/**
 * What accounts held, and what they paid without having it (design 8.1), with conversions as their net change.
 *
 * The graph's running balances count each leg. The legs of a conversion count as one net change at the transaction's
 * end instead, so where a leg goes beyond the balance and the net change does not (holds 5, pays 10, gets 7 back), the
 * two differ from there on. Only ledgers with holes have such rows, and only their accounts are replayed here.
 */
export interface Balances {
  /** @param index - of an event of the holding that is the first in its transaction, or behind the last one. */
  before(holding: number, index: number): bigint
  /** What the payer of a transfer did not have; 0 where the transfer is part of a conversion. */
  gapOf(transfer: number): bigint
  /** What an account did not have of what it converted in a transaction. */
  conversionGap(transaction: number, holding: number): bigint
}

/**
 * @param isConverting - true where the legs of a holding in a transaction are part of a conversion.
 * @param mayConvert - false for holdings that never are part of one: they need no look at their history.
 */
export function createBalances(
  graph: Graph,
  isConverting: (transaction: number, holding: number) => boolean,
  mayConvert: (holding: number) => boolean,
): Balances {
  const replays = new Map<number, Replay | undefined>()

  function before(holding: number, index: number): bigint {
    if (!mayConvert(holding)) return graph.balanceBefore(holding, index)
    if (!replays.has(holding)) replays.set(holding, replayOf(graph, holding, isConverting))
    const replay = replays.get(holding)
    const known = replay ? lastAtOrBelow(replay.starts, index) : -1
    return replay && known >= 0
      ? (replay.balances[known] as bigint)
      : graph.balanceBefore(holding, index)
  }

  function played(holding: number, transaction: number, until: number): Group {
    const events = graph.events(holding)
    const start = firstAtOrAbove(events, graph.legs(transaction).start)
    return playGroup(graph, {
      holding,
      start,
      balance: before(holding, start),
      nets: isConverting(transaction, holding),
      until,
    })
  }

  return {
    before,
    gapOf(transfer) {
      const payer = graph.from(transfer)
      if (payer < 0 || graph.to(transfer) === payer) return 0n
      return played(payer, graph.transactionOf(transfer), transfer).lastGap
    },
    conversionGap: (transaction, holding) =>
      played(holding, transaction, Number.POSITIVE_INFINITY).netGap,
  }
}

/** Balances before the transactions of a holding, from the first on in which they differ from the graph's. */
interface Replay {
  readonly starts: readonly number[]
  readonly balances: readonly bigint[]
}

function replayOf(
  graph: Graph,
  holding: number,
  isConverting: (transaction: number, holding: number) => boolean,
): Replay | undefined {
  const short = graph
    .shortfalls(holding)
    .find((transfer) => isConverting(graph.transactionOf(transfer), holding))
  if (short === undefined) return undefined
  const events = graph.events(holding)
  let start = firstAtOrAbove(events, graph.legs(graph.transactionOf(short)).start)
  let balance = graph.balanceBefore(holding, start)
  const starts: number[] = []
  const balances: bigint[] = []
  while (start < events.length) {
    const transaction = graph.transactionOf(events[start] as number)
    const plain = playGroup(graph, { holding, start, balance, nets: false })
    const nets = plain.anyGap && isConverting(transaction, holding)
    const group = nets ? playGroup(graph, { holding, start, balance, nets }) : plain
    balance = group.balance
    start = group.end
    starts.push(start)
    balances.push(balance)
  }
  return { starts, balances }
}

interface Group {
  readonly balance: bigint
  /** Index of the first event of the next transaction. */
  readonly end: number
  /** Of the last transfer that was played, and of the net change. */
  readonly lastGap: bigint
  readonly netGap: bigint
  readonly anyGap: boolean
}

/** Plays the events of one transaction through to a transfer. */
function playGroup(
  graph: Graph,
  given: {
    readonly holding: number
    readonly start: number
    readonly balance: bigint
    readonly nets: boolean
    readonly until?: number
  },
): Group {
  const { holding, start, nets, until = Number.POSITIVE_INFINITY } = given
  const events = graph.events(holding)
  const transaction = start < events.length ? graph.transactionOf(events[start] as number) : -1
  let { balance } = given
  let [net, lastGap, anyGap] = [0n, 0n, false]
  let end = start
  for (; end < events.length; end++) {
    const transfer = events[end] as number
    if (transfer > until || graph.transactionOf(transfer) !== transaction) break
    lastGap = 0n
    const [from, to] = [graph.from(transfer), graph.to(transfer)]
    if (from === to) continue
    const change = from === holding ? -graph.amount(transfer) : graph.amount(transfer)
    if (nets && graph.kind(transfer) !== 'fee') net += change
    else [balance, lastGap] = after(balance, change)
    if (lastGap > 0n) anyGap = true
  }
  const [closing, netGap] = after(balance, net)
  return { balance: closing, end, lastGap, netGap, anyGap }
}

function after(balance: bigint, change: bigint): readonly [bigint, bigint] {
  const sum = balance + change
  return sum < 0n ? [0n, -sum] : [sum, 0n]
}

function lastAtOrBelow(sorted: readonly number[], value: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] as number) <= value) low = middle + 1
    else high = middle
  }
  return low - 1
}
