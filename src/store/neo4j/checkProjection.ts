import { type Transfer, transferId } from '../../ledger/transfer.ts'
import { BatchReader } from '../../ledger/transferBatch.ts'
import { lengthOf } from '../segments.ts'
import type { LogEntry } from '../store.ts'
import { int, type Neo4jConnection } from './connection.ts'
import { reachedOf } from './expansion.ts'

const perRead = 10_000
const mostReported = 100

/**
 * Compares every relationship with the row of the log that it shows.
 *
 * @param entries - the whole log.
 * @returns one sentence for each that is missing, too many, or says something else.
 */
export async function projectionDamage(
  connection: Neo4jConnection,
  entries: AsyncIterable<LogEntry>,
): Promise<string[]> {
  const expected = await canonicalRows(entries)
  const damage: string[] = []
  for (let after = ''; damage.length < mostReported; ) {
    const rows = await connection.read((unit) =>
      unit.run('transfers-by-id', { after, limit: int(perRead) }),
    )
    for (const row of rows) {
      const id = String(row['id'])
      after = id
      const known = expected.get(Number(row['seq']))
      expected.delete(Number(row['seq']))
      if (known === undefined) damage.push(`the relationship ${id} shows no row that counts`)
      else if (known !== shown(row['row'] as unknown[]))
        damage.push(`the relationship ${id} is not as its row`)
    }
    if (rows.length < perRead) break
  }
  for (const [sequence] of expected) {
    if (damage.length >= mostReported) break
    damage.push(`row ${sequence} has no relationship`)
  }
  return damage.length >= mostReported ? [...damage.slice(0, mostReported), '… and more'] : damage
}

/** What a relationship says; undefined when it is nothing that Jejak could have drawn. */
function shown(row: readonly unknown[]): string | undefined {
  try {
    return wording(reachedOf(row).transfer)
  } catch {
    return undefined
  }
}

async function canonicalRows(entries: AsyncIterable<LogEntry>): Promise<Map<number, string>> {
  const rows = new Map<number, string>()
  for await (const entry of entries) {
    if (entry.type === 'tombstones') {
      for (const dead of entry.dead) rows.delete(dead)
      continue
    }
    const reader = new BatchReader(entry.batch)
    for (let i = 0; i < lengthOf(entry); i++) {
      const transfer = reader.transfer(i)
      if (transfer.from === undefined && transfer.to === undefined) continue
      rows.set(entry.firstSequence + i, wording(transfer))
    }
  }
  return rows
}

function wording(t: Transfer): string {
  const place = `${t.block} ${t.blockHash ?? ''} ${t.time} ${t.txIndex ?? ''} ${t.signer ?? ''}`
  return `${transferId(t)} ${place} ${t.asset} ${t.from ?? ''} ${t.to ?? ''} ${t.amount} ${t.flags.join(' ')}`
}
