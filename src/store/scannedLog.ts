import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Account, accountChain, accountReference } from '../ledger/account.ts'
import { ByteTable } from '../ledger/byteTable.ts'
import { type ChainId, isEvm } from '../ledger/chain.ts'
import { isBlockReward } from '../ledger/order.ts'
import { type Kind, kinds, type Transfer } from '../ledger/transfer.ts'
import { BatchReader, keyAt, type TransferBatch } from '../ledger/transferBatch.ts'
import type { LogEntry } from './store.ts'

/**
 * Looking for rows by going through a log, for the store that has no index by account: in memory that does not grow
 * with the log, and without keeping everybody else waiting.
 */

/** A log that can be read again and again. */
export interface ScannedLog {
  readonly entries: () => Iterable<LogEntry>
  readonly isDead: (sequence: number) => boolean
}

export type TransferEntry = Extract<LogEntry, { type: 'transfers' }>

/** Rows that count and are wanted, entry by entry. Other work gets its turn after every entry. */
export async function* scanned(
  log: ScannedLog,
  isWanted: (view: EntryView, row: number) => boolean,
): AsyncGenerator<readonly Transfer[]> {
  for (const entry of log.entries()) {
    const rows: Transfer[] = []
    if (entry.type === 'transfers') {
      const view = viewOf(entry)
      const reader = new BatchReader(entry.batch)
      for (let row = 0; row < entry.batch.length; row++) {
        if (isWanted(view, row) && !log.isDead(view.sequence(row))) rows.push(reader.transfer(row))
      }
    }
    if (rows.length > 0) yield rows
    await nextTurn()
  }
}

/** Which accounts of a batch's dictionary are in a set: asked for every entry of a log, so without an object for each. */
export function wantedAccounts(batch: TransferBatch, wanted: Places): boolean[] {
  const { pool, ends } = batch.accounts
  const tables = batch.chains.map((chain) => wanted.of(chain))
  const isWanted: boolean[] = new Array(ends.length)
  for (let number = 0, start = 0; number < ends.length; number++) {
    const end = ends[number] as number
    const table = tables[pool[start] as number]
    isWanted[number] = table !== undefined && table.find(pool, start + 1, end) >= 0
    start = end
  }
  return isWanted
}

/** Something of a chain, by its bytes. */
export interface Place {
  readonly chain: ChainId
  readonly key: Uint8Array
}

/** A set of places: bytes in a table instead of millions of texts. */
export interface Places {
  add(place: Place): void
  has(place: Place): boolean
  /** The keys of one chain. */
  of(chain: ChainId): Pick<ByteTable, 'find'> | undefined
  readonly size: number
}

export function createPlaces(): Places {
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
    of: (chain) => chains.get(chain),
    has: ({ chain, key }) => (chains.get(chain)?.find(key) ?? -1) >= 0,
    get size() {
      return size
    },
  }
}

/** Accounts as places. */
export function placesOf(accounts: Iterable<Account>): Places {
  const places = createPlaces()
  for (const account of accounts) places.add(accountPlace(account))
  return places
}

function accountPlace(account: Account): Place {
  const chain = accountChain(account)
  const reference = accountReference(account)
  return {
    chain,
    key: isEvm(chain) ? Buffer.from(reference.slice(2), 'hex') : Buffer.from(reference),
  }
}

/** A block as a place, as {@link EntryView.block} gives it. */
export function blockPlace(chain: ChainId, block: number): Place {
  return { chain, key: new Uint8Array(Float64Array.of(block).buffer) }
}

const nowhere = new Uint8Array(0)

/** What of an entry's rows is compared. The places are valid until the next is asked for. */
export interface EntryView {
  transaction(row: number): Place
  block(row: number): Place
  /** Who pays or receives; nobody is no account's place. */
  side(row: number, end: 'from' | 'to'): Place
  /** Seconds. */
  time(row: number): number
  sequence(row: number): number
  /** True when its source did not know its place in the block. */
  isLoose(row: number): boolean
}

export function viewOf({ batch, firstSequence }: TransferEntry): EntryView {
  const { contexts, rows, chains, accounts, transactions } = batch
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
    side(row, end) {
      const number = rows[end][row] as number
      if (number < 0) return { chain: chainOf(rows.context[row] as number), key: nowhere }
      const key = keyAt(accounts, number)
      return { chain: chains[key[0] as number] as ChainId, key: key.subarray(1) }
    },
    time: (row) => contexts.time[rows.context[row] as number] as number,
    sequence: (row) => firstSequence + row,
    isLoose(row) {
      const known = (contexts.txIndex[rows.context[row] as number] as number) >= 0
      return !known && !isBlockReward(kinds[rows.kind[row] as number] as Kind)
    },
  }
}
