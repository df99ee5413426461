import { readFileSync } from 'node:fs'
import { RLP } from '@ethereumjs/rlp'
import { Bloom } from '@ethereumjs/vm'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type BlockHeader, encodeHeader, proveHeader } from '../../../ingest/proof/blockHeader.ts'
import { keccak, rlp } from '../../../ingest/proof/bytes.ts'
import { blobGasPrice, effectiveGasPrice } from '../../../ingest/proof/gasPrices.ts'
import { bloomBits, bloomOf, mayContain } from '../../../ingest/proof/logsBloom.ts'
import {
  proveReceipts,
  proveTransactions,
  proveWithdrawals,
  withSigner,
} from '../../../ingest/proof/provenBlock.ts'
import { encodeTransaction, signerOf } from '../../../ingest/proof/signedTransaction.ts'
import { listRoot } from '../../../ingest/proof/trie.ts'
import type { Fields } from '../../../ingest/rpc/values.ts'
import { realData } from '../../realData.ts'
import { recordedBlocks, recordedResults } from './recorded.ts'

function objects(value: unknown): Fields[] {
  if (Array.isArray(value)) return value.flatMap(objects)
  if (typeof value !== 'object' || value === null) return []
  return [value as Fields, ...Object.values(value).flatMap(objects)]
}

const all = recordedResults().flatMap(objects)
const blocks = all.filter((item) => 'receiptsRoot' in item && typeof item['hash'] === 'string')
const transactions = all.filter(
  (item) => 'r' in item && 'nonce' in item && 'from' in item && item['blockHash'] !== undefined,
)
const isRecorded = all.length > 0

