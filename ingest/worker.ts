import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
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
import { appendDocument } from '../src/store/documentLog.ts'
import { changeFlag, type Flag, listFlags } from '../src/store/flags.ts'
import { openStore, type StorePlace } from '../src/store/open.ts'
import { readOwnChain } from '../src/store/ownChains.ts'
import type { Store } from '../src/store/store.ts'
import { type Anchor, addAnchors, anchorBlocks, dropAnchorsFrom, readAnchors } from './anchors.ts'
import { type Descriptions, openDescriptions } from './describe.ts'
import { connectEndpoints, type Endpoints } from './endpoints.ts'
import { connectExplorer, type ExplorerOptions, explorerOptions } from './explorer/connect.ts'
import { type FreezeLog, openFreezeLog } from './freezeLog.ts'
import { createLease, type Lease, LeaseLost } from './lease.ts'
import { createProgressBar } from './progress.ts'
import { createReadAhead } from './readAhead.ts'
import type { ChainReader } from './rpc/chainReader.ts'

export interface WorkerOptions {
  readonly store: StorePlace | string
  /** http(s) URLs of nodes of one chain, best first, or an explorer; never told. */
  readonly rpc: string | readonly string[] | ExplorerOptions
  /** Take names that stand for addresses of a private network. */
  readonly allowPrivate?: boolean
  /** Ends when no flag is waiting. */
  readonly once: boolean
  readonly signal: AbortSignal
  /** Tries of one call before the node counts as unavailable. Default 6, over some twelve seconds. */
  readonly tries?: number
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
      readonly event: 'endpoint'
      readonly node: string
      readonly state: 'away' | 'in use'
      readonly message: string
    }
  | {
      readonly event: 'rolledBack'
      readonly account: string
      readonly fromBlock: number
      readonly orphans: number
    }

const idleMs = 2_000

/** A wallet whose reading fails for reasons that may pass is tried so often in a row, then it is parked. */
const mostTries = 12
const longestDelayMs = 600_000
const usualLeaseMs = 30_000

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
  else if (event.event === 'endpoint')
    console.error(`${event.node} is ${event.state}: ${harmlessText(event.message)}`)
  else if (event.event === 'rolledBack')
    console.error(
      `${event.account}: the chain was reorganised; ${event.orphans} rows from block ${event.fromBlock} are orphans`,
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
  const store = await openStore(options.store)
  try {
    const wrapped = await wrappedAssets(store)
    const isWrapped = (asset: AssetId): boolean => wrapped.has(asset)
    const freezable = await freezableAssets(store)
    const source = await connectSource(store, options, { isWrapped, freezable })
    const { reader } = source
    options.tell({
      event: 'connected',
      chain: reader.chain,
      traces: source.traces,
      node: reader.name,
    })
    const owner = randomUUID()
    const delays = new Map<Account, Delay>()
    const payments = new Set<string>()
    const freezes = openFreezeLog(store)
    const descriptions = openDescriptions(store)
    let outages = 0
    while (!options.signal.aborted) {
      const worked = await workOnce({
        store,
        reader,
        node: source,
        owner,
        delays,
        payments,
        freezes,
        descriptions,
        options,
      }).catch((error: unknown) => storeAway(error, outages, options))
      outages = typeof worked === 'object' ? outages + 1 : 0
      if (worked === 'nothing' && options.once) return
      const pauseMs = typeof worked === 'object' ? worked.delayMs : idleMs
      if (worked !== 'worked')
        await sleep(pauseMs, undefined, { signal: options.signal }).catch(() => undefined)
    }
  } catch (error) {
    if (!options.signal.aborted) throw error
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

/** Tokens that can be frozen: shipped ones, and an operator's own in documents of the collection `freezable`. */
async function freezableAssets(store: Store): Promise<ReadonlySet<AssetId>> {
  const own = await store.listDocuments('freezable')
  return new Set([...freezableTokens, ...own.map(({ id }) => parseAsset(id))])
}

/** Nodes or an explorer, whichever an operator named. */
interface ConnectedSource extends Pick<Endpoints, 'calls' | 'remember'> {
  readonly reader: ChainReader
  readonly traces: string
}

async function connectSource(
  store: Store,
  { rpc, signal, tries, allowPrivate, tell }: WorkerOptions,
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
    node: {
      signal,
      ...(tries === undefined ? {} : { tries }),
      ...(allowPrivate === undefined ? {} : { allowPrivate }),
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
    remember: () => endpoints.remember(),
  }
}

interface Work {
  readonly store: Store
  readonly reader: ChainReader
  readonly node: Pick<ConnectedSource, 'calls' | 'remember'>
  readonly owner: string
  readonly delays: Map<Account, Delay>
  /** What pools paid, as far as this worker wrote it. */
  readonly payments: Set<string>
  readonly freezes: FreezeLog
  readonly descriptions: Descriptions
  readonly options: WorkerOptions
}

/** After faults that may pass: how many in a row, and when (by `performance.now()`) the next try is due. */
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
      owner: work.owner,
      lastsMs: work.options.leaseMs ?? usualLeaseMs,
    })
    const due = (work.delays.get(flag.account)?.until ?? 0) <= performance.now()
    if (!due || !(await lease.take())) {
      held = true
      continue
    }
    try {
      await readWallet(work, flag, lease)
      work.delays.delete(flag.account)
    } catch (error) {
      if (work.options.signal.aborted || !(error instanceof KnownError)) throw error
      if (!(error instanceof LeaseLost)) await delayOrFail(work, flag, error)
    } finally {
      // Where the store is away the lease ends by itself, and the first error is the one that says why.
      await lease.release().catch(() => undefined)
    }
    return 'worked'
  }
  return held ? 'held' : 'nothing'
}

