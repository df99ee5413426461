import type { Account } from '../ledger/account.ts'
import type { ChainId } from '../ledger/chain.ts'
import { compareText } from '../ledger/order.ts'
import { changeDocument } from './changeDocument.ts'
import { conflictIn } from './conflict.ts'
import type { Fence, Store, StoredDocument } from './store.ts'

/**
 * What is to be read next, as documents: the planner writes what is wanted and why, workers write what they did. The
 * best free item is taken first, over all flags.
 */

/** What was asked about an address before its history is read. */
export interface FirstAsked {
  /** Transactions it signed, by its nonce. */
  readonly transactions: number
  readonly hasCode: boolean
  /** Token transfers into and out of it in the newest blocks, and with how many others those were. */
  readonly page: {
    readonly fromBlock: number
    readonly toBlock: number
    readonly logs: number
    readonly counterparties: number
  }
}

/** What reading an item has cost so far, over all attempts. */
export interface Spent {
  readonly calls: number
  readonly blocks: number
  readonly transfers: number
  readonly seconds: number
}

export interface WorkItem {
  /** The account, or `<chain>:<hash>` of a transaction. */
  readonly id: string
  readonly account: Account | null
  readonly transaction: { readonly chain: ChainId; readonly tx: string } | null
  /** Share of its own seed that depends on it, 0 to 1; 1 for what is flagged itself, 0 for what nobody wants now. */
  readonly priority: number
  /** Flags that want it, or wanted it when it was read. */
  readonly flags: readonly string[]
  /** Those of them by which it is itself what was flagged: it is read whatever it is. */
  readonly own: readonly string[]
  /** Why it was chosen, for people. */
  readonly reason: string
  readonly state: 'waiting' | 'working' | 'done' | 'parked'
  /** Why it is parked: it keeps failing, it is too busy to be read whole unasked, or the budget does not allow more. */
  readonly parked: 'failed' | 'high_degree' | 'budget' | null
  readonly error: {
    readonly code: string
    readonly message: string
    readonly hint: string | null
  } | null
  readonly attempts: number
  /** Whether to ask about it before it is read: see {@link FirstAsked}. */
  readonly askFirst: boolean
  readonly askedFirst: FirstAsked | null
  /** An operator said that it shall be read whatever its size, and followed through. */
  readonly continued: boolean
  /** What it may still cost, in calls and blocks; `null` for no limit. */
  readonly limits: { readonly calls: number; readonly blocks: number } | null
  /** Block through which it is wanted: a node that is behind cannot serve it yet. */
  readonly through: number | null
  readonly spent: Spent
  /** Block through which it was last read. */
  readonly throughBlock: number | null
  /** How often it was done or parked, and how many of these the logs of its flags know. */
  readonly finished: number
  readonly logged: number
}

export const workCollection = 'work'

const nothing: Spent = { calls: 0, blocks: 0, transfers: 0, seconds: 0 }

/** An item that nobody wants yet. */
export function newWork(
  subject:
    | { readonly account: Account }
    | { readonly transaction: { readonly chain: ChainId; readonly tx: string } },
): WorkItem {
  const account = 'account' in subject ? subject.account : null
  const transaction = 'transaction' in subject ? subject.transaction : null
  return {
    id: account ?? `${transaction?.chain}:${transaction?.tx}`,
    account,
    transaction,
    priority: 0,
    flags: [],
    own: [],
    reason: '',
    state: 'waiting',
    parked: null,
    error: null,
    attempts: 0,
    askFirst: false,
    askedFirst: null,
    continued: false,
    limits: null,
    through: null,
    spent: nothing,
    throughBlock: null,
    finished: 0,
    logged: 0,
  }
}

export async function readWork(store: Store, id: string): Promise<WorkItem | undefined> {
  return (await store.readDocument(workCollection, id))?.value as WorkItem | undefined
}

/** All items by id, those that are done too. */
export async function listWork(store: Store, after?: string, limit?: number): Promise<WorkItem[]> {
  const documents = await store.listDocuments(workCollection, after, limit)
  return documents.map(({ value }) => value as WorkItem)
}

