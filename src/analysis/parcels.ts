/**
 * What an account holds, in order of arrival (design 8.1). An account here is one holding: an address and an asset.
 */

/** A part of a seed's money on its way. */
export interface Lot {
  /** Number of the seed, in ledger order. */
  readonly seed: number
  /** Transfers since the seed's. */
  readonly hop: number
  /** Value in units of the seeds' asset. */
  readonly face: bigint
  /** Block in which it reached the account where it is. */
  readonly block: number
}

/** A stretch of money of one kind. Clean money has no lot. */
export interface Parcel {
  readonly units: bigint
  readonly lot?: Lot
}

/**
 * Splits a parcel; the first part's face is rounded down and the rest keeps the remainder, so faces always add up.
 *
 * @param units - size of the first part, more than 0 and less than the parcel.
 */
export function splitParcel(parcel: Parcel, units: bigint): readonly [Parcel, Parcel] {
  const rest = parcel.units - units
  if (!parcel.lot) return [{ units }, { units: rest }]
  const face = (parcel.lot.face * units) / parcel.units
  return [
    { units, lot: { ...parcel.lot, face } },
    { units: rest, lot: { ...parcel.lot, face: parcel.lot.face - face } },
  ]
}

/** Money in order of arrival. Clean money next to clean money is one parcel; lots are never merged. */
export class Queue {
  #parcels: Parcel[] = []
  #head = 0
  #lots = 0

  get hasLots(): boolean {
    return this.#lots > 0
  }

  get parcels(): readonly Parcel[] {
    return this.#parcels.slice(this.#head)
  }

  push(parcel: Parcel): void {
    if (parcel.units === 0n) return
    const last = this.#parcels.length > this.#head ? this.#parcels.at(-1) : undefined
    if (!parcel.lot && last && !last.lot) {
      this.#parcels[this.#parcels.length - 1] = { units: last.units + parcel.units }
      return
    }
    this.#parcels.push(parcel)
    if (parcel.lot) this.#lots++
  }

  /** Takes up to `units`, oldest first (Clayton's case), and adds the parts to `parts` in order of arrival. */
  takeOldest(units: bigint, parts: Parcel[]): bigint {
    let missing = units
    while (missing > 0n && this.#head < this.#parcels.length) {
      const parcel = this.#parcels[this.#head] as Parcel
      if (parcel.units <= missing) {
        parts.push(parcel)
        missing -= parcel.units
        this.#head++
        if (parcel.lot) this.#lots--
      } else {
        const [part, rest] = splitParcel(parcel, missing)
        parts.push(part)
        this.#parcels[this.#head] = rest
        missing = 0n
      }
    }
    if (this.#head > 64 && this.#head * 2 > this.#parcels.length) {
      this.#parcels = this.#parcels.slice(this.#head)
      this.#head = 0
    }
    return missing
  }
}

/** What a payment was made of. */
export interface Payment {
  /** In the order in which the money reached the payer. They add up to the amount. */
  readonly parts: readonly Parcel[]
  /** What the payer did not have: it counts as clean money that came just before. */
  readonly missing: bigint
}

/**
 * One holding while a trace looks at it: the balance from before, and, until the transaction ends, what the
 * transaction brought.
 */
export class Purse {
  readonly #balance = new Queue()
  #arrived: Queue[] = []
  readonly #matched: boolean

  /**
   * @param opening - clean balance before anything the trace looks at.
   * @param matched - same transaction first: a payment first takes what its own transaction brought, newest first.
   */
  constructor(opening: bigint, matched: boolean) {
    this.#balance.push({ units: opening })
    this.#matched = matched
  }

  get hasLots(): boolean {
    return this.#balance.hasLots || this.#arrived.some((inflow) => inflow.hasLots)
  }

  /** Everything held, in order of arrival. */
  get parcels(): readonly Parcel[] {
    return [this.#balance, ...this.#arrived].flatMap((queue) => queue.parcels)
  }

  receive(parts: readonly Parcel[]): void {
    const inflow = this.#matched ? new Queue() : this.#balance
    for (const part of parts) inflow.push(part)
    if (this.#matched) this.#arrived.push(inflow)
  }

  pay(amount: bigint): Payment {
    const taken: Parcel[][] = []
    let missing = amount
    for (let i = this.#arrived.length - 1; i >= 0 && missing > 0n; i--) {
      const parts: Parcel[] = []
      missing = (this.#arrived[i] as Queue).takeOldest(missing, parts)
      taken.push(parts)
    }
    const parts: Parcel[] = []
    if (missing > 0n) missing = this.#balance.takeOldest(missing, parts)
    // Newest inflow was taken first, but the parts stand in the order in which they had arrived.
    for (const inflow of taken.reverse()) parts.push(...inflow)
    if (missing > 0n) parts.push({ units: missing })
    return { parts, missing }
  }

  /** Takes from the balance alone, past what the transaction brought: how a conversion is paid. */
  payFromBalance(amount: bigint): Payment {
    const parts: Parcel[] = []
    const missing = this.#balance.takeOldest(amount, parts)
    if (missing > 0n) parts.push({ units: missing })
    return { parts, missing }
  }

  /** The transaction is over: what it left joins the balance in order of arrival. */
  settle(): void {
    for (const inflow of this.#arrived)
      for (const parcel of inflow.parcels) this.#balance.push(parcel)
    this.#arrived = []
  }
}
