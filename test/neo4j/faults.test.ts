import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import neo4j from 'neo4j-driver'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { runWorker, type WorkerEvent } from '../../ingest/worker.ts'
import { openKnowledge } from '../../src/api/knowledge.ts'
import { parseAccount } from '../../src/ledger/account.ts'
import type { ChainId } from '../../src/ledger/chain.ts'
import { listFlags, putFlag } from '../../src/store/flags.ts'
import { openStore } from '../../src/store/open.ts'
import type { Store } from '../../src/store/store.ts'
import { startAnvil } from '../chain/anvil.ts'
import { createScene } from '../chain/scene.ts'
import { chain, ledgerOf, wallet } from '../ledger.arbitrary.ts'
import { canonical } from '../store/contract.ts'
import { neo4jUri } from './fixture.ts'
import { startLosingProxy } from './losingProxy.ts'
import { freePort, type Neo4jServer, startNeo4j } from './server.ts'

const told = { source: 'w', assurance: 1, coverage: [] } as const

const rows = (count: number) =>
  ledgerOf(
    Array.from({ length: count }, (_, i) => [
      { from: wallet(1), to: wallet(2), amount: BigInt(i + 1) },
    ]),
  )

/** A server of its own, since these tests kill it. One that was given cannot be killed. */
describe.skipIf(neo4jUri === undefined || process.env['NEO4J_URI'] !== undefined)(
  'faults of a real server',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'jejak-neo4j-faults-'))
    let port: number
    let server: Neo4jServer

    const start = async (): Promise<void> => {
      server = await startNeo4j({ folder, port, heap: '512m' })
    }
    const location = (): string => `neo4j://127.0.0.1:${port}`

    beforeAll(async () => {
      port = await freePort()
      await start()
      await (await openStore(location())).close()
    }, 60_000)

    afterAll(async () => {
      await server.stop()
      rmSync(folder, { recursive: true, force: true })
    })

    beforeEach(async () => {
      const driver = neo4j.driver(location())
      await driver.executeQuery('MATCH (n) WHERE NOT n:Store AND NOT n:Projection DETACH DELETE n')
      await driver.executeQuery(
        'MATCH (s:Store), (p:Projection) SET s.id = randomUUID(), s.sequence = 0, s.coverageVersion = 0, s.tagSum = 0, s.coverageSum = 0, p.sequence = 0, p.shown = 0',
      )
      await driver.close()
    })

    async function whole(store: Store): Promise<number> {
      const { damage, canonical: count } = await store.check()
      expect(damage).toEqual([])
      expect(await canonical(store)).toEqual(rows(count))
      return count
    }

    test('killed in the middle of batches, twice: whole batches, none lost, none doubled, and the writer goes on by itself', async () => {
      const writer = startWriter(location())
      for (let kill = 0; kill < 2; kill++) {
        await writer.until(() => writer.acknowledged() >= (kill + 1) * 10)
        await sleep(17 + kill * 31)
        await server.kill()
        const before = writer.acknowledged()
        await start()
        await writer.until(() => writer.acknowledged() > before + 2)
      }
      writer.child.kill('SIGKILL')
      const store = await openStore(location())
      const count = await whole(store)
      expect(count % 20).toBe(0)
      expect(count / 20).toBeGreaterThanOrEqual(writer.acknowledged() + 1)
      const [claim] = await store.coverage(new Set([wallet(1)]))
      expect(claim?.toBlock).toBe(100 + count - 1)
      await store.close()
    }, 240_000)

    test('restarted in order: a store that was open goes on', async () => {
      const store = await openStore(location())
      await store.append({ transfers: rows(3), ...told })
      await server.stop()
      const append = store.append({ transfers: rows(5), ...told })
      await start()
      expect(await append).toMatchObject({ added: 2, known: 3 })
      expect(await whole(store)).toBe(5)
      await store.close()
    }, 120_000)

    test('a unit of work that was committed and runs again, since its reply was lost, counts once', async () => {
      const proxy = await startLosingProxy(port)
      // bolt:// stays at this address; neo4j:// would ask the server for its own and pass the proxy by.
      const store = await openStore(`bolt://127.0.0.1:${proxy.port}`)
      await store.append({ transfers: rows(2), ...told })
      proxy.loseReplies(1)
      expect(await store.append({ transfers: rows(6), ...told })).toMatchObject({
        added: 4,
        known: 2,
        sequence: 6,
      })
      const flag = await store.writeDocument('c', 'id', 0, { n: 1 })
      proxy.loseReplies(1)
      expect((await store.writeDocument('c', 'id', flag.version, { n: 2 })).version).toBe(2)
      proxy.loseReplies(1)
      await store.deleteDocument('c', 'id', 2)
      proxy.loseReplies(1)
      expect(await store.rollBack(chain, 104)).toBe(2)
      expect(proxy.lost).toBe(4)
      expect(await store.readDocument('c', 'id')).toBeUndefined()
      expect(await whole(store)).toBe(4)
      expect((await store.state()).sequence).toBe(8)
      await store.close()
      await proxy.close()
    }, 120_000)

    test('cut in the middle of an answer: read again, and never half an answer', async () => {
      const proxy = await startLosingProxy(port)
      const direct = await openStore(location())
      await direct.append({ transfers: rows(3_000), ...told })
      await direct.close()
      const store = await openStore(`bolt://127.0.0.1:${proxy.port}`)
      for (const bytes of [200, 5_000, 60_000]) {
        proxy.cutAfter(bytes)
        expect(await canonical(store)).toHaveLength(3_000)
        proxy.cutAfter(bytes)
        const page = await store.expand({
          accounts: new Set([wallet(1)]),
          direction: 'out',
          cap: 2_000,
        })
        expect(page[0]?.transfers).toHaveLength(2_000)
      }
      await store.close()
      await proxy.close()
    }, 120_000)

    test('a network that swallows everything: an error after the time that was given, never an empty answer', async () => {
      const proxy = await startLosingProxy(port)
      const store = await openStore({
        location: `bolt://127.0.0.1:${proxy.port}`,
        neo4j: { timeoutMs: 500, retryMs: 500 },
      })
      await store.append({ transfers: rows(2), ...told })
      proxy.stall()
      const asked = [
        store.tags(),
        canonical(store),
        store.coverage(new Set([wallet(1)])),
        store.append({ transfers: rows(3), ...told }),
      ]
      for (const answer of await Promise.allSettled(asked))
        expect(answer).toMatchObject({
          status: 'rejected',
          reason: { code: 'store.timeout', retryable: true },
        })
      await proxy.close()
      await store.close()
    }, 60_000)

    test('two servers and two workers at once: for each moment of the log one answer', async () => {
      const [one, two] = await Promise.all([openStore(location()), openStore(location())])
      const servers = await Promise.all(
        ['a', 'b'].map((name) =>
          openKnowledge({ location: location(), folder: join(folder, name) }),
        ),
      )
      const ledger = rows(240)
      let working = true
      const write = async (store: Store, part: ReturnType<typeof rows>): Promise<void> => {
        for (let i = 0; i < part.length; i += 12)
          await store.append({ transfers: part.slice(i, i + 12), ...told })
      }
      const seen = new Map<number, Set<string>>()
      const watch = async (knowledge: (typeof servers)[number]): Promise<void> => {
        while (working) {
          const graph = await knowledge.graph()
          seen.set(graph.sequence, (seen.get(graph.sequence) ?? new Set()).add(graph.digest))
          await sleep(5)
        }
      }
      const watching = servers.map(watch)
      await Promise.all([write(one, ledger.slice(0, 160)), write(two, ledger.slice(80))])
      working = false
      await Promise.all(watching)
      const last = await Promise.all(servers.map(async (server) => (await server.graph()).digest))
      expect(new Set(last).size).toBe(1)
      expect([...seen.values()].every((digests) => digests.size === 1)).toBe(true)
      expect(seen.size).toBeGreaterThan(1)
      expect(await whole(one)).toBe(240)
      for (const knowledge of servers) await knowledge.close()
      await one.close()
      await two.close()
    }, 120_000)

    test('a worker whose store is killed under it reads the wallet to its end, and every transfer once', async () => {
      const anvil = await startAnvil()
      const scene = await createScene(anvil)
      const [payer = '', receiver = ''] = scene.people
      for (let i = 0; i < 25; i++) await scene.send(payer, receiver, { value: BigInt(i + 1) })
      const home = `eip155:${Number(await anvil.call('eth_chainId'))}` as ChainId
      const store = await openStore(location())
      for (const address of [payer, receiver])
        await putFlag(
          store,
          { account: parseAccount(address.toLowerCase(), home), reason: 't', source: 't' },
          new Date(0),
        )
      const events: WorkerEvent[] = []
      let killed: Promise<void> | undefined
      const tell = (event: WorkerEvent): void => {
        events.push(event)
        if (event.event === 'range') killed ??= server.kill().then(start)
      }
      await runWorker({
        store: { location: location(), neo4j: { retryMs: 2_000 } },
        rpc: anvil.url,
        once: true,
        leaseMs: 3_000,
        signal: new AbortController().signal,
        tell,
      })
      await killed
      expect((await listFlags(store)).map(({ state }) => state)).toEqual(['done', 'done'])
      const sent = (await canonical(store)).filter((t) => t.kind === 'native')
      expect(new Set(sent.map((t) => t.tx)).size).toBe(sent.length)
      expect(sent.filter((t) => t.to === parseAccount(receiver.toLowerCase(), home))).toHaveLength(
        25,
      )
      expect((await store.check()).damage).toEqual([])
      expect(events.some(({ event }) => event === 'storeAway')).toBe(true)
      await store.close()
      await anvil.stop()
    }, 240_000)
  },
)

interface Writer {
  readonly child: ChildProcess
  acknowledged(): number
  until(condition: () => boolean): Promise<void>
}

/** The process that appends batches for ever and says which are durable. */
function startWriter(location: string): Writer {
  const child = spawn(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      join(import.meta.dirname, '..', 'store', 'writer.ts'),
      location,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  let acknowledged = -1
  child.stdout.on('data', (chunk: Buffer) => {
    for (const line of chunk.toString().trim().split('\n'))
      acknowledged = Math.max(acknowledged, Number(line))
  })
  return {
    child,
    acknowledged: () => acknowledged,
    async until(condition) {
      while (!condition()) {
        if (child.exitCode !== null) throw new Error(`the writer ended with ${child.exitCode}`)
        await sleep(20)
      }
    },
  }
}
