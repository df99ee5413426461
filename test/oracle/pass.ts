/** One chronological pass of design 8.2 over the steps of a ledger, forward or reversed. */
import type { Account } from '../../src/ledger/account.ts'
import { createAccounts } from './accounts.ts'
import { converted, faceOf, hasLot, type Lot, type Parcel, type Rounding } from './parcels.ts'
import type { OracleQuestion } from './question.ts'
import type { Place, Step, Steps } from './steps.ts'

export interface OracleAnswer {
  /** `outcome account asset seed hop` to face. */
  readonly outcomes: ReadonlyMap<string, bigint>
  /** The same keys to what the lots were there, in base units of the asset. */
  readonly units: ReadonlyMap<string, bigint>
  /** Transfer id to the face of the lots it carried. */
  readonly carried: ReadonlyMap<string, bigint>
  /** `<transfer id> <missing amount>` of outflows beyond the balance that carried a lot. */
  readonly gaps: readonly string[]
  /** `tx payer gives receiver gets`, as it happened, to the face that went through. */
  readonly conversions: ReadonlyMap<string, bigint>
  readonly seedTotal: bigint
}

export interface PassInput {
  readonly question: OracleQuestion
  readonly transactions: readonly Steps[]
  /** Transfer ids in ledger order. */
  readonly seeds: readonly string[]
  readonly seedTotal: bigint
  readonly halvings: bigint
  readonly opening: (account: Account, asset: string) => bigint
  /** Leaving leg to arriving leg in the order of the steps, each used once. */
  readonly bridges: ReadonlyMap<string, Step>
  readonly rounding: Rounding
  /** Judges what depends on amounts: the pass itself, or what another pass of the same steps found. */
  readonly decide: (judge: () => boolean) => boolean
}

/** A bridged payment on its way. */
interface Crossing {
  readonly from: Step
  readonly at: Account | ''
  readonly parts: readonly Parcel[]
}

