import { type Account, parseAccount } from '../ledger/account.ts'
import { type AssetId, parseAsset } from '../ledger/asset.ts'
import { isUnordered } from '../ledger/order.ts'
import { type Transfer, transferId } from '../ledger/transfer.ts'
import type { EndPlace, GivenUp, Moment, Place, Premises } from './certificate.ts'

/** Transfers that happened together: one, or a whole block whose inner order is not known. */
export interface Step {
  readonly rows: readonly Transfer[]
  readonly isUnordered: boolean
  /** True where a transaction, or the block, ends with this step. */
  readonly isLast: boolean
  /** What was given in conversions of the transactions that end here. */
  readonly conversions: readonly GivenUp[]
}

/** Money that arrives ends there, or goes on in the holding of this key. */
export type Arrival = { readonly end: string } | { readonly to: string }

/** The ledger as a certificate speaks of it: plain rows in order, and what the premises say of them. */
export interface CertifiedLedger {
  readonly premises: Premises
  readonly steps: readonly Step[]
  readonly rows: ReadonlyMap<string, Transfer>
  readonly seeds: ReadonlySet<string>
  arrival(row: Transfer): Arrival
  /** True where a leg is no payment of its own, but part of a conversion. */
  isSilent(row: Transfer, account: Account | undefined): boolean
  /** What it is called when money rests in a holding; only some targets tell apart where. */
  restsAs(key: string): string
}

export const keyOf = (account: string | undefined, asset: string): string => `${account} ${asset}`

export const placeKey = ({ account, asset }: Place): string =>
  keyOf(parseAccount(account), parseAsset(asset))

export const momentKey = ({ after, behind }: Moment): string => `${after} ${behind}`

/** Moments that a step brings to pass. */
export function momentsOf({ rows, isUnordered: whole, isLast }: Step): string[] {
  const behind = whole || isLast ? (['transfer', 'transaction'] as const) : (['transfer'] as const)
  return rows.flatMap((row) => behind.map((b) => momentKey({ after: transferId(row), behind: b })))
}

export function becomes({ account, becomes: asset, end }: GivenUp): Arrival {
  if (asset === undefined) return { end: end ?? 'converted' }
  return { to: keyOf(parseAccount(account), parseAsset(asset)) }
}

export function certifiedLedger(
  transfers: readonly Transfer[],
  premises: Premises,
): CertifiedLedger {
  const inSight = transfers.filter(
    ({ chain, block }) => block <= (premises.asOf[chain] ?? Number.POSITIVE_INFINITY),
  )
  const ends = Map.groupBy(premises.ends, ({ account }) => parseAccount(account))
  const arrivals = new Map(premises.ends.map((place) => [place, new Set<string>(place.arrivals)]))
  const silent = new Set(premises.silent.map((leg) => `${leg.transaction} ${placeKey(leg)}`))
  const wrapped = new Set(premises.wrapped.map(parseAsset))
  const late = new Set(premises.notCovered.map(placeKey))
  const isSilent = (row: Transfer, account: Account | undefined): boolean =>
    row.kind !== 'fee' && silent.has(`${transactionOf(row)} ${keyOf(account, row.asset)}`)
  const holds = (place: EndPlace, row: Transfer): boolean =>
    place.arrivals === undefined || arrivals.get(place)?.has(transferId(row)) === true
  return {
    premises,
    steps: stepsOf(inSight, premises),
    rows: new Map(inSight.map((row) => [transferId(row), row])),
    seeds: new Set(premises.seeds),
    isSilent,
    restsAs: (key) => restingName(premises.target, late.has(key)),
    arrival(row) {
      if (row.to === undefined) return { end: endForGood(row, wrapped) }
      const places = (ends.get(row.to) ?? []).filter((place) => holds(place, row))
      if (places.some(({ end }) => end === 'target')) return { end: 'target' }
      if (isSilent(row, row.to)) return { end: 'ambiguous' }
      const [place] = places
      return place ? { end: place.end } : { to: keyOf(row.to, row.asset) }
    },
  }
}

function restingName(target: string, isLate: boolean): string {
  if (target !== 'still_held' && target !== 'not_ingested') return 'elsewhere'
  return isLate ? 'not_ingested' : 'still_held'
}

const transactionOf = (row: Transfer): string => `${row.chain}:${row.tx}`

function endForGood(row: Transfer, wrapped: ReadonlySet<AssetId>): string {
  if (row.kind === 'fee') return 'fees'
  return wrapped.has(row.asset) ? 'contract_custody' : 'burned'
}

function stepsOf(rows: readonly Transfer[], premises: Premises): Step[] {
  const given = new Map<string, GivenUp[]>()
  const names = new Map(rows.map((row) => [transferId(row), transactionOf(row)]))
  for (const entry of premises.conversions) {
    const transaction = names.get(entry.transfer) ?? ''
    given.set(transaction, [...(given.get(transaction) ?? []), entry])
  }
  const last = new Map(rows.map((row) => [transactionOf(row), row]))
  const isLast = (row: Transfer): boolean => last.get(transactionOf(row)) === row
  const behind = (row: Transfer): readonly GivenUp[] =>
    isLast(row) ? (given.get(transactionOf(row)) ?? []) : []
  const blocks = Map.groupBy(rows, ({ chain, block }) => `${chain} ${block}`)
  return [...blocks.values()].flatMap((block): Step[] => {
    if (isUnordered(block))
      return [{ rows: block, isUnordered: true, isLast: true, conversions: block.flatMap(behind) }]
    return block.map((row) => ({
      rows: [row],
      isUnordered: false,
      isLast: isLast(row),
      conversions: behind(row),
    }))
  })
}