/** What may be taken, best first; equal ones by id, so that workers agree on the order. */
export async function bestWork(store: Store): Promise<WorkItem[]> {
  const free = (await listWork(store)).filter(isFree)
  return free.sort((a, b) => b.priority - a.priority || compareText(a.id, b.id))
}

export function isFree({ state, priority }: WorkItem): boolean {
  return priority > 0 && (state === 'waiting' || state === 'working')
}

/**
 * Changes an item by compare-and-set, again when somebody else was faster.
 *
 * @param change - gives the item as it shall be; the same, or undefined, changes nothing.
 * @param fence - what has to hold when it is written.
 */
export function changeWork(
  store: Store,
  id: string,
  change: (known: WorkItem | undefined) => WorkItem | undefined,
  fence: readonly Fence[] = [],
): Promise<WorkItem | undefined> {
  return changeDocument(store, { collection: workCollection, id }, change, fence)
}

/** Takes back what nobody wants any more and nobody began; whoever has just begun keeps it. */
export async function forgetWork(store: Store, id: string): Promise<void> {
  const document = await store.readDocument(workCollection, id)
  if (!document) return
  const { state, finished, spent } = document.value as WorkItem
  if (state !== 'waiting' || finished > 0 || spent.calls > 0) return
  try {
    await store.deleteDocument(workCollection, id, document.version)
  } catch (error) {
    if (conflictIn(error) === undefined) throw error
  }
}

/** What is flagged itself is read, again from where its coverage ends, before everything else. */
export async function askAgain(
  store: Store,
  subject: Parameters<typeof newWork>[0],
  flag: string,
): Promise<void> {
  const fresh = newWork(subject)
  const withFlag = (flags: readonly string[]): string[] =>
    [...new Set([...flags, flag])].sort(compareText)
  await changeWork(store, fresh.id, (known = fresh) => ({
    ...known,
    priority: 1,
    flags: withFlag(known.flags),
    own: withFlag(known.own),
    reason: 'flagged',
    state: 'waiting',
    parked: null,
    error: null,
    attempts: 0,
    limits: null,
    through: null,
  }))
}

/**
 * An operator's word that a parked address shall be read whatever its size, and the money followed through it.
 *
 * @returns the item; undefined where nobody ever wanted it.
 */
export function continueWork(store: Store, account: Account): Promise<WorkItem | undefined> {
  return changeWork(
    store,
    account,
    (known) =>
      known && {
        ...known,
        continued: true,
        ...(known.state === 'parked'
          ? { state: 'waiting', parked: null, error: null, attempts: 0 }
          : {}),
      },
  )
}

/** Queue and flags as they are, in a text that changes with them. */
interface Seen {
  readonly fingerprint: string
  readonly work: readonly StoredDocument[]
  readonly flags: readonly StoredDocument[]
}

/** All that a plan depends on: ledger, coverage, tags, queue and flags. Cost: three reads. */
export async function lookAtQueue(store: Store): Promise<Seen> {
  const { id, sequence, coverageVersion, tagVersion } = await store.state()
  const work = await store.listDocuments(workCollection)
  const flags = await store.listDocuments('flag')
  const versions = (documents: readonly StoredDocument[]): string =>
    `${documents.length}/${documents.reduce((sum, { version }) => sum + version, 0)}`
  const fingerprint = [id, sequence, coverageVersion, tagVersion, versions(work), versions(flags)]
  return { fingerprint: fingerprint.join(' '), work, flags }
}

/** Who plans, and what was planned last. */
export interface PlannerTurn {
  readonly owner: string
  /** Milliseconds since 1970. */
  readonly until: number
  /** {@link Seen.fingerprint} of the last plan that changed nothing. */
  readonly planned: string
}

export const plannerPlace = { collection: 'lease', id: 'planner' } as const

/**
 * Whether somebody plans, and has looked at the queue as it is: while `planning`, more may be wanted in a moment.
 *
 * Cost: four reads while somebody plans, else one.
 */
export async function plannerState(store: Store): Promise<'none' | 'planning' | 'planned'> {
  const document = await store.readDocument(plannerPlace.collection, plannerPlace.id)
  const turn = document?.value as PlannerTurn | undefined
  if (!turn || turn.until <= Date.now()) return 'none'
  return turn.planned === (await lookAtQueue(store)).fingerprint ? 'planned' : 'planning'
}
