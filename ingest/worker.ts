import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { readConfig } from '../src/config.ts'
import { type Account, accountChain, formatAccount } from '../src/ledger/account.ts'
import { type AssetId, parseAsset } from '../src/ledger/asset.ts'
import type { ChainId } from '../src/ledger/chain.ts'
import type { ConversionRecord } from '../src/ledger/conversionRecord.ts'
import { gapsIn } from '../src/ledger/coverage.ts'
import { KnownError } from '../src/ledger/errors.ts'
import { harmlessText } from '../src/ledger/text.ts'
import type { Kind } from '../src/ledger/transfer.ts'
import { wrappedCoins } from '../src/ledger/wrappedCoins.ts'
import { appendDocument } from '../src/store/documentLog.ts'
import { changeFlag, type Flag } from '../src/store/flags.ts'
import { openStore, type StorePlace } from '../src/store/open.ts'
import type { Store } from '../src/store/store.ts'
import {
  bestWork,
  changeWork,
  isFree,
  plannerState,
  readWork,
  type Spent,
  type WorkItem,
} from '../src/store/workQueue.ts'
import { type Anchor, addAnchors, anchorBlocks, dropAnchorsFrom, readAnchors } from './anchors.ts'
import { askedFirst, isTooBusy, whyTooBusy } from './busyAddress.ts'
import { createLease, type Lease, LeaseLost } from './lease.ts'
import { createProgressBar } from './progress.ts'
import {
  type ChainReader,
  connectChain,
  type ReadTransactions,
  suggestedRange,
} from './rpc/chainReader.ts'
import { createNode, RpcRefusal } from './rpc/node.ts'

export interface WorkerOptions {
  readonly store: StorePlace | string
  readonly rpc: string
  /** Ends when no flag is waiting. */
  readonly once: boolean
  readonly signal: AbortSignal
  /** Tries of one call before the node counts as unavailable. Default 6, over some twelve seconds. */
  readonly tries?: number
  /** Blocks unread from which on it pays to ask where a wallet begins. Default 50,000. */
  readonly worthAsking?: number
  /** How long a worker that died keeps others from its flag. Default 30 s. */
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
      readonly event: 'rolledBack'
      readonly account: string
      readonly fromBlock: number
      readonly orphans: number
    }

const startRange = 2_000
const largestRange = 10_000
const idleMs = 2_000

/** While somebody plans, the next wallet may be wanted in a moment. */
const plannedIdleMs = 100

/** A wallet whose reading fails for reasons that may pass is tried so often in a row, then it is parked. */
const mostTries = 12
const longestDelayMs = 600_000
const usualLeaseMs = 30_000
const usualWorthAsking = 50_000

/** `ingest/main.ts worker`: reads flagged wallets from a node. The URL comes by environment, since it may carry a key. */
export async function runWorkerCommand(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      store: { type: 'string' },
      once: { type: 'boolean' },
      json: { type: 'boolean' },
      rpc: { type: 'string' },
      'lease-ms': { type: 'string' },
      transaction: { type: 'string', multiple: true },
    },
  })
  const rpc = values.rpc ?? process.env['JEJAK_INGEST_RPC']
  if (rpc === undefined || !/^https?:\/\//.test(rpc)) {
    throw new KnownError('request.invalid', 'no http(s) node is named', {
      hint: 'Give --rpc http://host:port.',
    })
  }
  const stop = new AbortController()
  // A terminal tells the whole group, and who started this passes it on: told twice it still ends in good order.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort())
  const bar = createProgressBar(process.stderr)
  let failed = false
  const tell = (event: WorkerEvent): void => {
    failed ||= event.event === 'failed'
    if (values.json) process.stdout.write(`${JSON.stringify(event)}\n`)
    else tellPerson(event, bar)
  }
  const place = { location: values.store ?? './jejak-data', neo4j: readConfig(process.env).neo4j }
  if (values.transaction) {
    await readTransactions({ store: place, rpc, signal: stop.signal }, values.transaction)
    return 0
  }
  await runWorker({
    store: place,
    rpc,
    ...(values['lease-ms'] === undefined ? {} : { leaseMs: Number(values['lease-ms']) }),
    once: values.once ?? false,
    signal: stop.signal,
    tell,
  })
  return failed ? 4 : 0
}

