import { type Account, formatAccount, parseAccount } from '../ledger/account.ts'
import type { AssetId } from '../ledger/asset.ts'
import { type ChainId, parseChain } from '../ledger/chain.ts'
import { KnownError } from '../ledger/errors.ts'
import { parseTransferId, parseTx, type TransferId, transferId } from '../ledger/transfer.ts'
import { changeDocument } from './changeDocument.ts'
import type { Fence, Store, StoredDocument } from './store.ts'
import { askAgain } from './workQueue.ts'

/** How far the reading of a flagged wallet is. */
export interface FlagProgress {
  readonly fromBlock: number
  readonly throughBlock: number
  readonly headBlock: number
  readonly transfers: number
  readonly blocksPerSecond: number
  readonly remainingSeconds: number | null
}

/** What may be spent on following one flag. */
export interface FlagBudget {
  /** Addresses whose histories are read. */
  readonly addresses: number
  /** Calls of nodes and explorers. */
  readonly calls: number
  /** Blocks looked through, summed over addresses. */
  readonly blocks: number
}

/** Enough for most cases on a node with usual limits; a flag may be given more at any time. */
export const usualBudget: FlagBudget = {
  addresses: 500,
  calls: 200_000,
  blocks: 20_000_000_000,
}

/** Share of a seed of which it need not be known where it is. */
export const usualMinShare = 0.001

/** Where the following of one asset of a flag stands. */
export interface FollowedAsset {
  readonly asset: AssetId
  /** Base units of all seeds together. */
  readonly seedTotal: string
  /** Share that rests where nobody has read on: 0 to 1, for display. */
  readonly unfinished: number
  /** Part of it at addresses that are not read further by themselves: parked, or given all that the node has. */
  readonly blocked: number
}

/** What became of a flag so far, as the planner last found it. */
export interface Following {
  /**
   * `waiting`: what is flagged itself is not read yet. `following`: addresses are in the queue. `done`: what is
   * unfinished is at most `minShare`. `over_budget`: more could be read with a larger budget. `parked`: what is
   * unfinished rests at addresses that need a decision. `failed`: see `error`.
   */
  readonly state: 'waiting' | 'following' | 'done' | 'over_budget' | 'parked' | 'failed'
  /** Which part of the budget is used up. */
  readonly over: keyof FlagBudget | null
  /** Largest over the assets, which are never added. */
  readonly unfinished: number
  readonly assets: readonly FollowedAsset[]
  /** Addresses in the queue for this flag. */
  readonly queued: number
  readonly spent: FlagBudget
  /** Per chain the block through which the money is followed: the head when the first wallet had been read. */
  readonly through: Readonly<Record<string, number>>
  /** Steps in the log of this flag. */
  readonly steps: number
  readonly error: FlagError | null
}

export interface FlagError {
  readonly code: string
  readonly message: string
  readonly hint: string | null
}

/** What is under investigation, who flagged it, when and why, and how far it is known. */
export interface Flag {
  /** The account, the id of the transfer, or `<chain>:<hash>` of the transaction. */
  readonly id: string
  /** The flagged wallet; `null` where a payment or a transaction is flagged. */
  readonly account: Account | null
  /** The flagged payment. */
  readonly payment: TransferId | null
  /** The flagged transaction, of which the only transfer that carries value is meant. */
  readonly transaction: { readonly chain: ChainId; readonly tx: string } | null
  readonly reason: string
  readonly source: string
  /** ISO time. */
  readonly flaggedAt: string
  /** How far the reading of what is flagged itself is. */
  readonly state: 'waiting' | 'working' | 'done' | 'failed'
  readonly progress: FlagProgress | null
  readonly error: FlagError | null
  readonly budget: FlagBudget
  readonly minShare: number
  /** `null` until a planner has looked at it. */
  readonly following: Following | null
}

/** What can be flagged. */
export type Flagged =
  | { readonly account: Account }
  | { readonly payment: TransferId }
  | { readonly transaction: { readonly chain: ChainId; readonly tx: string } }

/** Collection of the documents that are flags. */
export const flagCollection = 'flag'

/** The id under which something is flagged. */
export function flagId(flagged: Flagged): string {
  if ('account' in flagged) return flagged.account
  if ('payment' in flagged) return flagged.payment
  return `${flagged.transaction.chain}:${flagged.transaction.tx}`
}

/**
 * Reads a payment or a transaction as people write them: `<chain>:<tx>:<kind>:<position>`, `<chain>:<hash>` or a bare
 * hash with the chain that is meant.
 *
 * @returns undefined for texts of another form, which may be accounts.
 * @throws KnownError `transfer.invalid`, `chain.invalid`
 */
