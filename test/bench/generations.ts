import { monitorEventLoopDelay } from 'node:perf_hooks'
import { createReader, readColumns } from '../../src/graph/build.ts'
import { openGenerations } from '../../src/graph/generations.ts'
import { openStore } from '../../src/store/open.ts'
import type { Store } from '../../src/store/store.ts'
import { inFolder } from './folder.ts'
import { madeLedger } from './madeLedger.ts'

const count = Number(process.env['BENCH_ROWS'] ?? 10_000_000)
const added = 10_000
const addresses = 2_000_000
const rounds = 5

/** A large generation and ten thousand transfers more: extended, beside built anew from rows that are in memory. */
export async function benchGenerations(): Promise<void> {
  await inFolder(async (folder) => {
    const store = await openStore(folder)
    for (const transfers of madeLedger({ transfers: count, addresses, batch: 16_384, seed: 3 }))
      await append(store, transfers)
    await inOneThread(store)
    await asAServerDoes(store, folder)
    await store.close()
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
  for (let round = 0; round < rounds; round++) {
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
  for (let round = rounds; round < 2 * rounds; round++) {
    await addNewest(store, round)
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

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`
}
