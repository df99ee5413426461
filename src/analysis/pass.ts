/**
 * One deviation from design 8.1, in ledgers with holes only. The index of running balances counts the legs of a
 * transaction one by one, a conversion their net. Where a leg alone exceeds the balance but the net does not (holds
 * 5, pays 10, gets 7 and 3 wrapped in one transaction), an account without lots is taken for richer than it is by the
 * difference. A chain cannot record that; missing rows can.
 */
import type { Graph } from '../graph/graph.ts'
import { KnownError } from '../ledger/errors.ts'
import { firstNotBelow } from '../ledger/sortedSearch.ts'
import { type Lot, type Parcel, Purse } from './parcels.ts'
import type { Stop } from './stops.ts'
import type { Outcome } from './traceAnswer.ts'
import { createTransactionHeap } from './transactionHeap.ts'
import { assetOf, type Wrap, type WrapPair, wrapsIn } from './wraps.ts'

/** Everything one pass needs; the same for all passes of a trace but for the threshold. */
export interface PassPlan {
  readonly graph: Graph
  /** Transfers of the seeds, ascending. */
  readonly seeds: readonly number[]
  /** Number of the seeds' asset and, where it has one, of its wrapped or native twin. */
  readonly assets: ReadonlySet<number>
  readonly wrapPair: WrapPair | undefined
  readonly stop: (address: number, time: number) => Stop | undefined
  /** True for transactions beyond the as-of block. */
  readonly isBeyond: (transaction: number) => boolean
  readonly matched: boolean
  readonly maxHops: number
  /** Seconds. */
  readonly maxIdle: number | undefined
  readonly maxAddresses: number
  readonly maxTransactions: number
  /** Least face that must have reached an address before it is followed. */
  readonly threshold: bigint
  /** Asked now and then; true gives the whole trace up. The caller's clock, since analysis has none. */
  readonly interrupted: (() => boolean) | undefined
}

/** A part of a lot that has come to its end. */
export interface Ending {
  readonly outcome: Outcome
  readonly address: number
  readonly asset: number
  readonly units: bigint
  readonly face: bigint
  readonly hop: number
  readonly seed: number
  readonly stop?: Stop
  readonly reason?: string
}

/** Lots that still rest somewhere when the ledger ends. */
export interface Resting {
  readonly address: number
  readonly asset: number
  readonly followed: boolean
  readonly lot: Lot
  readonly units: bigint
}

export interface PassResult {
  readonly endings: readonly Ending[]
  readonly resting: readonly Resting[]
  /** Face that each transfer carried. */
  readonly carried: ReadonlyMap<number, bigint>
  readonly conversions: readonly {
    readonly transaction: number
    readonly wrap: Wrap
    readonly face: bigint
  }[]
  /** Payments beyond the balance that carried a lot. */
  readonly gaps: readonly {
    readonly transfer: number
    readonly holding: number
    readonly missing: bigint
  }[]
  readonly addresses: number
  readonly transactions: number
}

/**
 * One chronological pass over the transactions in which lots may move (design 8.2): a heap holds the next payment
 * of each holding that has lots; an account without lots is one clean parcel of its running balance. Nothing is
 * ever revised, and what is explored first cannot matter.
 *
 * Cost: O(V log F + legs + lots moved), V transactions visited, F holdings with lots.
 *
 * @returns which budget would be exceeded instead, as soon as one is.
 */
export function followPass(plan: PassPlan): PassResult | 'addresses' | 'transactions' {
  const pass = new Pass(plan)
  return pass.run()
}

interface Active {
  readonly purse: Purse
  /** Next event of the holding that the purse has not seen. */
  cursor: number
  /** Block time of the last arrival of a lot, seconds. */
  lastArrival: number
  /** First event at or behind the cursor by which the holding pays; found once, since hubs have long histories. */
  payment: number
}

