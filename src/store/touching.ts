import type { Account } from '../ledger/account.ts'
import { KnownError } from '../ledger/errors.ts'
import { ledgerOrder } from '../ledger/order.ts'
import { type Transfer, transferId } from '../ledger/transfer.ts'
import { BatchReader, type TransferBatch } from '../ledger/transferBatch.ts'
import type { LogEntry, TouchPage, TouchQuery } from './store.ts'

/**
 * Transfers touching accounts, by one scan of the log. A page begins behind a block or inside one; since the order
 * inside a block can depend on all of it, the whole of each block that is touched is read.
 *
 * Cost: linear in the log, whatever the page. The graph in memory answers the same question from its index.
 */
export function transfersTouching(log: Iterable<LogEntry>, query: TouchQuery): TouchPage {
  const after = query.after === undefined ? undefined : readCursor(query.after)
  const touched = touchingRows([...log], query.accounts).filter(
    ({ from, to }) => (from && query.accounts.has(from)) || (to && query.accounts.has(to)),
  )
  const start = after === undefined ? 0 : touched.findIndex((row) => transferId(row) === after) + 1
  if (after !== undefined && start === 0) throw staleCursor()
  const page = touched.slice(start, start + query.limit)
  const last = page.at(-1)
  const more = start + page.length < touched.length
  return {
    transfers: page,
    ...(more && last ? { next: Buffer.from(transferId(last)).toString('base64url') } : {}),
  }
}

/** All canonical rows of the blocks that touch the accounts, in ledger order. */
function touchingRows(entries: readonly LogEntry[], accounts: ReadonlySet<Account>): Transfer[] {
  const dead = new Set<number>()
  for (const entry of entries) {
    if (entry.type === 'tombstones') for (const row of entry.dead) dead.add(row)
  }
  const blocks = touchedBlocks(entries, accounts, dead)
  return ledgerOrder([...canonicalRows(entries, dead, blocks)])
}

function readCursor(text: string): string {
  return Buffer.from(text, 'base64url').toString()
}

export function staleCursor(): KnownError {
  return new KnownError('cursor.invalid', 'the page this cursor follows is no longer there', {
    hint: 'Begin again without a cursor: the chain was reorganised or the cursor belongs to another question.',
  })
}

function blockName(batch: TransferBatch, row: number): string {
  const context = batch.rows.context[row] as number
  const chain = batch.chains[batch.contexts.chain[context] as number]
  return `${chain} ${batch.contexts.block[context]}`
}

function touchedBlocks(
  entries: readonly LogEntry[],
  accounts: ReadonlySet<Account>,
  dead: ReadonlySet<number>,
): Set<string> {
  const blocks = new Set<string>()
  for (const entry of entries) {
    if (entry.type !== 'transfers') continue
    const { batch, firstSequence } = entry
    const reader = new BatchReader(batch)
    const wanted = Array.from(batch.accounts.ends, (_, number) =>
      accounts.has(reader.account(number)),
    )
    if (!wanted.includes(true)) continue
    for (let row = 0; row < batch.length; row++) {
      const from = batch.rows.from[row] as number
      const to = batch.rows.to[row] as number
      const touches = (from >= 0 && wanted[from]) || (to >= 0 && wanted[to])
      if (touches && !dead.has(firstSequence + row)) blocks.add(blockName(batch, row))
    }
  }
  return blocks
}

function* canonicalRows(
  entries: readonly LogEntry[],
  dead: ReadonlySet<number>,
  blocks: ReadonlySet<string>,
): Generator<Transfer> {
  for (const entry of entries) {
    if (entry.type !== 'transfers') continue
    const reader = new BatchReader(entry.batch)
    for (let row = 0; row < entry.batch.length; row++) {
      if (dead.has(entry.firstSequence + row)) continue
      if (blocks.has(blockName(entry.batch, row))) yield reader.transfer(row)
    }
  }
}
