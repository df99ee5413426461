import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Frame, movingFrames } from '../../ingest/decode/frames.ts'
import { tokenLegOfLog, transferTopic, withdrawalTopic } from '../../ingest/decode/tokenLog.ts'
import { callTracerFrames, parityFrames } from '../../ingest/decode/traces.ts'
import { transfersOfTransaction } from '../../ingest/decode/transaction.ts'
import type { AssetId } from '../../src/ledger/asset.ts'
import { chain, hash, usdt, wallet, weth } from '../ledger.arbitrary.ts'

const usdtContract = '0xdac17f958d2ee523a2206206994597c13d831ec7'
const wethContract = '0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2'
const reference = (n: number): string => `0x${n.toString(16).padStart(40, '0')}`
const word = (n: bigint | number): string => n.toString(16).padStart(64, '0')
const topic = (n: bigint | number): string => `0x${word(n)}`
const isWrapped = (asset: AssetId): boolean => asset === weth

function legOf(topics: readonly string[], data: string, contract = usdtContract) {
  return tokenLegOfLog({ chain, contract, topics, data, isWrapped })
}

describe('logs', () => {
  const leg = { asset: usdt, from: wallet(1), to: wallet(2), amount: 5n, flags: [] }

  test.each([
    ['both parties indexed: ERC-20', [transferTopic, topic(1), topic(2)], [5]],
    ['nothing indexed: old contracts', [transferTopic], [1, 2, 5]],
    ['only the sender indexed', [transferTopic, topic(1)], [2, 5]],
  ])('a Transfer is value with %s', (_, topics, words) => {
    expect(legOf(topics, `0x${words.map(word).join('')}`)).toEqual(leg)
  })

  test.each([
    ['the token id indexed: ERC-721', [transferTopic, topic(1), topic(2), topic(5)], '0x'],
    ['the token id indexed and data', [transferTopic, topic(1), topic(2), topic(5)], topic(5)],
    ['no amount', [transferTopic, topic(1), topic(2)], '0x'],
    ['short data', [transferTopic, topic(1), topic(2)], '0x05'],
    ['more data than an amount', [transferTopic, topic(1), topic(2)], `${topic(5)}${word(6)}`],
    ['data that is not hexadecimal', [transferTopic, topic(1), topic(2)], `0x${'z'.repeat(64)}`],
    ['another event', [hash(77), topic(1), topic(2)], topic(5)],
    ['no topic: anonymous', [], `0x${word(1)}${word(2)}${word(5)}`],
  ])('a log is no value with %s', (_, topics, data) => {
    expect(legOf(topics, data)).toBeUndefined()
  })

  test('dirt above an address is not part of it, and the zero address is nobody', () => {
    const dirty = `0xffffffffffffffffffffffff${reference(2).slice(2)}`
    expect(legOf([transferTopic, topic(0), dirty], topic(5))).toEqual({
      asset: usdt,
      to: wallet(2),
      amount: 5n,
      flags: [],
    })
  })

  test('the largest amount survives', () => {
    const most = 2n ** 256n - 1n
    expect(legOf([transferTopic, topic(1), topic(2)], topic(most))?.amount).toBe(most)
  })

  test('a withdrawal burns a listed wrapped coin, and means nothing elsewhere', () => {
    const topics = [withdrawalTopic, topic(1)]
    const burn = { asset: weth, from: wallet(1), amount: 5n, flags: ['wrap'] }
    expect(legOf(topics, topic(5), wethContract)).toEqual(burn)
    expect(legOf(topics, topic(5))).toBeUndefined()
  })
})

/** A call tree of which both dialects are written. */
interface Tree {
  readonly type: 'CALL' | 'DELEGATECALL' | 'STATICCALL' | 'CREATE' | 'SELFDESTRUCT'
  readonly value: number
  readonly failed: boolean
  readonly calls: readonly Tree[]
}

