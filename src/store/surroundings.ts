import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Transfer } from '../ledger/transfer.ts'
import { transactionKey } from './planWrites.ts'
import {
  createPlaces,
  type Places,
  placesOf,
  type ScannedLog,
  scanned,
  type TransferEntry,
  viewOf,
  wantedAccounts,
} from './scannedLog.ts'
import type { SurroundingsQuery } from './store.ts'

/** @throws RangeError beyond the bounds of the contract */
export function checkSurroundings({ accounts, transactions }: SurroundingsQuery): void {
  if (accounts.size > 1_000) throw new RangeError('at most 1,000 accounts at once')
  if (transactions.length > 1_000) throw new RangeError('at most 1,000 transactions at once')
}

/**
 * See `Store.surroundings`: by scans of the log. The first finds the transactions, the second gives their rows and
 * finds the blocks of unknown order among theirs; where there are any, a third gives the rest of those blocks.
 *
 * Cost: linear in the log; memory linear in the transactions found. Other work gets its turn after every entry.
 */
export async function* surroundingRows(
  log: ScannedLog,
  query: SurroundingsQuery,
): AsyncGenerator<readonly Transfer[]> {
  const found = await touchedTransactions(log, query)
  const loose = createPlaces()
  yield* scanned(log, (view, row) => {
    if (!found.blocks.has(view.block(row))) return false
    if (view.isLoose(row) && !log.isDead(view.sequence(row))) loose.add(view.block(row))
    return found.transactions.has(view.transaction(row))
  })
  if (loose.size === 0) return
  yield* scanned(
    log,
    (view, row) => loose.has(view.block(row)) && !found.transactions.has(view.transaction(row)),
  )
}

interface Touched {
  readonly transactions: Places
  readonly blocks: Places
}

async function touchedTransactions(log: ScannedLog, query: SurroundingsQuery): Promise<Touched> {
  const wanted = placesOf(query.accounts)
  const named = createPlaces()
  for (const { chain, tx } of query.transactions) named.add({ chain, key: transactionKey(tx) })
  const touched = { transactions: createPlaces(), blocks: createPlaces() }
  for (const entry of log.entries()) {
    if (entry.type === 'transfers') noteTouched(entry, { wanted, named, touched, log })
    await nextTurn()
  }
  return touched
}

function noteTouched(
  entry: TransferEntry,
  given: {
    readonly wanted: Places
    readonly named: Places
    readonly touched: Touched
    readonly log: ScannedLog
  },
): void {
  const { batch } = entry
  const view = viewOf(entry)
  const isWanted = wantedAccounts(batch, given.wanted)
  if (!isWanted.includes(true) && given.named.size === 0) return
  for (let row = 0; row < batch.length; row++) {
    const from = batch.rows.from[row] as number
    const to = batch.rows.to[row] as number
    const touches = (from >= 0 && isWanted[from]) || (to >= 0 && isWanted[to])
    if (!touches && !(given.named.size > 0 && given.named.has(view.transaction(row)))) continue
    if (given.log.isDead(view.sequence(row))) continue
    given.touched.transactions.add(view.transaction(row))
    given.touched.blocks.add(view.block(row))
  }
}
