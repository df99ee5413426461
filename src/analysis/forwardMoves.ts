import type { Graph } from '../graph/graph.ts'
import { firstPaid, type TransactionConversions } from './conversions.ts'
import { assetOf } from './netChanges.ts'
import type { Stop } from './stops.ts'
import type { Outcome } from './traceAnswer.ts'

/** Where money ends for a bound: as in a trace, at the target, or where it became another asset. */
export type EndName = Outcome | 'converted' | 'target'

/** One way by which money of the seeds may have gone on, or come to an end. */
export interface Move {
  /** The ledger's number of the transfer; of a conversion the first leg that was given. */
  readonly transfer: number
  /**
   * When it happened, comparable along the ledger: legs are even, conversions odd, behind the legs of their
   * transaction. All moves of a block whose inner order is assumed happen at once.
   */
  readonly slot: number
  /** Holding that pays; −1 for the seed itself. */
  readonly from: number
  /** Holding in which it goes on; −1 where it ends. */
  readonly to: number
  /** Base units, positive. */
  readonly amount: bigint
  readonly kind: 'seed' | 'transfer' | 'conversion'
  readonly end: EndName | undefined
}

/** What decides where money may go; the same as of a trace. */
export interface MoveRules {
  readonly graph: Graph
  readonly seeds: ReadonlySet<number>
  /** Assets that carry value, by number. */
  readonly counts: readonly boolean[]
  /** Native coin by number of its wrapped form. */
  readonly twins: ReadonlyMap<number, number>
  readonly isTarget: (address: number, time: number) => boolean
  readonly stop: (address: number, time: number) => Stop | undefined
  readonly conversions: (transaction: number) => TransactionConversions
  readonly isBeyond: (transaction: number) => boolean
}

export interface ForwardMoves {
  /** In ledger order. */
  readonly moves: readonly Move[]
  /** Slot at which money may first have reached each holding. */
  readonly reached: ReadonlyMap<number, number>
  /** Conversions of the transactions that were looked at, where there are any. */
  readonly converted: ReadonlyMap<number, TransactionConversions>
}

/**
 * Every move by which money of the seeds may have travelled, whatever the accounting: all that left a holding after
 * money could have reached it (design 8.3).
 *
 * Cost: one look at each transfer behind the first seed, and at the conversions of the transactions it may pass.
 */
export function forwardMoves(rules: MoveRules): ForwardMoves {
  const { graph, seeds } = rules
  const moves: Move[] = []
  const reached = new Map<number, number>()
  const converted = new Map<number, TransactionConversions>()
  const first = Math.min(...seeds)
  let transaction = seeds.size === 0 ? graph.transactionCount : startOf(graph, first)
  while (transaction < graph.transactionCount) {
    const end = endOfStep(graph, transaction)
    walkStep({ rules, reached, moves, converted }, transaction, end)
    transaction = end
  }
  return { moves, reached, converted }
}

/** The transaction of a transfer, or the first of its block where the order inside is assumed. */
function startOf(graph: Graph, transfer: number): number {
  let transaction = graph.transactionOf(transfer)
  const block = graph.blockOf(transaction)
  if (!graph.block(block).assumedOrder) return transaction
  while (transaction > 0 && graph.blockOf(transaction - 1) === block) transaction--
  return transaction
}

function endOfStep(graph: Graph, transaction: number): number {
  const block = graph.blockOf(transaction)
  let end = transaction + 1
  if (!graph.block(block).assumedOrder) return end
  while (end < graph.transactionCount && graph.blockOf(end) === block) end++
  return end
}

interface Walk {
  readonly rules: MoveRules
  readonly reached: Map<number, number>
  readonly moves: Move[]
  readonly converted: Map<number, TransactionConversions>
}

/** One transaction, or a whole block whose order is assumed: there anything may have come before anything. */
function walkStep(walk: Walk, start: number, end: number): void {
  const { graph } = walk.rules
  const isAssumed = graph.block(graph.blockOf(start)).assumedOrder
  const slot = isAssumed ? 2 * graph.legs(start).start : undefined
  const inSight: number[] = []
  for (let transaction = start; transaction < end; transaction++)
    if (!walk.rules.isBeyond(transaction)) inSight.push(transaction)
  if (slot === undefined) {
    for (const transaction of inSight)
      if (isTouched(walk, transaction)) walkTransaction(walk, transaction, slot)
    return
  }
  for (let known = -1; known < walk.reached.size; ) {
    known = walk.reached.size
    const dry = { ...walk, moves: [] }
    for (const transaction of inSight)
      if (isTouched(walk, transaction)) walkTransaction(dry, transaction, slot)
  }
  for (const transaction of inSight)
    if (isTouched(walk, transaction)) walkTransaction(walk, transaction, slot)
}

