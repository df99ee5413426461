import { randomUUID } from 'node:crypto'
import { parseArgs } from 'node:util'
import { readConfig } from '../src/config.ts'
import { type Account, accountChain, formatAccount } from '../src/ledger/account.ts'
import { type AssetId, parseAsset } from '../src/ledger/asset.ts'
import type { ConversionRecord } from '../src/ledger/conversionRecord.ts'
import { gapsIn } from '../src/ledger/coverage.ts'
import { KnownError } from '../src/ledger/errors.ts'
import { freezableTokens } from '../src/ledger/issuers.ts'
import { harmlessText } from '../src/ledger/text.ts'
import { wrappedCoins } from '../src/ledger/wrappedCoins.ts'
import { conflictIn } from '../src/store/conflict.ts'
import { appendDocument } from '../src/store/documentLog.ts'
import { changeFlag, type Flag, type FlagProgress, listFlags } from '../src/store/flags.ts'
import { openStore, type StorePlace } from '../src/store/open.ts'
import { readOwnChain } from '../src/store/ownChains.ts'
import type { Fence, Store } from '../src/store/store.ts'
import {
  ChainMoved,
  type ChainView,
  checkView,
  type RolledBack,
  viewBelowFinality,
  viewChain,
} from './chainView.ts'
import { type Counters, createCounters } from './counters.ts'
import { type Descriptions, openDescriptions } from './describe.ts'
import { connectEndpoints, type Endpoints } from './endpoints.ts'
import { connectExplorer, type ExplorerOptions, explorerOptions } from './explorer/connect.ts'
import { type FreezeLog, openFreezeLog } from './freezeLog.ts'
import { createLease, type Lease, type Sightings } from './lease.ts'
import { createProgressBar } from './progress.ts'
import { createReadAhead } from './readAhead.ts'
import type { ChainReader } from './rpc/chainReader.ts'
import { type Clock, wallClock } from './rpc/clock.ts'
import type { Exchange } from './rpc/exchange.ts'

export interface WorkerOptions {
  /** Where it is, or what opens it. */
  readonly store: StorePlace | string | (() => Promise<Store>)
  /** http(s) URLs of nodes of one chain, best first, or an explorer; never told. */
  readonly rpc: string | readonly string[] | ExplorerOptions
  /** Take names that stand for addresses of a private network. */
  readonly allowPrivate?: boolean
  /** Ends when no flag is waiting. */
  readonly once: boolean
  readonly signal: AbortSignal
  /** Tries of one call before the node counts as unavailable. Default 6, over some twelve seconds. */
  readonly tries?: number
  /** For tests: time, and the wire. */
  readonly clock?: Clock
  readonly exchange?: Exchange
  /** How long a worker that died keeps others from its flag. Default 15 s. */
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
      readonly event: 'rolledBack'
      readonly chain: string
      readonly fromBlock: number
      /** Rows that became tombstones. */
      readonly orphans: number
      /** Wallets that are read again. */
      readonly reopened: number
    }

const idleMs = 2_000

/** A wallet whose reading fails for reasons that may pass is tried so often in a row, then it is parked. */
const mostTries = 12
const longestDelayMs = 600_000
const usualLeaseMs = 15_000

/** So many workers in a row that fell silent over a wallet are no accident. */
const mostAbandoned = 5

/** A reading that is overtaken by reorganisations is begun anew so often at once. */
const mostMoves = 5

/** An idle worker looks at the chain so often, since a reorganisation reopens what was done. */
const lookMs = 15_000

/** `ingest/main.ts worker`: reads flagged wallets from a node. The URL comes by environment, since it may carry a key. */
export async function runWorkerCommand(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      store: { type: 'string' },
      once: { type: 'boolean' },
      json: { type: 'boolean' },
      rpc: { type: 'string', multiple: true },
      'allow-private': { type: 'boolean' },
      explorer: { type: 'string' },
      chain: { type: 'string' },
      behind: { type: 'string' },
      rate: { type: 'string' },
      'lease-ms': { type: 'string' },
    },
  })
  const config = readConfig(process.env)
  const rpc =
    values.explorer === undefined
      ? nodeUrls(values.rpc)
      : explorerOptions(values.explorer, values, config.explorerKey)
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())
  const bar = createProgressBar(process.stderr)
  let failed = false
  const tell = (event: WorkerEvent): void => {
    failed ||= event.event === 'failed'
    if (values.json) process.stdout.write(`${JSON.stringify(event)}\n`)
    else tellPerson(event, bar)
  }
  await runWorker({
    store: { location: values.store ?? './jejak-data', neo4j: config.neo4j },
    rpc,
    allowPrivate: values['allow-private'] ?? config.allowPrivateRpc,
    ...(values['lease-ms'] === undefined ? {} : { leaseMs: Number(values['lease-ms']) }),
    once: values.once ?? false,
    signal: stop.signal,
    tell,
  })
  return failed ? 4 : 0
}