describe.runIf(isRecorded)('recorded answers of real nodes', () => {
  test('headers of every fork hash to the block hash', () => {
    for (const block of blocks) expect(keccak(encodeHeader(block))).toBe(block['hash'])
    const forms = new Set(
      blocks.map((block) =>
        ['baseFeePerGas', 'withdrawalsRoot', 'parentBeaconBlockRoot', 'requestsHash']
          .filter((name) => name in block)
          .join(' '),
      ),
    )
    expect(forms.size, 'legacy, London, Shanghai, Cancun, Prague').toBe(5)
    expect(blocks.length).toBeGreaterThan(15)
  })

  test('transactions of every type hash to their hash and name their signer', () => {
    // Simulated ones are not signed.
    const mined = transactions.filter(({ blockHash, r }) => blockHash !== null && r !== '0x0')
    const types = new Set<unknown>()
    for (const transaction of mined) {
      types.add(transaction['type'] ?? '0x0')
      expect(keccak(encodeTransaction(transaction))).toBe(transaction['hash'])
      expect(signerOf(transaction)).toBe(String(transaction['from']).toLowerCase())
    }
    expect([...types].sort()).toEqual(['0x0', '0x1', '0x2', '0x3', '0x4'])
  })

  test('a signature whose s is the mirror image, as the oldest blocks have, names the same signer', () => {
    const legacy = transactions.filter(({ type, v }) => type === '0x0' && Number(v) >= 27)
    const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
    for (const transaction of legacy) {
      const v = BigInt(String(transaction['v']))
      const isOdd = (v >= 35n ? v - 35n : v - 27n) % 2n === 1n
      const mirrored = {
        ...transaction,
        s: `0x${(order - BigInt(String(transaction['s']))).toString(16)}`,
        v: `0x${(isOdd ? v - 1n : v + 1n).toString(16)}`,
      }
      expect(signerOf(mirrored)).toBe(String(transaction['from']).toLowerCase())
    }
    expect(legacy.length).toBeGreaterThan(3)
  })

  test('whole blocks give their transactions root', async () => {
    const whole = blocks.filter((block) => {
      const list = block['transactions']
      return (
        Array.isArray(list) && list.length > 0 && list.every((item) => typeof item === 'object')
      )
    })
    let checked = 0
    for (const block of whole) {
      const expected = { number: Number(block['number']), hash: String(block['hash']) }
      const proven = await proveTransactions(proveHeader(block, expected), block)
      expect(proven.map(({ hash }) => hash)).toEqual(
        (block['transactions'] as Fields[]).map(({ hash }) => hash),
      )
      checked += proven.length
    }
    expect(checked).toBeGreaterThan(20)
  })

  test('two blocks of Ethereum with 298 receipts give receipts root, withdrawals root and bloom', async () => {
    const recorded = recordedBlocks()
    for (const { header, receipts, withdrawals } of recorded) {
      const head = header as unknown as BlockHeader
      await proveReceipts(
        head,
        receipts,
        receipts.map(() => ({})),
      )
      expect(await proveWithdrawals(head, { withdrawals })).toHaveLength(16)
      const logs = receipts.flatMap(
        ({ logs: own }) => own as { address: string; topics: string[] }[],
      )
      expect(`0x${Buffer.from(bloomOf(logs)).toString('hex')}`).toBe(header.logsBloom)
    }
    expect(recorded.map(({ receipts }) => receipts.length)).toEqual([116, 182])
  })

  test('what gas cost follows from header and transaction, blobs included', () => {
    let checked = 0
    for (const { header, prices } of recordedBlocks()) {
      for (const { transaction, paid } of prices) {
        expect(effectiveGasPrice(transaction, header as unknown as BlockHeader)).toBe(paid)
        checked++
      }
    }
    expect(checked).toBe(298)
    const receipts = all.filter((item) => typeof item['blobGasPrice'] === 'string')
    for (const receipt of receipts) {
      const block = blocks.find(({ hash }) => hash === receipt['blockHash'])
      const excessBlobGas = BigInt(String(block?.['excessBlobGas'] ?? '0x0'))
      const told = BigInt(String(receipt['blobGasPrice']))
      const header = { number: 42, time: 0, excessBlobGas } as unknown as BlockHeader
      expect(blobGasPrice(header, told, false)).toBe(told)
      expect(() => blobGasPrice(header, told + 1n, false)).toThrow('of no fork')
    }
    expect(receipts.length).toBeGreaterThan(0)
    // EIP-4844's own example of the update: a factor e for each fraction of excess.
    const prague = { number: 1, time: 1_746_612_311, excessBlobGas: 5_007_716n * 3n }
    expect(blobGasPrice(prague as unknown as BlockHeader, 20n, true)).toBe(20n)
    expect(() => blobGasPrice({ ...prague, time: 1_746_612_310 } as never, 20n, true)).toThrow()
  })

  test('a chain of 54 blocks in RLP gives every transactions and withdrawals root', async () => {
    const file = realData('execution-apis-tests/tests/chain.rlp')
    let rest: Uint8Array = file === undefined ? new Uint8Array() : readFileSync(file)
    let parent: string | undefined
    let seen = 0
    while (rest.length > 0) {
      const { data, remainder } = RLP.decode(rest, true)
      const [header = [], bodies = [], , withdrawals] = data as unknown as Uint8Array[][]
      const hex = (item: Uint8Array | undefined): string =>
        `0x${Buffer.from(item ?? []).toString('hex')}`
      if (parent !== undefined) expect(hex(header[0])).toBe(parent)
      parent = keccak(rlp(header))
      const items = bodies.map((item) => (item instanceof Uint8Array ? item : rlp(item)))
      expect(await listRoot(items)).toBe(hex(header[4]))
      if (withdrawals) expect(await listRoot(withdrawals.map((w) => rlp(w)))).toBe(hex(header[16]))
      rest = remainder
      seen++
    }
    expect(seen).toBe(54)
  })
})

