import { type Account, formatAccount } from '../ledger/account.ts'
import { conflictIn } from '../store/conflict.ts'
import type { Store } from '../store/store.ts'
import type { FirstAsked, Spent, WorkItem } from '../store/workQueue.ts'

/** One thing that was done for a flag: why this was next, what it cost, what it changed. */
export interface FollowStep {
  /** From 1. */
  readonly number: number
  /** ISO time at which the planner saw it. */
  readonly at: string
  /** CAIP-10 with checksum, or `<chain>:<hash>` of a transaction. */
  readonly subject: string
  readonly result: 'read' | 'parked'
  readonly parked: WorkItem['parked']
  /** Why it was next. */
  readonly reason: string
  /** Share of its seed that depended on it. */
  readonly share: number
  readonly cost: Spent
  readonly askedFirst: FirstAsked | null
  readonly error: string | null
  /** Unfinished share of the flag when it was last looked at before, and after. */
  readonly before: number
  readonly after: number
}

const collection = 'follow-step'

/** Older steps of a flag are dropped; their numbers stay used. */
export const mostSteps = 2_000

const digits = 9

function stepId(flag: string, number: number): string {
  return `${flag} ${String(number).padStart(digits, '0')}`
}

/**
 * Adds a step behind the last one.
 *
 * @param after - number of the last step that is known; others may have been added since.
 * @returns its number.
 */
export async function addStep(
  store: Store,
  flag: string,
  after: number,
  step: Omit<FollowStep, 'number'>,
): Promise<number> {
  for (let number = after + 1; ; number++) {
    try {
      await store.writeDocument(collection, stepId(flag, number), 0, { number, ...step })
    } catch (error) {
      if (conflictIn(error) === undefined) throw error
      continue
    }
    await dropStep(store, stepId(flag, number - mostSteps), number > mostSteps)
    return number
  }
}

async function dropStep(store: Store, id: string, exists: boolean): Promise<void> {
  const old = exists ? await store.readDocument(collection, id) : undefined
  if (old) await store.deleteDocument(collection, id, old.version)
}

/**
 * Steps of a flag in order.
 *
 * @param after - number behind which to begin; 0 for the first that is kept.
 */
export async function readSteps(
  store: Store,
  flag: string,
  { after, limit }: { readonly after: number; readonly limit: number },
): Promise<FollowStep[]> {
  const documents = await store.listDocuments(collection, stepId(flag, after), limit)
  return documents
    .filter(({ id }) => id.startsWith(`${flag} `))
    .map(({ value }) => value as FollowStep)
}

/** What an item that was done or parked says of itself. */
export function stepOf(
  item: WorkItem,
  seen: { readonly at: Date; readonly before: number; readonly after: number },
): Omit<FollowStep, 'number'> {
  return {
    at: seen.at.toISOString(),
    subject: item.account ? formatAccount(item.account as Account) : item.id,
    result: item.state === 'parked' ? 'parked' : 'read',
    parked: item.parked,
    reason: item.reason,
    share: item.priority,
    cost: item.spent,
    askedFirst: item.askedFirst,
    error: item.error?.message ?? null,
    before: seen.before,
    after: seen.after,
  }
}
