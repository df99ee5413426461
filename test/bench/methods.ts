import { compareMethods } from '../../src/analysis/compare.ts'
import { trace } from '../../src/analysis/trace.ts'
import type { TraceQuery } from '../../src/analysis/traceAnswer.ts'
import { type Knowledge, openKnowledge } from '../../src/api/knowledge.ts'
import { defaults } from '../../src/api/runTrace.ts'
import type { Graph } from '../../src/graph/graph.ts'
import type { TransferId } from '../../src/ledger/transfer.ts'
import { openStore } from '../../src/store/open.ts'
import { inFolder } from './folder.ts'
import { madeLedger } from './madeLedger.ts'

const count = Number(process.env['BENCH_ROWS'] ?? 10_000_000)
const seeds = 500
/** Under haircut money spreads over everything, so a comparison can take seconds: fewer of them. */
const compared = 40
/** How many of them the plain pass repeats: it goes through the whole ledger for each. */
const repeated = 3

/** Traces of single seeds in every form over a large ledger, beside a plain pass over all of it. */
export async function benchMethods(): Promise<void> {
  await inFolder(async (folder) => {
    const store = await openStore(folder)
    const made = { transfers: count, addresses: Math.ceil(count / 5), batch: 16_384, seed: 5 }
    // Two hubs take part in every fiftieth and hundredth transfer.
    for (const transfers of madeLedger({ ...made, hubs: [0.02, 0.01] }))
      await store.append({ transfers, source: 'bench', assurance: 1, coverage: [] })
    await store.close()
    const knowledge = await openKnowledge(folder)
    try {
      await measure(knowledge)
    } finally {
      await knowledge.close()
    }
  })
}

async function measure(knowledge: Knowledge): Promise<void> {
  const graph = await knowledge.graph()
  const context = await knowledge.context()
  const chosen = seedsOf(graph)
  const ask = (transfer: number, more: Partial<TraceQuery>): TraceQuery => ({
    direction: 'forward',
    method: 'fifo',
    sameTransaction: 'matched',
    minShare: defaults.minShare,
    maxHops: defaults.maxHops,
    asOf: {},
    continueThrough: [],
    neverFollow: [],
    resolve: [],
    maxAddresses: defaults.maxAddresses,
    maxTransactions: defaults.maxTransactions,
    ...more,
    seeds: [graph.transfer(transfer).id as TransferId],
  })
  console.log(`${graph.transferCount.toLocaleString('en')} transfers, ${chosen.length} seeds`)
  const timed = (name: string, run: (transfer: number) => number, over = chosen): void => {
    for (const transfer of over.slice(0, 4)) run(transfer)
    const times: number[] = []
    let found = 0
    for (const transfer of over) {
      const from = performance.now()
      found += run(transfer)
      times.push(performance.now() - from)
    }
    if (found === 0) throw new Error('the benchmark measured nothing')
    times.sort((a, b) => a - b)
    const at = (share: number): string =>
      (times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0).toFixed(1)
    console.log(
      `${name}: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms; ${found} outcomes`,
    )
  }
  const one = (more: Partial<TraceQuery>) => (transfer: number) =>
    trace(graph, context, ask(transfer, more)).outcomes.length
  timed('forward fifo, 3 hops', one({ maxHops: 3 }))
  timed('forward fifo, default limits', one({}))
  timed('backward fifo, default limits', one({ direction: 'backward' }))
  const deposits = depositsOf(graph)
  timed('backward fifo from deposits at services', one({ direction: 'backward' }), deposits)
  timed(
    'five methods compared, default limits',
    (transfer) => compareMethods(graph, context, ask(transfer, {})).comparison.places.length,
    chosen.filter((_, i) => i % Math.ceil(seeds / compared) === 0),
  )
  for (const transfer of chosen.slice(0, repeated)) {
    const from = performance.now()
    const answer = trace(
      graph,
      context,
      ask(transfer, { maxHops: 3, minShare: 0, sameTransaction: 'ordered' }),
    )
    const ours = performance.now() - from
    const started = performance.now()
    const plain = plainPass(graph, transfer, 3)
    const theirs = performance.now() - started
    const same = answer.movements.every(
      ({ transfer: id, face }) => plain.get(graph.find(id)) === BigInt(face),
    )
    if (!same || plain.size !== answer.movements.length)
      throw new Error(`the plain pass disagrees: ${plain.size} and ${answer.movements.length}`)
    console.log(
      `  3 hops, nothing left out: ${ours.toFixed(1)} ms; a plain pass over all balances, same ${plain.size} movements: ${theirs.toFixed(0)} ms`,
    )
  }
}

