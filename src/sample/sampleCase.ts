import { type Account, parseAccount } from '../ledger/account.ts'
import type { AssetId } from '../ledger/asset.ts'
import type { ChainId } from '../ledger/chain.ts'
import { nativeAsset } from '../ledger/nativeCoins.ts'
import { compareBlocks } from '../ledger/order.ts'
import type { Tag } from '../ledger/tag.ts'
import { type Transfer, type TransferId, transferId } from '../ledger/transfer.ts'
import { wrappedCoins } from '../ledger/wrappedCoins.ts'
import { createRandomNumbers, type RandomNumbers } from './randomNumbers.ts'

/**
 * An invented case that shows every part of a trace: victims pay a drainer; the money goes through a peel chain of
 * twelve hops, a split and a merge, a wrap, a mixer, deposits swept to an exchange, and a look-alike address; around
 * it fifty thousand innocent transfers. No address, amount or hash is real: all come from the seed.
 */
export interface SampleCase {
  readonly transfers: readonly Transfer[]
  readonly tags: readonly Tag[]
  /** The victims' payments: where the trace starts. */
  readonly seeds: readonly TransferId[]
  readonly drainer: Account
}

const chain = 'eip155:1' as ChainId
const ether = nativeAsset(chain)
const wrapped = [...wrappedCoins].find(([, native]) => native === ether)?.[0] as AssetId
const firstBlock = 19_000_000
const firstTime = 1_704_067_200
const unit = 10n ** 18n
const feeAmount = 21_000n * 20_000_000_000n

/**
 * @param background - how many innocent transfers surround the theft.
 */
export function sampleCase(seed: number, background = 50_000): SampleCase {
  const chainOfEvents = new Scene(seed)
  const scene = theft(chainOfEvents)
  chainOfEvents.innocents(background)
  return { ...scene, transfers: chainOfEvents.done() }
}

interface Leg {
  readonly from?: Account
  readonly to?: Account
  readonly amount: bigint
  readonly asset?: AssetId
  readonly kind?: 'native' | 'token' | 'internal'
  readonly flags?: readonly string[]
}

class Scene {
  readonly random: RandomNumbers
  readonly #legs: (Omit<Transfer, 'txIndex' | 'block' | 'time'> & { readonly at: number })[] = []

  constructor(seed: number) {
    this.random = createRandomNumbers(seed)
  }

  wallet(): Account {
    return parseAccount(`0x${this.random.hex(20)}`, chain)
  }

  /** One transaction at a block after the first, with the signer's fee. Returns the ids of its legs. */
  transaction(at: number, signer: Account, legs: readonly Leg[]): TransferId[] {
    const tx = `0x${this.random.hex(32)}`
    const shared = { at, chain, tx, signer, blockHash: blockHash(at) }
    this.#legs.push({
      ...shared,
      kind: 'fee',
      position: 0,
      asset: ether,
      from: signer,
      amount: feeAmount,
      flags: [],
    })
    return legs.map((leg, i) => {
      const kind = leg.kind ?? (leg.asset === undefined ? 'native' : 'token')
      const position = kind === 'native' ? 0 : i + 1
      const sides = {
        ...(leg.from === undefined ? {} : { from: leg.from }),
        ...(leg.to === undefined ? {} : { to: leg.to }),
      }
      const transfer = {
        ...shared,
        kind,
        position,
        asset: leg.asset ?? ether,
        ...sides,
        amount: leg.amount,
        flags: leg.flags ?? [],
      }
      this.#legs.push(transfer)
      return transferId(transfer)
    })
  }

  pay(at: number, from: Account, to: Account, amount: bigint): TransferId {
    const [id] = this.transaction(at, from, [{ from, to, amount }])
    return id as TransferId
  }

  /** Money that is simply there: a miner's or a withdrawal's, paid out at the beginning. */
  endow(to: Account, amount: bigint): void {
    const tx = `withdrawal:${this.#legs.length}`
    this.#legs.push({
      at: 0,
      chain,
      tx,
      blockHash: blockHash(0),
      kind: 'withdrawal',
      position: 0,
      asset: ether,
      to,
      amount,
      flags: [],
    })
  }

  innocents(count: number): void {
    const people = Array.from({ length: Math.max(2, Math.floor(count / 12)) }, () => this.wallet())
    for (const person of people) this.endow(person, unit * BigInt(50 + this.random.below(2000)))
    // Half of the transfers are the payments, half their fees.
    for (let i = 0; i < count / 2; i++) {
      const from = this.random.pick(people)
      const amount = (unit * BigInt(1 + this.random.below(999))) / 1000n
      this.pay(1 + this.random.below(5000), from, this.random.pick(people), amount)
    }
  }

  /** All transfers with blocks, times and places in their blocks. */
  done(): Transfer[] {
    const placed = this.#legs.map(({ at, ...leg }) => ({
      ...leg,
      block: firstBlock + at,
      time: firstTime + at * 12,
    }))
    const byTx = new Map<string, typeof placed>()
    for (const leg of placed) byTx.set(leg.tx, [...(byTx.get(leg.tx) ?? []), leg])
    const next = new Map<number, number>()
    return [...byTx.values()]
      .sort((a, b) => compareBlocks(a[0] as Transfer, b[0] as Transfer))
      .flatMap((legs) => {
        const block = legs[0]?.block ?? 0
        if (legs[0]?.kind === 'withdrawal') return legs
        const txIndex = next.get(block) ?? 0
        next.set(block, txIndex + 1)
        return legs.map((leg) => ({ ...leg, txIndex }))
      })
  }
}

