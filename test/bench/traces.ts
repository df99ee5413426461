import { createHash } from 'node:crypto'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { type Knowledge, openKnowledge } from '../../src/api/knowledge.ts'
import { runTrace } from '../../src/api/runTrace.ts'
import { startServer } from '../../src/api/server.ts'
import { traceText } from '../../src/api/traceId.ts'
import { readConfig } from '../../src/config.ts'
import type { Graph } from '../../src/graph/graph.ts'
import { createLog } from '../../src/log.ts'
import { openStore } from '../../src/store/open.ts'
import { inFolder } from './folder.ts'
import { madeLedger } from './madeLedger.ts'
import type { ClientReport, ClientWork } from './traceClient.ts'

const count = Number(process.env['BENCH_ROWS'] ?? 1_000_000)
const traces = 24
const seedsOfTrace = 500

/** Large traces asked of a server: how long its event loop waits, beside the same traces run in it. */
export async function benchTraces(): Promise<void> {
  await inFolder(async (folder) => {
    const store = await openStore(folder)
    for (const transfers of madeLedger({
      transfers: count,
      addresses: Math.ceil(count / 5),
      batch: 16_384,
      seed: 3,
    }))
      await store.append({ transfers, source: 'bench', assurance: 1, coverage: [] })
    await store.close()
    const knowledge = await openKnowledge(folder)
    try {
      await compare(knowledge, folder)
    } finally {
      await knowledge.close()
    }
  })
}

async function compare(knowledge: Knowledge, folder: string): Promise<void> {
  const graph = await knowledge.graph()
  const requests = Array.from({ length: traces }, (_, i) => ({
    seeds: seedsNear(graph, Math.floor((graph.transferCount * (i + 0.5)) / (traces * 2))),
    minShare: 0.000_01,
    maxHops: 8,
  }))
  const config = { ...readConfig({}), port: 0, store: folder, traceTimeoutMs: 3_600_000 }
  const server = await startServer(knowledge, config, createLog('silent'))
  const client = new Worker(new URL('./traceClient.ts', import.meta.url))
  const ask = (asked: typeof requests): Promise<ClientReport> =>
    new Promise((resolve, reject) => {
      client.once('message', resolve).once('error', reject)
      const bodies = asked.map((request) => JSON.stringify(request))
      const work: ClientWork = { url: server.url, bodies, together: 4 }
      client.postMessage(work)
    })
  const idle = await delayOf(() => sleep(3_000))
  // Threads start and are given the graph; answers of these are not remembered as the others'.
  const cold = await delayOf(() => ask(requests.slice(0, 4).map((r) => ({ ...r, maxHops: 2 }))))
  const warm = await delayOf(() => ask(requests))
  const inProcess = await delayOf(async () => {
    const digests: string[] = []
    for (const request of requests) {
      digests.push(digestOf(traceText(await runTrace(knowledge, request))))
      await sleep(0)
    }
    return digests
  })
  if (JSON.stringify(inProcess.result) !== JSON.stringify(warm.result.digests))
    throw new Error('other bytes')
  await client.terminate()
  await server.close()
  const { bytes, ms } = warm.result
  console.log(
    `${traces} traces over ${count.toLocaleString('en')} transfers, four at once, ${(bytes / 1e6).toFixed(1)} MB of answers, median ${median(ms).toFixed(0)} ms, longest ${Math.max(...ms).toFixed(0)} ms; the same bytes as in process`,
  )
  for (const [name, { most, p99, own, longest }] of Object.entries({
    'with nothing to do': idle,
    'while threads start': cold,
    'under these traces': warm,
    'were they run in it': inProcess,
  }))
    console.log(
      `event loop of the server ${name}: at most ${most} ms, 99 % below ${p99} ms; its own work at most ${own} ms; longest round ${longest}`,
    )
}

interface Delay<T> {
  readonly result: T
  readonly most: string
  readonly p99: string
  /** Longest work of this thread between two rounds of its loop, whatever else the machine does. */
  readonly own: string
  /** The longest round: where it worked little, the machine gave its core to somebody else. */
  readonly longest: string
}

/** How much later than asked for the event loop came round. */
async function delayOf<T>(work: () => Promise<T>): Promise<Delay<T>> {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  let own = 0
  let longest = { ms: 0, ownMs: 0 }
  let before = process.threadCpuUsage()
  let cameRound = performance.now()
  const rounds = setInterval(() => {
    const { user, system } = process.threadCpuUsage(before)
    const now = performance.now()
    own = Math.max(own, user + system)
    if (now - cameRound > longest.ms)
      longest = { ms: now - cameRound, ownMs: (user + system) / 1e3 }
    before = process.threadCpuUsage()
    cameRound = now
  }, 1)
  delay.enable()
  const result = await work()
  delay.disable()
  await sleep(2)
  clearInterval(rounds)
  return {
    result,
    most: (delay.max / 1e6).toFixed(1),
    p99: (delay.percentile(99) / 1e6).toFixed(1),
    own: (own / 1e3).toFixed(1),
    longest: `${longest.ms.toFixed(1)} ms, of which it worked ${longest.ownMs.toFixed(1)} ms`,
  }
}

/** The next payments of ether from one account to another: so many make large answers. */
function seedsNear(graph: Graph, transfer: number): string[] {
  const seeds: string[] = []
  for (let i = transfer; seeds.length < seedsOfTrace; i++) {
    const { id, kind, amount, from, to } = graph.transfer(i % graph.transferCount)
    if (kind === 'native' && amount > 0n && from !== to) seeds.push(id)
  }
  return seeds
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function median(times: readonly number[]): number {
  return [...times].sort((a, b) => a - b)[times.length >> 1] as number
}
