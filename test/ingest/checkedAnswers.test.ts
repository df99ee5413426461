import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connectChain, type NodeReader } from '../../ingest/rpc/chainReader.ts'
import { createNode, type RpcNode, RpcRefusal } from '../../ingest/rpc/node.ts'
import { type Account, parseAccount } from '../../src/ledger/account.ts'
import type { KnownError } from '../../src/ledger/errors.ts'
import { type Anvil, startAnvil } from '../chain/anvil.ts'
import { createScene } from '../chain/scene.ts'

/**
 * A node that changes one thing in its answers. Nothing of what it says then may be believed, whichever of its other
 * answers it contradicts.
 */
let anvil: Anvil
let wallet: Account
let other: Account

beforeAll(async () => {
  anvil = await startAnvil()
  const scene = await createScene(anvil)
  const token = await scene.deploy('Token', [1_000n])
  const [maker = '', holder = '', third = ''] = scene.people
  await scene.call(maker, token, 'transfer', [holder, 600n])
  await scene.call(holder, token, 'transfer', [third, 100n])
  await scene.send(maker, holder, { value: 7n })
  const chain = `eip155:${Number(await anvil.call('eth_chainId'))}`
  wallet = parseAccount(`${chain}:${holder.toLowerCase()}`)
  other = parseAccount(`${chain}:${third.toLowerCase()}`)
}, 60_000)

afterAll(async () => {
  await anvil.stop()
})

type Json = Record<string, unknown>
type Change = (result: never, method: string) => unknown

/** anvil, except for what is changed in the answers of one method; how often is counted. */
function lying(method: string, change: Change, times = Number.POSITIVE_INFINITY) {
  const node = createNode(anvil.url, { tries: 1 })
  const state = { lies: 0 }
  const lyingNode: RpcNode = {
    name: node.name,
    calls: 0,
    async call(asked, params) {
      const result = await node.call(asked, params)
      // Which methods there are is told truly.
      const isProbe = JSON.stringify(params).includes('"toBlock":"0x0"')
      if (asked !== method || isProbe || state.lies >= times) return result
      const changed = change(structuredClone(result) as never, asked)
      if (JSON.stringify(changed) !== JSON.stringify(result)) state.lies++
      return changed
    },
  }
  return { node: lyingNode, state }
}

async function read(
  node: RpcNode,
  wallets: readonly Account[] = [wallet],
): Promise<Awaited<ReturnType<NodeReader['read']>>> {
  const reader = await connectChain(node, () => false)
  return reader.read(wallets, { from: 0, to: await reader.head() })
}

const otherHash = `0x${'ab'.repeat(32)}`
const eachLog =
  (change: (log: Json) => void): Change =>
  (logs: never) => {
    for (const log of logs as Json[]) change(log)
    return logs
  }
const firstTwice: Change = (items: never) => [
  ...(items as unknown[]).slice(0, 1),
  ...(items as unknown[]),
]

