import type { Graph } from '../graph/graph.ts'
import { KnownError } from '../ledger/errors.ts'
import type { BridgeMatch } from './conversionKnowledge.ts'
import { type Conversion, firstPaid, type TransactionConversions } from './conversions.ts'
import { convertParts } from './convertParts.ts'
import { createEndings, type Ending, type Explanation } from './endings.ts'
import { type Lot, lotParcel, type Method, movedParcel, type Parcel } from './parcels.ts'
import { Purse } from './purse.ts'
import type { Stop } from './stops.ts'
import { firstAtOrBehind, type History, type Timeline } from './timeline.ts'
import type { ConversionRule, Outcome } from './traceAnswer.ts'
import { createTransactionHeap } from './transactionHeap.ts'

/** A bridging whose two legs are both in the ledger. */
export interface BridgeCrossing {
  /** Leg by which it arrives, in the order of the timeline. */
  readonly arrival: number
  readonly match: BridgeMatch
}

/** Everything one pass needs; the same for all passes of a trace but for the threshold. */
export interface PassPlan {
  readonly graph: Graph
  readonly timeline: Timeline
  readonly method: Method
  /** Legs of the seeds on the timeline, ascending, and the number of each among the seeds in ledger order. */
  readonly seeds: ReadonlyMap<number, number>
  /** Assets that carry value, by number. */
  readonly counts: readonly boolean[]
  /** Wrapped coins: what is burned of one was handed in for its native coin. */
  readonly wrappedAssets: ReadonlySet<number>
  readonly stop: (address: number, time: number) => Stop | undefined
  /** Conversions of a transaction, by the ledger's number. */
  readonly conversions: (transaction: number) => TransactionConversions
  /** Where a leg into a bridge goes on, if that is proven. */
  readonly crossing: (leg: number) => BridgeCrossing | undefined
  /** True for transactions beyond the as-of block. */
  readonly isBeyond: (transaction: number) => boolean
  readonly matched: boolean
  readonly maxHops: number
  /** Seconds. */
  readonly maxIdle: number | undefined
  readonly maxAddresses: number
  readonly maxTransactions: number
  /** Last transaction of the timeline to look at; Infinity for all. */
  readonly through: number
  /** Least face that must have reached an address before it is followed. */
  readonly threshold: bigint
  /** Asked now and then; true gives the whole trace up. The caller's clock, since analysis has none. */
  readonly interrupted: ((position: PassPosition) => boolean) | undefined
}

/** How far a pass has come. */
export interface PassPosition {
  readonly transactions: number
  /** A transfer of the transaction at hand, the ledger's number. */
  readonly transfer: number
}

/** An address and an asset, by number. */
interface Place {
  readonly address: number
  readonly asset: number
}

/** Lots that still rest somewhere when the ledger ends. */
export interface Resting {
  readonly address: number
  readonly asset: number
  readonly followed: boolean
  /** True where the pass was stopped before a payment that is in the ledger. */
  readonly unfinished: boolean
  readonly lot: Lot
  readonly units: bigint
}

export interface PassConversion extends Omit<Conversion, 'rule'> {
  readonly rule: ConversionRule
  /** The ledger's number. */
  readonly transaction: number
  readonly face: bigint
  readonly match?: BridgeMatch
}

export interface PassResult {
  readonly endings: readonly Ending[]
  /** Face of the endings that are dust. */
  readonly dust: bigint
  readonly resting: readonly Resting[]
  /** Face that each transfer carried, by the ledger's number. */
  readonly carried: ReadonlyMap<number, bigint>
  readonly conversions: readonly PassConversion[]
  /** Payments beyond the balance that carried a lot. */
  readonly gaps: readonly {
    readonly transfer: number
    readonly holding: number
    readonly missing: bigint
  }[]
  readonly addresses: number
  readonly transactions: number
  /** Payments of accounts that had lots, or may have had. */
  readonly payments: number
  /**
   * Whether lots crossed no bridge, became no other number of units, so that face and units are one number, and met no
   * exchange that nobody can tell.
   */
  readonly isPlain: boolean
  /** Face that ever reached each address that is no stop. */
  readonly reached: ReadonlyMap<number, bigint>
}

