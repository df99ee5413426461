import type { Account } from '../ledger/account.ts'
import { compareText } from '../ledger/order.ts'
import type { Store } from '../store/store.ts'
import { changeWork, forgetWork, newWork, type WorkItem } from '../store/workQueue.ts'
import { reasonOf, strongest, type Wanted } from './wanted.ts'

/** What workers may take grows and shrinks with each step: a limit is written again when it is off by more than this. */
const limitSlack = 1.1

/**
 * Writes what all flags want together: each address once, with its largest share. What nobody wants any more and nobody
 * began is taken back.
 *
 * @returns whether anything was written.
 */
export async function writeWanted(
  store: Store,
  items: ReadonlyMap<string, WorkItem>,
  all: {
    readonly wanted: readonly Wanted[]
    readonly isTagged: (account: Account) => boolean
  },
): Promise<boolean> {
  const byAccount = new Map<Account, Wanted[]>()
  for (const want of all.wanted)
    byAccount.set(want.account, [...(byAccount.get(want.account) ?? []), want])
  let changed = false
  for (const [account, wants] of byAccount) {
    const now = items.get(account)
    if (now && !differs(now, wantedWork(now, wants))) continue
    changed = true
    await changeWork(store, account, (known) => {
      // Somebody has finished it since: whether it is still wanted, the next round knows.
      if (known && known.finished !== now?.finished) return known
      const item = known ?? { ...newWork({ account }), askFirst: !all.isTagged(account) }
      const next = wantedWork(item, wants)
      return !known || differs(item, next) ? next : known
    })
  }
  for (const item of items.values()) {
    if (item.account && byAccount.has(item.account)) continue
    if (item.priority === 0 || item.own.length > 0 || item.state !== 'waiting') continue
    changed = true
    await changeWork(store, item.id, (known) => known && { ...known, priority: 0 })
    await forgetWork(store, item.id)
  }
  return changed
}

function wantedWork(item: WorkItem, wants: readonly Wanted[]): WorkItem {
  const best = strongest(wants)
  if (!best) return item
  const isOwn = item.own.length > 0
  const asked = wants.map(({ flag }) => flag)
  // Those that wanted it when it was read paid for it.
  const kept = item.spent.calls > 0 || isOwn ? item.flags : []
  const more = {
    flags: [...new Set([...kept, ...asked])].sort(compareText),
    priority: isOwn ? 1 : rounded(best.share),
    limits: {
      calls: Math.max(...wants.map(({ limits }) => limits.calls)),
      blocks: Math.max(...wants.map(({ limits }) => limits.blocks)),
    },
    through: isOwn ? null : latest(wants),
  }
  const isAsked = item.state === 'waiting' || item.state === 'working'
  const goesOn = item.state === 'done' || item.parked === 'budget'
  return {
    ...item,
    ...more,
    reason: isOwn && isAsked ? item.reason : reasonOf(best),
    ...(goesOn ? { state: 'waiting', parked: null, error: null } : {}),
  }
}

function latest(wants: readonly Wanted[]): number | null {
  const blocks = wants.flatMap(({ through }) => through ?? [])
  return blocks.length === 0 ? null : Math.max(...blocks)
}

function rounded(share: number): number {
  return Math.max(1e-9, Math.round(share * 1e9) / 1e9)
}

function differs(a: WorkItem, b: WorkItem): boolean {
  const plain = ({ limits: _, reason: __, ...rest }: WorkItem): string => JSON.stringify(rest)
  return plain(a) !== plain(b) || !isNear(a.limits, b.limits)
}

function isNear(a: WorkItem['limits'], b: WorkItem['limits']): boolean {
  if (!a || !b) return a === b
  const near = (x: number, y: number): boolean => x <= y * limitSlack && y <= x * limitSlack
  return near(a.calls, b.calls) && near(a.blocks, b.blocks)
}