function nodeUrls(given: readonly string[] | undefined): readonly string[] {
  const urls = given ?? process.env['JEJAK_INGEST_RPC']?.split(',') ?? []
  if (urls.length > 0 && urls.every((url) => /^https?:\/\//.test(url) && URL.canParse(url)))
    return urls
  throw new KnownError('request.invalid', 'no http(s) node is named', {
    hint: 'Give --rpc http://host:port.',
  })
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
  } else if (event.event === 'storeAway')
    console.error(`${harmlessText(event.message)}; again in ${event.seconds} seconds`)
  else if (event.event === 'delayed')
    console.error(
      `${event.account}: ${harmlessText(event.message)}; again in ${event.seconds} seconds`,
    )
  else if (event.event === 'done')
    console.error(
      `${event.account}: complete through block ${event.throughBlock} (${event.calls} calls so far)`,
    )
  else if (event.event === 'nodeAway')
    console.error(`${harmlessText(event.message)}; again in ${event.seconds} seconds`)
  else if (event.event === 'held')
    console.error('Other workers are at what is left; what they do not go on with is taken over.')
  else if (event.event === 'endpoint')
    console.error(`${event.node} is ${event.state}: ${harmlessText(event.message)}`)
  else if (event.event === 'rolledBack')
    console.error(
      `${event.chain}: the chain was reorganised; ${event.orphans} rows from block ${event.fromBlock} are orphans, ${event.reopened} wallets are read again`,
    )
  else console.error(`${event.account}: ${harmlessText(event.message)}`)
}

/**
 * Leases waiting flags one after another and reads each wallet's history up to the head, resuming where the coverage
 * ends. A flag that fails is marked with the reason; the worker goes on.
 *
 * @throws KnownError `rpc.*` when the node cannot be reached at all, `store.*`
 */
export async function runWorker(options: WorkerOptions): Promise<void> {
  const store = await (typeof options.store === 'function'
    ? options.store()
    : openStore(options.store))
  try {
    const wrapped = await wrappedAssets(store)
    const isWrapped = (asset: AssetId): boolean => wrapped.has(asset)
    const freezable = await freezableAssets(store)
    const clock = options.clock ?? wallClock
    const source = await connectSource(store, options, { isWrapped, freezable })
    const { reader } = source
    options.tell({
      event: 'connected',
      chain: reader.chain,
      traces: source.traces,
      node: reader.name,
    })
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
  } catch (error) {
    if (!options.signal.aborted) throw error
  } finally {
    await store.close()
  }
}

async function workOn(work: Work): Promise<void> {
  const { options, clock } = work
  let outages = 0
  let lookAt = clock.now()
  let last = ''
  while (!options.signal.aborted) {
    const worked = await workOrLook(work, lookAt).catch((error: unknown) =>
      outage(error, outages, options),
    )
    outages = typeof worked === 'object' ? outages + 1 : 0
    if (worked === 'looked') lookAt = clock.now() + lookMs
    if (worked === 'looked' && options.once) return
    if (worked === 'held' && last !== 'held') options.tell({ event: 'held' })
    if (typeof worked === 'string') last = worked
    const pauseMs = typeof worked === 'object' ? worked.delayMs : idleMs
    if (worked !== 'worked') await clock.sleep(pauseMs, options.signal).catch(() => undefined)
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
    const isAway = error instanceof KnownError && error.code === 'rpc.unavailable'
    if (!isAway || !work.options.once) throw error
  })
  return reopened > 0 ? 'worked' : 'looked'
}

/** An explorer is read below what may be replaced only, and does not undo what a node told. */
async function viewOf(work: Work): Promise<ChainView> {
  return work.reader.assurance === 0
    ? viewBelowFinality(work)
    : viewChain({ ...work, told: (event) => tellRollBack(work, event) })
}

