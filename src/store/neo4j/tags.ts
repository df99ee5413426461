import type { Account } from '../../ledger/account.ts'
import { accountChain, accountReference } from '../../ledger/account.ts'
import type { Tag } from '../../ledger/tag.ts'
import type { Row as TagRow } from '../sqliteFile.ts'
import { tagOf } from '../tagTable.ts'
import { int, type Neo4jConnection, type Parameter, type Row, type Unit } from './connection.ts'
import { compareCodePoints, digestKey } from './keys.ts'
import { memberSum, minus, plus, type SetSum } from './setSum.ts'

const tagsPerStatement = 5_000

/**
 * Writes tags inside the caller's transaction. Addresses show them after {@link linkTags}.
 *
 * @param sum - of all tags before.
 * @returns how many were new, and the sum of all tags now.
 */
export async function putTags(
  unit: Unit,
  tags: readonly Tag[],
  sum: SetSum,
): Promise<{ readonly added: number; readonly sum: SetSum }> {
  // Of equal ones the last counts.
  const unique = [...new Map(tags.map((tag) => [tagKey(tag), tag])).values()]
  let all = sum
  let known = 0
  for (let i = 0; i < unique.length; i += tagsPerStatement) {
    const part = unique.slice(i, i + tagsPerStatement)
    const before = sortedTags(await unit.run('known-tags', { keys: part.map(tagKey) }))
    known += before.length
    await unit.run('put-tags', { tags: part.map(tagParameter) })
    all = plus(minus(all, before.map(tagSum)), part.map(tagSum))
  }
  return { added: unique.length - known, sum: all }
}

/** What tags that were read add up to. */
export function tagsSum(tags: readonly Tag[]): SetSum {
  return plus(0n, tags.map(tagSum))
}

function tagSum(tag: Tag): SetSum {
  const { account, label, category, source, confidence, sourceRank, mayStop } = tag
  const { validFrom = null, validTo = null } = tag
  const parts = [account, label, category, source, confidence, sourceRank, mayStop]
  return memberSum([...parts, validFrom, validTo])
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
