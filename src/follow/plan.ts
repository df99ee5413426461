import { accountsWithLots } from '../analysis/accountsWithLots.ts'
import type { StopTags } from '../analysis/stops.ts'
import type { TraceContext } from '../analysis/trace.ts'
import type { TraceAnswer } from '../analysis/traceAnswer.ts'
import type { Graph } from '../graph/graph.ts'
import type { Keeps } from '../graph/neighbourhood.ts'
import { type Account, accountChain } from '../ledger/account.ts'
import { shareOf } from '../ledger/amount.ts'
import type { AssetId } from '../ledger/asset.ts'
import type { ChainId } from '../ledger/chain.ts'
import { KnownError } from '../ledger/errors.ts'
import { compareText } from '../ledger/order.ts'
import {
  changeFlag,
  type Flag,
  type FlagError,
  type FollowedAsset,
  type Following,
  flagOf,
  subjectOf,
} from '../store/flags.ts'
import type { Store } from '../store/store.ts'
import { askAgain, changeWork, lookAtQueue, newWork, type WorkItem } from '../store/workQueue.ts'
import { followedQuery, followedSeeds, type SeedsOfAsset } from './followedSeeds.ts'
import { addStep, stepOf } from './followLog.ts'
import { findUnfinished, type Unfinished } from './unfinished.ts'
import { blockedOf, type Choice, choose, isThrough, spentOn, type Wanted } from './wanted.ts'
import { writeWanted } from './writeWanted.ts'

/** What a plan is made from: a store, and all that is derived from it. */
export interface Ground {
  readonly store: Store
  /** Asks a pure function of the graph. */
  read<T>(work: (graph: Graph) => T, keeps?: Keeps<T>): Promise<T>
  context(): Promise<TraceContext>
}

export interface Planner {
  /**
   * Reads all that the next round needs besides the graph. Who hands over graphs made elsewhere calls it before the
   * graph is made, so that no coverage is newer than the graph beside it; else a round does so itself.
   */
  prepare(): Promise<void>
  /**
   * Looks once at everything that is flagged and writes what is wanted next.
   *
   * @returns false when nothing had changed since the last round, which then cost three reads.
   */
  round(now: Date): Promise<{ readonly changed: boolean; readonly fingerprint: string }>
}

/**
 * Makes plans: traces every flag over the ledger as it is, ranks what is unfinished by its share of its own seed, and
 * writes the ranked queue, the state of each flag and its log. Workers do the rest.
 *
 * All that it decides follows from the store, so a planner that dies is replaced by the next without loss: a step of a
 * log may at worst be told twice.
 *
 * Cost of a round: of each flag that something changed for, one trace per asset (see `findUnfinished`).
 */
export function createPlanner(ground: Ground): Planner {
  const { store } = ground
  const views = new Map<string, { readonly key: string; readonly view: View }>()
  let planned: string | undefined
  let prepared: Prepared | undefined

  /** In this order, so that what is read later knows at least as much. */
  async function read(): Promise<Prepared> {
    const seen = await lookAtQueue(store)
    const context = await ground.context()
    const { sequence, coverageVersion, tagVersion } = await store.state()
    return { seen, context, sequence, versions: [coverageVersion, tagVersion] }
  }

  async function viewOf(
    flag: Flag,
    items: ReadonlyMap<string, WorkItem>,
    { context, sequence, versions }: Prepared,
  ): Promise<View | undefined> {
    const through = throughOf(flag, items)
    const done = [...items.values()].filter((item) => item.state === 'done' || item.continued)
    const key = JSON.stringify([
      [sequence, versions, through, flag.minShare],
      done.map(({ id, throughBlock, continued }) => [id, throughBlock, continued]),
    ])
    const known = views.get(flag.id)
    if (known?.key === key) return known.view
    const view = await look(ground, flag, { items, through, context, sequence })
    if (view) views.set(flag.id, { key, view })
    return view
  }

  return {
    async prepare() {
      prepared = await read()
    },
    async round(now) {
      const known = prepared ?? (await read())
      prepared = undefined
      const { seen } = known
      if (seen.fingerprint === planned) return { changed: false, fingerprint: planned }
      const { tags, coverage } = known.context
      const items = asCovered(
        seen.work.map(({ value }) => value as WorkItem),
        coverage,
      )
      const wanted: Wanted[] = []
      let changed = false
      const outcomes: Outlook[] = []
      for (const flag of seen.flags.map(flagOf)) {
        if (await isQueuedLate(store, flag, items)) {
          changed = true
          continue
        }
        const view = await viewOf(flag, items, known)
        if (!view) return { changed: true, fingerprint: seen.fingerprint }
        const choice = choose(flag, view.unfinished, items, view.through)
        wanted.push(...choice.wanted, ...ownWants(flag, items, choice))
        outcomes.push({ flag, view, choice })
      }
      const all = { wanted, isTagged: (account: Account) => isNamed(tags, account) }
      changed = (await writeWanted(store, items, all)) || changed
      for (const outlook of outcomes)
        changed = (await writeFollowing(store, outlook, { items, now })) || changed
      changed = (await markLogged(store, items)) || changed
      planned = changed ? undefined : seen.fingerprint
      return { changed, fingerprint: seen.fingerprint }
    },
  }
}

