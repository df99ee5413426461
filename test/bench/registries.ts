import { join } from 'node:path'
import { createDerivedPools } from '../../src/attribution/createdPools.ts'
import { loadAttribution } from '../../src/attribution/load.ts'
import { openRegistries } from '../../src/attribution/registries.ts'
import { knownTokens } from '../../src/ledger/knownTokens.ts'
import { appendDocument } from '../../src/store/documentLog.ts'
import { openStore } from '../../src/store/open.ts'
import { chain, hash, wallet } from '../ledger.arbitrary.ts'
import { inFolder } from './folder.ts'

const parts = 1_000
const recordsOfPart = 200

/** What pools by CREATE2 and conversion records cost: the first time, and with every question. */
export async function benchRegistries(): Promise<void> {
  benchPools()
  await inFolder(benchRecords)
}

function benchPools(): void {
  const tokens = [...knownTokens.keys()].filter((asset) => asset.startsWith(`${chain}/`))
  const pairs = tokens.flatMap((a, i) => tokens.slice(i + 1).map((b) => [a, b] as const))
  const pools = createDerivedPools()
  const derive = (): number => pairs.reduce((sum, [a, b]) => sum + pools.of(a, b).size, 0)
  const [first, made] = timed(derive)
  const [again, same] = timed(derive)
  if (made === 0 || made !== same) throw new Error('no pools were derived')
  console.log(
    `pools of ${pairs.length} pairs (${made} addresses): ${micro(first, pairs.length)} a pair the first time, ${micro(again, pairs.length)} after`,
  )
}

async function benchRecords(folder: string): Promise<void> {
  const store = await openStore(join(folder, 'store'))
  try {
    const attribution = await loadAttribution(store)
    for (let part = 0; part < parts; part++) {
      const records = Array.from({ length: recordsOfPart }, (_, i) => ({
        chain,
        tx: hash(part * recordsOfPart + i),
        position: i,
        pool: wallet(i),
        recipient: wallet(part),
      }))
      await appendDocument(store, 'conversion', { records })
    }
    const registries = openRegistries(store)
    const started = performance.now()
    const known = await registries(attribution)
    const loaded = performance.now() - started
    if (known.recordsOf(chain, hash(7)).length !== 1) throw new Error('records were not read')
    const asked = performance.now()
    for (let i = 0; i < 100; i++) await registries(attribution)
    const question = (performance.now() - asked) / 100
    console.log(
      `${(parts * recordsOfPart).toLocaleString('en')} conversion records of ${parts} readings: loaded once in ${loaded.toFixed(0)} ms, then ${question.toFixed(2)} ms a question`,
    )
  } finally {
    await store.close()
  }
}

function timed<T>(work: () => T): readonly [number, T] {
  const started = performance.now()
  const value = work()
  return [performance.now() - started, value]
}

function micro(milliseconds: number, count: number): string {
  return `${((milliseconds * 1000) / count).toFixed(1)} µs`
}