describe.runIf(isRecorded)('what is not so is refused', () => {
  const [, block] = recordedBlocks()
  const header = (block?.header ?? {}) as unknown as BlockHeader
  const receipts = block?.receipts ?? []
  const prove = (given: readonly Fields[]): Promise<unknown> =>
    proveReceipts(
      header,
      given,
      receipts.map(() => ({})),
    )
  const withLogs = receipts.findIndex(({ logs }) => (logs as unknown[]).length > 1)
  const changed = (change: (logs: Fields[]) => Fields[]): Fields[] =>
    receipts.map((receipt, i) =>
      i === withLogs ? { ...receipt, logs: change([...(receipt['logs'] as Fields[])]) } : receipt,
    )

  test.each([
    ['an omitted log', () => changed((logs) => logs.slice(1))],
    ['an invented log', () => changed((logs) => [...logs, ...logs.slice(0, 1)])],
    ['logs in another order', () => changed((logs) => logs.reverse())],
    [
      'an altered amount',
      () =>
        changed(([first = {}, ...logs]) => [
          { ...first, data: String(first['data']).replace(/.$/, 'f') },
          ...logs,
        ]),
    ],
    ['a failed transaction told as done', () => receipts.map((r) => ({ ...r, status: '0x1' }))],
    ['an omitted receipt', () => receipts.slice(1)],
    [
      'two receipts changed about',
      () => [receipts[1] ?? {}, receipts[0] ?? {}, ...receipts.slice(2)],
    ],
  ])('error: %s', async (_, given) => {
    await expect(prove(given())).rejects.toMatchObject({ code: 'rpc.invalid-answer' })
  })

  test('error: a header with any other bit', () => {
    const [recorded = {}] = blocks.filter((one) => 'requestsHash' in one)
    const expected = { number: Number(recorded['number']), hash: String(recorded['hash']) }
    expect(proveHeader(recorded, expected)).toMatchObject(expected)
    const names = Object.keys(recorded).filter(
      (name) => typeof recorded[name] === 'string' && !['size', 'totalDifficulty'].includes(name),
    )
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.nat(), (name, at) => {
        const text = String(recorded[name])
        const place = 2 + (at % (text.length - 2))
        const digit = text[place] === '1' ? '2' : '1'
        const altered = {
          ...recorded,
          [name]: text.slice(0, place) + digit + text.slice(place + 1),
        }
        expect(() => proveHeader(altered, expected)).toThrow()
      }),
      { numRuns: 200 },
    )
  })

  test('error: a transaction that was changed, or is said to be signed by somebody else', async () => {
    const [recorded = {}] = blocks.filter(
      (one) => Array.isArray(one['transactions']) && typeof one['transactions'][0] === 'object',
    )
    const [first = {}, ...rest] = recorded['transactions'] as Fields[]
    const expected = { number: Number(recorded['number']), hash: String(recorded['hash']) }
    const proven = proveHeader(recorded, expected)
    for (const list of [[{ ...first, value: '0x7fff' }, ...rest], rest, [...rest, first]]) {
      await expect(
        proveTransactions(proven, { ...recorded, transactions: list }),
      ).rejects.toMatchObject({ code: 'rpc.invalid-answer' })
    }
    expect(withSigner(first)['from']).toBe(first['from'])
    expect(() => withSigner({ ...first, from: `0x${'1'.repeat(40)}` })).toThrow('is signed by')
  })
})

test('a bloom has what its logs have, and is the one of another library', () => {
  const word = fc
    .uint8Array({ minLength: 32, maxLength: 32 })
    .map((given) => `0x${Buffer.from(given).toString('hex')}`)
  const log = fc.record({
    address: word.map((text) => text.slice(0, 42)),
    topics: fc.array(word, { maxLength: 4 }),
  })
  fc.assert(
    fc.property(fc.array(log, { maxLength: 5 }), word, (logs, other) => {
      const bloom = bloomOf(logs)
      const peer = new Bloom()
      for (const { address, topics } of logs)
        for (const text of [address, ...topics]) peer.add(Buffer.from(text.slice(2), 'hex'))
      expect(Buffer.from(bloom).equals(Buffer.from(peer.bitvector))).toBe(true)
      for (const { topics } of logs)
        for (const topic of topics) expect(mayContain(bloom, bloomBits(topic))).toBe(true)
      if (logs.length === 0) expect(mayContain(bloom, bloomBits(other))).toBe(false)
    }),
    { numRuns: 200 },
  )
})