/**
 * Items with the block through which they are still covered: after a reorganisation what was read beyond the common
 * block is gone, and is to be read again.
 */
function asCovered(
  work: readonly WorkItem[],
  coverage: TraceContext['coverage'],
): Map<string, WorkItem> {
  const through = new Map<string, number>()
  const reach = (account: string, block: number): void => {
    through.set(account, Math.max(through.get(account) ?? -1, block))
  }
  for (const claim of coverage) {
    if ('account' in claim) reach(claim.account, claim.toBlock)
    else for (const account of claim.accounts) reach(account, claim.toBlock)
  }
  return new Map(
    work.map((item) => {
      const { id, account, throughBlock } = item
      if (account === null || throughBlock === null) return [id, item]
      const covered = Math.min(throughBlock, through.get(account) ?? -1)
      return [id, covered === throughBlock ? item : { ...item, throughBlock: covered }]
    }),
  )
}

/** What a round starts from. */
interface Prepared {
  readonly seen: Awaited<ReturnType<typeof lookAtQueue>>
  readonly context: TraceContext
  /** A graph must reach at least this far in the log. */
  readonly sequence: number
  readonly versions: readonly number[]
}

/** Somebody knows what a tagged address is; nobody need ask whether it is busy. */
function isNamed(tags: StopTags, account: Account): boolean {
  return tags.isTagged(account)
}

/** What a flag looks like on the ledger as it is. */
interface View {
  readonly through: Readonly<Record<string, number>>
  readonly unfinished: readonly Unfinished[]
  /** Asset of each. */
  readonly assets: readonly AssetId[]
  readonly error: FlagError | null
}

interface Outlook {
  readonly flag: Flag
  readonly view: View
  readonly choice: Choice
}

/** A flag of an older store, or one whose reading was lost, is put into the queue. */
async function isQueuedLate(
  store: Store,
  flag: Flag,
  items: ReadonlyMap<string, WorkItem>,
): Promise<boolean> {
  const subject = subjectOf(flag)
  const item = items.get(newWork(subject).id)
  if (item?.own.includes(flag.id)) return false
  await askAgain(store, subject, flag.id)
  return true
}

/**
 * Per chain the block through which the money is followed: the head when what is flagged was read, elsewhere when the
 * first wallet was. Without such an end the head would run away from the workers, and nothing would ever be finished.
 */
function throughOf(
  flag: Flag,
  items: ReadonlyMap<string, WorkItem>,
): Readonly<Record<string, number>> {
  const through: Record<string, number> = { ...flag.following?.through }
  const own = items.get(newWork(subjectOf(flag)).id)
  if (!own || own.state === 'waiting' || own.state === 'working') return through
  const done = [...items.values()]
    .filter((item) => item.flags.includes(flag.id) && item.state === 'done')
    .sort((a, b) => (a.throughBlock ?? 0) - (b.throughBlock ?? 0))
  for (const item of [own, ...done]) {
    const chain = chainOf(item)
    if (item.throughBlock !== null) through[chain] ??= item.throughBlock
  }
  return through
}

function chainOf({ account, transaction }: WorkItem): ChainId {
  return account ? accountChain(account) : (transaction?.chain as ChainId)
}

interface Looking {
  readonly context: TraceContext
  readonly sequence: number
  readonly items: ReadonlyMap<string, WorkItem>
  readonly through: Readonly<Record<string, number>>
}

/**
 * @returns undefined where the graph is older than the coverage beside it: money would seem to rest in wallets whose
 * payments are not in the graph yet. Then nothing is planned, and the next round looks again.
 */
async function look(ground: Ground, flag: Flag, looking: Looking): Promise<View | undefined> {
  const { through, sequence } = looking
  const found = await ground.read(
    (graph) => ({ sequence: graph.sequence, ...tracesOrRefusal(graph, flag, looking) }),
    ({ traces }) => new Set(traces.flatMap(({ answer }) => [...accountsWithLots(answer)])),
  )
  if (found.sequence < sequence) return undefined
  const unfinished = found.traces.map((one) => one.unfinished)
  const assets = found.traces.map(({ seeds }) => seeds.asset)
  return { through, unfinished, assets, error: found.error }
}

function tracesOrRefusal(
  graph: Graph,
  flag: Flag,
  looking: Looking,
): { readonly traces: readonly Traced[]; readonly error: FlagError | null } {
  try {
    return { traces: tracesOf(graph, flag, looking), error: null }
  } catch (error) {
    if (!(error instanceof KnownError) || error.code.startsWith('store.')) throw error
    const { code, message, hint = null, facts } = error
    const candidates = facts['candidates']
    const told = candidates === undefined ? message : `${message}: ${candidates}`
    return { traces: [], error: { code, message: told, hint } }
  }
}

interface Traced {
  readonly seeds: SeedsOfAsset
  readonly answer: TraceAnswer
  readonly unfinished: Unfinished
}