function blockHash(at: number): string {
  return `0x${(firstBlock + at).toString(16).padStart(64, '0')}`
}

function theft(scene: Scene): Omit<SampleCase, 'transfers'> {
  const drainer = scene.wallet()
  const victims = Array.from({ length: 8 }, () => scene.wallet())
  for (const victim of victims) scene.endow(victim, unit * 400n)
  scene.endow(drainer, unit * 3n)
  const amounts = [120n, 85n, 60n, 44n, 300n, 17n, 9n, 65n]
  const seeds = victims.map((victim, i) =>
    scene.pay(100 + i * 3, victim, drainer, unit * (amounts[i] ?? 1n)),
  )
  const tags: Tag[] = []
  const tag = (account: Account, label: string, category: string): Account => {
    const statement = { source: 'sample case', confidence: 90, sourceRank: 0, mayStop: true }
    tags.push({ account, label, category, ...statement })
    return account
  }
  tag(drainer, 'Drainer of the sample case', 'perpetrator')
  peelChain(scene, { from: drainer, at: 200, tag })
  splitAndMerge(scene, { from: drainer, at: 210, tag })
  wrapAndMix(scene, { from: drainer, at: 220, tag })
  lookAlike(scene, { from: drainer, at: 240 })
  return { tags, seeds, drainer }
}

interface Act {
  readonly from: Account
  readonly at: number
}

type Tagging = Act & {
  readonly tag: (account: Account, label: string, category: string) => Account
}

/** Twelve hops, each leaving a little at an exchange's deposit address, which the exchange sweeps. */
function peelChain(scene: Scene, { from, at, tag }: Tagging): void {
  const hot = tag(scene.wallet(), 'Sample Exchange: hot wallet', 'exchange')
  let holder = from
  let amount = unit * 240n
  for (let hop = 0; hop < 12; hop++) {
    const next = scene.wallet()
    scene.pay(at + hop * 20, holder, next, amount)
    const deposit =
      hop % 3 === 2
        ? tag(scene.wallet(), `Sample Exchange: deposit ${hop}`, 'deposit_wallet')
        : scene.wallet()
    const peeled = amount / 12n
    scene.pay(at + hop * 20 + 5, next, deposit, peeled)
    scene.pay(at + hop * 20 + 15, deposit, hot, peeled - feeAmount)
    amount = amount - peeled - feeAmount * 2n
    holder = next
  }
}

/** Eight ways out and together again, then half to a bridge. */
function splitAndMerge(scene: Scene, { from, at, tag }: Tagging): void {
  const bridge = tag(scene.wallet(), 'Sample Bridge', 'defi_bridge')
  const mules = Array.from({ length: 8 }, () => scene.wallet())
  const gathered = scene.wallet()
  for (const [i, mule] of mules.entries()) {
    scene.pay(at + i, from, mule, unit * 20n)
    scene.pay(at + 40 + i * 2, mule, gathered, unit * 20n - feeAmount)
  }
  scene.pay(at + 80, gathered, bridge, unit * 80n)
}

/** Ether into wrapped ether, on to another wallet, back to ether, and into a mixer in equal notes. */
function wrapAndMix(scene: Scene, { from, at, tag }: Tagging): void {
  const mixer = tag(scene.wallet(), 'Sample Mixer: 10 ETH', 'mixing_service')
  const wrapper = wrapped.replace('/erc20:', ':') as Account
  const courier = scene.wallet()
  const amount = unit * 150n
  scene.endow(courier, unit)
  scene.transaction(at, from, [
    { from, to: wrapper, amount },
    { to: from, amount, asset: wrapped, flags: ['wrap'] },
  ])
  scene.transaction(at + 4, from, [{ from, to: courier, amount, asset: wrapped }])
  scene.transaction(at + 9, courier, [
    { from: wrapper, to: courier, amount, kind: 'internal' },
    { from: courier, amount, asset: wrapped, flags: ['wrap'] },
  ])
  for (let note = 0; note < 14; note++) scene.pay(at + 20 + note * 7, courier, mixer, unit * 10n)
}

/** A dust payment from an address that looks like the drainer's own partner; then the drainer falls for it. */
function lookAlike(scene: Scene, { from, at }: Act): void {
  const partner = scene.wallet()
  const middle = scene.random.hex(16)
  const twin = parseAccount(`${partner.slice(0, 15)}${middle}${partner.slice(-4)}`)
  scene.pay(at, from, partner, unit * 5n)
  scene.endow(twin, unit)
  scene.pay(at + 3, twin, from, 1n)
  scene.pay(at + 60, from, twin, unit * 25n)
}
