/**
 * The definitions of design 8.1 and 8.2 as they are written, for forward FIFO: explicit parcels of every account
 * over the whole ledger, nothing indexed, nothing lazy. It shares no code with the engine beyond the ledger's types
 * and order, and decides every disagreement unless the design shows otherwise.
 */
import type { Account } from '../../src/ledger/account.ts'
import { ledgerOrder } from '../../src/ledger/order.ts'
import { type Transfer, transferId } from '../../src/ledger/transfer.ts'

export interface OracleQuestion {
  readonly transfers: readonly Transfer[]
  readonly seeds: readonly string[]
  readonly matched: boolean
  readonly minShare: { readonly numerator: bigint; readonly denominator: bigint }
  readonly maxHops: number
  /** Outcome at an address where lots end on arrival. */
  readonly stops: ReadonlyMap<Account, string>
  /** Wrapped coin and native coin, with the wrapper's account. */
  readonly wrap?: { readonly wrapped: string; readonly native: string; readonly wrapper: Account }
  /** Whether the account is covered to the end. */
  readonly covered: (account: Account) => boolean
}

export interface OracleAnswer {
  /** `outcome account asset seed hop` to face. */
  readonly outcomes: ReadonlyMap<string, bigint>
  readonly carried: ReadonlyMap<string, bigint>
  readonly gaps: readonly string[]
  readonly seedTotal: bigint
}

interface Parcel {
  units: bigint
  lot?: { seed: number; hop: number; face: bigint }
}

/** An account is one (address, asset). */
interface Holder {
  balance: Parcel[]
  /** What the transaction at hand brought, in order of arrival. */
  arrived: Parcel[][]
}

export function oracleTrace(question: OracleQuestion): OracleAnswer {
  const ledger = ledgerOrder(question.transfers)
  const seeds = ledger.map(transferId).filter((id) => question.seeds.includes(id))
  const seedTotal = ledger
    .filter((t) => seeds.includes(transferId(t)))
    .reduce((sum, t) => sum + t.amount, 0n)
  // "s starts at minShare and is halved, the pass repeated, until all dust together is ≤ minShare of the seed."
  for (let halvings = 0n; ; halvings++) {
    const pass = onePass(question, ledger, { seeds, seedTotal, halvings })
    let dust = 0n
    for (const [key, face] of pass.outcomes) if (key.startsWith('dust ')) dust += face
    if (dust * question.minShare.denominator <= seedTotal * question.minShare.numerator) return pass
    if (halvings > 400n) return pass
  }
}

