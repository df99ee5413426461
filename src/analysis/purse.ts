import type { Method, Parcel, Pile } from './parcels.ts'

/** What a payment was made of. */
export interface Payment {
  /** In the order in which the money reached the payer. They add up to the amount. */
  readonly parts: readonly Parcel[]
  /** What the payer did not have: it counts as clean money that came just before. */
  readonly missing: bigint
}

/** What one transfer of the transaction brought. Most of it is never paid on there, and needs no pile. */
interface Inflow {
  readonly parts: readonly Parcel[]
  pile: Pile | undefined
}

/**
 * One holding while a trace looks at it: the balance from before, and, until the transaction ends, what the
 * transaction brought.
 */
export class Purse {
  readonly #balance: Pile
  #arrived: Inflow[] = []
  readonly #method: Method
  readonly #matched: boolean

  /**
   * @param opening - clean balance before anything the trace looks at.
   * @param matched - same transaction first: a payment first takes what its own transaction brought, newest first.
   */
  constructor(opening: bigint, method: Method, matched: boolean) {
    this.#balance = method.pile()
    this.#balance.push({ units: opening })
    this.#method = method
    this.#matched = matched
  }

  get hasLots(): boolean {
    return this.#balance.hasLots || this.#arrived.some(inflowHasLots)
  }

  /** Everything held, in order of arrival. */
  get parcels(): readonly Parcel[] {
    return [this.#balance.parcels, ...this.#arrived.map(parcelsOf)].flat()
  }

  receive(parts: readonly Parcel[]): void {
    if (this.#matched) this.#arrived.push({ parts, pile: undefined })
    else for (const part of parts) this.#balance.push(part)
  }

  /** Clean money that came in transactions before the one at hand. */
  receiveBefore(units: bigint): void {
    if (units > 0n) this.#balance.push({ units })
  }

  pay(amount: bigint): Payment {
    if (this.#arrived.length === 0) return this.payFromBalance(amount)
    const taken: Parcel[][] = []
    let missing = amount
    for (let i = this.#arrived.length - 1; i >= 0 && missing > 0n; i--) {
      const parts: Parcel[] = []
      missing = this.#pileOf(this.#arrived[i] as Inflow).take(missing, parts)
      taken.push(parts)
    }
    const parts: Parcel[] = []
    if (missing > 0n) missing = this.#balance.take(missing, parts)
    // Newest inflow was taken first, but the parts stand in the order in which they had arrived.
    for (const inflow of taken.reverse()) parts.push(...inflow)
    if (missing > 0n) parts.push({ units: missing })
    return { parts, missing }
  }

  /** Takes from the balance alone, past what the transaction brought: how a conversion is paid. */
  payFromBalance(amount: bigint): Payment {
    const parts: Parcel[] = []
    const missing = this.#balance.take(amount, parts)
    if (missing > 0n) parts.push({ units: missing })
    return { parts, missing }
  }

  /** The transaction is over: what it left joins the balance in order of arrival. */
  settle(): void {
    if (this.#arrived.length === 0) return
    for (const inflow of this.#arrived)
      for (const parcel of parcelsOf(inflow)) this.#balance.push(parcel)
    this.#arrived = []
  }

  #pileOf(inflow: Inflow): Pile {
    if (inflow.pile) return inflow.pile
    const pile = this.#method.pile()
    for (const part of inflow.parts) pile.push(part)
    inflow.pile = pile
    return pile
  }
}

function parcelsOf({ parts, pile }: Inflow): readonly Parcel[] {
  return pile ? pile.parcels : parts
}

function inflowHasLots({ parts, pile }: Inflow): boolean {
  return pile ? pile.hasLots : parts.some(({ lot }) => lot)
}
