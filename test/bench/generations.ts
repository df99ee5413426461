import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { openKnowledge } from '../../src/api/knowledge.ts'
import { runTrace } from '../../src/api/runTrace.ts'
import { createReader, readColumns } from '../../src/graph/build.ts'
import { openGenerations } from '../../src/graph/generations.ts'
import type { Graph } from '../../src/graph/graph.ts'
import { openStore } from '../../src/store/open.ts'
import type { Store } from '../../src/store/store.ts'
import { inFolder } from './folder.ts'
import { madeLedger } from './madeLedger.ts'

const count = Number(process.env['BENCH_ROWS'] ?? 10_000_000)
const added = 10_000
const addresses = 2_000_000
const rounds = 5
const traces = 5

/** A large generation and ten thousand transfers more: extended, beside built anew from rows that are in memory. */
export async function benchGenerations(): Promise<void> {
  await inFolder(async (folder) => {
    const store = await openStore(folder)
    for (const transfers of madeLedger({ transfers: count, addresses, batch: 16_384, seed: 3 }))
      await append(store, transfers)
    await asAServerDoes(store, folder)
    await inOneThread(store)
    await store.close()
    await beyondMemory(folder)
  })
}

async function append(
  store: Store,
  transfers: Parameters<Store['append']>[0]['transfers'],
): Promise<void> {
  await store.append({ transfers, source: 'bench', assurance: 1, coverage: [] })
}

/** Blocks behind everything, as an ingesting worker brings them. */
async function addNewest(store: Store, round: number): Promise<void> {
  const newest = { transfers: added, addresses, batch: 16_384, seed: 3, thenSeed: 100 + round }
  for (const transfers of madeLedger({ ...newest, firstBlock: 30_000_000 + round * 1000 }))
    await append(store, transfers)
}

async function inOneThread(store: Store): Promise<void> {
  const reader = createReader(store)
  const building = performance.now()
  const first = await reader.read()
  const built = performance.now() - building
  const times: number[] = []
  for (let round = rounds; round < 2 * rounds; round++) {
    await addNewest(store, round)
    const started = performance.now()
    const { meta } = await reader.read()
    times.push(performance.now() - started)
    if (meta.sequence <= first.meta.sequence) throw new Error('the benchmark measured nothing')
  }
  const extended = await reader.read()
  await reader.close()
  const anew = performance.now()
  const peer = await readColumns(store)
  const rebuilt = performance.now() - anew
  if (peer.meta.digest !== extended.meta.digest) throw new Error('extended is not rebuilt')
  console.log(
    `${first.arrays.from.length.toLocaleString('en')} transfers from the store ${seconds(built)}; ${added.toLocaleString('en')} more: extended in ${times.map(seconds).join(', ')}; built anew ${seconds(rebuilt)}, the same digest`,
  )
}

/** The same through the threads of a server, while this thread watches how long it is kept from answering. */
async function asAServerDoes(store: Store, folder: string): Promise<void> {
  const generations = openGenerations(store, { place: { location: folder }, folder })
  await generations.current()
  const times: number[] = []
  const delay = monitorEventLoopDelay({ resolution: 1 })
  const loop: number[] = []
  for (let round = 0; round < rounds; round++) {
    await addNewest(store, round)
    await sleep(500)
    delay.reset()
    delay.enable()
    const started = performance.now()
    await generations.current()
    times.push(performance.now() - started)
    delay.disable()
    loop.push(delay.max / 1e6)
  }
  delay.reset()
  delay.enable()
  await generations.close()
  delay.disable()
  console.log(
    `a server's next generation: ${times.map(seconds).join(', ')}; its event loop waited at most ${Math.max(...loop).toFixed(1)} ms meanwhile, ${(delay.max / 1e6).toFixed(1)} ms while the column file was written`,
  )
}

/** The same traces in memory and from the store, as if there were no memory for the graph. */
async function beyondMemory(folder: string): Promise<void> {
  const whole = await openKnowledge({ location: folder, maxGraphBytes: Number.MAX_SAFE_INTEGER })
  const graph = await whole.graph()
  const part = await openKnowledge({ location: folder, maxGraphBytes: 1 })
  const summing = performance.now()
  if ((await part.ledger()).digest !== graph.digest) throw new Error('another digest')
  console.log(`content digest in bounded memory: ${seconds(performance.now() - summing)}`)
  const times = { inMemory: [] as number[], fromStore: [] as number[] }
  for (let i = 0; i < traces; i++) {
    const seeds = [seedNear(graph, Math.floor((graph.transferCount * (i + 0.5)) / traces))]
    const request = { seeds, maxHops: 3, minShare: 0.1 }
    const first = performance.now()
    const expected = JSON.stringify(await runTrace(whole, request))
    const second = performance.now()
    if (JSON.stringify(await runTrace(part, request)) !== expected)
      throw new Error('another answer')
    times.inMemory.push(second - first)
    times.fromStore.push(performance.now() - second)
  }
  await whole.close()
  await part.close()
  console.log(
    `${traces} traces of three hops, median: in memory ${seconds(median(times.inMemory))}, from the store ${seconds(median(times.fromStore))} (at most ${seconds(Math.max(...times.fromStore))}), the same bytes`,
  )
}

/** The next payment of ether from one account to another. */
function seedNear(graph: Graph, transfer: number): string {
  for (let i = transfer; ; i++) {
    const { id, kind, amount, from, to } = graph.transfer(i % graph.transferCount)
    if (kind === 'native' && amount > 0n && from !== to) return id
  }
}

function median(times: readonly number[]): number {
  return [...times].sort((a, b) => a - b)[times.length >> 1] as number
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`
}
