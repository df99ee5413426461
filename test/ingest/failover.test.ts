import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ChainReader } from '../../ingest/rpc/chainReader.ts'
import { createFailover, type Source } from '../../ingest/rpc/failover.ts'
import { RpcRefusal } from '../../ingest/rpc/node.ts'
import { runWorker, type WorkerEvent } from '../../ingest/worker.ts'
import { parseAccount } from '../../src/ledger/account.ts'
import type { ChainId } from '../../src/ledger/chain.ts'
import { KnownError } from '../../src/ledger/errors.ts'
import type { Kind } from '../../src/ledger/transfer.ts'
import { putFlag, readFlag } from '../../src/store/flags.ts'
import { openStore } from '../../src/store/open.ts'
import { inFolder } from '../bench/folder.ts'
import { type Anvil, startAnvil } from '../chain/anvil.ts'
import { answering, faults, type Reply, secretKey, startScriptedRpc } from './scriptedRpc.ts'
import { createVirtualClock } from './virtualClock.ts'

const chain = 'eip155:1' as ChainId
const wallet = parseAccount(`0x${'1'.repeat(40)}`, chain)
const away = (): KnownError => new KnownError('rpc.unavailable', 'no answer', { retryable: true })

interface Fake {
  readonly source: Source<ChainReader>
  fault: Error | undefined
  reads: number
}

function fake(name: string, kinds: readonly Kind[] = ['native', 'token'], on = chain): Fake {
  const made: Fake = {
    fault: undefined,
    reads: 0,
    source: {
      name,
      async connect() {
        if (made.fault) throw made.fault
        const answer = async <T>(value: T): Promise<T> => {
          if (made.fault) throw made.fault
          return value
        }
        return {
          chain: on,
          name,
          assurance: 1,
          complete: kinds,
          head: () => answer(7),
          finalized: () => answer(5),
          blockHash: () => answer('0x'),
          parentHash: () => answer(undefined),
          read() {
            made.reads++
            return answer({ transfers: [], payments: [] })
          },
        }
      },
    },
  }
  return made
}

describe('several sources as one', () => {
  test('the first is read from while it answers, the next when it does not, the first again later', async () => {
    const [a, b] = [fake('a'), fake('b')]
    const clock = createVirtualClock()
    const told: string[] = []
    const reader = await createFailover([a.source, b.source], {
      clock,
      tell: ({ name, away: isAway }) => told.push(`${name} ${isAway ? 'away' : 'in use'}`),
    })
    await reader.read([wallet], { from: 0, to: 7 })
    expect(reader.name).toBe('a')
    a.fault = away()
    await reader.read([wallet], { from: 0, to: 7 })
    expect(reader.name).toBe('b')
    a.fault = undefined
    await reader.read([wallet], { from: 0, to: 7 })
    expect(reader.name).toBe('b')
    await clock.run(clock.sleep(20_000))
    await reader.read([wallet], { from: 0, to: 7 })
    expect(reader.name).toBe('a')
    expect(told).toEqual(['a away', 'b in use', 'a in use'])
    expect([a.reads, b.reads]).toEqual([3, 2])
  })

  test('one that knows more kinds is read from first', async () => {
    const [poor, rich] = [fake('poor', ['token']), fake('rich', ['native', 'internal', 'token'])]
    const reader = await createFailover([poor.source, rich.source], { clock: createVirtualClock() })
    expect(reader.complete).toEqual(['native', 'internal', 'token'])
    rich.fault = new KnownError('rpc.invalid-answer', 'nonsense')
    await reader.read([wallet], { from: 0, to: 7 })
    expect(reader.complete).toEqual(['token'])
  })

  test('one that is away at the start is connected when it is needed', async () => {
    const [a, b] = [fake('a'), fake('b')]
    a.fault = away()
    const clock = createVirtualClock()
    const reader = await createFailover([a.source, b.source], { clock })
    expect(reader.name).toBe('b')
    a.fault = undefined
    b.fault = away()
    await clock.run(clock.sleep(20_000))
    expect(await reader.head()).toBe(7)
    expect(reader.name).toBe('a')
  })

  test('error: when none answers, the first says why', async () => {
    const [a, b] = [fake('a'), fake('b')]
    const reader = await createFailover([a.source, b.source], { clock: createVirtualClock() })
    a.fault = new RpcRefusal(-32000, 'missing trie node')
    b.fault = away()
    await expect(reader.read([wallet], { from: 0, to: 7 })).rejects.toBe(a.fault)
  })

  test('error: a question that no source could answer is not put to the others', async () => {
    const [a, b] = [fake('a'), fake('b')]
    const reader = await createFailover([a.source, b.source], { clock: createVirtualClock() })
    a.fault = new Error('a bug')
    await expect(reader.read([wallet], { from: 0, to: 7 })).rejects.toBe(a.fault)
    expect(b.reads).toBe(0)
  })

  test('error: sources of different chains', async () => {
    const other = fake('b', ['token'], 'eip155:10' as ChainId)
    await expect(
      createFailover([fake('a').source, other.source], { clock: createVirtualClock() }),
    ).rejects.toMatchObject({ code: 'chain.mismatch' })
  })
})

