import { Balance } from './balance.ts'
import { type ColumnArrays, checkpointStride, shared } from './columns.ts'
import type { RawRows } from './rawRows.ts'

type HoldingArrays = Pick<
  ColumnArrays,
  'holdingAddress' | 'holdingAsset' | 'holdingFirst' | 'holdingWide' | 'events' | 'checkpoints'
>

export interface BuiltHoldings {
  readonly holdings: HoldingArrays
  /** Per transfer: paying and receiving holding, −1 nobody. */
  readonly from: Int32Array
  readonly to: Int32Array
}

/**
 * Numbers every (address, asset) that occurs, those of one address next to each other, and lists the transfers of
 * each with its balance before every 16th.
 *
 * @param given.order - rows in ledger order; `given.addressOf` - final number of each raw address.
 */
export function buildHoldings(
  raw: RawRows,
  given: { readonly order: Uint32Array; readonly addressOf: Int32Array },
): BuiltHoldings {
  const { order, addressOf } = given
  const pairs = new PairTable(1 << 16)
  const from = shared(Int32Array, order.length)
  const to = shared(Int32Array, order.length)
  for (let i = 0; i < order.length; i++) {
    const row = order[i] as number
    const asset = raw.asset[row] as number
    const payer = raw.from[row] as number
    const receiver = raw.to[row] as number
    from[i] = payer < 0 ? -1 : pairs.number(addressOf[payer] as number, asset)
    to[i] = receiver < 0 ? -1 : pairs.number(addressOf[receiver] as number, asset)
  }
  const final = pairs.sorted()
  for (let i = 0; i < order.length; i++) {
    if ((from[i] as number) >= 0) from[i] = final.numberOf[from[i] as number] as number
    if ((to[i] as number) >= 0) to[i] = final.numberOf[to[i] as number] as number
  }
  const { holdingFirst, events } = listEvents(from, to, final.address.length)
  const holdings = {
    holdingAddress: final.address,
    holdingAsset: final.asset,
    holdingFirst,
    events,
  }
  const amounts = { order, raw, from, to }
  return { holdings: { ...holdings, ...keepBalances(holdings, amounts) }, from, to }
}

function listEvents(
  from: Int32Array,
  to: Int32Array,
  count: number,
): { holdingFirst: Uint32Array; events: Uint32Array } {
  const holdingFirst = shared(Uint32Array, count + 1)
  const each = (visit: (holding: number, transfer: number) => void): void => {
    for (let i = 0; i < from.length; i++) {
      const payer = from[i] as number
      const receiver = to[i] as number
      if (payer >= 0) visit(payer, i)
      if (receiver >= 0 && receiver !== payer) visit(receiver, i)
    }
  }
  each((holding) => {
    holdingFirst[holding + 1] = (holdingFirst[holding + 1] as number) + 1
  })
  for (let i = 1; i <= count; i++)
    holdingFirst[i] = (holdingFirst[i] as number) + (holdingFirst[i - 1] as number)
  const events = shared(Uint32Array, holdingFirst[count] as number)
  const next = holdingFirst.slice(0, count)
  each((holding, transfer) => {
    events[next[holding] as number] = transfer
    next[holding] = (next[holding] as number) + 1
  })
  return { holdingFirst, events }
}

function keepBalances(
  holdings: { readonly holdingFirst: Uint32Array; readonly events: Uint32Array },
  amounts: {
    readonly order: Uint32Array
    readonly raw: RawRows
    readonly from: Int32Array
    readonly to: Int32Array
  },
): Pick<HoldingArrays, 'checkpoints' | 'holdingWide'> {
  const { holdingFirst, events } = holdings
  const { order, raw, from, to } = amounts
  const count = holdingFirst.length - 1
  const checkpoints = shared(Uint32Array, (Math.floor(events.length / checkpointStride) + 1) * 4)
  const holdingWide = shared(Uint8Array, count)
  const balance = new Balance()
  for (let holding = 0; holding < count; holding++) {
    balance.clear()
    for (let e = holdingFirst[holding] as number; e < (holdingFirst[holding + 1] as number); e++) {
      if (e % checkpointStride === 0) balance.save(checkpoints, (e / checkpointStride) * 4)
      const transfer = events[e] as number
      const row = order[transfer] as number
      if (raw.wide.has(row)) balance.overflowed = true
      if (from[transfer] === to[transfer]) continue
      if (from[transfer] === holding) balance.subtract(raw.amount, row * 4)
      else balance.add(raw.amount, row * 4)
    }
    if (balance.overflowed) holdingWide[holding] = 1
  }
  return { checkpoints, holdingWide }
}

/** Numbers for pairs of numbers, in order of first appearance. */
class PairTable {
  #slots: Int32Array
  #first: Uint32Array
  #second: Uint32Array
  #size = 0

  constructor(capacity: number) {
    this.#slots = new Int32Array(capacity * 2).fill(-1)
    this.#first = new Uint32Array(capacity)
    this.#second = new Uint32Array(capacity)
  }

  number(first: number, second: number): number {
    const mask = this.#slots.length - 1
    let slot = (Math.imul(first, 0x9e3779b1) ^ Math.imul(second + 1, 0x85ebca6b)) >>> 0
    slot = (slot ^ (slot >>> 15)) & mask
    for (;;) {
      const known = this.#slots[slot] as number
      if (known < 0) break
      if (this.#first[known] === first && this.#second[known] === second) return known
      slot = (slot + 1) & mask
    }
    const number = this.#size++
    if (number === this.#first.length) this.#grow()
    this.#first[number] = first
    this.#second[number] = second
    if (this.#size * 2 > this.#slots.length) this.#rehash()
    else this.#slots[slot] = number
    return number
  }

  /** Final numbers by (first, second), and the pairs in that order, in shared memory. */
  sorted(): {
    readonly numberOf: Uint32Array
    readonly address: Uint32Array
    readonly asset: Uint32Array
  } {
    const count = this.#size
    // Pairs as one float each sort natively: addresses stay below 2^32 and assets below 2^20.
    const keys = new Float64Array(count)
    for (let i = 0; i < count; i++)
      keys[i] = (this.#first[i] as number) * 0x100000 + (this.#second[i] as number)
    keys.sort()
    const address = shared(Uint32Array, count)
    const asset = shared(Uint32Array, count)
    const numberOf = new Uint32Array(count)
    for (let i = 0; i < count; i++) {
      const first = Math.floor((keys[i] as number) / 0x100000)
      const second = (keys[i] as number) % 0x100000
      address[i] = first
      asset[i] = second
      numberOf[this.number(first, second)] = i
    }
    return { numberOf, address, asset }
  }

  #grow(): void {
    const grown = (from: Uint32Array): Uint32Array => {
      const to = new Uint32Array(from.length * 2)
      to.set(from)
      return to
    }
    this.#first = grown(this.#first)
    this.#second = grown(this.#second)
  }

  #rehash(): void {
    const slots = new Int32Array(this.#slots.length * 2).fill(-1)
    const mask = slots.length - 1
    for (let number = 0; number < this.#size; number++) {
      const first = this.#first[number] as number
      const second = this.#second[number] as number
      let slot = (Math.imul(first, 0x9e3779b1) ^ Math.imul(second + 1, 0x85ebca6b)) >>> 0
      slot = (slot ^ (slot >>> 15)) & mask
      while ((slots[slot] as number) >= 0) slot = (slot + 1) & mask
      slots[slot] = number
    }
    this.#slots = slots
  }
}
