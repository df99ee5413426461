import type { Account } from '../../ledger/account.ts'
import { accountChain, accountReference } from '../../ledger/account.ts'
import type { Tag } from '../../ledger/tag.ts'
import type { Row as TagRow } from '../sqliteFile.ts'
import { tagOf } from '../tagTable.ts'
import { int, type Neo4jConnection, type Parameter, type Row, type Unit } from './connection.ts'
import { compareCodePoints, digestKey } from './keys.ts'

const tagsPerStatement = 5_000

/** Writes tags inside the caller's transaction. Addresses show them after {@link linkTags}. */
export async function putTags(
  unit: Unit,
  tags: readonly Tag[],
): Promise<{ readonly added: number; readonly replaced: number }> {
  const keys = new Set<string>()
  let known = 0
  for (let i = 0; i < tags.length; i += tagsPerStatement) {
    const part = tags.slice(i, i + tagsPerStatement)
    const fresh = [...new Set(part.map(tagKey))].filter((key) => !keys.has(key))
    for (const key of fresh) keys.add(key)
    const [row] = await unit.run('known-tags', { keys: fresh })
    known += Number(row?.['known'])
    await unit.run('put-tags', { tags: part.map(tagParameter) })
  }
  const added = keys.size - known
  return { added, replaced: tags.length - added }
}

function tagParameter(tag: Tag): Parameter {
  return [
    tagKey(tag),
    tag.account,
    tag.label,
    tag.category,
    tag.source,
    int(tag.confidence),
    int(tag.sourceRank),
    tag.mayStop,
    tag.validFrom === undefined ? null : int(tag.validFrom),
    tag.validTo === undefined ? null : int(tag.validTo),
  ]
}

function tagKey({ account, source, category, label }: Tag): string {
  return digestKey([account, source, category, label])
}

/** Lets the nodes of addresses show tags that they do not show yet, some thousand at a time. */
export async function linkTags(connection: Neo4jConnection): Promise<void> {
  for (;;) {
    const rows = await connection.read((unit) =>
      unit.run('unlinked-tags', { limit: int(tagsPerStatement) }),
    )
    if (rows.length === 0) return
    const accounts = [...new Set(rows.map((row) => String(row['account']) as Account))].sort()
    const keys = rows.map((row) => String(row['key'])).sort()
    await connection.write(async (unit) => {
      await unit.run('merge-addresses', { addresses: accounts.map(addressParameter) })
      await unit.run('link-tags', { keys })
    })
  }
}

/** An account as `merge-addresses` wants it. */
export function addressParameter(account: Account): Parameter {
  return [account, accountChain(account), accountReference(account)]
}

/** As tags in the order of the contract; the server's own order of texts is not relied on. */
export function sortedTags(rows: readonly Row[]): Tag[] {
  return rows
    .map((row) => tagOf({ ...(row as TagRow), may_stop: row['may_stop'] ? 1 : 0 }))
    .sort(
      (a, b) =>
        compareCodePoints(a.account, b.account) ||
        compareCodePoints(a.source, b.source) ||
        compareCodePoints(a.category, b.category) ||
        compareCodePoints(a.label, b.label),
    )
}
