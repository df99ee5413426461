import type { ConversionRecord } from '../../src/ledger/conversionRecord.ts'
import type { Transfer } from '../../src/ledger/transfer.ts'
import { appendDocument } from '../../src/store/documentLog.ts'
import type { Store } from '../../src/store/store.ts'
import { paymentOfSwap, type SwapLog } from '../decode/poolSwap.ts'

/** What pools paid to whom, gathered from logs as files give them. */
export interface SwapLogs {
  /** @param leg - the token leg that this log is, if it is one. */
  take(log: SwapLog, leg: Transfer | undefined): void
  readonly records: readonly ConversionRecord[]
}

/** A pool pays before it says so: what was paid is among the legs of the transaction so far, if logs come in order. */
export function createSwapLogs(): SwapLogs {
  const records: ConversionRecord[] = []
  let tx = ''
  let legs: Transfer[] = []
  return {
    records,
    take(log, leg) {
      if (log.tx !== tx) legs = []
      tx = log.tx
      if (leg) legs.push(leg)
      const record = leg ? undefined : paymentOfSwap(log, legs)
      if (record) records.push(record)
    },
  }
}

/** Records of a document, about: 3 MB. */
const usualRecords = 10_000

/**
 * Keeps what the logs of a source told, once: what says that it is done comes last, so that an import that was cut off
 * is completed by the next of the same files.
 */
export async function keepPayments(
  store: Pick<Store, 'readDocument' | 'writeDocument'>,
  source: string,
  records: readonly ConversionRecord[],
): Promise<void> {
  if (records.length === 0) return
  if ((await store.readDocument('conversion-source', source)) !== undefined) return
  let part: ConversionRecord[] = []
  // A transaction is in one document: what is read last of it holds.
  for (const ofTransaction of Map.groupBy(records, ({ chain, tx }) => `${chain} ${tx}`).values()) {
    part.push(...ofTransaction)
    if (part.length < usualRecords) continue
    await appendDocument(store, 'conversion', { records: part })
    part = []
  }
  if (part.length > 0) await appendDocument(store, 'conversion', { records: part })
  await store.writeDocument('conversion-source', source, 0, { records: records.length })
}