function tellPerson(event: WorkerEvent, bar: ReturnType<typeof createProgressBar>): void {
  if (event.event === 'range') {
    bar.show({
      done: event.toBlock,
      total: event.headBlock,
      rows: event.toBlock - event.fromBlock + 1,
      unit: 'blocks',
    })
    return
  }
  bar.clear()
  if (event.event === 'connected') {
    const inner = event.traces === 'none' ? 'none: internal transfers stay a gap' : event.traces
    console.error(`Connected to ${event.chain} (${event.node}); traces by ${inner}`)
  } else if (event.event === 'parked')
    console.error(`${event.account}: parked: ${harmlessText(event.message)}`)
  else if (event.event === 'storeAway')
    console.error(`${harmlessText(event.message)}; again in ${event.seconds} seconds`)
  else if (event.event === 'delayed')
    console.error(
      `${event.account}: ${harmlessText(event.message)}; again in ${event.seconds} seconds`,
    )
  else if (event.event === 'done')
    console.error(
      `${event.account}: complete through block ${event.throughBlock} (${event.calls} calls so far)`,
    )
  else if (event.event === 'rolledBack')
    console.error(
      `${event.account}: the chain was reorganised; ${event.orphans} rows from block ${event.fromBlock} are orphans`,
    )
  else console.error(`${event.account}: ${harmlessText(event.message)}`)
}

/**
 * Takes what is wanted most, one after another, under a lease, and reads each wallet's history up to the head, resuming
 * where the coverage ends. What fails is marked with the reason; the worker goes on.
 *
 * A history is read from the first block, also where the money arrived late: which money pays for what (design 8.1)
 * depends on what was there before. Where the state of the chain shows that nothing was, that stretch is not read for
 * native coins; tokens come to an address without a trace in its state, so their logs always are.
 *
 * @throws KnownError `rpc.*` when the node cannot be reached at all, `store.*`
 */
export async function runWorker(options: WorkerOptions): Promise<void> {
  const store = await openStore(options.store)
  try {
    const wrapped = await wrappedAssets(store)
    const node = createNode(options.rpc, {
      signal: options.signal,
      ...(options.tries === undefined ? {} : { tries: options.tries }),
    })
    const reader = await connectChain(node, (asset) => wrapped.has(asset))
    await rememberEndpoint(store, node.name, reader)
    options.tell({
      event: 'connected',
      chain: reader.chain,
      traces: reader.traces,
      node: node.name,
    })
    const owner = randomUUID()
    const delays = new Map<string, Delay>()
    const payments = new Set<string>()
    let outages = 0
    while (!options.signal.aborted) {
      const worked = await workOnce({
        store,
        reader,
        node,
        owner,
        delays,
        payments,
        options,
      }).catch((error: unknown) => storeAway(error, outages, options))
      outages = typeof worked === 'object' ? outages + 1 : 0
      if (worked === 'worked') continue
      const plans = typeof worked === 'object' ? 'none' : await plannerState(store)
      if (worked === 'nothing' && options.once && plans !== 'planning') return
      const pauseMs =
        typeof worked === 'object' ? worked.delayMs : plans === 'none' ? idleMs : plannedIdleMs
      await sleep(pauseMs, undefined, { signal: options.signal }).catch(() => undefined)
    }
  } catch (error) {
    if (!options.signal.aborted) throw error
  } finally {
    await store.close()
  }
}

/**
 * Reads single transactions by their hashes, without a claim that anybody's history is known.
 *
 * @throws KnownError `rpc.*`, `transfer.not-found`, `store.*`
 */