class Pass {
  readonly #plan: PassPlan
  readonly #graph: Graph
  readonly #seedNumbers: ReadonlyMap<number, number>
  readonly #active = new Map<number, Active>()
  readonly #heap = createTransactionHeap()
  readonly #reached = new Map<number, bigint>()
  readonly #followed = new Set<number>()
  readonly #endings: Ending[] = []
  readonly #carried = new Map<number, bigint>()
  readonly #conversions: { transaction: number; wrap: Wrap; face: bigint }[] = []
  readonly #gaps: { transfer: number; holding: number; missing: bigint }[] = []
  /** Purses of the transaction at hand, by holding. */
  #open = new Map<number, Active>()
  #wraps = new Map<number, Wrap>()
  #time = 0
  #block = 0
  /** First leg of the transaction at hand. */
  #firstLeg = 0
  #visited = 0

  constructor(plan: PassPlan) {
    this.#plan = plan
    this.#graph = plan.graph
    this.#seedNumbers = new Map(plan.seeds.map((transfer, number) => [transfer, number]))
    for (const transfer of plan.seeds) {
      this.#heap.push(plan.graph.transactionOf(transfer))
      const receiver = plan.graph.to(transfer)
      if (receiver >= 0) this.#followed.add(plan.graph.addressOf(receiver))
    }
  }

