import { randomUUID } from 'node:crypto'
import { KnownError } from '../src/ledger/errors.ts'
import { conflictIn } from '../src/store/conflict.ts'
import type { Flag, FlagProgress } from '../src/store/flags.ts'
import { openStore, type StorePlace } from '../src/store/open.ts'
import type { Store } from '../src/store/store.ts'
import {
  bestWork,
  changeWork,
  isFree,
  plannerState,
  readWork,
  type WorkItem,
} from '../src/store/workQueue.ts'
import { askedFirst, isTooBusy, whyTooBusy } from './busyAddress.ts'
import {
  ChainMoved,
  type ChainView,
  type RolledBack,
  viewBelowFinality,
  viewChain,
} from './chainView.ts'
import { createCounters } from './counters.ts'
import { openDescriptions } from './describe.ts'
import { openFreezeLog } from './freezeLog.ts'
import { createLease, type Lease } from './lease.ts'
import { readPayment } from './readPayment.ts'
import { readWallet } from './readWallet.ts'
import { type Clock, wallClock } from './rpc/clock.ts'
import type { Exchange } from './rpc/exchange.ts'
import { type ConnectedSource, connectSource, type SourceOptions } from './source.ts'
import { chainOf, createMeter, nameOf, note, type Turn, type Work } from './work.ts'

export interface WorkerOptions {
  /** Where it is, or what opens it. */
  readonly store: StorePlace | string | (() => Promise<Store>)
  /** http(s) URLs of nodes of one chain, best first, or an explorer; never told. */
  readonly rpc: SourceOptions['rpc']
  /** Take names that stand for addresses of a private network. */
  readonly allowPrivate?: boolean
  /** Ends when nothing is waiting. */
  readonly once: boolean
  readonly signal: AbortSignal
  /** Tries of one call before the node counts as unavailable. Default 6, over some twelve seconds. */
  readonly tries?: number
  /** Blocks unread from which on it pays to ask where a wallet begins. Default 50,000. */
  readonly worthAsking?: number
  /** For tests: time, and the wire. */
  readonly clock?: Clock
  readonly exchange?: Exchange
  /** How long a worker that died keeps others from its work. Default 15 s. */
  readonly leaseMs?: number
  readonly tell: (event: WorkerEvent) => void
}

/** What a worker says while it works. */
export type WorkerEvent =
  | {
      readonly event: 'connected'
      readonly chain: string
      readonly traces: string
      readonly node: string
    }
  | {
      readonly event: 'range'
      readonly account: string
      readonly fromBlock: number
      readonly toBlock: number
      readonly headBlock: number
      readonly transfers: number
    }
  | {
      readonly event: 'done'
      readonly account: string
      readonly throughBlock: number
      readonly calls: number
    }
  | {
      readonly event: 'failed'
      readonly account: string
      readonly code: string
      readonly message: string
    }
  | {
      /** Not read further for now: it looks too busy, or the budget does not allow more. */
      readonly event: 'parked'
      readonly account: string
      readonly why: 'high_degree' | 'budget'
      readonly message: string
    }
  | {
      readonly event: 'delayed'
      readonly account: string
      readonly message: string
      readonly seconds: number
    }
  | {
      readonly event: 'storeAway'
      readonly message: string
      readonly seconds: number
    }
  | {
      readonly event: 'nodeAway'
      readonly message: string
      readonly seconds: number
    }
  | {
      readonly event: 'held'
    }
  | {
      readonly event: 'endpoint'
      readonly node: string
      readonly state: 'away' | 'in use'
      readonly message: string
    }
  | {
      readonly event: 'finding'
      readonly account: string
      readonly message: string
    }
  | {
      readonly event: 'rolledBack'
      readonly chain: string
      readonly fromBlock: number
      /** Rows that became tombstones. */
      readonly orphans: number
      /** Wallets that are read again. */
      readonly reopened: number
    }

const idleMs = 2_000

/** While somebody plans, the next wallet may be wanted in a moment. */
const plannedIdleMs = 100

/** A wallet whose reading fails for reasons that may pass is tried so often in a row, then it is parked. */
const mostTries = 12
const longestDelayMs = 600_000
const longestOutageDelayMs = 60_000
const usualLeaseMs = 15_000

/** So many workers in a row that fell silent over a wallet are no accident. */
const mostAbandoned = 5

/** A reading that is overtaken by reorganisations is begun anew so often at once. */
const mostMoves = 5

/** An idle worker looks at the chain so often, since a reorganisation reopens what was done. */
const lookMs = 15_000

/**
 * Takes what is wanted most, one after another, under a lease, and reads each wallet's history up to the head, resuming
 * where the coverage ends. What fails is marked with the reason; the worker goes on.
 *
 * @throws KnownError `rpc.*` when the node cannot be reached at all, `store.*`
 */
