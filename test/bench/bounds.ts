import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bounds } from '../../src/analysis/bounds.ts'
import { boundsPlan } from '../../src/analysis/boundsPlan.ts'
import { corridorOf } from '../../src/analysis/flowCorridor.ts'
import {
  elsewhere,
  firstHolding,
  flowNetwork,
  type TimedNetwork,
  target,
} from '../../src/analysis/flowNetwork.ts'
import { forwardMoves } from '../../src/analysis/forwardMoves.ts'
import { createFlow } from '../../src/analysis/maxFlow.ts'
import { provenBalances } from '../../src/analysis/provenBalances.ts'
import { reduceNetwork } from '../../src/analysis/reduceNetwork.ts'
import { createTagView } from '../../src/attribution/tagView.ts'
import { createTokenTrust } from '../../src/attribution/trustedTokens.ts'
import type { CoverageOfMany } from '../../src/ledger/coverage.ts'
import { kinds, type Transfer, type TransferId, transferId } from '../../src/ledger/transfer.ts'
import { graphOf } from '../analysis/traceLedger.ts'
import { ledgerOf, wallet } from '../ledger.arbitrary.ts'

const transfers = Number(process.env['BENCH_CORRIDOR'] ?? 130_000)
const wallets = 3_000
const rounds = 7

/** A corridor of a hundred thousand transfers, and igraph's maximum flow on the very same network. */
export async function benchBounds(): Promise<void> {
  const ledger = madeCorridor()
  const graph = await graphOf(ledger, 100_000)
  const seeds = ledger.slice(0, 3).map((row) => transferId(row)) as TransferId[]
  const to = wallet(wallets)
  const scope = { seeds, asOf: {}, continueThrough: [], neverFollow: [], resolve: [] }
  const context = {
    tags: createTagView([]),
    tokens: createTokenTrust(),
    coverage: [coveredWhole(ledger)],
    isTarget: (account: typeof to) => account === to,
  }
  const query = {
    ...scope,
    to: { accounts: [to] },
    opening: 'assumed_zero' as const,
    maxCorridor: 10_000_000,
  }
  const whole = timed(() => bounds(graph, context, query))
  const answer = whole.result
  if ('outcomes' in answer || answer.corridor.transfers < transfers / 2)
    throw new Error('the corridor is not as large as the bench says')
  console.log(
    `bounds with certificates, corridor of ${answer.corridor.transfers.toLocaleString('en')} transfers (${answer.corridor.leaving.toLocaleString('en')} leave it): ${whole.ms.toFixed(0)} ms (${whole.cpu.toFixed(0)} ms of processor time); ${answer.min} to ${answer.max} of ${answer.seedTotal}`,
  )
  const plan = boundsPlan(graph, context, {
    scope,
    isTarget: (address) => graph.account(address) === to,
  })
  const corridor = corridorOf(forwardMoves(plan.rules), {
    isEnd: ({ end }) => end === 'target',
    isResting: () => false,
  })
  const balances = provenBalances(graph, { ...plan, isBeyond: plan.rules.isBeyond })
  const balanceAfter = (holding: number, slot: number): bigint => balances.after(holding, slot)
  beside(
    flowNetwork(corridor, plan.seedTotal, balanceAfter, 'moment'),
    flowNetwork(corridor, plan.seedTotal, balanceAfter),
    plan.seedTotal,
  )
}

/** All wallets, over all blocks: every balance is known. */
function coveredWhole(ledger: readonly Transfer[]): CoverageOfMany {
  const accounts = Array.from({ length: wallets }, (_, i) => wallet(i + 1))
  const [first, last] = [ledger[0] as Transfer, ledger.at(-1) as Transfer]
  const reach = { fromBlock: first.block, toBlock: last.block }
  return { chain: first.chain, accounts, kinds, ...reach, assurance: 0, source: 'bench' }
}

/** Both bounds as Jejak solves them, and by igraph on the network of the definition; the values are compared. */
function beside(whole: TimedNetwork, network: TimedNetwork, seedTotal: bigint): void {
  const ours = timed(() => {
    const reduced = reduceNetwork(network, firstHolding, seedTotal).network
    const flow = createFlow(reduced)
    const toTarget = flow.fill(target)
    const rest = flow.fill(elsewhere)
    return { toTarget, away: rest + flow.fill(elsewhere, target), edges: reduced.capacity.length }
  })
  const { toTarget, away, edges } = ours.result
  console.log(
    `both maximum flows (${whole.nodeCount.toLocaleString('en')} nodes, ${whole.capacity.length.toLocaleString('en')} edges, reduced to ${edges.toLocaleString('en')}), values ${toTarget} and ${away}: ${ours.ms.toFixed(0)} ms (${ours.cpu.toFixed(0)} ms of processor time)`,
  )
  const peer = igraphFlows(whole)
  const [first, second] = [peer?.get(target), peer?.get(elsewhere)]
  if (!first || !second) return
  if (BigInt(first.value) !== toTarget || BigInt(second.value) !== away)
    throw new Error(`igraph finds ${first.value} and ${second.value}`)
  const theirs = first.ms + second.ms
  const used = first.cpu + second.cpu
  console.log(
    `igraph, the same values: ${first.ms.toFixed(0)} + ${second.ms.toFixed(0)} ms (${used.toFixed(0)} ms of processor time): ${(theirs / ours.ms).toFixed(1)} times, of processor time ${(used / ours.cpu).toFixed(1)} times`,
  )
}