function isTouched({ rules, reached }: Walk, transaction: number): boolean {
  const { start, end } = rules.graph.legs(transaction)
  for (let leg = start; leg < end; leg++)
    if (reached.has(rules.graph.from(leg)) || rules.seeds.has(leg)) return true
  return false
}

function walkTransaction(walk: Walk, transaction: number, block: number | undefined): void {
  const { rules, reached } = walk
  const { graph } = rules
  const converting = walk.converted.get(transaction) ?? rules.conversions(transaction)
  if (converting.byGiver.size > 0) walk.converted.set(transaction, converting)
  const { start, end } = graph.legs(transaction)
  const { time } = graph.block(graph.blockOf(transaction))
  const step: Step = { ...walk, converting, time }
  for (let leg = start; leg < end; leg++) {
    if (!carriesValue(rules, leg)) continue
    addLeg(step, leg, block ?? 2 * leg)
  }
  const slot = block ?? 2 * end - 1
  for (const move of conversionMoves(step, transaction, slot))
    if (reached.has(move.from)) add(walk, move)
}

interface Step extends Walk {
  readonly converting: TransactionConversions
  readonly time: number
}

function add({ reached, moves }: Walk, move: Move): void {
  if (move.to >= 0 && !reached.has(move.to)) reached.set(move.to, move.slot)
  moves.push(move)
}

function carriesValue({ graph, counts }: MoveRules, leg: number): boolean {
  if (graph.amount(leg) === 0n || graph.from(leg) === graph.to(leg)) return false
  return counts[assetOf(graph, leg)] === true
}

function addLeg(step: Step, leg: number, slot: number): void {
  const { rules, reached } = step
  const { graph } = rules
  const from = graph.from(leg)
  const isSeed = rules.seeds.has(leg)
  // The legs of a conversion are no payments: what it gave leaves at the end of the transaction.
  const pays = reached.has(from) && (graph.kind(leg) === 'fee' || !isConverting(step, from))
  if (!isSeed && !pays) return
  const amount = graph.amount(leg)
  if (isSeed && pays)
    add(step, { transfer: leg, slot, from, to: -1, amount, kind: 'transfer', end: 'reseeded' })
  const end = endOnArrival(step, leg)
  const to = end === undefined ? graph.to(leg) : -1
  if (isSeed) add(step, { transfer: leg, slot, from: -1, to, amount, kind: 'seed', end })
  else add(step, { transfer: leg, slot, from, to, amount, kind: 'transfer', end })
}

/** How what a leg brings ends: by the rules of a trace, with the target before all of them. */
function endOnArrival(step: Step, leg: number): EndName | undefined {
  const { rules, time } = step
  const to = rules.graph.to(leg)
  if (to < 0) return endForGood(rules, leg)
  const address = rules.graph.addressOf(to)
  if (rules.isTarget(address, time)) return 'target'
  if (isConverting(step, to)) return 'ambiguous'
  return rules.stop(address, time)?.outcome
}

function endForGood({ graph, twins }: MoveRules, leg: number): EndName {
  if (graph.kind(leg) === 'fee') return 'fees'
  return twins.has(assetOf(graph, leg)) ? 'contract_custody' : 'burned'
}

function isConverting({ converting }: Step, holding: number): boolean {
  if (converting.byGiver.size === 0) return false
  return converting.isConverting(holding)
}

/** One to one into the twin asset it goes on; every other conversion ends it. */
function conversionMoves(step: Step, transaction: number, slot: number): readonly Move[] {
  const { graph, twins } = step.rules
  const found: Move[] = []
  for (const [address, { conversions, candidates }] of step.converting.byGiver) {
    const firsts = new Map(conversions.map((conversion) => [conversion.gives, conversion]))
    for (const conversion of firsts.values()) {
      const { gives, gets, givesAmount, getsAmount, recipient } = conversion
      const isTwin = twins.get(gives) === gets || twins.get(gets) === gives
      const goesOn = isTwin && givesAmount === getsAmount && recipient === address
      const shares = conversions.filter((other) => other.gives === gives)
      found.push({
        transfer: firstPaid(graph, transaction, conversion),
        slot,
        from: graph.holding(address, gives),
        to: goesOn ? graph.holding(address, gets) : -1,
        amount: shares.reduce((sum, share) => sum + share.givesAmount, 0n),
        kind: 'conversion',
        end: goesOn ? undefined : 'converted',
      })
    }
    // Where nothing decides between several pairs, what was given ends here, once.
    for (const pair of new Map(candidates.map((pair) => [pair.gives, pair])).values()) {
      found.push({
        transfer: firstPaid(graph, transaction, pair),
        slot,
        from: graph.holding(address, pair.gives),
        to: -1,
        amount: pair.givesAmount,
        kind: 'conversion',
        end: 'ambiguous',
      })
    }
  }
  return found
}