/** What may pass is tried again, later and later; a worker that runs once does not wait for it. */
async function delayOrFail(work: Work, flag: Flag, error: KnownError): Promise<void> {
  const faults = (work.delays.get(flag.account)?.faults ?? 0) + 1
  work.delays.delete(flag.account)
  // A store that is away says nothing about the wallet, and could not note it.
  if (error.code.startsWith('store.') && error.retryable) throw error
  if (!error.retryable || work.options.once || faults === mostTries) return fail(work, flag, error)
  const delayMs = Math.min(idleMs * 2 ** (faults - 1), longestDelayMs)
  work.delays.set(flag.account, { faults, until: performance.now() + delayMs })
  const told = { code: error.code, message: error.message, hint: error.hint ?? null }
  await changeFlag(
    work.store,
    flag.account,
    (known) => known && { ...known, state: 'waiting', error: told },
  )
  work.options.tell({
    event: 'delayed',
    account: formatAccount(flag.account),
    message: error.message,
    seconds: delayMs / 1000,
  })
}

async function fail(work: Work, flag: Flag, error: KnownError): Promise<void> {
  const told = { code: error.code, message: error.message, hint: error.hint ?? null }
  await changeFlag(
    work.store,
    flag.account,
    (known) => known && { ...known, state: 'failed', error: told },
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
  // An explorer is read below what may be replaced only, and does not undo what a node told.
  if (reader.assurance > 0) await undoReorganisation(work, flag.account)
  const head = await reader.head()
  if (reader.assurance > 0) await anchorHead(work, head)
  const started = { at: performance.now(), block: -1 }
  const ahead = createReadAhead(reader, flag.account)
  let transfers = 0
  for (
    let next = await firstGap(work, flag.account, head);
    next !== undefined;
    next = await firstGap(work, flag.account, head)
  ) {
    options.signal.throwIfAborted()
    if (started.block < 0) started.block = next.from
    const { read, range, by } = await ahead.read(next)
    await lease.renew()
    const { name: source, assurance } = by
    const coverage = by.complete.map((kind) => ({
      account: flag.account,
      kind,
      fromBlock: range.from,
      toBlock: range.to,
      assurance,
      source,
    }))
    await rememberPayments(work, read.payments)
    if (read.freezes) await work.freezes.note(read.freezes)
    const { added } = await store.append({ transfers: read.transfers, source, assurance, coverage })
    transfers += added
    if (reader.contracts) {
      const asked = { transfers: read.transfers, block: head }
      await work.descriptions.note(reader.contracts, flag.account, asked)
    }
    await showProgress(work, flag.account, { range, head, transfers, started })
  }
  await work.node.remember()
  await changeFlag(
    store,
    flag.account,
    (known) => known && { ...known, state: 'done', error: null },
  )
  options.tell({
    event: 'done',
    account: formatAccount(flag.account),
    throughBlock: head,
    calls: work.node.calls,
  })
}

/** Wallets under investigation deal with one another: what was told of a transaction once is not told again. */
const rememberedPayments = 100_000

/** Before the rows, so that a crash in between costs nothing: blocks that are not covered are read again. */
async function rememberPayments(
  { store, payments }: Work,
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
  },
): Promise<void> {
  const { range, head, transfers, started } = state
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
  await changeFlag(
    work.store,
    account,
    (known) => known && { ...known, state: 'working', progress },
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

/** Blocks read before may no longer be on the chain: back to the last anchor that is, and read again from there. */
async function undoReorganisation(work: Work, account: Account): Promise<void> {
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
  work.options.tell({ event: 'rolledBack', account: formatAccount(account), fromBlock, orphans })
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