const lies: readonly (readonly [lie: string, method: string, change: Change])[] = [
  [
    'a log of a foreign block hash',
    'eth_getLogs',
    eachLog((log) => (log['blockHash'] = otherHash)),
  ],
  [
    'a log of a block that was not asked for',
    'eth_getLogs',
    eachLog((log) => (log['blockNumber'] = '0xffff')),
  ],
  ['a log that was removed', 'eth_getLogs', eachLog((log) => (log['removed'] = true))],
  [
    'a log of another transaction',
    'eth_getLogs',
    eachLog((log) => (log['transactionHash'] = otherHash)),
  ],
  ['a log with another index', 'eth_getLogs', eachLog((log) => (log['logIndex'] = '0x63'))],
  [
    'a log of another contract',
    'eth_getLogs',
    eachLog((log) => (log['address'] = `0x${'12'.repeat(20)}`)),
  ],
  [
    'a log of other wallets',
    'eth_getLogs',
    eachLog((log) => (log['topics'] = [(log['topics'] as string[])[0], otherHash, otherHash])),
  ],
  ['a log twice', 'eth_getLogs', firstTwice],
  ['null for logs', 'eth_getLogs', () => null],
  ['an object for logs', 'eth_getLogs', () => ({})],
  ['a log without a place', 'eth_getLogs', eachLog((log) => delete log['blockNumber'])],
  [
    'a trace of a block that was not asked for',
    'trace_filter',
    eachLog((trace) => (trace['blockNumber'] = 65_535)),
  ],
  [
    'a trace of a foreign block hash',
    'trace_filter',
    eachLog((trace) => (trace['blockHash'] = otherHash)),
  ],
  [
    'a trace of other wallets',
    'trace_filter',
    eachLog((trace) =>
      Object.assign(trace['action'] as Json, {
        from: `0x${'12'.repeat(20)}`,
        to: `0x${'12'.repeat(20)}`,
      }),
    ),
  ],
  ['null for traces', 'trace_filter', () => null],
  [
    'a block with another number',
    'eth_getBlockByNumber',
    (block: never) => ({ ...(block as Json), number: '0xffff' }),
  ],
  [
    'a block with another hash',
    'eth_getBlockByNumber',
    (block: never) => ({ ...(block as Json), hash: otherHash }),
  ],
  [
    'a block without transactions',
    'eth_getBlockByNumber',
    (block: never) => ({ ...(block as Json), transactions: [] }),
  ],
  [
    'a block with a transaction twice',
    'eth_getBlockByNumber',
    (block: never) => ({
      ...(block as Json),
      transactions: firstTwice((block as Json)['transactions'] as never, ''),
    }),
  ],
  [
    'a transaction of another block',
    'eth_getBlockByNumber',
    (block: never) => ({
      ...(block as Json),
      transactions: ((block as Json)['transactions'] as Json[]).map((item) =>
        typeof item === 'object' ? { ...item, blockHash: otherHash } : item,
      ),
    }),
  ],
  [
    'a receipt of another block',
    'eth_getTransactionReceipt',
    (receipt: never) => ({ ...(receipt as Json), blockHash: otherHash }),
  ],
  [
    'a receipt of another transaction',
    'eth_getTransactionReceipt',
    (receipt: never) => ({ ...(receipt as Json), transactionHash: otherHash }),
  ],
  [
    'a receipt without its logs',
    'eth_getTransactionReceipt',
    (receipt: never) => ({ ...(receipt as Json), logs: [] }),
  ],
  [
    'a receipt with a log twice',
    'eth_getTransactionReceipt',
    (receipt: never) => ({
      ...(receipt as Json),
      logs: firstTwice((receipt as Json)['logs'] as never, ''),
    }),
  ],
  [
    'a receipt with a log of another contract',
    'eth_getTransactionReceipt',
    (receipt: never) => ({
      ...(receipt as Json),
      logs: ((receipt as Json)['logs'] as Json[]).map((log) => ({
        ...log,
        address: `0x${'12'.repeat(20)}`,
      })),
    }),
  ],
  ['no receipt', 'eth_getTransactionReceipt', () => null],
  [
    'a bloom that cannot hold the logs',
    'eth_getBlockByNumber',
    (block: never) => ({ ...(block as Json), logsBloom: `0x${'0'.repeat(511)}1` }),
  ],
  [
    'calls of another transaction',
    'trace_transaction',
    eachLog((trace) => (trace['transactionHash'] = otherHash)),
  ],
  ['no calls at all', 'trace_transaction', () => []],
]

describe('a node that lies is not believed', () => {
  test.each(lies)('%s', async (_, method, change) => {
    const { node, state } = lying(method, change)
    const failed = await read(node).catch((error: KnownError) => error)
    expect(failed).toMatchObject({
      code: expect.stringMatching(/^rpc\.(invalid-answer|unavailable)$/),
    })
    expect(state.lies).toBeGreaterThan(0)
  })

  test('the honest one is', async () => {
    const { transfers } = await read(lying('none', (x) => x).node)
    expect(transfers.filter(({ kind }) => kind === 'token')).toHaveLength(2)
  })

  test('what was contradicted once is read again, for the chain may have been reorganised', async () => {
    const { node, state } = lying(
      'eth_getLogs',
      eachLog((log) => (log['blockHash'] = otherHash)),
      1,
    )
    const { transfers } = await read(node)
    expect(state.lies).toBe(1)
    expect(transfers.filter(({ kind }) => kind === 'token')).toHaveLength(2)
  })
})