export async function runWorker(options: WorkerOptions): Promise<void> {
  await withSource(options, async (store, source) => {
    const { reader } = source
    const clock = options.clock ?? wallClock
    const counters = createCounters(store, reader.chain, { clock, node: source })
    await workOn({
      store,
      reader,
      node: source,
      clock,
      counters,
      owner: randomUUID(),
      sightings: new Map(),
      delays: new Map(),
      payments: new Set(),
      freezes: openFreezeLog(store),
      descriptions: openDescriptions(store),
      options,
    }).finally(() => counters.tell('now').catch(() => undefined))
  })
}

/**
 * Reads single transactions by their hashes, without a claim that anybody's history is known.
 *
 * @throws KnownError `rpc.*`, `transfer.not-found`, `store.*`
 */
export async function readTransactions(
  options: WorkerOptions,
  hashes: readonly string[],
): Promise<void> {
  await withSource(options, async (store, { reader }) => {
    const payments = new Set<string>()
    for (const tx of hashes) {
      const view = await viewOf({ store, reader, options })
      const fence = [view.fence]
      await readPayment(
        { store, reader, payments },
        { transaction: { chain: reader.chain, tx } },
        { view, fence },
      )
    }
  })
}

async function withSource(
  options: WorkerOptions,
  work: (store: Store, source: ConnectedSource) => Promise<void>,
): Promise<void> {
  const store = await (typeof options.store === 'function'
    ? options.store()
    : openStore(options.store))
  try {
    const { rpc, signal, tries, allowPrivate, exchange, clock, tell } = options
    const source = await connectSource(store, {
      rpc,
      signal,
      ...(tries === undefined ? {} : { tries }),
      ...(allowPrivate === undefined ? {} : { allowPrivate }),
      ...(exchange ? { exchange } : {}),
      ...(clock ? { clock } : {}),
      changed: ({ name, away, why }) =>
        tell({ event: 'endpoint', node: name, state: away ? 'away' : 'in use', message: why }),
    })
    const { chain, name } = source.reader
    tell({ event: 'connected', chain, traces: source.traces, node: name })
    await work(store, source)
  } catch (error) {
    if (!options.signal.aborted) throw error
  } finally {
    await store.close()
  }
}

async function workOn(work: Work): Promise<void> {
  const { options, clock, store } = work
  let outages = 0
  let lookAt = clock.now()
  let last = ''
  while (!options.signal.aborted) {
    const worked = await workOrLook(work, lookAt).catch((error: unknown) =>
      outage(error, outages, options),
    )
    outages = typeof worked === 'object' ? outages + 1 : 0
    if (worked === 'worked') {
      last = worked
      continue
    }
    if (worked === 'looked') lookAt = clock.now() + lookMs
    const plans = typeof worked === 'object' ? 'none' : await plannerState(store)
    if (worked === 'looked' && options.once && plans !== 'planning') return
    if (worked === 'held' && last !== 'held') options.tell({ event: 'held' })
    if (typeof worked === 'string') last = worked
    const pauseMs =
      typeof worked === 'object' ? worked.delayMs : plans === 'none' ? idleMs : plannedIdleMs
    await clock.sleep(pauseMs, options.signal).catch(() => undefined)
  }
}

/** Where nothing is waiting: whether the chain is still the one that was read. */
async function workOrLook(
  work: Work,
  lookAt: number,
): Promise<'worked' | 'held' | 'nothing' | 'looked'> {
  const worked = await workOnce(work)
  if (worked !== 'nothing' || work.clock.now() < lookAt) return worked
  let reopened = 0
  const told = (event: RolledBack): void => {
    reopened += event.reopened
    tellRollBack(work, event)
  }
  // What an explorer tells is below what may be replaced.
  if (work.reader.assurance === 0) return 'looked'
  await viewChain({ ...work, told }).catch((error: unknown) => {
    // Whoever comes next looks again; what could be read is read.
    const isAway = error instanceof KnownError && error.code.startsWith('rpc.') && error.retryable
    if (!isAway || !work.options.once) throw error
  })
  return reopened > 0 ? 'worked' : 'looked'
}

/** An explorer is read below what may be replaced only, and does not undo what a node told. */
async function viewOf(
  work: Pick<Work, 'store' | 'reader' | 'options'> & Partial<Pick<Work, 'counters'>>,
): Promise<ChainView> {
  return work.reader.assurance === 0
    ? viewBelowFinality(work)
    : viewChain({ ...work, told: (event) => tellRollBack(work, event) })
}

function tellRollBack(
  { options, counters }: Pick<Work, 'options'> & Partial<Pick<Work, 'counters'>>,
  event: RolledBack,
): void {
  counters?.add({ rollBacks: 1, orphans: event.orphans })
  options.tell({ event: 'rolledBack', ...event })
}

