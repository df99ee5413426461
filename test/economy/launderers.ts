import type { RandomNumbers } from '../../src/sample/randomNumbers.ts'
import type { Market } from './market.ts'

/**
 * What launderers do with one victim's payment, step by step, and where every unit of it truly ends. The truth is what
 * they meant and did; nothing of Jejak takes part in it.
 */

/** Where a part of the stolen money truly ended. */
export interface TrueEnd {
  readonly account: string
  readonly outcome: 'service' | 'mixer' | 'still_held'
  /** In units of what the victim paid. */
  readonly face: bigint
}

export interface Truth {
  /** Hash of the victim's payment. */
  payment: string
  readonly stolen: bigint
  readonly ends: TrueEnd[]
  /** Wallets that held stolen money, services left out. */
  readonly involved: Set<string>
}

export interface LaunderersOptions {
  readonly stolen: bigint
  readonly crumbs: number
  readonly peels: number
  readonly branches: number
  /** First block of the crime. */
  readonly start: number
}

/** Money of the victim on its way: ether from the pool keeps the face of the tokens that it was. */
interface Purse {
  readonly holder: string
  readonly asset: 'token' | 'ether'
  readonly units: bigint
  readonly face: bigint
  /** Block in which it arrived. */
  readonly block: number
}

type Tactic = (purse: Purse) => void

/** Plans the crime on the market. */
export function planCrime(
  market: Market,
  random: RandomNumbers,
  { stolen, crumbs, peels, branches, start }: LaunderersOptions,
): Truth {
  const truth: Truth = { payment: '', stolen, ends: [], involved: new Set() }
  const wallet = (): string => {
    const made = market.newAddress()
    truth.involved.add(made)
    return made
  }
  const soon = (block: number): number => block + 1 + random.below(3)

  function pay(from: Purse, to: string, units = from.units, at = soon(from.block)): Purse {
    const face = units === from.units ? from.face : (from.face * units) / from.units
    if (from.asset === 'token') market.payToken(at, from.holder, to, units)
    else market.payEther(at, from.holder, to, units)
    return { holder: to, asset: from.asset, units, face, block: at }
  }

  function rest(from: Purse, paid: Purse): Purse {
    return {
      ...from,
      units: from.units - paid.units,
      face: from.face - paid.face,
      block: paid.block,
    }
  }

  function end(purse: Purse, outcome: TrueEnd['outcome']): void {
    truth.ends.push({ account: purse.holder, outcome, face: purse.face })
  }

  /** To the launderer's own deposit address, which the exchange sweeps. */
  function cashOut(purse: Purse, exchange: number): void {
    const deposit = wallet()
    const there = pay(purse, deposit)
    end(pay(there, market.exchanges[exchange] as string, there.units, there.block + 4), 'service')
  }

  function split(purse: Purse, parts: number): Purse[] {
    const made: Purse[] = []
    let left = purse
    for (let i = 1; i < parts; i++) {
      const units = (left.units * BigInt(80 + random.below(40))) / BigInt(100 * (parts - i + 1))
      const paid = pay(left, wallet(), units)
      left = rest(left, paid)
      made.push(paid)
    }
    return [...made, pay(left, wallet())]
  }

  function gather(purses: readonly Purse[]): Purse {
    const to = wallet()
    const at = Math.max(...purses.map(({ block }) => block)) + 1
    const paid = purses.map((purse) => pay(purse, to, purse.units, at + random.below(3)))
    const sum = (of: (purse: Purse) => bigint): bigint =>
      paid.reduce((total, purse) => total + of(purse), 0n)
    return {
      ...(paid[0] as Purse),
      units: sum(({ units }) => units),
      face: sum(({ face }) => face),
      block: Math.max(...paid.map(({ block }) => block)),
    }
  }

  function swapped(purse: Purse): Purse {
    const at = soon(purse.block)
    const got = market.sell(at, purse.holder, purse.units)
    return { ...purse, asset: 'ether', units: got, block: at + 1 }
  }

  const peelChain: Tactic = (purse) => {
    let left = purse
    for (let hop = 0; hop < peels; hop++) {
      const peel = pay(left, wallet(), left.units / BigInt(5 + random.below(6)))
      cashOut(peel, random.below(market.exchanges.length))
      left = pay(rest(left, peel), wallet())
    }
    end(left, 'still_held')
  }

  const scatterToMixer: Tactic = (purse) => {
    const together = gather(split(purse, 6))
    const ether = swapped(together)
    const hop = pay(ether, wallet())
    const at = soon(hop.block)
    market.mix(at, hop.holder, hop.units)
    end({ ...hop, holder: market.mixer }, 'mixer')
  }

  /** Each far below what is worth following; together they are the whole branch. */
  const crumble: Tactic = (purse) => {
    const second = wallet()
    const each = purse.units / BigInt(crumbs)
    let left = purse
    for (let i = 0; i < crumbs - 1; i++) {
      const at = purse.block + 1 + Math.floor(i / 40)
      market.payToken(at, purse.holder, purse.holder, each)
      left = rest(left, pay(left, second, each, at))
    }
    const last = pay(left, second, left.units, left.block + 1)
    cashOut({ ...purse, holder: second, block: last.block }, 0)
  }

  /** One wei of something else comes back in the same transaction, so that it looks sold. */
  const wash: Tactic = (purse) => {
    let left = purse
    for (let i = 0; i < 3; i++) {
      const to = wallet()
      const at = soon(left.block)
      market.wash(at, left.holder, to, left.units)
      left = { ...left, holder: to, block: at + 2 }
    }
    cashOut(left, 1)
  }

  /** Dust of other coins comes and goes on the way, and the money goes in a circle. */
  const dustAndCircle: Tactic = (purse) => {
    const [a, b] = [wallet(), wallet()]
    let left = purse
    for (const to of [a, b, purse.holder, a, wallet()]) {
      market.dust(left.block, to)
      left = pay(left, to)
    }
    cashOut(left, 0)
  }

  /** Through a wallet that looks like one of theirs, as poisoners make them; this one is theirs. */
  const lookAlike: Tactic = (purse) => {
    const first = pay(purse, wallet())
    const twin = market.lookAlike(first.holder)
    truth.involved.add(twin)
    market.poison(first.block + 1, market.lookAlike(first.holder), first.holder)
    const hop = pay(first, twin)
    const ether = swapped(hop)
    const [one, two] = market.splitEther(soon(ether.block), ether.holder, ether.units, [
      wallet(),
      wallet(),
    ])
    truth.involved.add(market.splitter)
    const at = ether.block + 4
    const faceOfOne = (ether.face * one.units) / ether.units
    end({ ...ether, holder: one.to, units: one.units, face: faceOfOne, block: at }, 'still_held')
    const other = { ...ether, holder: two.to, units: two.units, block: at }
    cashOut({ ...other, face: ether.face - faceOfOne }, 1)
  }

  const tactics = [peelChain, scatterToMixer, crumble, wash, dustAndCircle, lookAlike]
  const collector = wallet()
  const block = market.steal(start, collector, stolen)
  const all: Purse = { holder: collector, asset: 'token', units: stolen, face: stolen, block }
  const parts = split(pay(all, wallet()), branches)
  parts.forEach((part, i) => {
    const tactic = tactics[i % tactics.length]
    if (tactic) tactic(part)
  })
  return truth
}