async function readTransactions(
  options: Pick<WorkerOptions, 'store' | 'rpc' | 'signal'>,
  hashes: readonly string[],
): Promise<void> {
  const store = await openStore(options.store)
  try {
    const wrapped = await wrappedAssets(store)
    const node = createNode(options.rpc, { signal: options.signal })
    const reader = await connectChain(node, (asset) => wrapped.has(asset))
    const payments = new Set<string>()
    for (const tx of hashes)
      await storeTransaction({ store, node, payments }, await transactionOf(reader, tx))
  } finally {
    await store.close()
  }
}

const longestOutageDelayMs = 60_000

/** A shared store may be away for a while: restarted, or its leader changed. Leases end by themselves meanwhile. */
function storeAway(
  error: unknown,
  outages: number,
  { tell, signal, once }: WorkerOptions,
): { readonly delayMs: number } {
  const known = error instanceof KnownError && error.code.startsWith('store.') && error.retryable
  if (!known || signal.aborted || (once && outages + 1 === mostTries)) throw error
  const delayMs = Math.min(idleMs * 2 ** outages, longestOutageDelayMs)
  tell({ event: 'storeAway', message: error.message, seconds: delayMs / 1000 })
  return { delayMs }
}

async function wrappedAssets(store: Store): Promise<ReadonlySet<AssetId>> {
  const own = await store.listDocuments('wrapped')
  return new Set([...wrappedCoins.keys(), ...own.map(({ id }) => parseAsset(id))])
}

/** What the endpoint can do, without its URL. */
async function rememberEndpoint(store: Store, name: string, reader: ChainReader): Promise<void> {
  const known = await store.readDocument('endpoint', name)
  const value = { chain: reader.chain, traces: reader.traces }
  if (known && JSON.stringify(known.value) === JSON.stringify(value)) return
  await store.writeDocument('endpoint', name, known?.version ?? 0, value)
}

interface Work {
  readonly store: Store
  readonly reader: ChainReader
  readonly node: { readonly name: string; readonly calls: number }
  readonly owner: string
  readonly delays: Map<string, Delay>
  /** What pools paid, as far as this worker wrote it. */
  readonly payments: Set<string>
  readonly options: WorkerOptions
}

/** After faults that may pass: how many in a row, and when (by `performance.now()`) the next try is due. */
interface Delay {
  readonly faults: number
  readonly until: number
}