/** A node that is away, or a shared store that is restarted or changes its leader. Leases end by themselves meanwhile. */
function outage(
  error: unknown,
  outages: number,
  { tell, signal, once }: WorkerOptions,
): { readonly delayMs: number } {
  const known = error instanceof KnownError && /^(store|rpc)\./.test(error.code) && error.retryable
  if (!known || signal.aborted || (once && outages + 1 === mostTries)) throw error
  const delayMs = Math.min(idleMs * 2 ** outages, longestOutageDelayMs)
  const event = error.code.startsWith('store.') ? 'storeAway' : 'nodeAway'
  tell({ event, message: error.message, seconds: delayMs / 1000 })
  return { delayMs }
}

/** Does the best work that is free and due. `held`: others are at work on all that is left, or it is delayed. */
async function workOnce(work: Work): Promise<'worked' | 'held' | 'nothing'> {
  let held = false
  for (const { id } of (await bestWork(work.store)).filter((item) => isOurs(work, item))) {
    const lease = createLease(work.store, `flag ${id}`, {
      ...work,
      lastsMs: work.options.leaseMs ?? usualLeaseMs,
    })
    const until = work.delays.get(id)?.until ?? 0
    // Not by this worker, which runs once.
    if (until === Number.POSITIVE_INFINITY) continue
    if (until > work.clock.now() || !(await lease.take())) {
      held = true
      continue
    }
    try {
      // Somebody else may have finished it since it was listed.
      const item = await readWork(work.store, id)
      if (item && isFree(item)) await workUnlessMoved(work, item, lease)
      work.delays.delete(id)
    } catch (error) {
      await afterFault(work, { id, lease }, error)
    } finally {
      // Where the store is away the lease ends by itself, and the first error is the one that says why.
      await lease.release().catch(() => undefined)
    }
    return 'worked'
  }
  return held ? 'held' : 'nothing'
}

/** Wallets of other chains are for other workers; what was flagged itself is refused with the reason. */
function isOurs({ reader }: Work, item: WorkItem): boolean {
  return chainOf(item) === reader.chain || item.own.length > 0
}

/** A chain that is reorganised while it is read is looked at and read anew. */
async function workUnlessMoved(work: Work, item: WorkItem, lease: Lease): Promise<void> {
  if (lease.abandoned >= mostAbandoned) throw abandonedTooOften(lease.abandoned)
  for (let moves = 1; ; moves++) {
    try {
      await doWork(work, item, lease)
      return
    } catch (error) {
      const moved = error instanceof ChainMoved || conflictIn(error) === 'reorganisation'
      if (!moved) throw error
      if (moves === mostMoves) throw new ChainMoved()
    }
  }
}

function abandonedTooOften(times: number): KnownError {
  return new KnownError(
    'flag.abandoned',
    `${times} workers in a row fell silent over this wallet`,
    {
      facts: { times },
      hint: 'Look why they ended, for example for want of memory; flag it again to read it.',
    },
  )
}

interface Held {
  readonly id: string
  readonly lease: Lease
}

async function afterFault(work: Work, held: Held, error: unknown): Promise<void> {
  // Another worker took over, since this one was not heard of for too long: no fault of the wallet.
  if (conflictIn(error) === 'lease') return
  if (work.options.signal.aborted || !(error instanceof KnownError)) {
    await giveBack(work, held)
    throw error
  }
  // It says nothing about the wallet, and all others would meet it.
  if (error.code === 'chain.contradicted') throw error
  // A store that is away says nothing about the wallet, and could not note it.
  if (error.code.startsWith('store.') && error.retryable) {
    work.delays.delete(held.id)
    throw error
  }
  const item = await readWork(work.store, held.id)
  if (!item) throw error
  await delayOrFail(work, { item, lease: held.lease }, error).catch((failure: unknown) => {
    if (conflictIn(failure) !== 'lease') throw failure
  })
}

async function giveBack(work: Work, { id, lease }: Held): Promise<void> {
  const back = <T extends { readonly state: string }>(known: T): T =>
    known.state === 'working' ? { ...known, state: 'waiting' } : known
  // Where that cannot be written any more the wallet is taken over all the same.
  const item = await readWork(work.store, id).catch(() => undefined)
  if (!item) return
  await note(work, item, { fence: [lease.fence], change: back, flag: back }).catch(() => undefined)
}

interface Faulty {
  readonly item: WorkItem
  readonly lease: Lease
}

/**
 * What may pass is tried again, later and later. A worker that runs once does not wait for it: what was flagged itself
 * has failed then, what was found on the way waits for the next worker.
 */