function onePass(
  question: OracleQuestion,
  ledger: readonly Transfer[],
  given: {
    readonly seeds: readonly string[]
    readonly seedTotal: bigint
    readonly halvings: bigint
  },
): OracleAnswer {
  const { minShare, stops, wrap } = question
  const holders = new Map<string, Holder>()
  const outcomes = new Map<string, bigint>()
  const carried = new Map<string, bigint>()
  const gaps: string[] = []
  const reached = new Map<Account, bigint>()
  const followed = new Set<Account>()
  for (const t of ledger) if (given.seeds.includes(transferId(t)) && t.to) followed.add(t.to)

  const holder = (account: Account, asset: string): Holder => {
    const key = `${account}|${asset}`
    const known = holders.get(key) ?? { balance: [], arrived: [] }
    holders.set(key, known)
    return known
  }
  const end = (
    outcome: string,
    account: Account | string,
    asset: string,
    lot: { seed: number; hop: number; face: bigint },
  ): void => {
    const key = `${outcome} ${account} ${asset} ${lot.seed} ${lot.hop}`
    outcomes.set(key, (outcomes.get(key) ?? 0n) + lot.face)
  }
  /** Takes from the front of a list of parcels. "Splitting a lot rounds the first part's face down." */
  const take = (parcels: Parcel[], amount: bigint): Parcel[] => {
    const taken: Parcel[] = []
    let left = amount
    while (left > 0n && parcels.length > 0) {
      const first = parcels[0] as Parcel
      if (first.units <= left) {
        taken.push(first)
        left -= first.units
        parcels.shift()
        continue
      }
      const part: Parcel = { units: left }
      const rest: Parcel = { units: first.units - left }
      if (first.lot) {
        const face = (first.lot.face * left) / first.units
        part.lot = { ...first.lot, face }
        rest.lot = { ...first.lot, face: first.lot.face - face }
      }
      taken.push(part)
      parcels[0] = rest
      left = 0n
    }
    return taken
  }
  const sum = (parcels: readonly Parcel[]): bigint => parcels.reduce((all, p) => all + p.units, 0n)

  /** An outflow: "first spends what that transaction brought it, newest inflow first". */
  const pay = (
    account: Account,
    asset: string,
    amount: bigint,
  ): { parts: Parcel[]; missing: bigint } => {
    const h = holder(account, asset)
    const have = sum(h.balance) + h.arrived.reduce((all, inflow) => all + sum(inflow), 0n)
    const missing = amount > have ? amount - have : 0n
    // "An outflow beyond the balance is preceded by a clean inflow of exactly the missing amount."
    if (missing > 0n) {
      if (question.matched) h.arrived.push([{ units: missing }])
      else h.balance.push({ units: missing })
    }
    let left = amount
    const fromInflows: Parcel[][] = []
    for (let i = h.arrived.length - 1; i >= 0; i--) {
      const parts = take(h.arrived[i] as Parcel[], left)
      left -= sum(parts)
      fromInflows.unshift(parts)
    }
    const fromBalance = take(h.balance, left)
    return { parts: [...fromBalance, ...fromInflows.flat()], missing }
  }
  const receive = (account: Account, asset: string, parts: Parcel[]): void => {
    const h = holder(account, asset)
    if (question.matched) h.arrived.push(parts.filter((p) => p.units > 0n))
    else h.balance.push(...parts.filter((p) => p.units > 0n))
  }

  for (let start = 0; start < ledger.length; ) {
    let stop = start
    const first = ledger[start] as Transfer
    while (
      stop < ledger.length &&
      ledger[stop]?.tx === first.tx &&
      ledger[stop]?.block === first.block
    )
      stop++
    const legs = ledger.slice(start, stop)
    start = stop
    const converting = wrap ? conversions(legs, wrap, stops) : []
    const converts = (account: Account | undefined, asset: string): boolean =>
      account !== undefined &&
      wrap !== undefined &&
      (asset === wrap.wrapped || asset === wrap.native) &&
      converting.some((c) => c.account === account)

    for (const leg of legs) {
      // "Zero amounts and transfers to oneself are stored but are no events of allocation."
      if (leg.amount === 0n || (leg.from !== undefined && leg.from === leg.to)) continue
      const seed = given.seeds.indexOf(transferId(leg))
      let parts: Parcel[]
      if (leg.from === undefined || (converts(leg.from, leg.asset) && leg.kind !== 'fee'))
        parts = [{ units: leg.amount }]
      else {
        const paid = pay(leg.from, leg.asset, leg.amount)
        if (paid.missing > 0n && paid.parts.some((p) => p.lot))
          gaps.push(`${transferId(leg)} ${paid.missing}`)
        const payer = leg.from
        parts = paid.parts.map((p) => {
          if (!p.lot) return p
          // "Of several reasons the first counts: reseeded, hop_limit, idle, dust when spent."
          const ending =
            seed >= 0
              ? 'reseeded'
              : p.lot.hop >= question.maxHops
                ? 'hop_limit'
                : followed.has(payer)
                  ? undefined
                  : 'dust'
          if (ending === undefined) return p
          end(ending, payer, leg.asset, p.lot)
          return { units: p.units }
        })
      }
      // "Seeds … each a single lot of the transfer's full amount."
      if (seed >= 0) parts = [{ units: leg.amount, lot: { seed, hop: 0, face: leg.amount } }]
      else
        parts = parts.map((p) =>
          p.lot ? { units: p.units, lot: { ...p.lot, hop: p.lot.hop + 1 } } : p,
        )
      const face = parts.reduce((all, p) => all + (p.lot?.face ?? 0n), 0n)
      if (face > 0n) carried.set(transferId(leg), face)
      const hasLots = parts.some((p) => p.lot)
      const finish = (outcome: string, account: string): void => {
        for (const p of parts) if (p.lot) end(outcome, account, leg.asset, p.lot)
      }
      if (leg.to === undefined) {
        const unwrapped = wrap !== undefined && leg.asset === wrap.wrapped && leg.kind !== 'fee'
        finish(
          leg.kind === 'fee' ? 'fees' : unwrapped ? 'contract_custody' : 'burned',
          unwrapped ? wrap.wrapper : (leg.from ?? ''),
        )
        continue
      }
      if (converts(leg.to, leg.asset)) {
        finish('ambiguous', leg.to)
        continue
      }
      const stopped = hasLots
        ? (stops.get(leg.to) ?? (wrap && leg.to === wrap.wrapper ? 'contract_custody' : undefined))
        : undefined
      if (stopped !== undefined) {
        finish(stopped, leg.to)
        // "An ended lot stays where it is as clean money and never becomes a lot again."
        receive(
          leg.to,
          leg.asset,
          parts.map((p) => ({ units: p.units })),
        )
        continue
      }
      if (hasLots) {
        // "followed from the event at which the face value that ever reached it attains s × seed"
        const total = (reached.get(leg.to) ?? 0n) + face
        reached.set(leg.to, total)
        const enough =
          total * minShare.denominator * 2n ** given.halvings >=
          given.seedTotal * minShare.numerator
        if (enough) followed.add(leg.to)
      }
      receive(leg.to, leg.asset, parts)
    }
    for (const { account, gives, gets, amount } of converting) {
      const h = holder(account, gives)
      const have = sum(h.balance)
      if (amount > have) h.balance.push({ units: amount - have })
      const parts = take(h.balance, amount)
      if (amount > have && parts.some((p) => p.lot))
        gaps.push(`conversion ${account} ${amount - have}`)
      receive(account, gets, parts)
    }
    // "What is left joins the balance at the transaction's end in order of arrival."
    for (const h of holders.values()) {
      for (const inflow of h.arrived) h.balance.push(...inflow)
      h.arrived = []
    }
  }
  for (const [key, { balance }] of holders) {
    const [account, asset] = key.split('|') as [Account, string]
    for (const { lot } of balance) {
      if (lot)
        end(
          !followed.has(account)
            ? 'dust'
            : question.covered(account)
              ? 'still_held'
              : 'not_ingested',
          account,
          asset,
          lot,
        )
    }
  }
  return { outcomes, carried, gaps, seedTotal: given.seedTotal }
}

