import { orders } from '../../src/analysis/bestPath.ts'
import { paths } from '../../src/analysis/paths.ts'
import { type ReachAnswer, reach } from '../../src/analysis/reach.ts'
import type { Sliced } from '../../src/analysis/slices.ts'
import type { SweepContext } from '../../src/analysis/sweepQuestion.ts'
import { createTagView } from '../../src/attribution/tagView.ts'
import { createTokenTrust } from '../../src/attribution/trustedTokens.ts'
import { readColumns } from '../../src/graph/build.ts'
import { createGraph } from '../../src/graph/createGraph.ts'
import type { WholeGraph } from '../../src/graph/graph.ts'
import { type Account, formatAccount } from '../../src/ledger/account.ts'
import { parseAsset } from '../../src/ledger/asset.ts'
import { openStore } from '../../src/store/open.ts'
import { inFolder } from './folder.ts'
import { madeLedger } from './madeLedger.ts'

const count = Number(process.env['BENCH_ROWS'] ?? 10_000_000)
const sources = 32
const rounds = 7
const pairs = 20
const maxLooked = 200_000_000
/** The only asset of the made ledger that carries value. */
const ether = parseAsset('eip155:1/slip44:60')

const context: SweepContext = { tags: createTagView([]), tokens: createTokenTrust(), coverage: [] }
const plain = { direction: 'forward', asOf: {}, continueThrough: [], neverFollow: [] } as const

/** Which accounts 32 sources reach in ten million transfers, beside the same in Maps on a tenth; and the best paths. */
export async function benchReach(): Promise<void> {
  await inFolder(async (folder) => {
    const store = await openStore(folder)
    const ledger = { transfers: count, addresses: count / 5, batch: 16_384, seed: 3 }
    for (const batch of madeLedger(ledger))
      await store.append({ transfers: batch, source: 'bench', assurance: 1, coverage: [] })
    const graph = createGraph(await readColumns(store))
    await store.close()
    benchSources(graph)
    benchPaths(graph)
  })
}

interface Timed<T> {
  readonly value: T
  readonly ms: number
  /** Longest time that nobody else could have been answered. */
  readonly longest: number
}

function timed<T>(work: Sliced<T>): Timed<T> {
  const started = performance.now()
  let longest = 0
  for (;;) {
    const before = performance.now()
    const { done, value } = work.next()
    longest = Math.max(longest, performance.now() - before)
    if (done) return { value, ms: performance.now() - started, longest }
  }
}

/** Accounts that sent something early on, spread over the busy and the quiet. */
function senders(graph: WholeGraph, wanted: number): Account[] {
  const found = new Set<Account>()
  for (let transfer = 0; found.size < wanted; transfer += 97) {
    const holding = graph.from(transfer)
    if (holding >= 0) found.add(graph.account(graph.addressOf(holding)))
  }
  return [...found]
}

function benchSources(graph: WholeGraph): void {
  const accounts = senders(graph, sources)
  const ask = (question: object) =>
    timed(reach(graph, context, { ...plain, accounts, sources: true, limit: 1000, ...question }))
  const times = Array.from({ length: rounds }, () => ask({}))
  const [last] = times.slice(-1)
  console.log(
    `reach of ${sources} sources over ${graph.transferCount.toLocaleString('en')} transfers: ${spread(times)}, ${last?.value.cut.reached.toLocaleString('en')} of ${graph.addressCount.toLocaleString('en')} accounts reached`,
  )
  const tenth = Math.floor(graph.transferCount / 10)
  const until = graph.block(graph.blockOf(graph.transactionOf(tenth))).time
  const end = graph.firstAt(until + 1)
  const limit = graph.addressCount
  const ours = ask({ until, limit })
  const started = performance.now()
  const peer = inMaps(graph, accounts, end)
  const peerMs = performance.now() - started
  compare(ours.value, peer)
  const sweeps = Array.from({ length: rounds }, () => ask({ until }))
  console.log(
    `over the first ${end.toLocaleString('en')}: ${spread(sweeps)} · the same in Maps of sets ${peerMs.toFixed(0)} ms, ${peer.size.toLocaleString('en')} accounts, hops and sources equal`,
  )
}

