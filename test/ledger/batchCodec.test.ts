import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Account } from '../../src/ledger/account.ts'
import { decodeBatch, encodeBatch } from '../../src/ledger/batchCodec.ts'
import { KnownError } from '../../src/ledger/errors.ts'
import type { Transfer } from '../../src/ledger/transfer.ts'
import { batchOf, TransferBatchBuilder, transfersOf } from '../../src/ledger/transferBatch.ts'
import { anyTransfer } from '../arbitrary/anyTransfer.ts'
import { etherLedger, ledgerOf, randomLedger, wallet } from '../ledger.arbitrary.ts'

const plain = ledgerOf([
  [{ from: wallet(1), to: wallet(2), amount: 5n }],
  [{ from: wallet(2), to: wallet(3), amount: 2n ** 256n - 1n }],
])

test('any batch comes back from its bytes, column by column', () => {
  fc.assert(
    fc.property(fc.array(anyTransfer, { maxLength: 40 }), (transfers) => {
      const batch = batchOf(transfers)
      expect(decodeBatch(encodeBatch(batch))).toEqual(batch)
    }),
  )
})

test('bytes that begin anywhere in a larger buffer are read alike', () => {
  const bytes = encodeBatch(batchOf(plain))
  for (let offset = 0; offset < 9; offset++) {
    const buffer = new Uint8Array(bytes.length + offset)
    buffer.set(bytes, offset)
    expect([...transfersOf(decodeBatch(buffer.subarray(offset)))]).toEqual(plain)
  }
})

test('the same rows have the same bytes, and an empty batch has some', () => {
  expect(encodeBatch(batchOf(plain))).toEqual(encodeBatch(batchOf(plain)))
  expect([...transfersOf(decodeBatch(encodeBatch(batchOf([]))))]).toEqual([])
})

test.each([0, 1, 255, 256, 65_535, 65_536, 2 ** 32 - 1])(
  'a column that spans %i keeps its values',
  (span) => {
    const rows = [0, 1, span].map((n) => ({ ...(plain[0] as Transfer), block: 7 + n, position: n }))
    expect([...transfersOf(decodeBatch(encodeBatch(batchOf(rows))))]).toEqual(rows)
  },
)

test('blocks and times as large as a number is exact are kept', () => {
  const rows = [0, Number.MAX_SAFE_INTEGER].map((n) => ({
    ...(plain[0] as Transfer),
    block: n,
    time: n,
  }))
  expect([...transfersOf(decodeBatch(encodeBatch(batchOf(rows))))]).toEqual(rows)
})

test('rows that were begun for and refused leave names that no row uses, and do no harm', () => {
  const builder = new TransferBatchBuilder()
  for (let i = 0; i < 50; i++) {
    builder.account(wallet(i) as Account)
    builder.transactionText(`unused-${i}`)
  }
  for (const transfer of plain) builder.add(transfer)
  expect([...transfersOf(decodeBatch(encodeBatch(builder.build())))]).toEqual(plain)
})

test('error: bytes cut short or lengthened anywhere are refused as damaged', () => {
  const bytes = encodeBatch(batchOf(plain))
  for (let length = 0; length < bytes.length; length++) {
    expect(() => decodeBatch(bytes.subarray(0, length))).toThrowError(
      expect.objectContaining({ code: 'store.damaged' }),
    )
  }
  expect(() => decodeBatch(Uint8Array.from([...bytes, 0]))).toThrowError(
    expect.objectContaining({ code: 'store.damaged' }),
  )
})

test('error: changed bytes are refused or read as some batch, never a crash', () => {
  const change = fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), byte: fc.nat(255) })
  fc.assert(
    fc.property(
      fc.oneof(randomLedger, etherLedger),
      fc.array(change, { minLength: 1, maxLength: 4 }),
      (ledger, changes) => {
        const bytes = encodeBatch(batchOf(ledger))
        for (const { at, byte } of changes) bytes[Math.floor(at * (bytes.length - 1))] = byte
        try {
          expect(decodeBatch(bytes).length).toBe(ledger.length)
        } catch (error) {
          if (!(error instanceof KnownError)) throw error
          expect(error.code).toBe('store.damaged')
        }
      },
    ),
    { numRuns: 2000 },
  )
})
