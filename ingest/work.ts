import { type Account, accountChain, formatAccount } from '../src/ledger/account.ts'
import type { ChainId } from '../src/ledger/chain.ts'
import { changeFlag, type Flag } from '../src/store/flags.ts'
import type { Fence, Store } from '../src/store/store.ts'
import { changeWork, type Spent, type WorkItem } from '../src/store/workQueue.ts'
import type { ChainView } from './chainView.ts'
import type { Counters } from './counters.ts'
import type { Descriptions } from './describe.ts'
import type { FreezeLog } from './freezeLog.ts'
import type { Lease, Sightings } from './lease.ts'
import type { ChainReader } from './rpc/chainReader.ts'
import type { Clock } from './rpc/clock.ts'
import type { ConnectedSource } from './source.ts'
import type { WorkerOptions } from './worker.ts'

/** A worker at work. */
export interface Work {
  readonly store: Store
  readonly reader: ChainReader
  readonly node: Pick<ConnectedSource, 'calls' | 'remember' | 'current'>
  readonly clock: Clock
  readonly counters: Counters
  readonly owner: string
  readonly sightings: Sightings
  readonly delays: Map<string, Delay>
  /** What pools paid, as far as this worker wrote it. */
  readonly payments: Set<string>
  readonly freezes: FreezeLog
  readonly descriptions: Descriptions
  readonly options: WorkerOptions
}

/** After faults that may pass: how many in a row, and when by the worker's clock the next try is due. */
export interface Delay {
  readonly faults: number
  readonly until: number
}

/** One item of the queue while it is worked at. */
export interface Turn {
  readonly lease: Lease
  readonly view: ChainView
  /** Under what everything of this turn is written. */
  readonly fence: readonly Fence[]
  readonly meter: Meter
}

/** Counts what an item costs; `take` gives what was not given yet. */
export interface Meter {
  take(add: { readonly blocks: number; readonly transfers: number }): (spent: Spent) => Spent
}

export function createMeter({ node, clock }: Pick<Work, 'node' | 'clock'>): Meter {
  let [calls, at] = [node.calls, clock.now()]
  return {
    take({ blocks, transfers }) {
      const added = { calls: node.calls - calls, seconds: (clock.now() - at) / 1000 }
      ;[calls, at] = [node.calls, clock.now()]
      return (spent) => ({
        calls: spent.calls + added.calls,
        blocks: spent.blocks + blocks,
        transfers: spent.transfers + transfers,
        seconds: Math.round((spent.seconds + added.seconds) * 1000) / 1000,
      })
    },
  }
}

/** How an item is named for people. */
export function nameOf({ account, id }: Pick<WorkItem, 'account' | 'id'>): string {
  return account ? formatAccount(account) : id
}

export function chainOf({ account, transaction }: WorkItem): ChainId {
  return account ? accountChain(account as Account) : (transaction?.chain as ChainId)
}

/**
 * Writes down what became of an item, and on the flags of which it is itself what was flagged.
 *
 * @throws KnownError `document.conflict` when the fence does not hold
 */
export async function note(
  { store }: Pick<Work, 'store'>,
  item: WorkItem,
  {
    fence,
    change,
    flag,
  }: {
    readonly fence: readonly Fence[]
    readonly change: (known: WorkItem) => WorkItem
    readonly flag: (known: Flag) => Partial<Flag>
  },
): Promise<void> {
  for (const id of item.own)
    await changeFlag(store, id, (known) => known && { ...known, ...flag(known) }, fence)
  // Last: while it says that there is work, whoever comes after a crash does it again, and writes the flags again.
  await changeWork(store, item.id, (known) => known && change(known), fence)
}