/** Does the best work that is free and due. `held`: others are at work on all that is left, or it is delayed. */
async function workOnce(work: Work): Promise<'worked' | 'held' | 'nothing'> {
  let held = false
  for (const { id } of (await bestWork(work.store)).filter((item) => isOurs(work, item))) {
    const lease = createLease(work.store, `flag ${id}`, {
      owner: work.owner,
      lastsMs: work.options.leaseMs ?? usualLeaseMs,
    })
    const until = work.delays.get(id)?.until ?? 0
    // Not by this worker, which runs once.
    if (until === Number.POSITIVE_INFINITY) continue
    if (until > performance.now() || !(await lease.take())) {
      held = true
      continue
    }
    try {
      // Somebody else may have finished it since it was listed.
      const item = await readWork(work.store, id)
      if (item && isFree(item)) await doWork(work, item, lease)
      work.delays.delete(id)
    } catch (error) {
      const item = await knownAfter(work, id, error)
      if (!(error instanceof LeaseLost)) await delayOrFail(work, item, error as KnownError)
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

function chainOf(item: WorkItem): ChainId {
  return item.account ? accountChain(item.account) : (item.transaction?.chain as ChainId)
}

/** The item as it is after a fault that is known. @throws the fault, where it is a bug or the worker shall stop */
async function knownAfter(work: Work, id: string, error: unknown): Promise<WorkItem> {
  if (work.options.signal.aborted || !(error instanceof KnownError)) throw error
  // A store that is away says nothing about the wallet, and could not note it.
  if (error.code.startsWith('store.') && error.retryable) {
    work.delays.delete(id)
    throw error
  }
  const item = await readWork(work.store, id)
  if (!item) throw error
  return item
}

/**
 * What may pass is tried again, later and later. A worker that runs once does not wait for it: what was flagged itself
 * has failed then, what was found on the way waits for the next worker.
 */
async function delayOrFail(work: Work, item: WorkItem, error: KnownError): Promise<void> {
  const { once, tell } = work.options
  const faults = (work.delays.get(item.id)?.faults ?? 0) + 1
  work.delays.delete(item.id)
  const isLast = item.attempts + 1 >= mostTries || (once && item.own.length > 0)
  if (!error.retryable || isLast) return fail(work, item, error)
  const delayMs = once ? undefined : Math.min(idleMs * 2 ** (faults - 1), longestDelayMs)
  const until = delayMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + delayMs
  work.delays.set(item.id, { faults, until })
  const told = { code: error.code, message: error.message, hint: error.hint ?? null }
  await note(
    work,
    item,
    (known) => ({ ...known, state: 'waiting', attempts: known.attempts + 1, error: told }),
    { state: 'waiting', error: told },
  )
  const account = nameOf(item)
  const { code, message } = error
  if (delayMs === undefined) tell({ event: 'failed', account, code, message })
  else tell({ event: 'delayed', account, message, seconds: delayMs / 1000 })
}

async function fail(work: Work, item: WorkItem, error: KnownError): Promise<void> {
  const told = { code: error.code, message: error.message, hint: error.hint ?? null }
  await note(
    work,
    item,
    (known) => ({
      ...known,
      state: 'parked',
      parked: 'failed',
      attempts: known.attempts + 1,
      error: told,
      finished: known.finished + 1,
    }),
    { state: 'failed', error: told },
  )
  work.options.tell({
    event: 'failed',
    account: nameOf(item),
    code: error.code,
    message: error.message,
  })
}

/** Writes down what became of an item, and on the flags of which it is itself what was flagged. */
async function note(
  { store }: Work,
  item: WorkItem,
  change: (known: WorkItem) => WorkItem,
  flag: Partial<Flag>,
): Promise<void> {
  await changeWork(store, item.id, (known) => known && change(known))
  for (const id of item.own) await changeFlag(store, id, (known) => known && { ...known, ...flag })
}

function nameOf({ account, id }: WorkItem): string {
  return account ? formatAccount(account) : id
}

async function doWork(work: Work, item: WorkItem, lease: Lease): Promise<void> {
  const { reader } = work
  if (chainOf(item) !== reader.chain) {
    throw new KnownError(
      'chain.mismatch',
      `the node serves ${reader.chain}, ${item.account ? 'the account' : 'the transaction'} is on ${chainOf(item)}`,
      {
        hint: 'Point a worker at a node of that chain.',
      },
    )
  }
  const meter = meterOf(work)
  await undoReorganisation(work, nameOf(item))
  if (item.transaction) await readPayment(work, item, { lease, meter })
  else if (item.account && !(await parkedUnread(work, item, meter)))
    await readWallet(work, { ...item, account: item.account }, { lease, meter })
}

/** Counts what an item costs; `take` gives what was not given yet. */
interface Meter {
  take(add: { readonly blocks: number; readonly transfers: number }): (spent: Spent) => Spent
}

function meterOf({ node }: Work): Meter {
  let [calls, at] = [node.calls, performance.now()]
  return {
    take({ blocks, transfers }) {
      const added = { calls: node.calls - calls, seconds: (performance.now() - at) / 1000 }
      ;[calls, at] = [node.calls, performance.now()]
      return (spent) => ({
        calls: spent.calls + added.calls,
        blocks: spent.blocks + blocks,
        transfers: spent.transfers + transfers,
        seconds: Math.round((spent.seconds + added.seconds) * 1000) / 1000,
      })
    },
  }
}

/** A payment that was flagged by its hash: its transaction alone, without a claim that anybody is covered. */
async function readPayment(
  work: Work,
  item: WorkItem,
  { lease, meter }: { readonly lease: Lease; readonly meter: Meter },
): Promise<void> {
  const read = await transactionOf(work.reader, item.transaction?.tx ?? '')
  await lease.renew()
  const added = await storeTransaction(work, read)
  await finish(work, item, {
    spent: meter.take({ blocks: 0, transfers: added }),
    throughBlock: await work.reader.head(),
  })
}

/** @throws KnownError `transfer.not-found` */
async function transactionOf(reader: ChainReader, tx: string): Promise<ReadTransactions> {
  const read = await reader.readTransaction(tx)
  if (read) return read
  throw new KnownError('transfer.not-found', `the node has no transaction ${tx}`, {
    facts: { tx },
    hint: 'Check the hash and its chain; one that is not mined yet can be asked for again later.',
  })
}

async function storeTransaction(
  work: Pick<Work, 'store' | 'node' | 'payments'>,
  { transfers, payments }: ReadTransactions,
): Promise<number> {
  await rememberPayments(work, payments)
  const { added } = await work.store.append({
    transfers,
    source: work.node.name,
    assurance: 1,
    coverage: [],
  })
  return added
}

/** Asks an address that nobody knows how busy it is. @returns true where it is parked for that */
async function parkedUnread(work: Work, item: WorkItem, meter: Meter): Promise<boolean> {
  if (!item.askFirst || item.continued || item.askedFirst || item.own.length > 0) return false
  const asked = await askedFirst(work.store, work.reader, item)
  if (!asked) return false
  const spent = meter.take({ blocks: 0, transfers: 0 })
  const tooBusy = isTooBusy(asked)
  await changeWork(
    work.store,
    item.id,
    (known) =>
      known && {
        ...known,
        askedFirst: asked,
        spent: spent(known.spent),
        ...(tooBusy
          ? { state: 'parked', parked: 'high_degree', finished: known.finished + 1 }
          : {}),
      },
  )
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
  {
    spent,
    throughBlock,
  }: { readonly spent: (spent: Spent) => Spent; readonly throughBlock: number },
): Promise<void> {
  await note(
    work,
    item,
    (known) => ({
      ...known,
      state: 'done',
      parked: null,
      error: null,
      attempts: 0,
      spent: spent(known.spent),
      throughBlock,
      finished: known.finished + 1,
    }),
    { state: 'done', error: null },
  )
  work.options.tell({
    event: 'done',
    account: nameOf(item),
    throughBlock,
    calls: work.node.calls,
  })
}

async function readWallet(
  work: Work,
  item: WorkItem & { readonly account: Account },
  { lease, meter }: { readonly lease: Lease; readonly meter: Meter },
): Promise<void> {
  const { store, reader, options } = work
  const { account } = item
  const head = await reader.head()
  refuseBehind(item, head)
  await anchorHead(work, head)
  await skipUntouched(work, account, head)
  const started = { at: performance.now(), block: -1 }
  let [size, largest] = [startRange, largestRange]
  let transfers = 0
  for (
    let next = await firstGap(work, account, head);
    next !== undefined;
    next = await firstGap(work, account, head)
  ) {
    options.signal.throwIfAborted()
    if (started.block < 0) started.block = next.from
    const range = { from: next.from, to: Math.min(next.from + size - 1, next.to) }
    const read = await readOrShrink(reader, account, { ...range, kinds: next.kinds })
    if ('blocks' in read) {
      size = read.blocks
      if (read.told) largest = read.blocks
      continue
    }
    await lease.renew()
    const coverage = next.kinds.map((kind) => ({
      account,
      kind,
      fromBlock: range.from,
      toBlock: range.to,
      assurance: 1 as const,
      source: work.node.name,
    }))
    await rememberPayments(work, read.payments)
    const { added } = await store.append({
      transfers: read.transfers,
      source: work.node.name,
      assurance: 1,
      coverage,
    })
    transfers += added
    const spent = meter.take({ blocks: range.to - range.from + 1, transfers: added })
    await showProgress(work, item, { range, head, transfers, started, spent })
    if (await isOverBudget(work, item)) return
    size = Math.min(size * 2, largest)
  }
  await finish(work, item, {
    spent: meter.take({ blocks: 0, transfers: 0 }),
    throughBlock: head,
  })
}

/** Read through an older block than the others, a wallet would be wanted again at once. */
function refuseBehind({ through }: WorkItem, head: number): void {
  if (through === null || head >= through) return
  throw new KnownError(
    'rpc.unavailable',
    `the node is at block ${head}, and ${through} is wanted`,
    {
      facts: { head, through },
      hint: 'It is behind: try again later, or use another endpoint.',
      retryable: true,
    },
  )
}

/** What a flag may cost is checked between two ranges; what was read stays, and is not read again. */
async function isOverBudget(work: Work, item: WorkItem): Promise<boolean> {
  let over = false
  const known = await changeWork(work.store, item.id, (item) => {
    if (!item?.limits) return item
    const { limits, spent } = item
    over = spent.calls > limits.calls || spent.blocks > limits.blocks
    return over ? { ...item, state: 'parked', parked: 'budget', finished: item.finished + 1 } : item
  })
  if (!over || !known) return false
  work.options.tell({
    event: 'parked',
    account: nameOf(item),
    why: 'budget',
    message: `${known.spent.calls} calls for ${known.spent.blocks} blocks are more than the budget of its flags allows`,
  })
  return true
}

/** Wallets under investigation deal with one another: what was told of a transaction once is not told again. */
const rememberedPayments = 100_000

/** Before the rows, so that a crash in between costs nothing: blocks that are not covered are read again. */
async function rememberPayments(
  { store, payments }: Pick<Work, 'store' | 'payments'>,
  read: readonly ConversionRecord[],
): Promise<void> {
  const isNew = (record: ConversionRecord): boolean => !payments.has(JSON.stringify(record))
  const transactions = new Set(read.filter(isNew).map(({ tx }) => tx))
  // All of a transaction or nothing: what is read last of it holds.
  const records = read.filter(({ tx }) => transactions.has(tx))
  if (records.length === 0) return
  await appendDocument(store, 'conversion', { records })
  if (payments.size > rememberedPayments) payments.clear()
  for (const record of records) payments.add(JSON.stringify(record))
}

/** Kinds that an untouched address cannot have: tokens come to it without its doing. */
const nativeKinds: ReadonlySet<Kind> = new Set(['native', 'internal', 'fee'])

/** A wallet that is younger than the chain: what the state shows of the time before needs no reading. */
async function skipUntouched(work: Work, account: Account, head: number): Promise<void> {
  const { store, reader, node, options } = work
  const first = await firstGap(work, account, head)
  const worth = options.worthAsking ?? usualWorthAsking
  if (!reader.untouchedThrough || first?.from !== 0 || first.to < worth) return
  const toBlock = (await reader.untouchedThrough(account, head)) ?? -1
  if (toBlock < 0) return
  const kinds = reader.complete.filter((kind) => nativeKinds.has(kind))
  const claim = { account, fromBlock: 0, toBlock, assurance: 1 as const, source: node.name }
  const coverage = kinds.map((kind) => ({ ...claim, kind }))
  await store.append({ transfers: [], source: node.name, assurance: 1, coverage })
}

interface Gap {
  readonly from: number
  readonly to: number
  /** All kinds that are not covered there. */
  readonly kinds: readonly Kind[]
}

/** The first blocks that are not covered for every kind this node can tell, as far as the same kinds are missing. */
async function firstGap(work: Work, account: Account, head: number): Promise<Gap | undefined> {
  const claims = await work.store.coverage(new Set([account]))
  const gaps = work.reader.complete.flatMap((kind) => {
    const known = claims.filter((claim) => claim.kind === kind && claim.assurance >= 1)
    const missing = gapsIn(
      { from: 0, to: head },
      known.map(({ fromBlock: from, toBlock: to }) => ({ from, to })),
    )
    return missing.map((gap) => ({ ...gap, kind }))
  })
  if (gaps.length === 0) return undefined
  const from = Math.min(...gaps.map((gap) => gap.from))
  const here = gaps.filter((gap) => gap.from === from)
  const later = gaps.filter((gap) => gap.from > from).map((gap) => gap.from - 1)
  return {
    from,
    to: Math.min(...here.map((gap) => gap.to), ...later),
    kinds: here.map(({ kind }) => kind),
  }
}

/** What to try instead of a range that the node refuses; `told` when it said how many blocks it takes. */
interface Smaller {
  readonly blocks: number
  readonly told: boolean
}

/** The transfers, or the number of blocks to try instead when the node refuses so many. */
async function readOrShrink(
  reader: ChainReader,
  wallet: Account,
  range: Gap,
): Promise<Awaited<ReturnType<ChainReader['read']>> | Smaller> {
  try {
    return await reader.read(wallet, range, range.kinds)
  } catch (error) {
    const blocks = range.to - range.from + 1
    if (!(error instanceof RpcRefusal) || blocks === 1) throw error
    const suggested = suggestedRange(error)
    return suggested !== undefined && suggested < blocks
      ? { blocks: suggested, told: true }
      : { blocks: Math.max(1, blocks >> 1), told: false }
  }
}

async function showProgress(
  work: Work,
  item: WorkItem,
  state: {
    readonly range: { readonly from: number; readonly to: number }
    readonly head: number
    readonly transfers: number
    readonly started: { readonly at: number; readonly block: number }
    readonly spent: (spent: Spent) => Spent
  },
): Promise<void> {
  const { range, head, transfers, started, spent } = state
  const seconds = (performance.now() - started.at) / 1000
  const blocksPerSecond = Math.round((range.to - started.block + 1) / Math.max(seconds, 0.001))
  const progress = {
    fromBlock: started.block,
    throughBlock: range.to,
    headBlock: head,
    transfers,
    blocksPerSecond,
    remainingSeconds: blocksPerSecond > 0 ? Math.ceil((head - range.to) / blocksPerSecond) : null,
  }
  await note(work, item, (known) => ({ ...known, state: 'working', spent: spent(known.spent) }), {
    state: 'working',
    progress,
  })
  work.options.tell({
    event: 'range',
    account: nameOf(item),
    fromBlock: range.from,
    toBlock: range.to,
    headBlock: head,
    transfers,
  })
}

/** Blocks read before may no longer be on the chain: back to the last anchor that is, and read again from there. */
async function undoReorganisation(work: Work, account: string): Promise<void> {
  const { store, reader } = work
  const head = await reader.head()
  // A node that lags behind contradicts nothing: what is above its head is judged when it gets there.
  const anchors = (await readAnchors(store, reader.chain)).filter(({ block }) => block <= head)
  let common = anchors.length - 1
  while (common >= 0 && !(await isOnChain(reader, anchors[common]))) common--
  if (common === anchors.length - 1) return
  const fromBlock = (anchors[common]?.block ?? -1) + 1
  const orphans = await store.rollBack(reader.chain, fromBlock)
  await dropAnchorsFrom(store, reader.chain, fromBlock)
  work.options.tell({ event: 'rolledBack', account, fromBlock, orphans })
}

/** @throws KnownError `rpc.unavailable` when the node does not give the block though its head is above it */
async function isOnChain(reader: ChainReader, anchor: Anchor | undefined): Promise<boolean> {
  if (!anchor) return false
  const hash = await reader.blockHash(anchor.block)
  if (hash !== undefined) return hash === anchor.hash
  throw new KnownError('rpc.unavailable', `the node does not give block ${anchor.block}`, {
    facts: { block: anchor.block },
    hint: 'It may be behind: try again later, or use another endpoint.',
    retryable: true,
  })
}

/** Anchors below a head that has none yet. */
async function anchorHead(work: Work, head: number): Promise<void> {
  const known = new Set(
    (await readAnchors(work.store, work.reader.chain)).map(({ block }) => block),
  )
  if (known.has(head)) return
  const fresh: Anchor[] = []
  for (const block of anchorBlocks(head)) {
    const hash = known.has(block) ? undefined : await work.reader.blockHash(block)
    if (hash !== undefined) fresh.push({ block, hash })
  }
  await addAnchors(work.store, work.reader.chain, fresh)
}
