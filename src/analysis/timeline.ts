import type { Graph } from '../graph/graph.ts'
import type { Kind } from '../ledger/transfer.ts'
import type { Balances } from './balances.ts'

/** Legs of one holding in the order of a timeline. */
export interface History {
  readonly length: number
  at(index: number): number
}

/**
 * The ledger as a trace walks it: forward as it happened, or backward on the time-reversed ledger, where who received
 * pays and closing balances are opening ones (design 8.2). Legs and transactions are numbered in walking order; holdings,
 * addresses and assets keep the numbers of the graph.
 */
export interface Timeline {
  readonly backward: boolean
  /** The ledger's number of a leg, and the other way: it is its own inverse. */
  transfer(leg: number): number
  transaction(number: number): number
  transactionOf(leg: number): number
  legs(transaction: number): { readonly start: number; readonly end: number }
  /** Holding that pays on this timeline, −1 nobody. */
  from(leg: number): number
  to(leg: number): number
  amount(leg: number): bigint
  kind(leg: number): Kind
  block(transaction: number): ReturnType<Graph['block']>
  history(holding: number): History
  balanceBefore(holding: number, index: number): bigint
  /**
   * Backward only: what the ledger's payer of this leg did not have. It came from nowhere just before the payment, so on
   * the reversed ledger it goes there right after.
   */
  gapOf(leg: number): bigint
  /** The same of what the ledger's payer converted in a transaction. */
  conversionGap(transaction: number, holding: number): bigint
}

/** First index of a history at or behind a leg. */
export function firstAtOrBehind(history: History, leg: number): number {
  let low = 0
  let high = history.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (history.at(middle) < leg) low = middle + 1
    else high = middle
  }
  return low
}

export function forwardTimeline(graph: Graph, balances: Balances): Timeline {
  return {
    backward: false,
    transfer: (leg) => leg,
    transaction: (number) => number,
    transactionOf: (leg) => graph.transactionOf(leg),
    legs: (transaction) => graph.legs(transaction),
    from: (leg) => graph.from(leg),
    to: (leg) => graph.to(leg),
    amount: (leg) => graph.amount(leg),
    kind: (leg) => graph.kind(leg),
    block: (transaction) => graph.block(graph.blockOf(transaction)),
    history: (holding) => new Forward(graph.events(holding)),
    balanceBefore: (holding, index) => balances.before(holding, index),
    gapOf: () => 0n,
    conversionGap: () => 0n,
  }
}

export function backwardTimeline(graph: Graph, balances: Balances): Timeline {
  const lastTransfer = graph.transferCount - 1
  const lastTransaction = graph.transactionCount - 1
  const transfer = (leg: number): number => lastTransfer - leg
  const transaction = (number: number): number => lastTransaction - number
  return {
    backward: true,
    transfer,
    transaction,
    transactionOf: (leg) => transaction(graph.transactionOf(transfer(leg))),
    legs(number) {
      const { start, end } = graph.legs(transaction(number))
      return { start: transfer(end - 1), end: transfer(start) + 1 }
    },
    from: (leg) => graph.to(transfer(leg)),
    to: (leg) => graph.from(transfer(leg)),
    amount: (leg) => graph.amount(transfer(leg)),
    kind: (leg) => graph.kind(transfer(leg)),
    block: (number) => graph.block(graph.blockOf(transaction(number))),
    history: (holding) => new Backward(graph.events(holding), lastTransfer),
    balanceBefore(holding, index) {
      const events = graph.events(holding)
      return balances.before(holding, events.length - index)
    },
    gapOf: (leg) => balances.gapOf(transfer(leg)),
    conversionGap: (number, holding) => balances.conversionGap(transaction(number), holding),
  }
}

class Forward implements History {
  readonly #events: Uint32Array

  constructor(events: Uint32Array) {
    this.#events = events
  }

  get length(): number {
    return this.#events.length
  }

  at(index: number): number {
    return this.#events[index] as number
  }
}

class Backward implements History {
  readonly #events: Uint32Array
  readonly #last: number

  constructor(events: Uint32Array, last: number) {
    this.#events = events
    this.#last = last
  }

  get length(): number {
    return this.#events.length
  }

  at(index: number): number {
    return this.#last - (this.#events[this.#events.length - 1 - index] as number)
  }
}
