import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Account } from '../ledger/account.ts'
import { ledgerOrder } from '../ledger/order.ts'
import { type Transfer, transferId } from '../ledger/transfer.ts'
import { BatchReader } from '../ledger/transferBatch.ts'
import {
  blockPlace,
  createPlaces,
  type Places,
  placesOf,
  type ScannedLog,
  scanned,
  type TransferEntry,
  viewOf,
  wantedAccounts,
} from './scannedLog.ts'
import type { Expansion, ExpansionQuery } from './store.ts'

/** @throws RangeError beyond the bounds of the contract */
export function checkExpansion({ accounts, cap }: ExpansionQuery): void {
  if (accounts.size > 1_000) throw new RangeError('at most 1,000 accounts in one hop')
  if (!(cap >= 1 && cap <= 10_000)) throw new RangeError('cap is 1 to 10,000')
}

/**
 * One hop from some accounts, by scans of the log; see `Store.expand`. The first finds the moments that matter, the
 * second the rows in them; where a source did not know their order, a third the blocks around them.
 *
 * Cost: linear in the log; memory linear in what is found, and a number for each transfer of the accounts.
 */
export async function expandedFrom(log: ScannedLog, query: ExpansionQuery): Promise<Expansion[]> {
  const { accounts, direction, since = 0, cap } = query
  const end = direction === 'out' ? 'from' : 'to'
  const times = await timesOf(log, query)
  const ends = new Map([...times].map(([account, all]) => [account, endOf(all, cap)]))
  const moments = momentsOf(times, ends)
  const wanted = placesOf(accounts)
  const loose = createPlaces()
  const found: Transfer[] = []
  for await (const rows of scanned(log, (view, row) => {
    if (!moments.has(view.time(row))) return false
    if (view.isLoose(row) && !log.isDead(view.sequence(row))) loose.add(view.block(row))
    return wanted.has(view.side(row, end))
  })) {
    for (const row of rows)
      if (row.time >= since && row.time <= (ends.get(row[end] as Account) ?? -1)) found.push(row)
  }
  const ordered = loose.size === 0 ? ledgerOrder(found) : await orderedAmong(log, found, loose)
  const groups = Map.groupBy(ordered, (row) => row[end])
  return [...accounts].sort().map((account) => ({
    account,
    transfers: (groups.get(account) ?? []).slice(0, cap),
    more: (times.get(account)?.length ?? 0) > cap,
  }))
}

/** Times of all that each account sent or received from a time on. */
async function timesOf(
  log: ScannedLog,
  query: ExpansionQuery,
): Promise<ReadonlyMap<Account, readonly number[]>> {
  const wanted = placesOf(query.accounts)
  const times = new Map<Account, number[]>()
  for (const entry of log.entries()) {
    if (entry.type === 'transfers') {
      const isWanted = wantedAccounts(entry.batch, wanted)
      if (isWanted.includes(true)) noteTimes(entry, { isWanted, log, query, times })
    }
    await nextTurn()
  }
  return times
}

function noteTimes(
  entry: TransferEntry,
  given: {
    readonly isWanted: readonly boolean[]
    readonly log: ScannedLog
    readonly query: ExpansionQuery
    readonly times: Map<Account, number[]>
  },
): void {
  const { rows } = entry.batch
  const side = given.query.direction === 'out' ? rows.from : rows.to
  const view = viewOf(entry)
  const reader = new BatchReader(entry.batch)
  for (let row = 0; row < entry.batch.length; row++) {
    const number = side[row] as number
    if (number < 0 || !given.isWanted[number]) continue
    const time = view.time(row)
    if (time < (given.query.since ?? 0) || given.log.isDead(view.sequence(row))) continue
    const account = reader.account(number)
    const known = given.times.get(account)
    if (known) known.push(time)
    else given.times.set(account, [time])
  }
}

/** Time of the last transfer that can be among the first so many, and one more. */
function endOf(times: readonly number[], cap: number): number {
  return Float64Array.from(times).sort()[Math.min(cap, times.length - 1)] as number
}

function momentsOf(
  times: ReadonlyMap<Account, readonly number[]>,
  ends: ReadonlyMap<Account, number>,
): Set<number> {
  const moments = new Set<number>()
  for (const [account, all] of times) {
    const end = ends.get(account) ?? -1
    for (const time of all) if (time <= end) moments.add(time)
  }
  return moments
}

/** Ledger order of some transfers, by all there is in the blocks around them whose order no source knew. */
async function orderedAmong(
  log: ScannedLog,
  found: readonly Transfer[],
  loose: Places,
): Promise<Transfer[]> {
  const asked = new Set(found.map(transferId))
  const blocks = createPlaces()
  for (const { chain, block } of found) {
    const place = blockPlace(chain, block)
    if (loose.has(place)) blocks.add(place)
  }
  const all = found.filter(({ chain, block }) => !blocks.has(blockPlace(chain, block)))
  for await (const rows of scanned(log, (view, row) => blocks.has(view.block(row))))
    all.push(...rows)
  return ledgerOrder(all).filter((row) => asked.has(transferId(row)))
}