interface Known {
  readonly sources: Set<number>
  hops: number
}

/** The plain way: one pass in order with a Map of sets; stops are asked for by the same rule as everywhere. */
function inMaps(graph: WholeGraph, accounts: readonly Account[], end: number): Map<string, Known> {
  const known = new Map<number, Known>()
  const spending = new Map<number, Known>()
  accounts.forEach((account, i) => {
    const entry = { sources: new Set([i]), hops: 0 }
    known.set(graph.address(account), entry)
    spending.set(graph.address(account), { ...entry, sources: new Set([i]) })
  })
  const isBusy = (address: number): boolean =>
    graph.receivers(address, {
      counts: (asset) => graph.assets[asset] === ether,
      isBeyond: () => false,
      cap: 1001,
    }) > 1000
  const busy = new Map<number, boolean>()
  for (let transfer = 0; transfer < end; transfer++) {
    const [from, to] = [graph.from(transfer), graph.to(transfer)]
    if (from < 0 || to < 0 || from === to || graph.assets[graph.assetOf(from)] !== ether) continue
    const payer = spending.get(graph.addressOf(from))
    if (!payer || graph.amount(transfer) === 0n) continue
    const address = graph.addressOf(to)
    const reached = known.get(address) ?? { sources: new Set(), hops: Number.POSITIVE_INFINITY }
    known.set(address, reached)
    take(reached, payer)
    if (!busy.has(address)) busy.set(address, isBusy(address))
    if (busy.get(address)) continue
    const spent = spending.get(address) ?? { sources: new Set(), hops: Number.POSITIVE_INFINITY }
    spending.set(address, spent)
    take(spent, payer)
  }
  for (const account of accounts) known.delete(graph.address(account))
  return new Map([...known].map(([address, each]) => [formatAccount(graph.account(address)), each]))
}

function take(into: Known, from: Known): void {
  for (const source of from.sources) into.sources.add(source)
  into.hops = Math.min(into.hops, from.hops + 1)
}

function compare(ours: ReachAnswer, peer: ReadonlyMap<string, Known>): void {
  if (ours.reached.length === 0) throw new Error('the benchmark reached nothing')
  if (ours.reached.length !== peer.size)
    throw new Error(`${ours.reached.length} accounts reached, ${peer.size} in Maps`)
  for (const { account, hop, sources: names } of ours.reached) {
    const other = peer.get(account)
    if (other?.hops !== hop || other.sources.size !== names?.length)
      throw new Error(`${account} is reached otherwise`)
  }
}

function benchPaths(graph: WholeGraph): void {
  const from = senders(graph, pairs)
  for (const by of orders) {
    const times = from.map((account, i) => {
      const [to] = senders(graph, pairs + i + 1).slice(-1) as [Account]
      const query = { ...plain, from: [account], to: [to], asset: ether, by, k: 10, maxLooked }
      return timed(paths(graph, context, query))
    })
    const found = times.reduce((sum, { value }) => sum + value.paths.length, 0)
    const widest = Math.max(...times.map(({ value }) => value.cut.corridor))
    console.log(
      `10 best paths by ${by}, ${pairs} pairs: ${spread(times)}, ${found} paths, corridors up to ${widest.toLocaleString('en')} transfers`,
    )
  }
}

function spread(times: readonly Timed<unknown>[]): string {
  const sorted = times.map(({ ms }) => ms).sort((a, b) => a - b)
  const at = (share: number): string =>
    (sorted[Math.ceil(sorted.length * share) - 1] ?? 0).toFixed(0)
  const longest = Math.max(...times.map((each) => each.longest))
  return `median ${at(0.5)} ms, most ${at(1)} ms, never more than ${longest.toFixed(0)} ms at a stretch`
}