function tellRollBack({ options, counters }: Work, event: RolledBack): void {
  counters.add({ rollBacks: 1, orphans: event.orphans })
  options.tell({ event: 'rolledBack', ...event })
}

const longestOutageDelayMs = 60_000

/**
 * A shared store may be away for a while: restarted, or its leader changed. Leases end by themselves meanwhile. And
 * so may the node of an idle worker.
 */
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

async function wrappedAssets(store: Store): Promise<ReadonlySet<AssetId>> {
  const own = await store.listDocuments('wrapped')
  return new Set([...wrappedCoins.keys(), ...own.map(({ id }) => parseAsset(id))])
}

/** Tokens that can be frozen: shipped ones, and an operator's own in documents of the collection `freezable`. */
async function freezableAssets(store: Store): Promise<ReadonlySet<AssetId>> {
  const own = await store.listDocuments('freezable')
  return new Set([...freezableTokens, ...own.map(({ id }) => parseAsset(id))])
}

/** Nodes or an explorer, whichever an operator named. */
interface ConnectedSource extends Pick<Endpoints, 'calls' | 'remember'> {
  readonly reader: ChainReader
  readonly traces: string
  readonly refusals?: number
}

async function connectSource(
  store: Store,
  { rpc, signal, tries, allowPrivate, exchange, clock, tell }: WorkerOptions,
  known: {
    readonly isWrapped: (asset: AssetId) => boolean
    readonly freezable: ReadonlySet<AssetId>
  },
): Promise<ConnectedSource> {
  if (typeof rpc === 'object' && 'dialect' in rpc) {
    const own = await readOwnChain(store, rpc.chain)
    const behind = rpc.behind ?? own?.finality
    return connectExplorer({ ...rpc, behind }, { ...known, signal, tries })
  }
  const endpoints = await connectEndpoints({
    store,
    urls: typeof rpc === 'string' ? [rpc] : rpc,
    ...known,
    ...(clock ? { clock } : {}),
    node: {
      signal,
      ...(tries === undefined ? {} : { tries }),
      ...(allowPrivate === undefined ? {} : { allowPrivate }),
      ...(exchange ? { exchange } : {}),
    },
    tell: ({ name, away, why }) =>
      tell({ event: 'endpoint', node: name, state: away ? 'away' : 'in use', message: why }),
  })
  return {
    reader: endpoints.reader,
    traces: endpoints.reader.current.traces,
    get calls() {
      return endpoints.calls
    },
    get refusals() {
      return endpoints.refusals
    },
    remember: () => endpoints.remember(),
  }
}

interface Work {
  readonly store: Store
  readonly reader: ChainReader
  readonly node: Pick<ConnectedSource, 'calls' | 'remember'>
  readonly clock: Clock
  readonly counters: Counters
  readonly owner: string
  readonly sightings: Sightings
  readonly delays: Map<Account, Delay>
  /** What pools paid, as far as this worker wrote it. */
  readonly payments: Set<string>
  readonly freezes: FreezeLog
  readonly descriptions: Descriptions
  readonly options: WorkerOptions
}

/** After faults that may pass: how many in a row, and when by the worker's clock the next try is due. */
interface Delay {
  readonly faults: number
  readonly until: number
}

/** Does the first flag that is free and due. `held`: others are at work on all that is left, or it is delayed. */
async function workOnce(work: Work): Promise<'worked' | 'held' | 'nothing'> {
  let held = false
  for (const flag of await listFlags(work.store)) {
    if (flag.state !== 'waiting' && flag.state !== 'working') continue
    const lease = createLease(work.store, `flag ${flag.account}`, {
      ...work,
      lastsMs: work.options.leaseMs ?? usualLeaseMs,
    })
    const due = (work.delays.get(flag.account)?.until ?? 0) <= work.clock.now()
    if (!due || !(await lease.take())) {
      held = true
      continue
    }
    try {
      await readUnlessMoved(work, flag, lease)
      work.delays.delete(flag.account)
    } catch (error) {
      await afterFault(work, flag, lease, error)
    } finally {
      // Where the store is away the lease ends by itself, and the first error is the one that says why.
      await lease.release().catch(() => undefined)
    }
    return 'worked'
  }
  return held ? 'held' : 'nothing'
}