const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.record({
    type: fc.constantFrom('CALL', 'CALL', 'DELEGATECALL', 'STATICCALL', 'CREATE', 'SELFDESTRUCT'),
    value: fc.nat({ max: 3 }),
    failed: fc.nat({ max: 3 }).map((n) => n === 0),
    calls: fc.oneof(
      { maxDepth: 4 },
      fc.constant([]),
      fc.array(tie('tree'), { minLength: 1, maxLength: 3 }),
    ),
  }),
}))

const quantity = (n: number): string => `0x${n.toString(16)}`

function callTracerOf(node: Tree): unknown {
  return {
    type: node.type,
    from: reference(1),
    to: reference(2),
    ...(node.type === 'STATICCALL' ? {} : { value: quantity(node.value) }),
    ...(node.failed ? { error: 'execution reverted' } : {}),
    ...(node.calls.length === 0 ? {} : { calls: node.calls.map(callTracerOf) }),
  }
}

function parityOf(node: Tree, traceAddress: readonly number[] = []): unknown[] {
  const value = quantity(node.type === 'STATICCALL' ? 0 : node.value)
  const bodies = {
    CREATE: {
      type: 'create',
      action: { from: reference(1), value },
      result: { address: reference(2) },
    },
    SELFDESTRUCT: {
      type: 'suicide',
      action: { address: reference(1), refundAddress: reference(2), balance: value },
    },
  }
  const body =
    node.type === 'CREATE' || node.type === 'SELFDESTRUCT' ? bodies[node.type] : callOf(node, value)
  return [
    { traceAddress, ...body, ...(node.failed ? { error: 'Reverted', result: null } : {}) },
    ...node.calls.flatMap((call, i) => parityOf(call, [...traceAddress, i])),
  ]
}

function callOf(node: Tree, value: string): object {
  const callType = node.type.toLowerCase()
  return { type: 'call', action: { callType, from: reference(1), to: reference(2), value } }
}

/** What moved by the plainest reading: walk down, stop at whatever failed. */
function moved(node: Tree, found: { position: number; amount: bigint }[] = [], at = { next: 0 }) {
  const position = at.next++
  const carries = ['CALL', 'CREATE', 'SELFDESTRUCT'].includes(node.type)
  if (!node.failed && carries && (node.value > 0 || position === 0))
    found.push({ position, amount: BigInt(node.value) })
  for (const call of node.calls) moved(node.failed ? dead(call) : call, found, at)
  return found
}

function dead(node: Tree): Tree {
  return { ...node, failed: true }
}

const brief = (frames: readonly Frame[]) =>
  movingFrames(frames).map(({ frame, position }) => ({ position, amount: frame.amount }))

describe('traces', () => {
  test('both dialects give what the call tree moved, at the same positions, in any order', () => {
    fc.assert(
      fc.property(tree, (root) => {
        const expected = moved(root)
        expect(brief(callTracerFrames(callTracerOf(root), chain))).toEqual(expected)
        expect(brief(parityFrames(parityOf(root).reverse(), chain))).toEqual(expected)
      }),
      { numRuns: 500 },
    )
  })

  test('a tenth call comes after the second', () => {
    const calls = Array.from({ length: 11 }, (_, i) => ({
      type: 'CALL' as const,
      value: i + 1,
      failed: false,
      calls: [],
    }))
    const root: Tree = { type: 'CALL', value: 0, failed: false, calls }
    const amounts = brief(parityFrames(parityOf(root), chain)).map(({ amount }) => amount)
    expect(amounts).toEqual([0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n, 9n, 10n, 11n])
  })

  test.each([
    ['a trace that is no object', [7]],
    ['a call without its action', [{ type: 'call', traceAddress: [] }]],
    ['a value that is no quantity', [traceWith({ value: '1 ether' })]],
    ['a receiver that is no address', [traceWith({ to: '0x12' })]],
  ])('error: %s is not believed', (_, traces) => {
    expect(() => parityFrames(traces, chain)).toThrowError(
      expect.objectContaining({ code: 'rpc.invalid-answer' }),
    )
  })
})

function traceWith(action: object): object {
  const call = { callType: 'call', from: reference(1), to: reference(2), value: '0x1' }
  return { type: 'call', traceAddress: [], action: { ...call, ...action } }
}

