import { formatCsvRow, formatPlainCsvRow, jejakCsvHeader } from '../ledger/jejakCsv.ts'
import type { Transfer } from '../ledger/transfer.ts'
import type { Store } from '../store/store.ts'
import { type RawRows, rawTransfer, readRawRows } from './rawRows.ts'
import { sortRows } from './sortRows.ts'

/**
 * Writes all canonical transfers as Jejak CSV in ledger order. The same content gives the same bytes, whatever
 * store it is in and however it arrived.
 *
 * @param options.plain - addresses without checksum: the bytes whose SHA-256 is the content digest.
 * @returns how many transfers were written.
 */
export async function exportTransfers(
  store: Store,
  write: (text: string) => Promise<void> | void,
  options: { readonly plain?: boolean } = {},
): Promise<number> {
  const { sequence } = await store.state()
  const raw = await readRawRows(store.readLog(0), sequence)
  const { order } = sortRows(raw)
  const format = options.plain ? formatPlainCsvRow : formatCsvRow
  await write(`${jejakCsvHeader}\n`)
  for (let start = 0; start < order.length; start += 1000) {
    const lines = linesOf(raw, order.subarray(start, start + 1000), format)
    await write(lines)
  }
  return order.length
}

function linesOf(raw: RawRows, rows: Uint32Array, format: (transfer: Transfer) => string): string {
  let text = ''
  for (const row of rows) text += `${format(rawTransfer(raw, row))}\n`
  return text
}