export function parsePayment(text: string, chain: ChainId | undefined): Flagged | undefined {
  const hash = /^(?:([-a-z0-9]{3,8}:[-_a-zA-Z0-9]{1,32}):)?(0x[0-9a-fA-F]{64})$/.exec(text)
  if (hash) {
    const named = hash[1] === undefined ? chain : parseChain(hash[1])
    if (named === undefined) {
      throw new KnownError('chain.invalid', 'a bare transaction hash names no chain', {
        hint: 'Write eip155:1:0x….',
      })
    }
    return { transaction: { chain: named, tx: parseTx(hash[2] ?? '', named) } }
  }
  if (!/:(fee|native|internal|token|reward|withdrawal):\d+$/.test(text)) return undefined
  return { payment: transferId(parseTransferId(text)) }
}

/**
 * The id of a flag from the text of what is flagged.
 *
 * @throws KnownError `account.invalid`, `transfer.invalid`
 */
export function parseFlagId(text: string, chain?: ChainId): string {
  return flagId(parsePayment(text, chain) ?? { account: parseAccount(text, chain) })
}

/** How the id of a flag is written for readers: accounts with their checksum. */
export function formatFlagId({ id, account }: Pick<Flag, 'id' | 'account'>): string {
  return account ? formatAccount(account) : id
}

/** What is read first for a flag: the wallet, or the transaction of the payment. */
export function subjectOf({
  account,
  payment,
  transaction,
}: Pick<Flag, 'account' | 'payment' | 'transaction'>): Parameters<typeof askAgain>[1] {
  if (account) return { account }
  if (transaction) return { transaction }
  const { chain, tx } = parseTransferId(payment ?? '')
  return { transaction: { chain, tx } }
}

export async function readFlag(store: Store, id: string): Promise<Flag | undefined> {
  const document = await store.readDocument(flagCollection, id)
  return document && flagOf(document)
}

export async function listFlags(store: Store, after?: string, limit?: number): Promise<Flag[]> {
  return (await store.listDocuments(flagCollection, after, limit)).map(flagOf)
}

/** Flags of older stores are of accounts alone, and were not followed. */
export function flagOf({ id, value }: Pick<StoredDocument, 'id' | 'value'>): Flag {
  const usual = {
    payment: null,
    transaction: null,
    following: null,
    budget: usualBudget,
    minShare: usualMinShare,
  }
  return { ...usual, ...(value as Omit<Flag, keyof typeof usual>), id }
}

/** What a flag is given: absent budgets and shares stay as they are, or are the usual ones. */
export type GivenFlag = Flagged & {
  readonly reason: string
  readonly source: string
  readonly budget?: Partial<FlagBudget>
  readonly minShare?: number
}

/**
 * Flags a wallet, a payment or a transaction, or flags it again: the new reason and source count, its reading starts
 * over where the coverage ends, and it is followed through the head of today, as far as the budget now goes.
 *
 * @param now - the time of flagging.
 */
export async function putFlag(store: Store, given: GivenFlag, now: Date): Promise<Flag> {
  const id = flagId(given)
  const { reason, source } = given
  const fresh: Omit<Flag, 'budget' | 'minShare' | 'following'> = {
    id,
    account: 'account' in given ? given.account : null,
    payment: 'payment' in given ? given.payment : null,
    transaction: 'transaction' in given ? given.transaction : null,
    reason,
    source,
    flaggedAt: now.toISOString(),
    state: 'waiting',
    progress: null,
    error: null,
  }
  // First what is to be read: a flag that nobody reads would be worse than a reading that nobody asked for.
  await askAgain(store, subjectOf(fresh), id)
  return changeFlag(store, id, (known) => ({
    ...fresh,
    flaggedAt: known?.flaggedAt ?? fresh.flaggedAt,
    budget: { ...(known?.budget ?? usualBudget), ...given.budget },
    minShare: given.minShare ?? known?.minShare ?? usualMinShare,
    following: known?.following ? { ...known.following, state: 'waiting', through: {} } : null,
  }))
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
  id: string,
  change: (known: Flag | undefined) => Flag | undefined,
  fence: readonly Fence[] = [],
): Promise<Flag> {
  const place = { collection: flagCollection, id }
  const next = await changeDocument<Flag>(
    store,
    place,
    (known) => change(known && flagOf({ id, value: known })),
    fence,
  )
  if (next) return flagOf({ id, value: next })
  throw flagNotFound(id)
}

export function flagNotFound(id: string): KnownError {
  return new KnownError('flag.not-found', `${id} is not flagged`, {
    facts: { id },
    hint: 'Flag it first.',
  })
}