describe('a transaction', () => {
  const block = { number: 9, hash: hash(9), time: 1_700_000_000 }
  const transaction = {
    hash: hash(1),
    from: reference(1),
    to: reference(2),
    value: '0x64',
    transactionIndex: '0x3',
  }
  const receipt = {
    transactionHash: hash(1),
    blockHash: hash(9),
    status: '0x1',
    gasUsed: '0x5208',
    effectiveGasPrice: '0x2',
    logs: [],
  }
  const decode = (changes: { transaction?: object; receipt?: object; frames?: readonly Frame[] }) =>
    transfersOfTransaction(
      {
        block,
        transaction: { ...transaction, ...changes.transaction },
        receipt: { ...receipt, ...changes.receipt },
        ...(changes.frames === undefined ? {} : { frames: changes.frames }),
      },
      chain,
      isWrapped,
    ).map(({ kind, position, from, to, amount }) => ({ kind, position, from, to, amount }))
  const fee = (amount: bigint) => ({
    kind: 'fee',
    position: 0,
    from: wallet(1),
    to: undefined,
    amount,
  })

  test('pays its fee and moves its value', () => {
    expect(decode({})).toEqual([
      fee(42_000n),
      { kind: 'native', position: 0, from: wallet(1), to: wallet(2), amount: 100n },
    ])
  })

  test('that failed pays its fee and moves nothing, whatever its logs and frames claim', () => {
    const log = {
      address: usdtContract,
      topics: [transferTopic, topic(1), topic(2)],
      data: topic(5),
      logIndex: '0x0',
    }
    const frames = parityFrames([traceWith({})], chain)
    expect(decode({ receipt: { status: '0x0', logs: [log] }, frames })).toEqual([fee(42_000n)])
  })

  test('error: whose trace tells more or fewer logs than the receipt is not believed', () => {
    const log = {
      address: usdtContract,
      topics: [transferTopic, topic(1), topic(2)],
      data: topic(5),
    }
    const receipt = { logs: [{ ...log, logIndex: '0x0' }] }
    const call = { type: 'CALL', from: reference(1), to: reference(2), value: '0x0' }
    const undone = {
      ...call,
      error: 'reverted',
      logs: [log, log],
      calls: [{ ...call, logs: [log] }],
    }
    const traced = (logs: readonly object[]) =>
      callTracerFrames({ ...call, calls: [{ ...call, logs }, undone] }, chain)
    expect(decode({ receipt, frames: traced([log]) })).toHaveLength(3)
    // Where no frame tells of logs, the node does not tell them in traces.
    expect(decode({ receipt, frames: callTracerFrames(call, chain) })).toHaveLength(3)
    for (const logs of [[], [log, log]])
      expect(() => decode({ receipt, frames: traced(logs) })).toThrowError(
        expect.objectContaining({ code: 'rpc.invalid-answer' }),
      )
  })

  test('that creates a contract pays the contract', () => {
    const [, native] = decode({
      transaction: { to: null },
      receipt: { contractAddress: reference(7) },
    })
    expect(native).toMatchObject({ kind: 'native', to: wallet(7), amount: 100n })
  })

  test('of a rollup pays for the layer below too, and for its blobs', () => {
    expect(decode({ receipt: { l1Fee: '0x10' } })[0]).toEqual(fee(42_016n))
    const blobs = { blobGasUsed: '0x20000', blobGasPrice: '0x3' }
    expect(decode({ receipt: blobs })[0]).toEqual(fee(42_000n + 393_216n))
  })

  test.each([
    ['is of another transaction', { transactionHash: hash(2) }],
    ['is of another block', { blockHash: hash(8) }],
    ['has no gas', { gasUsed: undefined }],
    ['has logs that are no list', { logs: {} }],
  ])('error: a receipt that %s is not believed', (_, changes) => {
    expect(() => decode({ receipt: changes })).toThrowError(
      expect.objectContaining({ code: 'rpc.invalid-answer' }),
    )
  })
})
