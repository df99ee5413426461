import { id } from 'ethers'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  feePoolSwapTopic,
  pairSwapTopic,
  paymentOfSwap,
  poolSwapTopic,
} from '../../ingest/decode/poolSwap.ts'
import { paymentsOfTransaction } from '../../ingest/decode/transaction.ts'
import type { AssetId } from '../../src/ledger/asset.ts'
import type { Transfer } from '../../src/ledger/transfer.ts'
import { chain, hash, ledgerOf, usdt, wallet, weth } from '../ledger.arbitrary.ts'

const [pool, router, recipient] = [wallet(1), wallet(2), wallet(3)]
const contract = pool.slice(pool.lastIndexOf(':') + 1)
const word = (n: bigint | number): string =>
  BigInt.asUintN(256, BigInt(n)).toString(16).padStart(64, '0')
const topic = (n: number): string => `0x${word(n)}`
const data = (...words: readonly (bigint | number)[]): string => `0x${words.map(word).join('')}`
const v2 = (...amounts: readonly number[]) => ({ topic: pairSwapTopic, data: data(...amounts) })
const v3 = (a: number, b: number) => ({ topic: poolSwapTopic, data: data(a, b, 9, 9, -5) })

function sent(asset: AssetId, amount: bigint, to = recipient): Transfer[] {
  return ledgerOf([[{ from: pool, to, asset, amount, kind: 'token' }]])
}

function payment(event: { topic: string; data: string }, transfers: readonly Transfer[] = []) {
  const topics = [event.topic, topic(2), topic(3)]
  return paymentOfSwap(
    { chain, tx: hash(1), position: 7, contract, topics, data: event.data },
    transfers,
  )
}

const record = { chain, tx: hash(1), position: 7, pool, recipient }

test('the topics are the hashes of their signatures', () => {
  expect(pairSwapTopic).toBe(id('Swap(address,uint256,uint256,uint256,uint256,address)'))
  expect(poolSwapTopic).toBe(id('Swap(address,address,int256,int256,uint160,uint128,int24)'))
  expect(feePoolSwapTopic).toBe(
    id('Swap(address,address,int256,int256,uint160,uint128,int24,uint128,uint128)'),
  )
})

test.each([
  ['Uniswap V2, second token paid', v2(100, 0, 0, 40)],
  ['Uniswap V2, first token paid', v2(0, 100, 40, 0)],
  ['Uniswap V3, second token paid', v3(100, -40)],
  ['Uniswap V3, first token paid', v3(-40, 100)],
  ['PancakeSwap V3', { topic: feePoolSwapTopic, data: data(-40, 100, 9, 9, 5, 0, 0) }],
])('%s: the recipient got what the pool sent it', (_, event) => {
  expect(payment(event, sent(usdt, 40n))).toEqual({ ...record, gets: usdt })
})

test('what arrived is what counts, where a token keeps a fee', () => {
  expect(payment(v2(100, 0, 0, 40), sent(usdt, 39n))).toEqual({ ...record, gets: usdt })
})

test('of two assets that the pool sent, the one of that amount was paid', () => {
  const both = [...sent(weth, 1n), ...sent(usdt, 40n)]
  expect(payment(v2(100, 0, 0, 40), both)).toEqual({ ...record, gets: usdt })
})

test('where that does not tell, the asset is left open', () => {
  expect(payment(v2(100, 0, 0, 40))).toEqual(record)
  expect(payment(v2(100, 0, 0, 40), sent(usdt, 40n, router))).toEqual(record)
  expect(payment(v2(100, 0, 0, 40), [...sent(weth, 40n), ...sent(usdt, 40n)])).toEqual(record)
  expect(payment(v2(100, 0, 3, 40), [...sent(weth, 3n), ...sent(usdt, 40n)])).toEqual(record)
})

test.each([
  ['another event', { topic: hash(5), data: data(1, 2, 3, 4) }],
  ['too few words', { topic: pairSwapTopic, data: data(1, 2, 3) }],
  ['too many words', { topic: poolSwapTopic, data: data(1, 2, 3, 4, 5, 6) }],
  ['a broken word', { topic: pairSwapTopic, data: `${data(1, 2, 3, 4)}00` }],
  ['no hex', { topic: pairSwapTopic, data: `0x${'z'.repeat(256)}` }],
])('a log is no swap with %s', (_, event) => {
  expect(payment(event, sent(usdt, 40n))).toBeUndefined()
})

test('a swap of another shape, or to nobody, is left alone', () => {
  const place = { chain, tx: hash(1), position: 7, contract, data: data(100, 0, 0, 40) }
  for (const topics of [
    [],
    [pairSwapTopic],
    [pairSwapTopic, topic(2)],
    [pairSwapTopic, topic(2), topic(0)],
  ])
    expect(paymentOfSwap({ ...place, topics }, [])).toBeUndefined()
})

test('no log, however made, breaks the decoder', () => {
  const hex = fc.array(fc.integer({ min: 0, max: 15 }), { maxLength: 500 })
  const known = fc.constantFrom(pairSwapTopic, poolSwapTopic, feePoolSwapTopic, '0x', '')
  let found = 0
  fc.assert(
    fc.property(known, hex, fc.array(fc.string(), { maxLength: 3 }), (first, digits, rest) => {
      const bytes = `0x${digits.map((digit) => digit.toString(16)).join('')}`
      const log = { chain, tx: hash(1), position: 7, contract, data: bytes }
      expect(paymentOfSwap({ ...log, topics: [first, ...rest] }, [])).toBeUndefined()
      if (
        paymentOfSwap({ ...log, data: data(1, 0, 0, 2), topics: [first, topic(2), topic(3)] }, [])
      )
        found++
    }),
  )
  expect(found).toBeGreaterThan(5)
})

test('a receipt gives the payments of its logs, and none when the transaction failed', () => {
  const receipt = {
    transactionHash: hash(1),
    status: '0x1',
    logs: [
      {
        address: contract.toUpperCase().replace('0X', '0x'),
        logIndex: '0x7',
        topics: [pairSwapTopic, topic(2), topic(3)],
        data: data(100, 0, 0, 40),
      },
      { address: contract, logIndex: '0x8', topics: [], data: '0x' },
    ],
  }
  expect(paymentsOfTransaction(receipt, chain, sent(usdt, 40n))).toEqual([
    { ...record, gets: usdt },
  ])
  expect(paymentsOfTransaction({ ...receipt, status: '0x0' }, chain, [])).toEqual([])
})