/** A chain that is reorganised while it is read is looked at and read anew. */
async function readUnlessMoved(work: Work, flag: Flag, lease: Lease): Promise<void> {
  if (lease.abandoned >= mostAbandoned) throw abandonedTooOften(lease.abandoned)
  for (let moves = 1; ; moves++) {
    try {
      await readWallet(work, flag, lease)
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

async function afterFault(work: Work, flag: Flag, lease: Lease, error: unknown): Promise<void> {
  // Another worker took over, since this one was not heard of for too long: no fault of the wallet.
  if (conflictIn(error) === 'lease') return
  if (work.options.signal.aborted || !(error instanceof KnownError)) {
    await giveBack(work, flag, lease)
    throw error
  }
  // It says nothing about the wallet, and all others would meet it.
  if (error.code === 'chain.contradicted') throw error
  await delayOrFail(work, flag, lease, error).catch((failure: unknown) => {
    if (conflictIn(failure) !== 'lease') throw failure
  })
}

async function giveBack({ store }: Work, { account }: Flag, lease: Lease): Promise<void> {
  const back = (known: Flag | undefined): Flag | undefined =>
    known && { ...known, state: known.state === 'working' ? 'waiting' : known.state }
  // Where that cannot be written any more the wallet is taken over all the same.
  await changeFlag(store, account, back, [lease.fence]).catch(() => undefined)
}

/** What may pass is tried again, later and later; a worker that runs once does not wait for it. */
async function delayOrFail(work: Work, flag: Flag, lease: Lease, error: KnownError): Promise<void> {
  const faults = (work.delays.get(flag.account)?.faults ?? 0) + 1
  work.delays.delete(flag.account)
  // A store that is away says nothing about the wallet, and could not note it.
  if (error.code.startsWith('store.') && error.retryable) throw error
  if (!error.retryable || work.options.once || faults === mostTries)
    return fail(work, flag, lease, error)
  const delayMs = Math.min(idleMs * 2 ** (faults - 1), longestDelayMs)
  work.delays.set(flag.account, { faults, until: work.clock.now() + delayMs })
  const told = { code: error.code, message: error.message, hint: error.hint ?? null }
  await changeFlag(
    work.store,
    flag.account,
    (known) => known && { ...known, state: 'waiting', error: told },
    [lease.fence],
  )
  work.options.tell({
    event: 'delayed',
    account: formatAccount(flag.account),
    message: error.message,
    seconds: delayMs / 1000,
  })
}

async function fail(work: Work, flag: Flag, lease: Lease, error: KnownError): Promise<void> {
  const told = { code: error.code, message: error.message, hint: error.hint ?? null }
  await changeFlag(
    work.store,
    flag.account,
    (known) => known && { ...known, state: 'failed', error: told },
    [lease.fence],
  )
  work.options.tell({
    event: 'failed',
    account: formatAccount(flag.account),
    code: error.code,
    message: error.message,
  })
}

async function readWallet(work: Work, flag: Flag, lease: Lease): Promise<void> {
  const { store, reader, options } = work
  if (accountChain(flag.account) !== reader.chain) {
    throw new KnownError(
      'chain.mismatch',
      `the node serves ${reader.chain}, the account is on ${accountChain(flag.account)}`,
      {
        hint: 'Point a worker at a node of that chain.',
      },
    )
  }
  const view = await viewOf(work)
  const head = view.head.block
  const fence = [lease.fence, view.fence]
  try {
    await readGaps(work, flag, { lease, view, fence })
  } finally {
    // Also what a failure taught: a key that is refused, a range that is too large.
    await work.node.remember().catch(() => undefined)
  }
  await changeFlag(
    store,
    flag.account,
    (known) => known && { ...known, state: 'done', error: null, progress: whole(known, head) },
    fence,
  )
  options.tell({
    event: 'done',
    account: formatAccount(flag.account),
    throughBlock: head,
    calls: work.node.calls,
  })
}

/** Read through the head, also where nothing new had to be read, or the head is lower than it was. */
function whole({ progress }: Flag, head: number): FlagProgress {
  const before = progress ?? { fromBlock: 0, transfers: 0, blocksPerSecond: 0 }
  return { ...before, throughBlock: head, headBlock: head, remainingSeconds: 0 }
}

/** Reads what is not covered yet, and stores it piece by piece. */
async function readGaps(
  work: Work,
  flag: Flag,
  {
    lease,
    view,
    fence,
  }: { readonly lease: Lease; readonly view: ChainView; readonly fence: readonly Fence[] },
): Promise<void> {
  const { store, reader, options } = work
  const head = view.head.block
  const started = { at: work.clock.now(), block: -1 }
  const ahead = createReadAhead(reader, flag.account, work.clock)
  let transfers = 0
  for (
    let next = await firstGap(work, flag.account, head);
    next !== undefined;
    next = await firstGap(work, flag.account, head)
  ) {
    options.signal.throwIfAborted()
    if (started.block < 0) started.block = next.from
    const { read, range, by } = await ahead.read(next)
    await checkView(view, reader, range.to)
    const { name: source, assurance } = by
    const coverage = by.complete.map((kind) => ({
      account: flag.account,
      kind,
      fromBlock: range.from,
      toBlock: range.to,
      assurance,
      source,
    }))
    await rememberPayments(work, view, { records: read.payments, fence })
    if (read.freezes) await work.freezes.note(read.freezes, fence)
    const rows = { transfers: read.transfers, source, assurance, coverage, fence }
    const { added } = await store.append(rows)
    await lease.advanced()
    transfers += added
    if (reader.contracts) {
      const asked = { transfers: read.transfers, block: head }
      await work.descriptions.note(reader.contracts, flag.account, asked)
    }
    work.counters.add({ blocks: range.to - range.from + 1, transfers: added, headBlock: head })
    await work.counters.tell()
    await showProgress(work, flag.account, { range, head, transfers, started, fence })
  }
}

/** Wallets under investigation deal with one another: what was told of a transaction once is not told again. */
const rememberedPayments = 100_000

/** Before the rows, so that a crash in between costs nothing: blocks that are not covered are read again. */
async function rememberPayments(
  { store, payments }: Work,
  view: ChainView,
  read: { readonly records: readonly ConversionRecord[]; readonly fence: readonly Fence[] },
): Promise<void> {
  // After a reorganisation others may have told something else of the same transaction in between.
  const key = (record: ConversionRecord): string =>
    `${view.fence.version} ${JSON.stringify(record)}`
  const isNew = (record: ConversionRecord): boolean => !payments.has(key(record))
  const transactions = new Set(read.records.filter(isNew).map(({ tx }) => tx))
  // All of a transaction or nothing: what is read last of it holds.
  const records = read.records.filter(({ tx }) => transactions.has(tx))
  if (records.length === 0) return
  await appendDocument(store, 'conversion', { records }, read.fence)
  if (payments.size > rememberedPayments) payments.clear()
  for (const record of records) payments.add(key(record))
}

/** The first blocks that are not covered for every kind this node can tell. */
async function firstGap(
  work: Work,
  account: Account,
  head: number,
): Promise<{ from: number; to: number } | undefined> {
  const claims = await work.store.coverage(new Set([account]))
  const gaps = work.reader.complete.flatMap((kind) => {
    const known = claims.filter(
      (claim) => claim.kind === kind && claim.assurance >= work.reader.assurance,
    )
    return gapsIn(
      { from: 0, to: head },
      known.map(({ fromBlock: from, toBlock: to }) => ({ from, to })),
    )
  })
  return gaps.sort((a, b) => a.from - b.from)[0]
}

async function showProgress(
  work: Work,
  account: Account,
  state: {
    readonly range: { readonly from: number; readonly to: number }
    readonly head: number
    readonly transfers: number
    readonly started: { readonly at: number; readonly block: number }
    readonly fence: readonly Fence[]
  },
): Promise<void> {
  const { range, head, transfers, started, fence } = state
  const seconds = (work.clock.now() - started.at) / 1000
  const blocksPerSecond = Math.round((range.to - started.block + 1) / Math.max(seconds, 0.001))
  const progress = {
    fromBlock: started.block,
    throughBlock: range.to,
    headBlock: head,
    transfers,
    blocksPerSecond,
    remainingSeconds: blocksPerSecond > 0 ? Math.ceil((head - range.to) / blocksPerSecond) : null,
  }
  await changeFlag(
    work.store,
    account,
    (known) => known && { ...known, state: 'working', progress },
    fence,
  )
  work.options.tell({
    event: 'range',
    account: formatAccount(account),
    fromBlock: range.from,
    toBlock: range.to,
    headBlock: head,
    transfers,
  })
}