async function delayOrFail(work: Work, { item, lease }: Faulty, error: KnownError): Promise<void> {
  const { once, tell } = work.options
  const faults = (work.delays.get(item.id)?.faults ?? 0) + 1
  work.delays.delete(item.id)
  const isLast = item.attempts + 1 >= mostTries || (once && item.own.length > 0)
  if (!error.retryable || isLast) return fail(work, { item, lease }, error)
  const delayMs = once ? undefined : Math.min(idleMs * 2 ** (faults - 1), longestDelayMs)
  const until = delayMs === undefined ? Number.POSITIVE_INFINITY : work.clock.now() + delayMs
  work.delays.set(item.id, { faults, until })
  const told = { code: error.code, message: error.message, hint: error.hint ?? null }
  await note(work, item, {
    fence: [lease.fence],
    change: (known) => ({
      ...known,
      state: 'waiting',
      attempts: known.attempts + 1,
      error: told,
    }),
    flag: () => ({ state: 'waiting', error: told }),
  })
  const account = nameOf(item)
  const { code, message } = error
  if (delayMs === undefined) tell({ event: 'failed', account, code, message })
  else tell({ event: 'delayed', account, message, seconds: delayMs / 1000 })
}

async function fail(work: Work, { item, lease }: Faulty, error: KnownError): Promise<void> {
  const told = { code: error.code, message: error.message, hint: error.hint ?? null }
  await note(work, item, {
    fence: [lease.fence],
    change: (known) => ({
      ...known,
      state: 'parked',
      parked: 'failed',
      attempts: known.attempts + 1,
      error: told,
      finished: known.finished + 1,
    }),
    flag: () => ({ state: 'failed', error: told }),
  })
  work.options.tell({
    event: 'failed',
    account: nameOf(item),
    code: error.code,
    message: error.message,
  })
}

async function doWork(work: Work, item: WorkItem, lease: Lease): Promise<void> {
  const { reader } = work
  if (chainOf(item) !== reader.chain) {
    throw new KnownError(
      'chain.mismatch',
      `the node serves ${reader.chain}, ${item.account ? 'the account' : 'the transaction'} is on ${chainOf(item)}`,
      { hint: 'Point a worker at a node of that chain.' },
    )
  }
  const meter = createMeter(work)
  const view = await viewOf(work)
  const turn = { lease, view, fence: [lease.fence, view.fence], meter }
  try {
    if (item.transaction) {
      const transfers = await readPayment(work, item, turn)
      await finish(work, item, { turn, transfers })
    } else if (item.account && !(await parkedUnread(work, item, turn))) {
      const isWhole = await readWallet(work, { ...item, account: item.account }, turn)
      if (isWhole) await finish(work, item, { turn, transfers: 0 })
    }
  } finally {
    // Also what a failure taught: a key that is refused, a range that is too large.
    await work.node.remember().catch(() => undefined)
  }
}

/** Asks an address that nobody knows how busy it is. @returns true where it is parked for that */
async function parkedUnread(work: Work, item: WorkItem, { meter, fence }: Turn): Promise<boolean> {
  if (!item.askFirst || item.continued || item.askedFirst || item.own.length > 0) return false
  const asked = await askedFirst(work.store, work.reader, item)
  if (!asked) return false
  const spent = meter.take({ blocks: 0, transfers: 0 })
  const tooBusy = isTooBusy(asked)
  const change = (known: WorkItem): WorkItem => ({
    ...known,
    askedFirst: asked,
    spent: spent(known.spent),
    ...(tooBusy ? { state: 'parked', parked: 'high_degree', finished: known.finished + 1 } : {}),
  })
  await changeWork(work.store, item.id, (known) => known && change(known), fence)
  if (tooBusy) {
    work.options.tell({
      event: 'parked',
      account: nameOf(item),
      why: 'high_degree',
      message: whyTooBusy(asked),
    })
  }
  return tooBusy
}

async function finish(
  work: Work,
  item: WorkItem,
  { turn, transfers }: { readonly turn: Turn; readonly transfers: number },
): Promise<void> {
  const throughBlock = turn.view.head.block
  const spent = turn.meter.take({ blocks: 0, transfers })
  await note(work, item, {
    fence: turn.fence,
    change: (known) => ({
      ...known,
      state: 'done',
      parked: null,
      error: null,
      attempts: 0,
      spent: spent(known.spent),
      throughBlock,
      finished: known.finished + 1,
    }),
    flag: (known) => ({ state: 'done', error: null, progress: whole(known, throughBlock) }),
  })
  work.options.tell({
    event: 'done',
    account: nameOf(item),
    throughBlock,
    calls: work.node.calls,
  })
}

/** Read through the head, also where nothing new had to be read, or the head is lower than it was. */
function whole({ progress }: Flag, head: number): FlagProgress {
  const before = progress ?? { fromBlock: 0, transfers: 0, blocksPerSecond: 0 }
  return { ...before, throughBlock: head, headBlock: head, remainingSeconds: 0 }
}
