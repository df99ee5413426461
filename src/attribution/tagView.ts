import { createHash } from 'node:crypto'
import type { Account } from '../ledger/account.ts'
import { compareText } from '../ledger/order.ts'
import type { Tag } from '../ledger/tag.ts'
import {
  type CategoryOutcome,
  type CategoryTable,
  categoryTable,
  conceptOf,
  isAdverse,
  isContract,
} from './categories.ts'

/** All tags at one moment, resolved the same way every time. */
export interface TagView {
  readonly size: number
  /** Tags of an account, the leading one first; none are hidden. */
  of(account: Account): readonly Tag[]
  /** The leading tag that may end a trace, as valid at a time in seconds. */
  stop(account: Account, time: number): TagStop | undefined
  /** Tags that accuse: shown beside whatever leads. */
  adverse(account: Account): readonly Tag[]
  isTagged(account: Account): boolean
  /** All accounts with a tag, each once. */
  accounts(): Iterable<Account>
  /**
   * True when a tag that may end a trace says that the account is a contract. Dates are of no matter: code stays. Tags
   * that may end none say nothing here either, since only stops ask.
   */
  hasContractTag(account: Account): boolean
  /** SHA-256 over all tags and categories in force. */
  readonly digest: string
}

export interface TagStop {
  readonly outcome: CategoryOutcome
  readonly category: string
  readonly label: string
}

/**
 * Resolves conflicts deterministically (design section 7): the operator's rank of sources first, then confidence,
 * then the newest statement, then text.
 */
export function createTagView(
  tags: readonly Tag[],
  categories: CategoryTable = categoryTable(),
): TagView {
  const byAccount = new Map<Account, Tag[]>()
  for (const tag of tags) {
    const known = byAccount.get(tag.account)
    if (known) known.push(tag)
    else byAccount.set(tag.account, [tag])
  }
  for (const list of byAccount.values()) list.sort(leadingFirst)
  let digest: string | undefined
  const of = (account: Account): readonly Tag[] => byAccount.get(account) ?? []
  return {
    size: tags.length,
    of,
    stop(account, time) {
      for (const tag of of(account)) {
        const category = conceptOf(tag.category)
        const outcome = tag.mayStop && isValidAt(tag, time) ? categories.get(category) : undefined
        if (outcome !== undefined) return { outcome, category, label: tag.label }
      }
      return undefined
    },
    adverse: (account) => of(account).filter((tag) => isAdverse(tag.category)),
    isTagged: (account) => byAccount.has(account),
    accounts: () => byAccount.keys(),
    hasContractTag: (account) => of(account).some((tag) => tag.mayStop && isContract(tag.category)),
    get digest() {
      digest ??= digestOf(byAccount, categories)
      return digest
    },
  }
}

/** A statement holds from `validFrom` up to but not including `validTo`. */
export function isValidAt(tag: Tag, time: number): boolean {
  return (
    time >= (tag.validFrom ?? Number.NEGATIVE_INFINITY) &&
    time < (tag.validTo ?? Number.POSITIVE_INFINITY)
  )
}

function leadingFirst(a: Tag, b: Tag): number {
  return (
    a.sourceRank - b.sourceRank ||
    b.confidence - a.confidence ||
    (b.validFrom ?? 0) - (a.validFrom ?? 0) ||
    compareText(a.source, b.source) ||
    compareText(a.category, b.category) ||
    compareText(a.label, b.label)
  )
}

function digestOf(
  byAccount: ReadonlyMap<Account, readonly Tag[]>,
  categories: CategoryTable,
): string {
  const hash = createHash('sha256')
  for (const entry of [...categories].sort(([a], [b]) => compareText(a, b)))
    hash.update(JSON.stringify(entry))
  for (const [, tags] of [...byAccount].sort(([a], [b]) => compareText(a, b))) {
    for (const t of tags) {
      const { account, label, category, source, confidence, sourceRank, mayStop } = t
      const dates = [t.validFrom ?? null, t.validTo ?? null]
      hash.update(
        `${JSON.stringify([account, label, category, source, confidence, sourceRank, mayStop, ...dates])}\n`,
      )
    }
  }
  return hash.digest('hex')
}
