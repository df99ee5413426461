import type { ConversionRecord } from '../src/ledger/conversionRecord.ts'
import { appendDocument } from '../src/store/documentLog.ts'
import type { Turn, Work } from './work.ts'

/** Wallets under investigation deal with one another: what was told of a transaction once is not told again. */
const rememberedPayments = 100_000

/**
 * Stores what pools paid to whom. Before the rows, so that a crash in between costs nothing: blocks that are not covered
 * are read again.
 */
export async function rememberPayments(
  { store, payments }: Pick<Work, 'store' | 'payments'>,
  { view, fence }: Pick<Turn, 'view' | 'fence'>,
  read: readonly ConversionRecord[],
): Promise<void> {
  // After a reorganisation others may have told something else of the same transaction in between.
  const key = (record: ConversionRecord): string =>
    `${view.fence.version} ${JSON.stringify(record)}`
  const isNew = (record: ConversionRecord): boolean => !payments.has(key(record))
  const transactions = new Set(read.filter(isNew).map(({ tx }) => tx))
  // All of a transaction or nothing: what is read last of it holds.
  const records = read.filter(({ tx }) => transactions.has(tx))
  if (records.length === 0) return
  await appendDocument(store, 'conversion', { records }, fence)
  if (payments.size > rememberedPayments) payments.clear()
  for (const record of records) payments.add(key(record))
}