function tracesOf(graph: Graph, flag: Flag, looking: Looking): Traced[] {
  const { items, through, context } = looking
  const continueThrough = [...items.values()].flatMap(({ continued, account }) =>
    continued && account ? [account] : [],
  )
  const isRead = (account: Account): boolean => {
    const item = items.get(account)
    return item?.state === 'done' && isThrough(item, through[accountChain(account)])
  }
  const asOf = Object.fromEntries(
    Object.entries(through).filter(([chain]) => graph.chains.includes(chain as ChainId)),
  )
  return followedSeeds(graph, context.tokens, flag, asOf).map((seeds) => {
    const query = followedQuery(flag, seeds.seeds, {
      asOf,
      continueThrough: continueThrough.sort(compareText),
      resolve: [],
    })
    return { seeds, ...findUnfinished(graph, context, query, isRead) }
  })
}

function assetsOf(
  { assets, unfinished, through }: View,
  items: ReadonlyMap<string, WorkItem>,
): FollowedAsset[] {
  return unfinished.map((open, i) => ({
    asset: assets[i] as AssetId,
    seedTotal: open.seedTotal.toString(),
    unfinished: rounded(open.share),
    blocked: rounded(blockedOf(open, items, through)),
  }))
}

function rounded(share: number): number {
  return shareOf(BigInt(Math.round(share * 1e9)), 1_000_000_000n)
}

/** What is flagged itself goes on as far as the budget goes. */
function ownWants(flag: Flag, items: ReadonlyMap<string, WorkItem>, { spent }: Choice): Wanted[] {
  const own = items.get(newWork(subjectOf(flag)).id)
  if (!own?.account || own.state === 'done') return []
  if (own.state === 'parked' && own.parked !== 'budget') return []
  const [calls, blocks] = [flag.budget.calls - spent.calls, flag.budget.blocks - spent.blocks]
  if (calls <= 0 || blocks <= 0) return []
  const limits = { calls: own.spent.calls + calls, blocks: own.spent.blocks + blocks }
  return [{ account: own.account, share: 1, why: 'rests', flag: flag.id, limits, through: null }]
}

/** The state of a flag, and the log of what was done for it since. */
async function writeFollowing(
  store: Store,
  { flag, view, choice }: Outlook,
  given: { readonly items: ReadonlyMap<string, WorkItem>; readonly now: Date },
): Promise<boolean> {
  const { items, now } = given
  const assets = assetsOf(view, items)
  // Of what is not known yet everything is unfinished.
  const unknown = assets.length === 0 && !isDone(flag, items) ? 1 : 0
  const unfinished = Math.max(unknown, ...assets.map((asset) => asset.unfinished))
  const before = flag.following?.unfinished ?? 1
  let steps = flag.following?.steps ?? 0
  const finished = [...items.values()].filter(
    (item) => item.finished > item.logged && item.flags.includes(flag.id),
  )
  for (const item of finished)
    steps = await addStep(
      store,
      flag.id,
      steps,
      stepOf(item, { at: now, before, after: unfinished }),
    )
  const next: Following = {
    state: stateOf({ flag, view, choice }, items),
    over: choice.over,
    unfinished,
    assets,
    queued: choice.wanted.length,
    spent: spentOn(flag.id, items.values()),
    through: view.through,
    steps,
    error: view.error,
  }
  if (JSON.stringify(next) === JSON.stringify(flag.following)) return false
  // A payment that is in the ledger needs no reading of its own.
  const isThere = flag.account === null && view.assets.length > 0 && flag.state === 'failed'
  await changeFlag(store, flag.id, (known) =>
    // Flagged again meanwhile, it begins anew.
    known && isSame(known, flag)
      ? { ...known, following: next, ...(isThere ? { state: 'done', error: null } : {}) }
      : known,
  )
  return true
}

function isSame(a: Flag, b: Flag): boolean {
  return JSON.stringify([a.following, a.budget]) === JSON.stringify([b.following, b.budget])
}

/** A wallet that was read and received nothing has nothing to be found. */
function isDone(flag: Flag, items: ReadonlyMap<string, WorkItem>): boolean {
  return flag.account !== null && items.get(flag.account)?.state === 'done'
}

function stateOf(
  { flag, view, choice }: Outlook,
  items: ReadonlyMap<string, WorkItem>,
): Following['state'] {
  const own = items.get(newWork(subjectOf(flag)).id)
  const isReading = own?.state === 'waiting' || own?.state === 'working'
  if (own?.parked === 'budget' && own.state === 'parked') return 'over_budget'
  if (isReading) return 'waiting'
  if (view.error) return 'failed'
  if (view.assets.length === 0 && own?.state === 'parked') return 'failed'
  if (choice.wanted.length > 0) return 'following'
  if (choice.over) return 'over_budget'
  return choice.blocked > flag.minShare ? 'parked' : 'done'
}

/** Every flag that wanted them has them in its log. */
async function markLogged(store: Store, items: ReadonlyMap<string, WorkItem>): Promise<boolean> {
  let changed = false
  for (const item of items.values()) {
    if (item.finished <= item.logged) continue
    changed = true
    await changeWork(store, item.id, (known) => known && { ...known, logged: item.finished })
  }
  return changed
}