export function onePass(input: PassInput): OracleAnswer {
  const { question, seeds, seedTotal, rounding, decide } = input
  const { method = 'fifo', matched, minShare, maxIdle } = question
  const backward = question.direction === 'backward'
  const accounts = createAccounts({ method, matched, rounding, opening: input.opening })
  const outcomes = new Map<string, bigint>()
  const units = new Map<string, bigint>()
  const carried = new Map<string, bigint>()
  const conversions = new Map<string, bigint>()
  const gaps: string[] = []
  const crossings = new Map<string, Crossing>()
  /** Face that ever reached an address. */
  const reached = new Map<Account, bigint>()
  const followed = new Set<Account>()
  /** Time of the last arrival of a lot, by account. */
  const lastLot = new Map<string, number>()

  function end(outcome: string, account: Account | '', asset: string, parcel: Parcel): void {
    const { lot } = parcel
    if (!lot) return
    const key = `${outcome} ${account} ${asset} ${lot.seed} ${lot.hop}`
    outcomes.set(key, (outcomes.get(key) ?? 0n) + lot.face)
    units.set(key, (units.get(key) ?? 0n) + parcel.units)
  }

  /** Ends the lots for which there is a reason: their money goes on as clean. */
  function ending(
    parts: readonly Parcel[],
    at: { readonly account: Account | ''; readonly asset: string },
    reason: (lot: Lot) => string | undefined,
  ): Parcel[] {
    return parts.map((part) => {
      const outcome = part.lot && reason(part.lot)
      if (outcome === undefined) return part
      end(outcome, at.account, at.asset, part)
      return { units: part.units }
    })
  }

  function paidBy(step: Step): readonly Parcel[] {
    if (!('holds' in step.from)) return [{ units: step.given }]
    const account = step.from.holds
    const { parts, missing } = accounts.pay(account, step.gives, step.given)
    const beyond = step.sort === 'gap' ? step.given : missing
    if (backward && missing > 0n) throw new Error(`${step.id} has no money when time is reversed`)
    if (beyond > 0n && hasLot(parts)) gaps.push(`${step.id} ${beyond}`)
    return endingWhenSpent(step, account, parts)
  }

  /** "Of several reasons the first counts: reseeded, hop_limit, idle, dust when spent." */
  function endingWhenSpent(
    step: Step,
    account: Account,
    parts: readonly Parcel[],
  ): readonly Parcel[] {
    const at = { account, asset: step.gives }
    if (step.sort === 'gap') {
      const unseen = question.covered(account) ? undefined : 'not_ingested'
      const dust = decide(() => !followed.has(account))
      return ending(parts, at, () => (dust ? 'dust' : unseen))
    }
    // What an address converts, or nobody can tell, does not leave it.
    const leaves =
      step.sort === 'transfer' ||
      (step.sort === 'exchange' && !('holds' in step.to && step.to.holds === account))
    if (!leaves) return parts
    const idle = decide(() => {
      const last = lastLot.get(`${account} ${step.gives}`)
      return maxIdle !== undefined && last !== undefined && Math.abs(step.time - last) > maxIdle
    })
    const dust = decide(() => !followed.has(account))
    return ending(parts, at, ({ hop }) => {
      if (step.sort === 'transfer' && seeds.includes(step.id)) return 'reseeded'
      if (step.sort === 'transfer' && hop >= question.maxHops) return 'hop_limit'
      return idle ? 'idle' : dust ? 'dust' : undefined
    })
  }

  function arrive(step: Step, parts: readonly Parcel[], within: boolean): void {
    if (!('holds' in step.to)) {
      for (const part of parts) end(step.to.ends, step.to.account, step.gets, part)
      return
    }
    const account = step.to.holds
    if (hasLot(parts)) lastLot.set(`${account} ${step.gets}`, step.time)
    if (!within) {
      const total = (reached.get(account) ?? 0n) + faceOf(parts)
      reached.set(account, total)
      // "Followed from the event at which the face value that ever reached it attains s × seed."
      const enough =
        total * minShare.denominator * 2n ** input.halvings >= seedTotal * minShare.numerator
      if (decide(() => hasLot(parts) && enough)) followed.add(account)
    }
    accounts.receive(account, step.gets, parts)
  }

  function transfer(step: Step): void {
    const crossing = crossings.get(step.id)
    let parts = paidBy(step)
    if (crossing) {
      // The units are the bridge's: what the sender's account would have paid with is said to be unclear.
      const sender = 'holds' in step.from ? step.from.holds : ''
      ending(parts, { account: sender, asset: step.gives }, () => 'ambiguous')
      parts = crossed(step, crossing)
    }
    const seed = seeds.indexOf(step.id)
    parts =
      seed < 0 ? parts.map(moved) : [{ units: step.got, lot: { seed, hop: 0, face: step.got } }]
    const face = faceOf(parts)
    if (face > 0n) carried.set(step.id, face)
    const arriving = input.bridges.get(step.id)
    if (arriving && hasLot(parts)) {
      const at = 'holds' in step.to ? '' : step.to.account
      crossings.set(arriving.id, { from: step, at, parts })
    } else arrive(step, parts, false)
  }

  /** "The same floors as a conversion"; a lot that cannot go on stays at the bridge. */
  function crossed(step: Step, { from, at, parts }: Crossing): readonly Parcel[] {
    const place = { account: at, asset: from.gets }
    const spent = ending(parts, place, ({ hop }) => {
      if (seeds.includes(step.id)) return 'reseeded'
      return hop >= question.maxHops ? 'hop_limit' : undefined
    })
    const { parcels, vanished } = converted(spent, from.got, step.got, rounding)
    for (const lost of vanished) {
      if (lost.lot) rounding.divided(lost.lot, 1n)
      end('ambiguous', place.account, place.asset, lost)
    }
    return parcels
  }

  function exchange(step: Step): void {
    const parts = paidBy(step)
    const payer = 'holds' in step.from ? step.from.holds : step.from.account
    const receiver = 'holds' in step.to ? step.to.holds : step.to.account
    const { parcels, vanished } = converted(parts, step.given, step.got, rounding)
    for (const lost of vanished) {
      if (lost.lot) rounding.divided(lost.lot, 1n)
      end('ambiguous', payer, step.gives, lost)
    }
    const face = faceOf(parcels)
    const key = backward
      ? `${step.tx} ${receiver} ${step.gets} ${payer} ${step.gives}`
      : `${step.tx} ${payer} ${step.gives} ${receiver} ${step.gets}`
    if (face > 0n) conversions.set(key, (conversions.get(key) ?? 0n) + face)
    arrive(step, parcels, payer === receiver)
  }

  function play(step: Step): void {
    if (step.sort === 'transfer') transfer(step)
    else if (step.sort === 'exchange') exchange(step)
    else arrive(step, paidBy(step), true)
  }

  const steps = input.transactions.flat()
  for (const { id, sort, to } of steps)
    if (sort === 'transfer' && seeds.includes(id)) addAddress(followed, to)
  for (const transaction of input.transactions) {
    for (const step of transaction) play(step)
    accounts.settle()
  }
  for (const { account, asset, parcels } of accounts.held()) {
    const outcome = resting(account, asset)
    for (const parcel of parcels) end(outcome, account, asset, parcel)
  }
  return { outcomes, units, carried, gaps, conversions, seedTotal }

  /** "dust, not_ingested, frozen, still_held when resting"; backward what rests there was always there. */
  function resting(account: Account, asset: string): string {
    if (decide(() => !followed.has(account))) return 'dust'
    if (!question.covered(account)) return 'not_ingested'
    if (backward) return 'opening_balance'
    return question.frozen?.(account, asset) ? 'frozen' : 'still_held'
  }
}

function moved(part: Parcel): Parcel {
  return part.lot ? { ...part, lot: { ...part.lot, hop: part.lot.hop + 1 } } : part
}

function addAddress(addresses: Set<Account>, place: Place): void {
  if ('holds' in place) addresses.add(place.holds)
  else if (place.account !== '') addresses.add(place.account)
}