/** "Per transaction and address, net change per asset without the fee": X down and Y up by the same amount. */
function conversions(
  legs: readonly Transfer[],
  wrap: { readonly wrapped: string; readonly native: string; readonly wrapper: Account },
  stops: ReadonlyMap<Account, string>,
): { account: Account; gives: string; gets: string; amount: bigint }[] {
  const net = new Map<Account, { wrapped: bigint; native: bigint }>()
  for (const leg of legs) {
    if (leg.kind === 'fee' || (leg.asset !== wrap.wrapped && leg.asset !== wrap.native)) continue
    const side = leg.asset === wrap.wrapped ? 'wrapped' : 'native'
    for (const [account, sign] of [
      [leg.from, -1n],
      [leg.to, 1n],
    ] as const) {
      if (account === undefined) continue
      const known = net.get(account) ?? { wrapped: 0n, native: 0n }
      known[side] += sign * leg.amount
      net.set(account, known)
    }
  }
  return [...net].flatMap(([account, { wrapped, native }]) => {
    if (wrapped === 0n || wrapped !== -native || stops.has(account) || account === wrap.wrapper)
      return []
    return wrapped > 0n
      ? [{ account, gives: wrap.native, gets: wrap.wrapped, amount: wrapped }]
      : [{ account, gives: wrap.wrapped, gets: wrap.native, amount: native }]
  })
}
