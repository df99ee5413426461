import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Account, accountChain, accountReference } from '../ledger/account.ts'
import { ByteTable } from '../ledger/byteTable.ts'
import { type ChainId, isEvm } from '../ledger/chain.ts'
import { isBlockReward } from '../ledger/order.ts'
import { type Kind, kinds, type Transfer } from '../ledger/transfer.ts'
import { BatchReader, keyAt } from '../ledger/transferBatch.ts'
import { transactionKey } from './planWrites.ts'
import type { LogEntry, SurroundingsQuery } from './store.ts'

/** A log that can be read again and again. */
export interface ScannedLog {
  readonly entries: () => Iterable<LogEntry>
  readonly isDead: (sequence: number) => boolean
}

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
    if (view.isLoose(row)) loose.add(view.block(row))
    return found.transactions.has(view.transaction(row))
  })
  if (loose.size === 0) return
  yield* scanned(
    log,
    (view, row) => loose.has(view.block(row)) && !found.transactions.has(view.transaction(row)),
  )
}

async function* scanned(
  log: ScannedLog,
  isWanted: (view: EntryView, row: number) => boolean,
): AsyncGenerator<readonly Transfer[]> {
  for (const entry of log.entries()) {
    const rows: Transfer[] = []
    if (entry.type === 'transfers') {
      const view = viewOf(entry)
      const reader = new BatchReader(entry.batch)
      for (let row = 0; row < entry.batch.length; row++) {
        if (isWanted(view, row) && !log.isDead(entry.firstSequence + row))
          rows.push(reader.transfer(row))
      }
    }
    if (rows.length > 0) yield rows
    await nextTurn()
  }
}

interface Touched {
  readonly transactions: Places
  readonly blocks: Places
}

async function touchedTransactions(log: ScannedLog, query: SurroundingsQuery): Promise<Touched> {
  const wanted = createPlaces()
  for (const account of query.accounts) wanted.add(accountPlace(account))
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
  entry: Extract<LogEntry, { type: 'transfers' }>,
  given: {
    readonly wanted: Places
    readonly named: Places
    readonly touched: Touched
    readonly log: ScannedLog
  },
): void {
  const { batch, firstSequence } = entry
  const view = viewOf(entry)
  const isWanted = Array.from(batch.accounts.ends, (_, number) => {
    const key = keyAt(batch.accounts, number)
    const chain = batch.chains[key[0] as number] as ChainId
    return given.wanted.has({ chain, key: key.subarray(1) })
  })
  const anyWanted = isWanted.includes(true)
  if (!anyWanted && given.named.size === 0) return
  for (let row = 0; row < batch.length; row++) {
    const from = batch.rows.from[row] as number
    const to = batch.rows.to[row] as number
    const touches = (from >= 0 && isWanted[from]) || (to >= 0 && isWanted[to])
    if (!touches && !(given.named.size > 0 && given.named.has(view.transaction(row)))) continue
    if (given.log.isDead(firstSequence + row)) continue
    given.touched.transactions.add(view.transaction(row))
    given.touched.blocks.add(view.block(row))
  }
}

/** Something of a chain, by its bytes. */
interface Place {
  readonly chain: ChainId
  readonly key: Uint8Array
}

/** A set of places: bytes in a table instead of millions of texts. */
interface Places {
  add(place: Place): void
  has(place: Place): boolean
  readonly size: number
}

function createPlaces(): Places {
  const chains = new Map<ChainId, ByteTable>()
  let size = 0
  return {
    add({ chain, key }) {
      const table = chains.get(chain) ?? new ByteTable()
      chains.set(chain, table)
      const before = table.size
      table.intern(key)
      size += table.size - before
    },
    has: ({ chain, key }) => (chains.get(chain)?.find(key) ?? -1) >= 0,
    get size() {
      return size
    },
  }
}

function accountPlace(account: Account): Place {
  const chain = accountChain(account)
  const reference = accountReference(account)
  return {
    chain,
    key: isEvm(chain) ? Buffer.from(reference.slice(2), 'hex') : Buffer.from(reference),
  }
}

/** What of an entry's rows is compared. The places are valid until the next is asked for. */
interface EntryView {
  transaction(row: number): Place
  block(row: number): Place
  /** True when its source did not know its place in the block. */
  isLoose(row: number): boolean
}

function viewOf({ batch }: Extract<LogEntry, { type: 'transfers' }>): EntryView {
  const { contexts, rows, chains, transactions } = batch
  const number = new Float64Array(1)
  const bytes = new Uint8Array(number.buffer)
  const chainOf = (context: number): ChainId => chains[contexts.chain[context] as number] as ChainId
  return {
    transaction(row) {
      const context = rows.context[row] as number
      const key = keyAt(transactions, contexts.transaction[context] as number)
      return { chain: chainOf(context), key }
    },
    block(row) {
      const context = rows.context[row] as number
      number[0] = contexts.block[context] as number
      return { chain: chainOf(context), key: bytes }
    },
    isLoose(row) {
      const known = (contexts.txIndex[rows.context[row] as number] as number) >= 0
      return !known && !isBlockReward(kinds[rows.kind[row] as number] as Kind)
    },
  }
}
