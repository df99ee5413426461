import type { Account } from '../ledger/account.ts'
import { KnownError } from '../ledger/errors.ts'
import { conflictIn } from './conflict.ts'
import type { Fence, Store, StoredDocument } from './store.ts'

/** How far the reading of a flagged wallet is. */
export interface FlagProgress {
  readonly fromBlock: number
  readonly throughBlock: number
  readonly headBlock: number
  readonly transfers: number
  readonly blocksPerSecond: number
  readonly remainingSeconds: number | null
}

/** An address under investigation: who flagged it, when and why, and how far it was read. */
export interface Flag {
  readonly account: Account
  readonly reason: string
  readonly source: string
  /** ISO time. */
  readonly flaggedAt: string
  readonly state: 'waiting' | 'working' | 'done' | 'failed'
  readonly progress: FlagProgress | null
  readonly error: {
    readonly code: string
    readonly message: string
    readonly hint: string | null
  } | null
}

/** Collection of the documents that are flags. */
export const flagCollection = 'flag'

export async function readFlag(store: Store, account: Account): Promise<Flag | undefined> {
  const document = await store.readDocument(flagCollection, account)
  return document?.value as Flag | undefined
}

export async function listFlags(store: Store, after?: string, limit?: number): Promise<Flag[]> {
  return (await store.listDocuments(flagCollection, after, limit)).map(({ value }) => value as Flag)
}

/**
 * Flags an account, or flags it again: the new reason and source count, and its reading starts over where the
 * coverage ends.
 *
 * @param now - the time of flagging.
 */
export async function putFlag(
  store: Store,
  given: Pick<Flag, 'account' | 'reason' | 'source'>,
  now: Date,
): Promise<Flag> {
  const fresh: Flag = {
    ...given,
    flaggedAt: now.toISOString(),
    state: 'waiting',
    progress: null,
    error: null,
  }
  return changeFlag(store, given.account, (known) =>
    known ? { ...known, ...fresh, flaggedAt: known.flaggedAt } : fresh,
  )
}

/**
 * Changes a flag by compare-and-set, again when somebody else was faster.
 *
 * @param fence - what has to hold when it is written.
 * @throws KnownError `flag.not-found` when `change` gets nothing and gives nothing; `document.conflict` when the fence
 * does not hold
 */
export async function changeFlag(
  store: Store,
  account: Account,
  change: (known: Flag | undefined) => Flag | undefined,
  fence: readonly Fence[] = [],
): Promise<Flag> {
  for (let attempt = 0; ; attempt++) {
    const known: StoredDocument | undefined = await store.readDocument(flagCollection, account)
    const next = change(known?.value as Flag | undefined)
    if (!next) {
      throw new KnownError('flag.not-found', `${account} is not flagged`, {
        facts: { account },
        hint: 'Flag it first.',
      })
    }
    try {
      await store.writeDocument(flagCollection, account, known?.version ?? 0, next, fence)
      return next
    } catch (error) {
      if (conflictIn(error) !== flagCollection || attempt === 20) throw error
    }
  }
}
