import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { readConfig } from '../src/config.ts'
import { type Account, accountChain, formatAccount } from '../src/ledger/account.ts'
import { formatAsset } from '../src/ledger/asset.ts'
import type { ConversionRecord } from '../src/ledger/conversionRecord.ts'
import { gapsIn } from '../src/ledger/coverage.ts'
import { KnownError } from '../src/ledger/errors.ts'
import { harmlessText } from '../src/ledger/text.ts'
import { appendDocument } from '../src/store/documentLog.ts'
import { changeFlag, type Flag, listFlags } from '../src/store/flags.ts'
import { openStore, type StorePlace } from '../src/store/open.ts'
import { noteReading } from '../src/store/proofs.ts'
import type { Store } from '../src/store/store.ts'
import { type Anchor, addAnchors, anchorBlocks, dropAnchorsFrom, readAnchors } from './anchors.ts'
import { createLease, type Lease, LeaseLost } from './lease.ts'
import { createProgressBar } from './progress.ts'
import { type BalanceWatch, watchBalances } from './proof/balances.ts'
import { type ChainReader, connectChain, suggestedRange } from './rpc/chainReader.ts'
import { createNode, type RpcNode, RpcRefusal } from './rpc/node.ts'
import { wrappedAssets } from './wrappedAssets.ts'

export interface WorkerOptions {
  readonly store: StorePlace | string
  readonly rpc: string
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
      readonly event: 'finding'
      readonly account: string
      readonly message: string
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
      rpc: { type: 'string' },
      'lease-ms': { type: 'string' },
    },
  })
  const rpc = values.rpc ?? process.env['JEJAK_INGEST_RPC']
  if (rpc === undefined || !/^https?:\/\//.test(rpc)) {
    throw new KnownError('request.invalid', 'no http(s) node is named', {
      hint: 'Give --rpc http://host:port.',
    })
  }
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
    store: { location: values.store ?? './jejak-data', neo4j: readConfig(process.env).neo4j },
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
  else if (event.event === 'finding')
    console.error(`${event.account}: ${harmlessText(event.message)}`)
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
    const delays = new Map<Account, Delay>()
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
  readonly node: RpcNode
  readonly owner: string
  readonly delays: Map<Account, Delay>
  /** What pools paid, as far as this worker wrote it. */
  readonly payments: Set<string>
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
  await undoReorganisation(work, flag.account)
  const head = await reader.head()
  await anchorHead(work, head)
  const started = { at: performance.now(), block: -1 }
  const balances = watchReading(work, flag.account)
  let [size, largest] = [startRange, largestRange]
  let transfers = 0
  for (
    let next = await firstGap(work, flag.account, head);
    next !== undefined;
    next = await firstGap(work, flag.account, head)
  ) {
    options.signal.throwIfAborted()
    if (started.block < 0) started.block = next.from
    const range = { from: next.from, to: Math.min(next.from + size - 1, next.to) }
    const read = await readOrShrink(reader, flag.account, range)
    if ('blocks' in read) {
      size = read.blocks
      if (read.told) largest = read.blocks
      continue
    }
    await lease.renew()
    const coverage = reader.complete.map((kind) => ({
      account: flag.account,
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
    balances.add(range, read.transfers)
    await showProgress(work, flag.account, { range, head, transfers, started })
    size = Math.min(size * 2, largest)
  }
  await finishReading(work, flag.account, balances)
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

function watchReading({ store, node, reader }: Work, account: Account): BalanceWatch {
  return watchBalances({ store, account, node, checksCoin: reader.complete.includes('internal') })
}

/** Says who read what when, and whether it adds up to the balance at both ends. */
async function finishReading(work: Work, account: Account, watch: BalanceWatch): Promise<void> {
  const { store, node, reader, options } = work
  for (const { from, to } of watch.intervals) {
    await noteReading(store, {
      account,
      kinds: reader.complete,
      fromBlock: from,
      toBlock: to,
      assurance: 1,
      source: node.name,
      endpoints: [node.name],
      at: new Date().toISOString(),
    })
  }
  for (const { asset, fromBlock, toBlock, difference } of await watch.close()) {
    if (difference === null || difference === 0n) continue
    options.tell({
      event: 'finding',
      account: formatAccount(account),
      message: `in blocks ${fromBlock}-${toBlock} ${difference} of ${formatAsset(asset)} is not explained by what the node told`,
    })
  }
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
    const known = claims.filter((claim) => claim.kind === kind && claim.assurance >= 1)
    return gapsIn(
      { from: 0, to: head },
      known.map(({ fromBlock: from, toBlock: to }) => ({ from, to })),
    )
  })
  return gaps.sort((a, b) => a.from - b.from)[0]
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
  range: { readonly from: number; readonly to: number },
): Promise<Awaited<ReturnType<ChainReader['read']>> | Smaller> {
  try {
    return await reader.read(wallet, range)
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