/** Payments between addresses that are no hubs, spread over the first half of the ledger. */
function seedsOf(graph: Graph): number[] {
  const found: number[] = []
  const step = Math.floor(graph.transferCount / 2 / seeds)
  for (let i = 0; i < seeds; i++) {
    let transfer = i * step
    while (!fits(graph, transfer)) transfer++
    found.push(transfer)
  }
  return found
}

/** Payments of addresses that are no hubs to such as exchanges are, spread over the second half of the ledger. */
function depositsOf(graph: Graph): number[] {
  const found: number[] = []
  const step = Math.floor(graph.transferCount / 2 / seeds)
  const isBusy = (holding: number): boolean => graph.events(holding).length >= 1_000
  for (let i = 0; i < seeds; i++) {
    let transfer = graph.transferCount - 1 - i * step
    for (; transfer > 0; transfer--) {
      const [from, to] = [graph.from(transfer), graph.to(transfer)]
      if (from < 0 || to < 0 || from === to || graph.amount(transfer) === 0n) continue
      if (isBusy(to) && !isBusy(from)) break
    }
    found.push(transfer)
  }
  return found
}

function fits(graph: Graph, transfer: number): boolean {
  const [from, to] = [graph.from(transfer), graph.to(transfer)]
  if (from < 0 || to < 0 || from === to || graph.amount(transfer) === 0n) return false
  return graph.events(to).length < 1_000 && graph.kind(transfer) !== 'fee'
}

interface Part {
  units: bigint
  hop: number | undefined
}

/** Where money is not followed on: by the same rule as everywhere. */
function hubsOf(graph: Graph): (address: number) => boolean {
  const known = new Map<number, boolean>()
  const options = { counts: () => true, isBeyond: () => false, cap: 1001 }
  return (address) => {
    const found = known.get(address) ?? graph.receivers(address, options) > 1000
    known.set(address, found)
    return found
  }
}

/** First in, first out, leg by leg, over everything, as somebody would write it first. */
function plainPass(graph: Graph, seed: number, maxHops: number): Map<number, bigint> {
  const balances = new Map<number, bigint>()
  const parts = new Map<number, Part[]>()
  const carried = new Map<number, bigint>()
  const isHub = hubsOf(graph)
  for (let transfer = 0; transfer < graph.transferCount; transfer++) {
    const [from, to, amount] = [graph.from(transfer), graph.to(transfer), graph.amount(transfer)]
    if (from === to || amount === 0n) continue
    let paid: Part[] = [{ units: amount, hop: undefined }]
    if (from >= 0) {
      const known = parts.get(from)
      if (known) paid = taken(known, amount)
      const held = balances.get(from) ?? 0n
      balances.set(from, held > amount ? held - amount : 0n)
    }
    let face = 0n
    const moved = paid.map(({ units, hop }) => {
      if (hop === undefined || hop >= maxHops) return { units, hop: undefined }
      face += units
      return { units, hop: hop + 1 }
    })
    const lots = transfer === seed ? [{ units: amount, hop: 0 }] : moved
    if (transfer === seed) face = amount
    if (face > 0n) carried.set(transfer, face)
    if (to < 0) continue
    const ends = face > 0n && isHub(graph.addressOf(to))
    if (ends) face = 0n
    const arriving = ends ? [{ units: amount, hop: undefined }] : lots
    const receiver = parts.get(to)
    if (receiver) receiver.push(...arriving)
    else if (face > 0n)
      parts.set(to, [{ units: balances.get(to) ?? 0n, hop: undefined }, ...arriving])
    balances.set(to, (balances.get(to) ?? 0n) + amount)
  }
  return carried
}

function taken(from: Part[], amount: bigint): Part[] {
  const paid: Part[] = []
  let missing = amount
  while (missing > 0n) {
    const [first] = from
    if (!first) break
    const isWhole = first.units <= missing
    const units = isWhole ? first.units : missing
    if (units > 0n) paid.push({ units, hop: first.hop })
    missing -= units
    first.units -= units
    if (isWhole) from.shift()
  }
  if (missing > 0n) paid.push({ units: missing, hop: undefined })
  return paid
}
