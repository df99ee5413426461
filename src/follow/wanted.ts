import { accountChain } from '../ledger/account.ts'
import { compareText } from '../ledger/order.ts'
import type { Flag, FlagBudget } from '../store/flags.ts'
import type { WorkItem } from '../store/workQueue.ts'
import type { Candidate, Unfinished, Why } from './unfinished.ts'

/** An address that a flag wants to be read. */
export interface Wanted extends Candidate {
  readonly flag: string
  /** Calls and blocks that reading it may cost in all. */
  readonly limits: { readonly calls: number; readonly blocks: number }
  /** Block through which it must be read. */
  readonly through: number | null
}

/** What a flag wants next, and why it wants no more. */
export interface Choice {
  readonly wanted: readonly Wanted[]
  readonly spent: FlagBudget
  readonly over: keyof FlagBudget | null
  /** Share at addresses that are not read further by themselves. */
  readonly blocked: number
}

/** What was spent on a flag. An item that several flags want counts for each of them. */
export function spentOn(flag: string, items: Iterable<WorkItem>): FlagBudget {
  let [addresses, calls, blocks] = [0, 0, 0]
  for (const item of items) {
    if (!item.flags.includes(flag)) continue
    if (isBegun(item) && item.account) addresses++
    calls += item.spent.calls
    blocks += item.spent.blocks
  }
  return { addresses, calls, blocks }
}

/** Its history was begun to be read; an address that was only asked is not fetched. */
function isBegun({ spent, state }: WorkItem): boolean {
  return spent.blocks > 0 || state === 'done'
}

/**
 * Chooses the best until what is left out is at most the flag's share, or its budget ends.
 *
 * @param through - per chain the block through which everything is to be read.
 */
export function choose(
  flag: Flag,
  unfinished: readonly Unfinished[],
  items: ReadonlyMap<string, WorkItem>,
  through: Readonly<Record<string, number>>,
): Choice {
  const spent = spentOn(flag.id, items.values())
  const left = {
    calls: flag.budget.calls - spent.calls,
    blocks: flag.budget.blocks - spent.blocks,
  }
  let over: Choice['over'] = null
  let room = flag.budget.addresses - spent.addresses
  let blocked = 0
  const wanted = new Map<string, Wanted>()
  for (const open of unfinished) {
    blocked = Math.max(blocked, blockedOf(open, items, through))
    for (const candidate of enough(open, flag.minShare, (c) => isBlocked(c, items, through))) {
      const known = wanted.get(candidate.account)
      const item = items.get(candidate.account)
      const isNew = !known && !(item && isBegun(item))
      const lacks = lackOf({ room: isNew ? room : 1, ...left })
      if (lacks) {
        over ??= lacks
        continue
      }
      if (isNew) room--
      if (known && known.share >= candidate.share) continue
      const limits = {
        calls: (item?.spent.calls ?? 0) + left.calls,
        blocks: (item?.spent.blocks ?? 0) + left.blocks,
      }
      const last = through[accountChain(candidate.account)] ?? null
      wanted.set(candidate.account, { ...candidate, flag: flag.id, limits, through: last })
    }
  }
  return { wanted: [...wanted.values()], spent, over, blocked }
}

function lackOf(left: {
  readonly room: number
  readonly calls: number
  readonly blocks: number
}): keyof FlagBudget | undefined {
  if (left.room <= 0) return 'addresses'
  if (left.calls <= 0) return 'calls'
  return left.blocks <= 0 ? 'blocks' : undefined
}

/** Each reason by itself: what rests and what went through are not parts of one whole. */
const reasons: readonly (readonly Why[])[] = [['rests', 'behind'], ['passed'], ['ended']]

function enough(
  { candidates }: Unfinished,
  minShare: number,
  isOut: (candidate: Candidate) => boolean,
): Candidate[] {
  return reasons.flatMap((group) => {
    const open = candidates.filter((c) => group.includes(c.why) && !isOut(c) && c.share > 0)
    // What only passed through or ended there is not missing: it matters one by one.
    if (!group.includes('rests')) return open.filter(({ share }) => share > minShare)
    let left = open.reduce((sum, { share }) => sum + share, 0)
    const chosen: Candidate[] = []
    for (const candidate of open) {
      if (left <= minShare) break
      chosen.push(candidate)
      left -= candidate.share
    }
    return chosen
  })
}

/** Share of one seed at addresses that are not read further by themselves. */
export function blockedOf(
  { candidates }: Unfinished,
  items: ReadonlyMap<string, WorkItem>,
  through: Readonly<Record<string, number>>,
): number {
  const out = candidates.filter(
    (c) => (c.why === 'rests' || c.why === 'behind') && isBlocked(c, items, through),
  )
  return Math.min(
    1,
    out.reduce((sum, { share }) => sum + share, 0),
  )
}

/** Parked, or read as far as it goes: where money still counts as not read then, the node has no more. */
function isBlocked(
  { account }: Candidate,
  items: ReadonlyMap<string, WorkItem>,
  through: Readonly<Record<string, number>>,
): boolean {
  const item = items.get(account)
  if (!item) return false
  if (item.state === 'parked') return item.parked !== 'budget'
  return item.state === 'done' && isThrough(item, through[accountChain(account)])
}

/** Before it is known through which block, once is enough. */
export function isThrough({ throughBlock }: WorkItem, through: number | undefined): boolean {
  return throughBlock !== null && throughBlock >= (through ?? 0)
}

/** The want that counts where several flags want the same: the largest share, then the first flag. */
export function strongest(wants: readonly Wanted[]): Wanted | undefined {
  return [...wants].sort((a, b) => b.share - a.share || compareText(a.flag, b.flag))[0]
}

const said: Readonly<Record<Why, string>> = {
  rests: 'rests there, and what left it is not read',
  passed: 'passed through it, and which money that was is not read',
  ended: 'ended there, and whether it is a service is not read',
  behind: 'would rest there, behind an end that is not certain',
}

/** Why an address is next, for people. */
export function reasonOf({ share, why }: Candidate): string {
  return `${percent(share)} of the seed ${said[why]}`
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`
}