test('error: a backend that lags answers [] and is found out, since it lacks the last block', async () => {
  const head = Number(await anvil.call('eth_blockNumber'))
  const node = createNode(anvil.url, { tries: 1 })
  // Logs and blocks come from a backend that is two blocks behind; the head from another.
  const lagging: RpcNode = {
    name: node.name,
    calls: 0,
    async call(method, params) {
      if (method === 'eth_getLogs' || method === 'trace_filter') return []
      const [number] = params
      if (method === 'eth_getBlockByNumber' && Number(number) > head - 2) return null
      return node.call(method, params)
    },
  }
  await expect(read(lagging)).rejects.toMatchObject({ code: 'rpc.unavailable', retryable: true })
})

test('many wallets are read at once, in lists that the node takes', async () => {
  const asked: number[] = []
  const node = createNode(anvil.url, { tries: 1 })
  const strict: RpcNode = {
    name: node.name,
    calls: 0,
    async call(method, params) {
      const [filter] = params as [{ topics?: (string | string[] | null)[]; toAddress?: string[] }]
      const list = filter?.topics?.find((topic, i) => i > 0 && Array.isArray(topic))
      if (Array.isArray(list)) {
        asked.push(list.length)
        if (list.length > 3) {
          throw new RpcRefusal(-32602, 'exceed max topics')
        }
      }
      return node.call(method, params)
    },
  }
  const strangers = Array.from({ length: 9 }, (_, i) =>
    parseAccount(
      `${wallet.slice(0, wallet.lastIndexOf(':'))}:0x${String(i + 1).padStart(40, 'e')}`,
    ),
  )
  const whole = await read(node, [wallet, other])
  const listed = await read(strict, [
    ...strangers.slice(0, 5),
    wallet,
    other,
    ...strangers.slice(5),
  ])
  const identities = ({ transfers }: typeof whole): string[] =>
    transfers.map(({ tx, kind, position }) => `${tx} ${kind} ${position}`).sort()
  expect(identities(listed)).toEqual(identities(whole))
  expect(new Set(identities(listed)).size).toBe(listed.transfers.length)
  expect(Math.max(...asked)).toBe(11)
  expect(asked.filter((size) => size <= 3).length).toBeGreaterThanOrEqual(6)
})

test('a method that vanishes is noticed: the node is asked anew what it has, and the wallet is read', async () => {
  const node = createNode(anvil.url, { tries: 1 })
  let isGone = false
  const shrinking: RpcNode = {
    name: node.name,
    calls: 0,
    async call(method, params) {
      if (isGone && method === 'trace_filter')
        throw new RpcRefusal(-32_601, 'the method trace_filter does not exist/is not available')
      return node.call(method, params)
    },
  }
  const reader = await connectChain(shrinking, () => false)
  expect(reader.traces).toBe('trace_filter')
  expect(reader.complete).not.toContain('withdrawal')
  const range = { from: 0, to: await reader.head() }
  const before = await reader.read([wallet], range)
  isGone = true
  const after = await reader.read([wallet], range)
  expect(reader.traces).toBe('trace_block')
  expect(reader.complete).toContain('withdrawal')
  const identities = ({ transfers }: typeof before): string[] =>
    transfers.map(({ tx, kind, position }) => `${tx} ${kind} ${position}`).sort()
  expect(identities(after)).toEqual(identities(before))
})

test('the last final block is told where the node knows it, and is none where it does not', async () => {
  const node = createNode(anvil.url, { tries: 1 })
  const reader = await connectChain(node, () => false)
  expect(await reader.finalized()).toBeTypeOf('number')
  const { node: silent } = lying('eth_getBlockByNumber', () => null)
  expect(await (await connectChain(silent, () => false)).finalized()).toBeUndefined()
})
