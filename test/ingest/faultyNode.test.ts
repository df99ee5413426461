import { afterAll, beforeAll, expect, test } from 'vitest'
import { connectChain, type NodeReader } from '../../ingest/rpc/chainReader.ts'
import { createNode } from '../../ingest/rpc/node.ts'
import { type Account, parseAccount } from '../../src/ledger/account.ts'
import type { KnownError } from '../../src/ledger/errors.ts'
import { createRandomNumbers } from '../../src/sample/randomNumbers.ts'
import { type Anvil, startAnvil } from '../chain/anvil.ts'
import { createScene } from '../chain/scene.ts'
import { hastyClock } from './hastyClock.ts'
import { answering, faults, type Reply, secretKey, startScriptedRpc } from './scriptedRpc.ts'

let anvil: Anvil
let wallet: Account
let whole: readonly string[]

beforeAll(async () => {
  anvil = await startAnvil()
  const scene = await createScene(anvil)
  const token = await scene.deploy('Token', [10_000n])
  const [maker = '', holder = '', third = ''] = scene.people
  for (let i = 1; i <= 12; i++) {
    await scene.call(maker, token, 'transfer', [holder, BigInt(i)])
    await scene.send(holder, third, { value: BigInt(i) })
  }
  const chain = `eip155:${Number(await anvil.call('eth_chainId'))}`
  wallet = parseAccount(`${chain}:${holder.toLowerCase()}`)
  whole = await read(await connectChain(createNode(anvil.url), () => false))
}, 60_000)

afterAll(() => anvil.stop())

async function read(reader: NodeReader): Promise<string[]> {
  const { transfers } = await reader.read([wallet], { from: 0, to: await reader.head() })
  return transfers
    .map(
      ({ tx, kind, position, from, to, amount }) =>
        `${tx} ${kind} ${position} ${from} ${to} ${amount}`,
    )
    .sort()
}

const passing: readonly (() => Reply)[] = [
  () => faults.tooMany('1'),
  () => faults.tooMany(),
  faults.tooManyInside,
  () =>
    faults.error({
      code: -32005,
      message: 'limit exceeded',
      data: { rate: { backoff_seconds: 1 } },
    }),
  () => faults.status(503),
  () => faults.html(),
  () => faults.html(502),
  faults.silence,
  faults.closed,
  faults.truncated,
  faults.cut,
  faults.empty,
  faults.wrongId,
  () => faults.slowLoris(10),
]

test.each(Array.from({ length: 12 }, (_, seed) => seed))(
  'a node that fails in every way gives the same wallet in the end (seed %i)',
  async (seed) => {
    const random = createRandomNumbers(seed)
    const honest = answering(async ({ method, params }) => ({
      result: await anvil.call(method, params),
    }))
    let faulty = 0
    const server = await startScriptedRpc(() => {
      if (random.below(100) >= 15) return honest
      faulty++
      return random.pick(passing)()
    })
    const node = createNode(server.url, {
      tries: 12,
      timeoutMs: 400,
      clock: hastyClock(),
      known: { batches: seed % 2 === 0 },
    })
    try {
      expect(await read(await connectChain(node, () => false))).toEqual(whole)
      expect(faulty).toBeGreaterThan(0)
    } finally {
      await server.stop()
    }
  },
  30_000,
)

test('a node that gives null, redirects or sends a bomb is never believed, and its key never told', async () => {
  const others = [
    faults.nothing(),
    faults.redirect('http://127.0.0.1:1/'),
    faults.gzipBomb(2 ** 24),
  ]
  for (const fault of others) {
    const honest = answering(async ({ method, params }) => ({
      result: await anvil.call(method, params),
    }))
    const server = await startScriptedRpc(({ calls }) =>
      calls.some(({ method }) => method === 'eth_getTransactionReceipt') ? fault : honest,
    )
    const node = createNode(server.url, { tries: 2, clock: hastyClock(), maxAnswerBytes: 2 ** 20 })
    const failed = await read(await connectChain(node, () => false)).catch(
      (error: KnownError) => error,
    )
    await server.stop()
    expect(failed).toMatchObject({ code: expect.stringMatching(/^rpc\./) })
    expect(`${failed} ${JSON.stringify(failed)}`).not.toContain(secretKey)
  }
})
