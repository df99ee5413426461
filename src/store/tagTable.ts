import type { Account } from '../ledger/account.ts'
import type { Tag } from '../ledger/tag.ts'
import type { Connection, Row } from './sqliteFile.ts'

/** Writes tags inside the caller's transaction. */
export function putTags(
  connection: Connection,
  tags: readonly Tag[],
): { readonly added: number; readonly replaced: number } {
  const before = Number(connection.get('count-tags')?.['count'])
  for (const tag of tags) {
    connection.run('put-tag', {
      account: tag.account,
      source: tag.source,
      category: tag.category,
      label: tag.label,
      confidence: tag.confidence,
      rank: tag.sourceRank,
      mayStop: tag.mayStop ? 1 : 0,
      validFrom: tag.validFrom ?? null,
      validTo: tag.validTo ?? null,
    })
  }
  if (tags.length > 0) connection.run('bump-meta', { name: 'tagVersion' })
  const added = Number(connection.get('count-tags')?.['count']) - before
  return { added, replaced: tags.length - added }
}

export function tagOf(row: Row): Tag {
  const { valid_from: from, valid_to: to } = row
  return {
    account: String(row['account']) as Account,
    label: String(row['label']),
    category: String(row['category']),
    source: String(row['source']),
    confidence: Number(row['confidence']),
    sourceRank: Number(row['source_rank']),
    mayStop: row['may_stop'] === 1,
    ...(from === null ? {} : { validFrom: Number(from) }),
    ...(to === null ? {} : { validTo: Number(to) }),
  }
}