  run(): PassResult | 'addresses' | 'transactions' {
    for (let next = this.#heap.pop(); next !== undefined; next = this.#heap.pop()) {
      if (this.#plan.isBeyond(next)) continue
      if (++this.#visited > this.#plan.maxTransactions) return 'transactions'
      if (this.#visited % 64 === 1 && this.#plan.interrupted?.()) throw tookTooLong()
      this.#visit(next)
      if (this.#followed.size > this.#plan.maxAddresses) return 'addresses'
    }
    return {
      endings: this.#endings,
      resting: this.#resting(),
      carried: this.#carried,
      conversions: this.#conversions,
      gaps: this.#gaps,
      addresses: this.#followed.size,
      transactions: this.#visited,
    }
  }

  #visit(transaction: number): void {
    const block = this.#graph.block(this.#graph.blockOf(transaction))
    this.#time = block.time
    this.#block = block.number
    this.#open = new Map()
    this.#wraps = this.#credibleWraps(transaction)
    const { start, end } = this.#graph.legs(transaction)
    this.#firstLeg = start
    for (let leg = start; leg < end; leg++) this.#move(leg)
    for (const wrap of this.#wraps.values()) this.#convert(transaction, wrap)
    for (const [holding, opened] of this.#open) this.#close(holding, opened, end)
  }

  #credibleWraps(transaction: number): Map<number, Wrap> {
    const { wrapPair, stop } = this.#plan
    if (!wrapPair) return new Map()
    const found = wrapsIn(this.#graph, transaction, wrapPair)
    return new Map(
      found.filter((wrap) => !stop(wrap.address, this.#time)).map((wrap) => [wrap.address, wrap]),
    )
  }

  #move(leg: number): void {
    const from = this.#graph.from(leg)
    const to = this.#graph.to(leg)
    if (from === to || !this.#plan.assets.has(assetOf(this.#graph, leg))) return
    const amount = this.#graph.amount(leg)
    if (amount === 0n) return
    const seed = this.#seedNumbers.get(leg)
    const paid = from < 0 ? [{ units: amount }] : this.#pay(leg, from, amount)
    if (seed === undefined) {
      if (to < 0) this.#spendForGood(leg, paid)
      else this.#arrive(leg, to, paid)
      return
    }
    const lot: Lot = { seed, hop: 0, face: amount, block: this.#block }
    this.#carry(leg, amount)
    if (to >= 0) this.#arrive(leg, to, [{ units: amount, lot }])
    else this.#end(this.#endingForGood(leg), from, { units: amount, lot })
  }

  /** Parts that leave the payer; lots that end by being spent here are clean from here on. */
  #pay(leg: number, from: number, amount: bigint): readonly Parcel[] {
    if (this.#isConverting(from) && this.#graph.kind(leg) !== 'fee') return [{ units: amount }]
    const payer = this.#opened(from)
    const { parts, missing } = payer.purse.pay(amount)
    if (!parts.some((part) => part.lot)) return parts
    if (missing > 0n) this.#gaps.push({ transfer: leg, holding: from, missing })
    return parts.map((part) => {
      if (!part.lot) return part
      const outcome = this.#endingWhenSpent(leg, payer, from, part.lot)
      if (outcome === undefined) return part
      this.#end(outcome, from, part)
      return { units: part.units }
    })
  }

  /** Of several reasons the first counts: reseeded, hop_limit, idle, dust. */
  #endingWhenSpent(leg: number, payer: Active, from: number, lot: Lot): Outcome | undefined {
    if (this.#seedNumbers.has(leg)) return 'reseeded'
    if (lot.hop >= this.#plan.maxHops) return 'hop_limit'
    const { maxIdle } = this.#plan
    if (maxIdle !== undefined && this.#time - payer.lastArrival > maxIdle) return 'idle'
    return this.#followed.has(this.#graph.addressOf(from)) ? undefined : 'dust'
  }

  /** A payment to nobody: a fee, a burn, or an unwrap whose other side is not to be seen. */
  #spendForGood(leg: number, parts: readonly Parcel[]): void {
    const from = this.#graph.from(leg)
    this.#carry(leg, faceOf(parts))
    const ending = this.#endingForGood(leg)
    for (const part of parts) if (part.lot) this.#end(ending, from, moved(part, part.lot))
  }

  /** What is burned of a wrapped coin was handed in for its native coin, which did not come to the payer. */
  #endingForGood(leg: number): Outcome {
    if (this.#graph.kind(leg) === 'fee') return 'fees'
    return assetOf(this.#graph, leg) === this.#plan.wrapPair?.wrapped
      ? 'contract_custody'
      : 'burned'
  }

  #arrive(leg: number, to: number, parts: readonly Parcel[]): void {
    const isSeed = this.#seedNumbers.has(leg)
    const lots = parts.some((part) => part.lot)
    if (lots && !isSeed) this.#carry(leg, faceOf(parts))
    const address = this.#graph.addressOf(to)
    const arrived = isSeed ? parts : parts.map((part) => (part.lot ? moved(part, part.lot) : part))
    if (this.#isConverting(to)) {
      this.#endAll(arrived, to, { outcome: 'ambiguous', reason: 'arrived in a conversion' })
      return
    }
    const stop = lots ? this.#plan.stop(address, this.#time) : undefined
    if (stop) this.#endAll(arrived, to, stop)
    const kept: readonly Parcel[] = stop ? arrived.map(({ units }) => ({ units })) : arrived
    const receiver = this.#opened(to)
    if (lots && !stop) this.#note(receiver, address, faceOf(parts))
    receiver.purse.receive(
      kept.map((part) => (part.lot ? inBlock(part, part.lot, this.#block) : part)),
    )
  }

  #note(receiver: Active, address: number, face: bigint): void {
    receiver.lastArrival = this.#time
    const reached = (this.#reached.get(address) ?? 0n) + face
    this.#reached.set(address, reached)
    if (reached >= this.#plan.threshold) this.#followed.add(address)
  }

  #convert(transaction: number, wrap: Wrap): void {
    const gives = this.#graph.holding(wrap.address, wrap.gives)
    const gets = this.#graph.holding(wrap.address, wrap.gets)
    const payer = this.#opened(gives)
    const { parts, missing } = payer.purse.payFromBalance(wrap.amount)
    const receiver = this.#opened(gets)
    receiver.purse.receive(
      parts.map((part) => (part.lot ? inBlock(part, part.lot, this.#block) : part)),
    )
    if (!parts.some((part) => part.lot)) return
    if (missing > 0n) this.#gaps.push({ transfer: wrap.firstLeg, holding: gives, missing })
    receiver.lastArrival = this.#time
    this.#conversions.push({ transaction, wrap, face: faceOf(parts) })
  }

  #isConverting(holding: number): boolean {
    if (this.#wraps.size === 0) return false
    const wrap = this.#wraps.get(this.#graph.addressOf(holding))
    const asset = this.#graph.assetOf(holding)
    return wrap !== undefined && (asset === wrap.gives || asset === wrap.gets)
  }

  /** The purse of a holding, brought up to the beginning of the transaction at hand. */
  #opened(holding: number): Active {
    const open = this.#open.get(holding)
    if (open) return open
    const known = this.#active.get(holding)
    const opened = known ?? this.#fresh(holding)
    if (known) this.#catchUp(holding, known)
    this.#open.set(holding, opened)
    return opened
  }

  #fresh(holding: number): Active {
    const first = this.#firstEventOfTransaction(holding)
    const opening = this.#graph.balanceBefore(holding, first)
    return {
      purse: new Purse(opening, this.#plan.matched),
      cursor: first,
      lastArrival: 0,
      payment: -1,
    }
  }

  /** Between two visits a holding with lots only received clean money: a payment would have been a visit. */
  #catchUp(holding: number, active: Active): void {
    const events = this.#graph.events(holding)
    const until = this.#firstEventOfTransaction(holding)
    let clean = 0n
    for (; active.cursor < until; active.cursor++) {
      const transfer = events[active.cursor] as number
      if (this.#graph.from(transfer) !== this.#graph.to(transfer))
        clean += this.#graph.amount(transfer)
    }
    active.purse.receive([{ units: clean }])
    active.purse.settle()
  }

  #firstEventOfTransaction(holding: number): number {
    return firstNotBelow(this.#graph.events(holding), this.#firstLeg)
  }

  #close(holding: number, opened: Active, end: number): void {
    opened.purse.settle()
    if (!opened.purse.hasLots) {
      this.#active.delete(holding)
      return
    }
    opened.cursor = firstNotBelow(this.#graph.events(holding), end)
    this.#active.set(holding, opened)
    const next = this.#nextPayment(holding, opened)
    if (next !== undefined) this.#heap.push(next)
  }

  #nextPayment(holding: number, active: Active): number | undefined {
    const events = this.#graph.events(holding)
    if (active.payment < active.cursor) {
      let i = active.cursor
      while (i < events.length && !this.#isPayment(holding, events[i] as number)) i++
      active.payment = i
    }
    const transfer = events[active.payment]
    return transfer === undefined ? undefined : this.#graph.transactionOf(transfer)
  }

  #isPayment(holding: number, transfer: number): boolean {
    if (this.#graph.from(transfer) !== holding || this.#graph.to(transfer) === holding) return false
    return this.#graph.amount(transfer) > 0n
  }

  #carry(leg: number, face: bigint): void {
    if (face > 0n) this.#carried.set(leg, (this.#carried.get(leg) ?? 0n) + face)
  }

  #endAll(parts: readonly Parcel[], holding: number, stop: Stop): void {
    for (const part of parts) if (part.lot) this.#end(stop.outcome, holding, part, stop)
  }

  #end(outcome: Outcome, holding: number, part: Parcel, stop?: Stop): void {
    if (!part.lot) return
    this.#endings.push({
      outcome,
      address: holding < 0 ? -1 : this.#graph.addressOf(holding),
      asset: holding < 0 ? -1 : this.#graph.assetOf(holding),
      units: part.units,
      face: part.lot.face,
      hop: part.lot.hop,
      seed: part.lot.seed,
      ...(stop ? { stop } : {}),
      ...(stop?.reason === undefined ? {} : { reason: stop.reason }),
    })
  }

  #resting(): Resting[] {
    const resting: Resting[] = []
    for (const [holding, { purse }] of this.#active) {
      const address = this.#graph.addressOf(holding)
      const asset = this.#graph.assetOf(holding)
      for (const { units, lot } of purse.parcels) {
        if (lot) resting.push({ address, asset, followed: this.#followed.has(address), lot, units })
      }
    }
    return resting
  }
}

function tookTooLong(): KnownError {
  return new KnownError('request.timeout', 'the trace takes longer than the service allows', {
    hint: 'Raise minShare, lower maxHops, name fewer seeds, or use the command line, which has no limit.',
  })
}

function moved(part: Parcel, lot: Lot): Parcel {
  return { units: part.units, lot: { ...lot, hop: lot.hop + 1 } }
}

function inBlock(part: Parcel, lot: Lot, block: number): Parcel {
  return { units: part.units, lot: { ...lot, block } }
}

function faceOf(parts: readonly Parcel[]): bigint {
  return parts.reduce((sum, part) => sum + (part.lot?.face ?? 0n), 0n)
}