describe('a worker with two nodes', () => {
  let anvil: Anvil
  beforeAll(async () => {
    anvil = await startAnvil()
    const [from, to] = (await anvil.call('eth_accounts')) as string[]
    for (let i = 1; i <= 5; i++)
      await anvil.call('eth_sendTransaction', [{ from, to, value: `0x${i}` }])
  })
  afterAll(() => anvil.stop())

  /** anvil behind a server that answers as `choose` has it, else as anvil does. */
  function before(choose: (method: string) => Reply | undefined) {
    const honest = answering(async ({ method, params }) => ({
      result: await anvil.call(method, params),
    }))
    return startScriptedRpc(({ calls }) => {
      const found = calls.map(({ method }) => choose(method)).find((reply) => reply !== undefined)
      return found ?? honest
    })
  }

  test('goes on with the other one, says so, and claims each stretch for the one that told it', async () => {
    let isParked = false
    const first = await before((method) => {
      isParked ||= method === 'trace_transaction'
      return isParked
        ? faults.error({ code: 429, message: `Monthly capacity limit exceeded ${secretKey}` })
        : undefined
    })
    try {
      await inFolder(async (folder) => {
        const [, to = ''] = (await anvil.call('eth_accounts')) as string[]
        const on = `eip155:${Number(await anvil.call('eth_chainId'))}` as ChainId
        const account = parseAccount(to.toLowerCase(), on)
        const store = await openStore(folder)
        await putFlag(store, { account, reason: 'test', source: 'test' }, new Date(0))
        await store.close()
        const events: WorkerEvent[] = []
        await runWorker({
          store: folder,
          rpc: [first.url, anvil.url],
          once: true,
          signal: new AbortController().signal,
          tries: 2,
          tell: (event) => events.push(event),
        })
        const again = await openStore(folder)
        expect((await readFlag(again, account))?.state).toBe('done')
        const claims = await again.coverage(new Set([account]))
        const second = events.findLast((event) => event.event === 'endpoint')
        expect(second).toMatchObject({ state: 'in use' })
        expect(new Set(claims.map(({ source }) => source))).toEqual(new Set([second?.node]))
        const remembered = await again.listDocuments('endpoint')
        expect(remembered).toHaveLength(2)
        expect(remembered.map(({ value }) => value)).toContainEqual(
          expect.objectContaining({ traces: 'trace_filter', windows: expect.anything() }),
        )
        await again.close()
        const said = JSON.stringify([events, remembered])
        expect(said).toContain('Monthly capacity limit exceeded')
        expect(said).not.toContain(secretKey)
      })
    } finally {
      await first.stop()
    }
  })
})