/**
 * One chronological pass over the transactions in which lots may move (design 8.2): a heap holds the next payment
 * of each holding that has lots; an account without lots is one clean parcel of its running balance. Nothing is
 * ever revised, and what is explored first cannot matter. Every method and both directions use it.
 *
 * Cost: O(V log F + legs + lots moved), V transactions visited, F holdings with lots.
 *
 * @returns which budget would be exceeded instead, as soon as one is.
 */
export function followPass(plan: PassPlan): PassResult | 'addresses' | 'transactions' {
  return new Pass(plan, undefined).run()
}

/**
 * Whether a pass would leave out more than `enough`, told from its first part: what reaches an address that is never
 * followed is dust there and then, and need not be looked at any more. Budgets are not looked at.
 *
 * @param bound.reached - of each address, at least what all in all reaches it in this pass. No lot of this pass may end
 * where several conversions are credible.
 * @returns false where it does not, or where this does not tell.
 */
export function leavesOutMore(
  plan: PassPlan,
  bound: { readonly reached: ReadonlyMap<number, bigint>; readonly enough: bigint },
): boolean {
  return new Pass(plan, bound.reached).leavesOutMore(bound.enough)
}

interface Active {
  readonly purse: Purse
  readonly history: History
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
  readonly #line: Timeline
  readonly #active = new Map<number, Active>()
  readonly #heap = createTransactionHeap()
  readonly #reached = new Map<number, bigint>()
  readonly #followed = new Set<number>()
  readonly #endings = createEndings()
  readonly #carried = new Map<number, bigint>()
  readonly #conversions: PassConversion[] = []
  readonly #gaps: { transfer: number; holding: number; missing: bigint }[] = []
  /** What is on its way over a bridge, by the leg with which it arrives. */
  readonly #crossing = new Map<
    number,
    { readonly leg: number; readonly parts: readonly Parcel[]; readonly match: BridgeMatch }
  >()
  /** Purses of the transaction at hand, by holding. */
  readonly #open = new Map<number, Active>()
  /** Holdings that may have lots during the transaction at hand besides those that have some. */
  readonly #warm = new Set<number>()
  #converting: TransactionConversions = { byGiver: new Map(), isConverting: () => false }
  #time = 0
  #block = 0
  /** First leg of the transaction at hand. */
  #firstLeg = 0
  #visited = 0
  #payments = 0
  #isPlain = true
  /** Dust, where only that is asked for. */
  #leftOut = 0n

  /** What reaches addresses at most, where only the dust is asked for. */
  readonly #atMost: ReadonlyMap<number, bigint> | undefined

  constructor(plan: PassPlan, atMost: ReadonlyMap<number, bigint> | undefined) {
    this.#plan = plan
    this.#atMost = atMost
    this.#graph = plan.graph
    this.#line = plan.timeline
    for (const leg of plan.seeds.keys()) {
      this.#heap.push(this.#line.transactionOf(leg))
      const receiver = this.#line.to(leg)
      if (receiver >= 0) this.#followed.add(this.#graph.addressOf(receiver))
    }
  }

