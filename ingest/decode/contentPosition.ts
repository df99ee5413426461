import { createHash } from 'node:crypto'
import type { Transfer } from '../../src/ledger/transfer.ts'

/**
 * Explorers name neither log indexes nor places in a trace, so positions are made from what a row says: exports and
 * answers that overlap give a transfer the same id. Of equal rows of one transaction the first has ordinal 0. A
 * transaction has one fee and one value of its own, which need none.
 */
export function contentPosition(row: Omit<Transfer, 'position'>, ordinal: number): number {
  if (row.kind === 'fee' || row.kind === 'native') return 0
  const hash = createHash('sha256')
    .update(`${rowContent(row)} ${ordinal}`)
    .digest()
  return hash.readUInt32BE(0) >>> 1
}

/** What tells rows of a transaction apart when nothing but their content can. */
export function rowContent({
  tx,
  kind,
  asset,
  from,
  to,
  amount,
}: Omit<Transfer, 'position'>): string {
  return `${tx} ${kind} ${asset} ${from ?? ''} ${to ?? ''} ${amount}`
}