/** Medians of some rounds, milliseconds: on the clock, and of the processor, which others on the machine change less. */
function timed<T>(work: () => T): {
  readonly ms: number
  readonly cpu: number
  readonly result: T
} {
  const clock: number[] = []
  const cpu: number[] = []
  let result: T | undefined
  for (let round = 0; round < rounds; round++) {
    const started = performance.now()
    const used = process.cpuUsage()
    result = work()
    const { user, system } = process.cpuUsage(used)
    clock.push(performance.now() - started)
    cpu.push((user + system) / 1000)
  }
  const median = (times: number[]): number => times.sort((a, b) => a - b)[rounds >> 1] ?? 0
  return { ms: median(clock), cpu: median(cpu), result: result as T }
}

/** Everybody pays from what he has; all amounts together stay far below 2^53, since igraph counts in floats. */
function madeCorridor(): Transfer[] {
  let state = 7
  const next = (limit: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 0x100000000) * limit)
  }
  const held = new Float64Array(wallets + 1)
  const rows: {
    from?: ReturnType<typeof wallet>
    to: ReturnType<typeof wallet>
    amount: bigint
  }[] = []
  const issue = (to: number, amount: number): void => {
    held[to] = (held[to] ?? 0) + amount
    rows.push({ to: wallet(to), amount: BigInt(amount) })
  }
  for (const to of [1, 2, 3]) issue(to, 1_000_000_000)
  for (let to = 1; to < wallets; to++) issue(to, 1_000_000)
  while (rows.length < transfers + wallets) {
    const from = 1 + next(wallets - 1)
    const to = 1 + (next(40) === 0 ? wallets - 1 : next(wallets - 1))
    const has = held[from] ?? 0
    const amount = 1 + next(Math.floor(has / (1 + next(4))))
    if (from === to || amount > has) continue
    held[from] = has - amount
    held[to] = (held[to] ?? 0) + amount
    rows.push({ from: wallet(from), to: wallet(to), amount: BigInt(amount) })
  }
  return ledgerOf(rows.map((row) => [row])).map((row, i) => ({ ...row, tx: hashOf(i) }))
}

const hashOf = (n: number): string => `0x${createHash('sha256').update(String(n)).digest('hex')}`

const script = `
import json, sys, time
import igraph
given = json.load(open(sys.argv[1]))
graph = igraph.Graph(n=given["nodes"], edges=list(zip(given["from"], given["to"])), directed=True)
for sink in given["sinks"]:
    times = []
    cpu = []
    for _ in range(3):
        started = time.perf_counter()
        used = time.process_time()
        value = graph.maxflow_value(0, sink, capacity=given["capacity"])
        times.append((time.perf_counter() - started) * 1000)
        cpu.append((time.process_time() - used) * 1000)
    print(json.dumps({"sink": sink, "value": int(value), "ms": sorted(times)[1], "cpu": sorted(cpu)[1]}))
`

interface Solved {
  readonly value: number
  readonly ms: number
  readonly cpu: number
}

/** The peer is fetched into a folder that goes away again; without it the bench says so and goes on. */
function igraphFlows(network: TimedNetwork): ReadonlyMap<number, Solved> | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'jejak-igraph-'))
  try {
    const run = (command: string, ...args: string[]): string =>
      execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
    run('python3', '-m', 'venv', join(folder, 'venv'))
    const python = join(folder, 'venv', 'bin', 'python')
    run(python, '-m', 'pip', 'install', '--quiet', 'igraph')
    writeFileSync(join(folder, 'flow.py'), script)
    const { nodeCount, from, to, capacity } = network
    writeFileSync(
      join(folder, 'network.json'),
      JSON.stringify({
        nodes: nodeCount,
        from: Array.from(from),
        to: Array.from(to),
        capacity: capacity.map(Number),
        sinks: [target, elsewhere],
      }),
    )
    const lines = run(python, join(folder, 'flow.py'), join(folder, 'network.json'))
      .trim()
      .split('\n')
    const found = lines.map((line) => JSON.parse(line) as Solved & { readonly sink: number })
    return new Map(found.map((line) => [line.sink, line]))
  } catch (error) {
    console.log(
      `WITHOUT THE PEER: python3 with igraph cannot be had here (${String(error).slice(0, 200)})`,
    )
    return undefined
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
