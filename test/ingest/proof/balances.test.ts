import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { checkBalances } from '../../../ingest/proof/balances.ts'
import { createNode } from '../../../ingest/rpc/node.ts'
import type { Fields } from '../../../ingest/rpc/values.ts'
import { coverageAnswer } from '../../../src/api/coverage.ts'
import { parseAccount } from '../../../src/ledger/account.ts'
import { parseAsset } from '../../../src/ledger/asset.ts'
import type { ChainId } from '../../../src/ledger/chain.ts'
import { nativeAsset } from '../../../src/ledger/nativeCoins.ts'
import { listDisputes } from '../../../src/store/proofs.ts'
import { type Lie, lyingProxy } from '../../chain/lyingProxy.ts'
import {
  buildProvenChain,
  emptyStore,
  honest,
  ingest,
  type Place,
  type ProvenChain,
  proveWith,
} from './provenChain.ts'

let known: ProvenChain
let place: Place

beforeAll(async () => {
  known = await buildProvenChain()
}, 60_000)
beforeEach(async () => {
  place = await emptyStore()
})
afterEach(() => place.close())
afterAll(() => known.anvil.stop())

async function ingestFrom(lie: Lie): Promise<void> {
  const proxy = await lyingProxy(known.anvil, lie)
  await ingest(place, known.alice, proxy.url)
  proxy.close()
}

async function check(lie: Lie = honest): Promise<readonly (bigint | null)[]> {
  const proxy = await lyingProxy(known.anvil, lie)
  const tokens = new Set([known.asset])
  const node = createNode(proxy.url, { tries: 1 })
  const checks = await checkBalances({ store: place.store, account: known.alice, node, tokens })
  proxy.close()
  return checks.map(({ difference }) => difference)
}

const assurances = async (kind: string): Promise<number[]> =>
  (await coverageAnswer(place.store, known.alice)).intervals
    .filter((interval) => interval.kind === kind)
    .map(({ assurance }) => assurance)

test('an honest reading adds up, coin and token', async () => {
  await ingestFrom(honest)
  expect(await check()).toEqual([0n, 0n])
  expect(await listDisputes(place.store, known.alice)).toEqual([])
  expect(await assurances('token')).toEqual([1])
  const { readings } = await coverageAnswer(place.store, known.alice)
  expect(readings).toMatchObject([{ fromBlock: 0, assurance: 1, anchor: null }])
})

test('one altered amount: a finding with amount and interval, which lowers the claim, as the worker ends', async () => {
  const value = (await known.anvil.call('eth_getBlockByNumber', ['0x5', true])) as {
    transactions: Fields[]
  }
  const [tx] = value.transactions
  await ingestFrom((method, params, result) => {
    if (method !== 'trace_transaction' || params[0] !== tx?.['hash']) return undefined
    return (result as Fields[]).map((trace) => ({
      ...trace,
      action: { ...(trace['action'] as Fields), value: '0x1' },
    }))
  })
  const [found] = await listDisputes(place.store, known.alice)
  expect(found).toMatchObject({
    what: 'balance',
    asset: nativeAsset(known.chain),
    amount: (1n - 10n ** 18n).toString(),
    fromBlock: 1,
  })
  // The state of block 0 was there before: what is disputed begins behind it.
  expect(await assurances('native')).toEqual([1, 0])
  expect(await assurances('token')).toEqual([1])
})

/** Leaves out all logs, so well that the node does not contradict itself. */
const withoutLogs: Lie = (method, _, result) => {
  const bloom = { logsBloom: `0x${'0'.repeat(512)}` }
  if (method === 'eth_getLogs') return []
  if (method === 'eth_getTransactionReceipt') return { ...(result as Fields), ...bloom, logs: [] }
  return /^eth_getBlockBy/.test(method) ? { ...(result as Fields), ...bloom } : undefined
}

test('one omitted log, and a backend that lags and answers []: the balance of the token does not add up', async () => {
  for (const lie of [
    withoutLogs,
    (method: string) => (method === 'eth_getLogs' ? [] : undefined),
  ]) {
    await ingestFrom(lie)
    await check()
    const disputes = await listDisputes(place.store, known.alice)
    expect(disputes.map(({ asset }) => asset)).toContain(known.asset)
    expect(await assurances('token')).toEqual([1, 0])
    await place.close()
    place = await emptyStore()
  }
})

test('the proof settles it: what was wrong gives way, and the balance adds up again', async () => {
  await ingestFrom(withoutLogs)
  await check()
  expect(await listDisputes(place.store, known.alice)).not.toEqual([])
  await proveWith(known, place, [honest, honest])
  await check()
  expect(await listDisputes(place.store, known.alice)).toEqual([])
  expect((await assurances('token'))[0]).toBe(3)
})

test('a node without an archive leaves it unchecked, and nothing is lowered', async () => {
  await ingestFrom(honest)
  const pruned: Lie = (method) =>
    /getBalance|eth_call/.test(method) ? new Error('missing trie node') : undefined
  expect(await check(pruned)).toEqual([null, null])
  expect(await listDisputes(place.store, known.alice)).toEqual([])
})

test('a token that rebases is told, and lowers nothing', async () => {
  const chain = 'eip155:1' as ChainId
  const account = parseAccount('0x00000000000000000000000000000000000000aa', chain)
  const claim = { account, fromBlock: 1, toBlock: 9, assurance: 1 as const, source: 'node:a' }
  await place.store.append({
    transfers: [],
    source: 'node:a',
    assurance: 1,
    coverage: [{ ...claim, kind: 'token' }],
  })
  const staked = parseAsset('eip155:1/erc20:0xae7ab96520DE3A18E5e111B5EaAb095312D7fE84')
  const node = {
    name: 'node:a',
    call: async (_: string, [, at]: readonly unknown[]) => (at === '0x9' ? '0x7' : '0x0'),
  }
  const tokens = new Set([staked])
  const checks = await checkBalances({ store: place.store, account, node, tokens })
  expect(checks.map(({ difference }) => difference)).toEqual([7n])
  const answer = await coverageAnswer(place.store, account)
  expect(answer.disputes).toMatchObject([{ what: 'balance', amount: '7', kinds: [] }])
  expect(answer.intervals).toMatchObject([{ assurance: 1, disputed: false }])
})
