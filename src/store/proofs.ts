import type { Account } from '../ledger/account.ts'
import type { AssetId } from '../ledger/asset.ts'
import { type Coverage, lowerClaims } from '../ledger/coverage.ts'
import { KnownError } from '../ledger/errors.ts'
import type { Assurance } from '../ledger/reconcile.ts'
import type { Kind } from '../ledger/transfer.ts'
import type { Store } from './store.ts'

/** How a stretch of data was read or proven, by whom and when: what a claim of coverage does not say itself. */
export interface Reading {
  readonly account: Account
  readonly kinds: readonly Kind[]
  readonly fromBlock: number
  readonly toBlock: number
  readonly assurance: Assurance
  /** Source of the rows and claims. */
  readonly source: string
  /** Endpoints that were asked, by their names without secrets. */
  readonly endpoints: readonly string[]
  /** For a proof: the block that it hangs on, and who vouches for its hash. */
  readonly anchor?: VouchedBlock
  /** ISO time. */
  readonly at: string
}

/** A block hash that does not rest on one endpoint alone. */
export interface VouchedBlock {
  readonly block: number
  readonly hash: string
  /** Names of endpoints, or `operator`. */
  readonly by: readonly string[]
}

/** Data that something better contradicts. Claims over it that are not proven count as assurance 0 while it stands. */
export interface Dispute {
  readonly account: Account
  readonly kinds: readonly Kind[]
  readonly fromBlock: number
  readonly toBlock: number
  /**
   * `balance`: what is stored does not add up to the balance; `disagreement`: two endpoints tell different transfers;
   * `refuted`: a stored transaction is not in its block.
   */
  readonly what: 'balance' | 'disagreement' | 'refuted'
  readonly asset: AssetId | null
  /** For a balance: the chain's less the stored one, base units. */
  readonly amount: string | null
  /** One sentence with the values in it. */
  readonly text: string
  readonly endpoints: readonly string[]
  /** ISO time. */
  readonly at: string
}

const readings = 'reading'
const disputes = 'dispute'

/** Notes a reading; the newest of the same source and interval holds. */
export async function noteReading(store: Store, reading: Reading): Promise<void> {
  const { account, source, fromBlock, toBlock } = reading
  await put(store, readings, `${account} ${source} ${fromBlock}-${toBlock}`, reading)
}

export async function readingsOf(store: Store, account: Account): Promise<Reading[]> {
  return (await documentsOf<Reading>(store, readings, account)).map(({ value }) => value)
}

/** Records a contradiction. The same one again takes the place of the first. */
export async function dispute(store: Store, given: Dispute): Promise<void> {
  const { account, what, asset, fromBlock, toBlock } = given
  await put(store, disputes, `${account} ${what} ${asset ?? ''} ${fromBlock}-${toBlock}`, given)
}

/** Takes back what no longer holds: disputes of an account that a better look found to be settled. */
export async function settleDisputes(
  store: Store,
  account: Account,
  isSettled: (known: Dispute) => boolean,
): Promise<void> {
  for (const { id, version, value } of await documentsOf<Dispute>(store, disputes, account)) {
    if (isSettled(value)) await store.deleteDocument(disputes, id, version)
  }
}

/** Disputes of one account, or all. */
export async function listDisputes(store: Store, account?: Account): Promise<Dispute[]> {
  if (account !== undefined)
    return (await documentsOf<Dispute>(store, disputes, account)).map(({ value }) => value)
  return (await store.listDocuments(disputes)).map(({ value }) => value as Dispute)
}

/** Claims for an account as they may be relied on: those that something better contradicts are lowered. */
export async function reliableCoverage(store: Store, account: Account): Promise<Coverage[]> {
  const claims = await store.coverage(new Set([account]))
  const lowered = lowerClaims(claims, await listDisputes(store, account))
  return lowered.filter((claim) => 'account' in claim)
}

/** Tells whether disputes changed; they are few. */
export async function disputeVersions(store: Store): Promise<string> {
  return (await store.listDocuments(disputes))
    .map(({ id, version }) => `${id} ${version}`)
    .join('\n')
}

interface Found<T> {
  readonly id: string
  readonly version: number
  readonly value: T
}

/** Documents whose id begins with the account. */
async function documentsOf<T>(
  store: Store,
  collection: string,
  account: Account,
): Promise<Found<T>[]> {
  const found: Found<T>[] = []
  for (let after = `${account} `; ; ) {
    const page = await store.listDocuments(collection, after, 500)
    const own = page.filter(({ id }) => id.startsWith(`${account} `))
    for (const { id, version, value } of own) found.push({ id, version, value: value as T })
    const last = page.at(-1)
    if (own.length < 500 || last === undefined) return found
    after = last.id
  }
}

async function put(store: Store, collection: string, id: string, value: unknown): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const known = await store.readDocument(collection, id)
    try {
      await store.writeDocument(collection, id, known?.version ?? 0, value)
      return
    } catch (error) {
      if (!(error instanceof KnownError && error.code === 'document.conflict') || attempt === 20)
        throw error
    }
  }
}
