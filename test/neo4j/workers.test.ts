import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runWorker, type WorkerEvent } from '../../ingest/worker.ts'
import { buildGraph } from '../../src/graph/build.ts'
import { parseAccount } from '../../src/ledger/account.ts'
import type { ChainId } from '../../src/ledger/chain.ts'
import { listFlags, putFlag } from '../../src/store/flags.ts'
import { openStore } from '../../src/store/open.ts'
import { type Anvil, startAnvil } from '../chain/anvil.ts'
import { createScene, type Scene } from '../chain/scene.ts'
import { closeFixture, emptyStore, neo4jUri, uri } from './fixture.ts'

const folder = mkdtempSync(join(tmpdir(), 'jejak-neo4j-workers-'))

afterAll(async () => {
  await closeFixture()
  rmSync(folder, { recursive: true, force: true })
})

describe.skipIf(neo4jUri === undefined)('workers on a real server', () => {
  let anvil: Anvil
  let scene: Scene
  let chain: ChainId

  beforeAll(async () => {
    anvil = await startAnvil()
    scene = await createScene(anvil)
    chain = `eip155:${Number(await anvil.call('eth_chainId'))}` as ChainId
    await pay(10)
  }, 60_000)

  afterAll(() => anvil.stop())

  async function pay(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const [from = '', to = ''] = [scene.people[i % 3], scene.people[(i + 1) % 3]]
      await scene.send(from, to, { value: BigInt(i + 1) })
    }
  }

  async function flag(location: string): Promise<void> {
    const store = await openStore(location)
    for (const address of scene.people.slice(0, 3)) {
      const account = parseAccount(address.toLowerCase(), chain)
      await putFlag(store, { account, reason: 'test', source: 'test' }, new Date(0))
    }
    await store.close()
  }

  async function work(location: string): Promise<WorkerEvent[]> {
    const events: WorkerEvent[] = []
    await runWorker({
      store: location,
      rpc: anvil.url,
      once: true,
      signal: new AbortController().signal,
      tries: 2,
      leaseMs: 3_000,
      tell: (event) => events.push(event),
    })
    return events
  }

  async function digestOf(location: string): Promise<string> {
    const store = await openStore(location)
    const states = new Set((await listFlags(store)).map(({ state }) => state))
    expect([...states]).toEqual(['done'])
    expect((await store.check()).damage).toEqual([])
    const { digest } = await buildGraph(store)
    await store.close()
    return digest
  }

  test('three share it, a reorganisation included, and come to what one embedded worker has', async () => {
    await (await emptyStore()).close()
    await flag(uri())
    const all = (await Promise.all([work(uri()), work(uri()), work(uri())])).flat()
    expect(all.filter(({ event }) => event === 'failed')).toEqual([])
    expect(all.filter(({ event }) => event === 'done')).toHaveLength(3)
    await anvil.call('anvil_reorg', [3, []])
    await pay(4)
    const again = (await Promise.all([work(uri()), work(uri())])).flat()
    expect(again.some(({ event }) => event === 'rolledBack')).toBe(true)
    // Whoever looked before the last wallet was reopened may have left it to the other.
    await flag(uri())
    await work(uri())
    const straight = join(folder, 'embedded')
    await flag(straight)
    await work(straight)
    expect(await digestOf(uri())).toBe(await digestOf(straight))
  }, 120_000)
})