  run(): PassResult | 'addresses' | 'transactions' {
    for (let next = this.#heap.pop(); next !== undefined; next = this.#heap.pop()) {
      if (next > this.#plan.through) break
      if (this.#plan.isBeyond(this.#line.transaction(next))) continue
      if (++this.#visited > this.#plan.maxTransactions) return 'transactions'
      if (this.#visited % 64 === 1) this.#ask(next)
      this.#visit(next)
      if (this.#followed.size > this.#plan.maxAddresses) return 'addresses'
    }
    return {
      endings: this.#endings.all,
      dust: this.#endings.dust,
      resting: [...this.#resting(), ...this.#underway()],
      carried: this.#carried,
      conversions: this.#conversions,
      gaps: this.#gaps,
      addresses: this.#followed.size,
      transactions: this.#visited,
      payments: this.#payments,
      isPlain: this.#isPlain,
      reached: this.#reached,
    }
  }

  leavesOutMore(enough: bigint): boolean {
    for (let next = this.#heap.pop(); next !== undefined; next = this.#heap.pop()) {
      if (next > this.#plan.through) break
      if (this.#plan.isBeyond(this.#line.transaction(next))) continue
      if (++this.#visited % 64 === 1) this.#ask(next)
      this.#visit(next)
      if (this.#leftOut > enough) return true
    }
    return false
  }

  #ask(transaction: number): void {
    const transfer = this.#line.transfer(this.#line.legs(transaction).start)
    if (this.#plan.interrupted?.({ transactions: this.#visited, transfer })) throw tookTooLong()
  }

  #visit(transaction: number): void {
    const block = this.#line.block(transaction)
    this.#time = block.time
    this.#block = block.number
    const inLedger = this.#line.transaction(transaction)
    this.#converting = this.#plan.conversions(inLedger)
    const { start, end } = this.#line.legs(transaction)
    this.#firstLeg = start
    this.#findWarm(start, end)
    // What is last in a transaction is first when it runs from its end.
    if (this.#line.backward)
      for (const address of this.#converting.byGiver.keys()) this.#exchange(inLedger, address)
    for (let leg = start; leg < end; leg++) this.#move(leg)
    if (!this.#line.backward)
      for (const address of this.#converting.byGiver.keys()) this.#exchange(inLedger, address)
    for (const [holding, opened] of this.#open) this.#close(holding, opened, end)
    this.#open.clear()
  }

  /** Where lots may come to during the transaction: all other holdings only move clean money. */
  #findWarm(start: number, end: number): void {
    const warm = this.#warm
    warm.clear()
    if (this.#converting.byGiver.size > 0) this.#warmByConversion()
    for (let leg = start; leg < end; leg++) {
      const to = this.#line.to(leg)
      if (to < 0 || warm.has(to)) continue
      const from = this.#line.from(leg)
      if (this.#plan.seeds.has(leg) || this.#crossing.has(leg)) warm.add(to)
      else if (from >= 0 && (warm.has(from) || this.#active.has(from))) warm.add(to)
    }
  }

  /** Holdings in which lots of this transaction's conversions arrive. */
  #warmByConversion(): void {
    for (const { conversions } of this.#converting.byGiver.values()) {
      for (const given of conversions) {
        const { address, gives, recipient, gets } = this.#line.backward ? reversed(given) : given
        if (this.#active.has(this.#graph.holding(address, gives)))
          this.#warm.add(this.#graph.holding(recipient, gets))
      }
    }
  }

  #isWarm(holding: number): boolean {
    return holding >= 0 && (this.#active.has(holding) || this.#warm.has(holding))
  }

  #move(leg: number): void {
    const from = this.#line.from(leg)
    const to = this.#line.to(leg)
    const seed = this.#plan.seeds.get(leg)
    const brings = seed !== undefined || this.#crossing.has(leg)
    if (from === to || !(brings || this.#isWarm(from) || this.#isWarm(to))) return
    const asset = this.#graph.assetOf(from >= 0 ? from : to)
    if (this.#plan.counts[asset] !== true) return
    const amount = this.#line.amount(leg)
    if (amount === 0n) return
    const paid = this.#isWarm(from) ? this.#pay(leg, from, amount) : [{ units: amount }]
    const parts = this.#crossed(leg, paid)
    if (seed === undefined) {
      if (to < 0) this.#spendForGood(leg, parts)
      else this.#arrive(leg, to, parts)
      return
    }
    const lot: Lot = { seed, hop: 0, face: amount, block: this.#block }
    this.#carry(leg, amount)
    if (to >= 0) this.#arrive(leg, to, [{ units: amount, lot }])
    else this.#endForGood(leg, [{ units: amount, lot }])
  }

  /** Parts that leave the payer; lots that end by being spent here are clean from here on. */
  #pay(leg: number, from: number, amount: bigint): readonly Parcel[] {
    if (this.#isConverting(from) && this.#line.kind(leg) !== 'fee') return [{ units: amount }]
    const payer = this.#opened(from)
    this.#payments++
    const { parts, missing } = payer.purse.pay(amount)
    if (!parts.some(isLot)) return parts
    if (missing > 0n)
      this.#gaps.push({ transfer: this.#line.transfer(leg), holding: from, missing })
    // Of several reasons the first counts: reseeded, hop_limit, idle, dust.
    const isReseeded = this.#plan.seeds.has(leg)
    const atOnce = isReseeded ? 'reseeded' : this.#endingOfAll(payer, from)
    const maxHops = isReseeded ? Number.POSITIVE_INFINITY : this.#plan.maxHops
    const goOn: Parcel[] = []
    let clean = 0n
    for (const part of parts) {
      const outcome = part.lot && part.lot.hop >= maxHops ? 'hop_limit' : atOnce
      if (part.lot && !outcome) {
        if (clean > 0n) goOn.push({ units: clean })
        clean = 0n
        goOn.push(part)
        continue
      }
      if (part.lot && outcome) this.#end(outcome, from, part)
      clean += part.units
    }
    if (clean > 0n) goOn.push({ units: clean })
    return goOn
  }

  /** Why all lots that an account pays at this time end there. */
  #endingOfAll(payer: Active, from: number): Outcome | undefined {
    const { maxIdle } = this.#plan
    if (maxIdle !== undefined && Math.abs(this.#time - payer.lastArrival) > maxIdle) return 'idle'
    return this.#followed.has(this.#graph.addressOf(from)) ? undefined : 'dust'
  }

  /** A payment to nobody: a fee, a burn, an issue on the reversed ledger, an unwrap whose other side is not in sight. */
  #spendForGood(leg: number, parts: readonly Parcel[]): void {
    this.#carry(leg, faceOf(parts))
    // Of every account that pays fees, each lot ends in part with each of them.
    if (this.#line.kind(leg) !== 'fee') this.#endForGood(leg, moved(parts))
    else for (const part of parts) this.#end('fees', this.#line.from(leg), part, undefined, 1)
  }

  #endForGood(leg: number, parts: readonly Parcel[]): void {
    const ending = this.#endingForGood(leg)
    const mayCross = ending === 'burned' || ending === 'issued'
    if (mayCross && parts.some(isLot) && this.#cross(leg, parts)) return
    for (const part of parts) this.#end(ending, this.#line.from(leg), part)
  }

  /** What is burned of a wrapped coin was handed in for its native coin, which did not come to the payer. */
  #endingForGood(leg: number): Outcome {
    if (this.#line.kind(leg) === 'fee') return 'fees'
    const asset = this.#graph.assetOf(this.#line.from(leg))
    if (this.#plan.wrappedAssets.has(asset)) return 'contract_custody'
    return this.#line.backward ? 'issued' : 'burned'
  }

  #arrive(leg: number, to: number, parts: readonly Parcel[]): void {
    const isSeed = this.#plan.seeds.has(leg)
    const lots = parts.some(isLot)
    const face = lots ? faceOf(parts) : 0n
    if (!isSeed) this.#carry(leg, face)
    const address = this.#graph.addressOf(to)
    const stop = lots ? this.#plan.stop(address, this.#time) : undefined
    const crosses = stop?.outcome === 'bridge' && this.#cross(leg, isSeed ? parts : moved(parts))
    const arrived = isSeed || !lots ? parts : moved(parts, this.#block)
    if (stop && !crosses) this.#endAll(arrived, to, stop, this.#receiptOf(leg, stop))
    if (this.#isConverting(to) && this.#line.kind(leg) !== 'fee') {
      // What its legs in the assets of the conversion bring is in the net change.
      const ends = { outcome: 'ambiguous', reason: 'arrived in a conversion' } as const
      if (!stop) this.#endAll(arrived, to, ends)
      return
    }
    if (lots && !stop && this.#isNeverFollowed(address)) {
      this.#leaveOut(to, arrived)
      return
    }
    // A stop has no account, but where it has become one only later, older lots may rest there.
    if (stop && !this.#active.has(to)) return
    const kept: readonly Parcel[] = stop ? arrived.map(({ units }) => ({ units })) : arrived
    const receiver = this.#opened(to)
    if (lots && !stop) this.#note(receiver, address, face)
    receiver.purse.receive(kept)
    if (this.#line.backward) this.#toNowhere(leg, to, receiver)
  }

  #isNeverFollowed(address: number): boolean {
    if (!this.#atMost || this.#followed.has(address)) return false
    return (this.#atMost.get(address) ?? 0n) < this.#plan.threshold
  }

  /** Lots at the hop limit do not count: they are dust only where nobody spends them. */
  #leaveOut(to: number, arrived: readonly Parcel[]): void {
    for (const part of arrived)
      if (part.lot && part.lot.hop < this.#plan.maxHops) this.#end('dust', to, part)
    // By a conversion lots may be there all the same, or come at the transaction's end.
    if (!this.#active.has(to) && this.#converting.byGiver.size === 0) return
    const clean = arrived.map(({ units }) => ({ units }))
    this.#opened(to).purse.receive(clean)
  }

  /** Reversed ledger: what the payer did not have came from nowhere just before, so it leaves right after. */
  #toNowhere(leg: number, to: number, receiver: Active): void {
    const gap = this.#line.gapOf(leg)
    if (gap > 0n) this.#takeGap(this.#line.transfer(leg), to, { gap, receiver })
  }

  #takeGap(
    transfer: number,
    holding: number,
    { gap, receiver }: { readonly gap: bigint; readonly receiver: Active },
  ): void {
    this.#payments++
    const { parts } = receiver.purse.pay(gap)
    if (!parts.some(isLot)) return
    this.#gaps.push({ transfer, holding, missing: gap })
    const isFollowed = this.#followed.has(this.#graph.addressOf(holding))
    for (const part of parts) this.#end(isFollowed ? 'ledger_gap' : 'dust', holding, part)
  }

  /** What reaches a bridge, or is burned by one, goes on where both legs of its message are known. */
  #cross(leg: number, parts: readonly Parcel[]): boolean {
    const crossing = this.#plan.crossing(leg)
    if (!crossing || this.#crossing.has(crossing.arrival)) return false
    const { arrival, match } = crossing
    this.#crossing.set(arrival, { leg, parts, match })
    this.#isPlain = false
    this.#heap.push(this.#line.transactionOf(arrival))
    return true
  }

  /** What comes over the bridge by a leg: its units are the bridge's, so lots of its sender cannot be in them too. */
  #crossed(leg: number, paid: readonly Parcel[]): readonly Parcel[] {
    const crossing = this.#crossing.get(leg)
    if (!crossing) return paid
    this.#crossing.delete(leg)
    const ends = { outcome: 'ambiguous', reason: 'came over a bridge' } as const
    this.#endAll(paid, this.#line.from(leg), ends)
    const { leg: left, parts, match } = crossing
    const place = this.#placeOfBridge(left)
    const goOn = parts.map((part) => {
      const outcome = part.lot && this.#endingAtBridge(leg, part.lot)
      if (outcome === undefined) return part
      this.#endAt(outcome, place, part)
      return { units: part.units }
    })
    const amounts = { gives: this.#line.amount(left), gets: this.#line.amount(leg) }
    const { arriving, lost } = convertParts(goOn, amounts)
    const reason = 'worth no unit after the bridge'
    for (const part of lost) this.#endAt('ambiguous', place, part, { reason })
    this.#noteCrossing({ left, leg, match, face: faceOf(arriving) })
    return arriving
  }

  #endingAtBridge(leg: number, lot: Lot): Outcome | undefined {
    if (this.#plan.seeds.has(leg)) return 'reseeded'
    return lot.hop >= this.#plan.maxHops ? 'hop_limit' : undefined
  }

  /** Nobody's place where the bridge burns what it takes: then it is the payer's money. */
  #placeOfBridge(left: number): Place {
    const [to, from] = [this.#line.to(left), this.#line.from(left)]
    const holding = to >= 0 ? to : from
    return { address: this.#graph.addressOf(holding), asset: this.#graph.assetOf(holding) }
  }

  #noteCrossing(given: {
    readonly left: number
    readonly leg: number
    readonly match: BridgeMatch
    readonly face: bigint
  }): void {
    const { left, leg, match, face } = given
    if (face === 0n) return
    const [near, far] = this.#line.backward ? [leg, left] : [left, leg]
    const gives = this.#receiverOf(near)
    const gets = this.#receiverOf(far)
    this.#conversions.push({
      transaction: this.#graph.transactionOf(this.#line.transfer(near)),
      address: gives.address,
      recipient: gets.address,
      gives: gives.asset,
      gets: gets.asset,
      givesAmount: this.#line.amount(near),
      getsAmount: this.#line.amount(far),
      rule: 'bridge',
      face,
      match,
    })
  }

  /** As the ledger has it, in both directions: who received, or who paid where nobody did. */
  #receiverOf(leg: number): Place {
    const transfer = this.#line.transfer(leg)
    const [to, from] = [this.#graph.to(transfer), this.#graph.from(transfer)]
    const holding = to >= 0 ? to : from
    return { address: this.#graph.addressOf(holding), asset: this.#graph.assetOf(holding) }
  }

  /** The token issued to who deposited: a pool's share, a lender's receipt. */
  #receiptOf(leg: number, stop: Stop): number | undefined {
    const payer = this.#line.from(leg)
    if (stop.outcome !== 'contract_custody' || payer < 0 || this.#line.backward) return undefined
    const address = this.#graph.addressOf(payer)
    const { start, end } = this.#line.legs(this.#line.transactionOf(leg))
    for (let other = start; other < end; other++) {
      const to = this.#line.to(other)
      if (to < 0 || this.#line.from(other) >= 0 || this.#line.kind(other) !== 'token') continue
      if (this.#graph.addressOf(to) === address && this.#line.amount(other) > 0n)
        return this.#graph.assetOf(to)
    }
    return undefined
  }

  #note(receiver: Active, address: number, face: bigint): void {
    receiver.lastArrival = this.#time
    const reached = (this.#reached.get(address) ?? 0n) + face
    this.#reached.set(address, reached)
    if (reached >= this.#plan.threshold) this.#followed.add(address)
  }

  #exchange(transaction: number, address: number): void {
    const { conversions = [], candidates = [] } = this.#converting.byGiver.get(address) ?? {}
    for (const conversion of conversions) this.#convert(transaction, conversion)
    const pairs = this.#line.backward ? candidates.map(reversed) : candidates
    const names = [...new Set(pairs.map(({ gets }) => gets))]
    const more = { reason: 'several conversions are credible', candidates: names }
    const [down, up] = [new Map<number, bigint>(), new Map<number, bigint>()]
    for (const pair of pairs) {
      down.set(this.#graph.holding(pair.address, pair.gives), pair.givesAmount)
      up.set(this.#graph.holding(pair.recipient, pair.gets), pair.getsAmount)
    }
    // Where nothing decides, each asset that went down ends here, once, and what came is clean.
    for (const [holding, amount] of down) {
      if (!this.#isWarm(holding)) continue
      this.#payments++
      const { parts, missing } = this.#opened(holding).purse.payFromBalance(amount)
      if (missing > 0n && parts.some(isLot)) this.#gap(transaction, holding, missing)
      if (parts.some(isLot)) this.#isPlain = false
      for (const part of parts) this.#end('ambiguous', holding, part, more)
    }
    for (const [holding, amount] of up)
      if (this.#isWarm(holding)) this.#opened(holding).purse.receive([{ units: amount }])
  }

  /** Of a conversion, and of one that nobody can tell, the gap is shown at the payer's first leg. */
  #gap(transaction: number, holding: number, missing: bigint): void {
    const payer = { address: this.#graph.addressOf(holding), gives: this.#graph.assetOf(holding) }
    this.#gaps.push({ transfer: firstPaid(this.#graph, transaction, payer), holding, missing })
  }

  /** Backward the roles are exchanged: who got pays, and what was given arrives. */
  #convert(transaction: number, given: Conversion): void {
    const conversion = this.#line.backward ? reversed(given) : given
    const gives = this.#graph.holding(conversion.address, conversion.gives)
    const gets = this.#graph.holding(conversion.recipient, conversion.gets)
    if (!this.#active.has(gives) && !this.#isWarm(gets)) return
    const payer = this.#opened(gives)
    this.#payments++
    const { parts, missing } = payer.purse.payFromBalance(conversion.givesAmount)
    if (conversion.givesAmount !== conversion.getsAmount && parts.some(isLot)) this.#isPlain = false
    if (missing > 0n && parts.some(isLot)) this.#gap(transaction, gives, missing)
    const leaves = conversion.recipient !== conversion.address
    const spent = this.#spentOnConversion(parts, gives, { payer, leaves })
    const amounts = { gives: conversion.givesAmount, gets: conversion.getsAmount }
    const { arriving, lost } = convertParts(spent, amounts)
    this.#endAll(lost, gives, { outcome: 'ambiguous', reason: 'converted into no unit' })
    const stop = leaves ? this.#plan.stop(conversion.recipient, this.#time) : undefined
    if (stop) this.#endAll(arriving, gets, stop)
    if (!stop || this.#active.has(gets)) {
      const kept = stop ? arriving.map(({ units }) => ({ units })) : this.#inBlock(arriving)
      this.#opened(gets).purse.receive(kept)
    }
    // A lot whose face has been rounded to nothing still is one.
    if (!arriving.some(isLot)) return
    const face = faceOf(arriving)
    if (face > 0n) this.#conversions.push({ ...given, transaction, face })
    if (stop) return
    const receiver = this.#opened(gets)
    if (leaves) this.#note(receiver, conversion.recipient, face)
    else receiver.lastArrival = this.#time
    if (this.#line.backward) this.#conversionGap(transaction, conversion, gets)
  }

  /**
   * What an address converts for itself stays with it and so ends nothing; what a pool paid to somebody else leaves it.
   * Neither is a transfer, so there is no hop limit.
   */
  #spentOnConversion(
    parts: readonly Parcel[],
    holding: number,
    { payer, leaves }: { readonly payer: Active; readonly leaves: boolean },
  ): readonly Parcel[] {
    if (!leaves) return parts
    const { maxIdle } = this.#plan
    const idle = maxIdle !== undefined && Math.abs(this.#time - payer.lastArrival) > maxIdle
    const dust = !this.#followed.has(this.#graph.addressOf(holding))
    if (!idle && !dust) return parts
    for (const part of parts) this.#end(idle ? 'idle' : 'dust', holding, part)
    return parts.map(({ units }) => ({ units }))
  }

  /** Reversed ledger: what of a conversion was given without being there came from nowhere. */
  #conversionGap(transaction: number, { gets, recipient }: Conversion, holding: number): void {
    const gap = this.#line.conversionGap(this.#line.transaction(transaction), holding)
    if (gap === 0n) return
    const first = firstPaid(this.#graph, transaction, { address: recipient, gives: gets })
    this.#takeGap(first, holding, { gap, receiver: this.#opened(holding) })
  }

  #isConverting(holding: number): boolean {
    if (this.#converting.byGiver.size === 0) return false
    return this.#converting.isConverting(holding)
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
    const history = this.#line.history(holding)
    const first = firstAtOrBehind(history, this.#firstLeg)
    const opening = this.#line.balanceBefore(holding, first)
    return {
      purse: new Purse(opening, this.#plan.method, this.#plan.matched),
      history,
      cursor: first,
      lastArrival: 0,
      payment: -1,
    }
  }

  /** Between two visits a holding with lots only received clean money: a payment would have been a visit. */
  #catchUp(holding: number, active: Active): void {
    const { history } = active
    let clean = 0n
    for (; active.cursor < history.length; active.cursor++) {
      const leg = history.at(active.cursor)
      if (leg >= this.#firstLeg) break
      if (this.#line.from(leg) !== holding) clean += this.#line.amount(leg)
    }
    active.purse.receiveBefore(clean)
  }

  #close(holding: number, opened: Active, end: number): void {
    opened.purse.settle()
    if (!opened.purse.hasLots) {
      this.#active.delete(holding)
      return
    }
    while (opened.cursor < opened.history.length && opened.history.at(opened.cursor) < end)
      opened.cursor++
    this.#active.set(holding, opened)
    const next = this.#nextPayment(holding, opened)
    if (next !== undefined) this.#heap.push(next)
  }

  #nextPayment(holding: number, active: Active): number | undefined {
    const { history } = active
    if (active.payment < active.cursor) {
      let i = active.cursor
      while (i < history.length && !this.#isPayment(holding, history.at(i))) i++
      active.payment = i
    }
    return active.payment < history.length
      ? this.#line.transactionOf(history.at(active.payment))
      : undefined
  }

  #isPayment(holding: number, leg: number): boolean {
    if (this.#line.from(leg) !== holding || this.#line.to(leg) === holding) return false
    return this.#line.amount(leg) > 0n
  }

  #carry(leg: number, face: bigint): void {
    if (face === 0n || this.#atMost) return
    const transfer = this.#line.transfer(leg)
    this.#carried.set(transfer, (this.#carried.get(transfer) ?? 0n) + face)
  }

  #endAll(parts: readonly Parcel[], holding: number, stop: Stop, receipt?: number): void {
    const more = {
      stop,
      ...(stop.reason === undefined ? {} : { reason: stop.reason }),
      ...(receipt === undefined ? {} : { receipt }),
    }
    for (const part of parts) if (part.lot) this.#end(stop.outcome, holding, part, more)
  }

  #end(outcome: Outcome, holding: number, part: Parcel, more?: Explanation, hops = 0): void {
    if (!part.lot) return
    const place = {
      address: holding < 0 ? -1 : this.#graph.addressOf(holding),
      asset: holding < 0 ? -1 : this.#graph.assetOf(holding),
    }
    this.#endAt(outcome, place, part, more, hops)
  }

  #endAt(
    outcome: Outcome,
    { address, asset }: Place,
    { units, lot }: Parcel,
    more?: Explanation,
    hops = 0,
  ): void {
    if (!lot) return
    if (this.#atMost) {
      if (outcome === 'dust') this.#leftOut += lot.face
      return
    }
    const { face, seed } = lot
    const hop = lot.hop + hops
    this.#endings.add({ outcome, address, asset, units, face, hop, seed, block: this.#block }, more)
  }

  #inBlock(parts: readonly Parcel[]): readonly Parcel[] {
    return parts.map(({ units, lot }) =>
      lot
        ? lotParcel(units, { seed: lot.seed, hop: lot.hop, block: this.#block }, lot.face)
        : { units },
    )
  }

  #resting(): Resting[] {
    const resting: Resting[] = []
    for (const [holding, active] of this.#active) {
      const address = this.#graph.addressOf(holding)
      const asset = this.#graph.assetOf(holding)
      const followed = this.#followed.has(address)
      const next = this.#nextPayment(holding, active)
      const unfinished = next !== undefined && next > this.#plan.through
      for (const { units, lot } of active.purse.parcels)
        if (lot) resting.push({ address, asset, followed, unfinished, lot, units })
    }
    return resting
  }

  /** What had left over a bridge when the pass was stopped before it arrived. */
  #underway(): Resting[] {
    return [...this.#crossing.values()].flatMap(({ leg, parts }) => {
      const place = { ...this.#placeOfBridge(leg), followed: true, unfinished: true }
      return parts.flatMap(({ units, lot }) => (lot ? [{ ...place, units, lot }] : []))
    })
  }
}

function reversed<T extends Conversion>(conversion: T): T {
  return {
    ...conversion,
    address: conversion.recipient,
    recipient: conversion.address,
    gives: conversion.gets,
    gets: conversion.gives,
    givesAmount: conversion.getsAmount,
    getsAmount: conversion.givesAmount,
  }
}

function tookTooLong(): KnownError {
  return new KnownError('request.timeout', 'the trace takes longer than the service allows', {
    hint: 'Raise minShare, lower maxHops, name fewer seeds, or use the command line, which has no limit.',
  })
}

/** A transfer is a hop of the lots in it. */
function moved(parts: readonly Parcel[], arrivedIn?: number): readonly Parcel[] {
  return parts.map((part) => (part.lot ? movedParcel(part.units, part.lot, arrivedIn) : part))
}

function isLot({ lot }: Parcel): boolean {
  return lot !== undefined
}

function faceOf(parts: readonly Parcel[]): bigint {
  let face = 0n
  for (const { lot } of parts) if (lot) face += lot.face
  return face
}
