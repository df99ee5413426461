import { createHash } from 'node:crypto'
import type { ChainId } from '../ledger/chain.ts'
import type { ConversionRecord } from '../ledger/conversionRecord.ts'

/** What pools' events showed, by transaction. */
export interface ConversionRecords {
  /** Takes in what one reading of the chain showed; a transaction that was read again is as it was read last. */
  add(records: readonly ConversionRecord[]): void
  /** Payments of a transaction in order of their logs. */
  of(chain: ChainId, tx: string): readonly ConversionRecord[]
  /** The same for the same records, however they came. */
  digest(): string
}

const none: readonly ConversionRecord[] = []

/** Grows while ingest runs, so its digest is a sum over transactions and nothing is ever gone through again. */
export function createConversionRecords(): ConversionRecords {
  const byTransaction = new Map<string, readonly ConversionRecord[]>()
  let sum = 0n

  function put(key: string, records: readonly ConversionRecord[]): void {
    const before = byTransaction.get(key)
    if (before) sum -= hashOf(before)
    byTransaction.set(key, records)
    sum = BigInt.asUintN(256, sum + hashOf(records))
  }

  return {
    add(records) {
      const read = new Map<string, ConversionRecord[]>()
      for (const record of records) {
        const key = `${record.chain} ${record.tx}`
        const known = read.get(key)
        if (known) known.push(record)
        else read.set(key, [record])
      }
      for (const [key, list] of read)
        put(
          key,
          list.sort((a, b) => a.position - b.position),
        )
    },
    of: (chain, tx) => byTransaction.get(`${chain} ${tx}`) ?? none,
    digest: () => sum.toString(16),
  }
}

function hashOf(records: readonly ConversionRecord[]): bigint {
  const text = JSON.stringify(
    records.map(({ chain, tx, position, pool, recipient, gets }) => [
      chain,
      tx,
      position,
      pool,
      recipient,
      gets ?? null,
    ]),
  )
  return BigInt(`0x${createHash('sha256').update(text).digest('hex')}`)
}
