import type { Account } from '../../ledger/account.ts'
import { type Transfer, type TransferId, transferId } from '../../ledger/transfer.ts'
import type { SurroundingsQuery } from '../store.ts'
import { int, type Parameter, type Unit } from './connection.ts'
import { blockName, type Reached, reachedOf, readSides, unorderedBlocks } from './expansion.ts'

type Read = <T>(work: (unit: Unit) => Promise<T>) => Promise<T>

/** Transactions and moments of one statement. */
const namesPerStatement = 1_000

/** Transfers that one statement may answer with, as far as a moment is not fuller than that. */
const rowsPerStatement = 50_000

/**
 * See `Store.surroundings`: the histories of the accounts by their indexes of time, the transactions by the unique
 * ids, the blocks of unknown order by the index of time.
 *
 * @param read - each a transaction of its own, so that none grows with a hub.
 */
export async function* neo4jSurroundings(
  read: Read,
  { accounts, transactions }: SurroundingsQuery,
): AsyncGenerator<readonly Transfer[]> {
  const names = new Set(transactions.map(({ chain, tx }) => `${chain}:${tx}:`))
  for await (const rows of histories(read, accounts))
    for (const { transfer } of rows) names.add(`${transfer.chain}:${transfer.tx}:`)
  const given = new Set<TransferId>()
  const fresh = (rows: readonly Reached[]): Transfer[] =>
    rows.flatMap(({ transfer }) => {
      const id = transferId(transfer)
      if (given.has(id)) return []
      given.add(id)
      return [transfer]
    })
  const blocks = new Map<string, number>()
  for (const part of parts([...names])) {
    const rows = await read((unit) =>
      rowsOf(unit, 'transfers-of-transactions', { transactions: part }),
    )
    for (const [name, time] of await read((unit) => unorderedBlocks(unit, rows)))
      blocks.set(name, time)
    yield fresh(rows)
  }
  for (const part of parts([...new Set(blocks.values())])) {
    const times = part.map((time) => int(time))
    const rows = await read((unit) => rowsOf(unit, 'transfers-at', { times }))
    yield fresh(rows.filter(({ transfer }) => blocks.has(blockName(transfer))))
  }
}

function* parts<T>(all: readonly T[]): Generator<T[]> {
  for (let i = 0; i < all.length; i += namesPerStatement) yield all.slice(i, i + namesPerStatement)
}

async function rowsOf(
  unit: Unit,
  query: string,
  parameters: Readonly<Record<string, Parameter[]>>,
): Promise<Reached[]> {
  const rows = await unit.run(query, parameters)
  return rows.map((row) => reachedOf(row['row'] as unknown[]))
}

/** Everything that accounts sent and received, all of them at once, some moments at a time. */
async function* histories(
  read: Read,
  accounts: ReadonlySet<Account>,
): AsyncGenerator<readonly Reached[]> {
  for (const direction of ['out', 'in'] as const) {
    let open = [...accounts].map((account) => ({ account, direction, since: 0 }))
    let least = 50
    while (open.length > 0) {
      const limit = Math.max(least, Math.floor(rowsPerStatement / open.length))
      const asked = open
      const found = await read((unit) => readSides(unit, asked, { since: 0, limit }))
      open = []
      for (const [i, { account, rows, completeBefore }] of found.entries()) {
        yield rows
        if (completeBefore === Number.POSITIVE_INFINITY) continue
        open.push({ account, direction, since: completeBefore })
        // A moment that fills all the room would be read for ever.
        if (completeBefore === asked[i]?.since) least = limit * 4
      }
    }
  }
}
