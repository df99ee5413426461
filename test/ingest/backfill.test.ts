import { expect, test } from 'vitest'
import { connectChain } from '../../ingest/rpc/chainReader.ts'
import { type RpcNode, RpcRefusal } from '../../ingest/rpc/node.ts'
import { parseAccount } from '../../src/ledger/account.ts'
import { type Backfill, backfill } from './backfill.ts'
import { createSimulatedChain } from './simulatedChain.ts'

const wide: Omit<Backfill, 'calls'> = {
  head: 3_000_000,
  takes: {
    blocks: 10_000,
    results: 10_000,
    wordsForBlocks: 'eth_getLogs is limited to a 10,000 range',
  },
  everyBlocks: 6_000,
  seed: 1,
}
const narrow: Omit<Backfill, 'calls'> = {
  head: 12_000,
  takes: {
    blocks: 10,
    results: 10_000,
    wordsForBlocks: 'You can make eth_getLogs requests with up to a 10 block range.',
  },
  everyBlocks: 60,
  seed: 2,
}

test.each<[string, Backfill]>([
  ['10,000 blocks, 10 calls a second', { ...wide, calls: { perSecond: 10, counts: 'second' } }],
  ['10 blocks, out of a bucket', { ...narrow, calls: { perSecond: 5, counts: 'bucket' } }],
])('a whole history is read with nearly all calls that are permitted: %s', async (_, given) => {
  const { used, refused, missing, twice, transfers } = await backfill(given)
  expect(transfers).toBeGreaterThan(5_000)
  expect({ missing, twice }).toEqual({ missing: 0, twice: 0 })
  expect(used).toBeGreaterThan(0.96)
  expect(refused).toBeLessThan(0.02)
})

test('more transactions than are held at once are read in several pieces, each of them once', async () => {
  const payments = Array.from({ length: 12_000 }, (_, i) => ({ block: i + 1, logs: 1 }))
  const limits = { blocks: 1e9, results: 1e9, wordsForBlocks: '' }
  const chain = createSimulatedChain({ head: 12_000, payments, limits })
  const node: RpcNode = {
    name: 'node',
    calls: 0,
    async call(method, params) {
      const answer = chain.answer({ id: 1, method, params })
      if ('error' in answer) throw new RpcRefusal(-32_601, 'method not found')
      return answer.result
    },
  }
  const reader = await connectChain(node, () => false)
  const wallet = parseAccount(chain.wallet, reader.chain)
  const found: string[] = []
  const pieces: number[] = []
  for (let from = 0; from <= 12_000; ) {
    const { transfers, through } = await reader.read([wallet], { from, to: 12_000 })
    for (const { kind, block, position } of transfers)
      if (kind === 'token') found.push(`${block}:${position}`)
    from = (through ?? 12_000) + 1
    pieces.push(from)
  }
  expect(pieces.length).toBeGreaterThan(2)
  expect(found.sort()).toEqual([...chain.truth].sort())
})
