import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseChain } from '../../src/ledger/chain.ts'
import type { Transfer } from '../../src/ledger/transfer.ts'
import {
  BatchReader,
  batchOf,
  TransferBatchBuilder,
  transfersOf,
} from '../../src/ledger/transferBatch.ts'
import { anyTransfer } from '../arbitrary/anyTransfer.ts'
import { ether, hash, ledgerOf, wallet } from '../ledger.arbitrary.ts'

const some = fc.array(anyTransfer, { maxLength: 60 })

test('transfers of every form come back as they were', () => {
  fc.assert(
    fc.property(some, (transfers) => {
      expect([...transfersOf(batchOf(transfers))]).toEqual(transfers)
    }),
  )
})

test('rows may be read in any order, again and again', () => {
  fc.assert(
    fc.property(some, fc.array(fc.nat(), { maxLength: 80 }), (transfers, picks) => {
      const reader = new BatchReader(batchOf(transfers))
      for (const pick of transfers.length === 0 ? [] : picks) {
        const row = pick % transfers.length
        expect(reader.transfer(row)).toEqual(transfers[row])
      }
    }),
  )
})

test('a builder that was reset knows nothing of before, and what it built stays', () => {
  fc.assert(
    fc.property(some, some, (before, after) => {
      const builder = new TransferBatchBuilder()
      for (const transfer of before) builder.add(transfer)
      const built = builder.build()
      builder.reset()
      for (const transfer of after) builder.add(transfer)
      expect([...transfersOf(built)]).toEqual(before)
      expect(builder.build()).toEqual(batchOf(after))
    }),
  )
})

test('the byte methods of fast readers make the same batch as the texts do', () => {
  const [row] = ledgerOf([[{ from: wallet(1), to: wallet(2), amount: 5n, asset: ether }]])
  const given = { ...(row as Transfer), blockHash: hash(9), signer: wallet(1) }
  const bytes = (text: string): Uint8Array =>
    Buffer.from(text.slice(text.lastIndexOf('x') + 1), 'hex')
  const builder = new TransferBatchBuilder()
  const chain = builder.chain(parseChain('eip155:1'))
  const transaction = builder.transactionHash(bytes(given.tx), 0)
  const blockHash = builder.blockHash(bytes(given.blockHash), 0)
  const signer = builder.evmAccount(chain, bytes(wallet(1)), 0)
  const { block, time, txIndex = -1 } = given
  const context = builder.context({ chain, transaction, block, time, blockHash, txIndex, signer })
  const at = builder.row(context, 3, 0, builder.asset(ether))
  builder.sides(at, signer, builder.evmAccount(chain, bytes(wallet(2)), 0))
  builder.limbs(at, [5, 0, 0, 0])
  expect([...transfersOf(builder.build())]).toEqual([given])
  expect(builder.build()).toEqual(batchOf([given]))
})

test('thousands of rows grow every column', () => {
  const rows = ledgerOf(
    Array.from({ length: 5_000 }, (_, i) => [
      { from: wallet(i), to: wallet(i + 1), amount: 2n ** BigInt(i % 256) },
    ]),
  )
  expect([...transfersOf(batchOf(rows))]).toEqual(rows)
})

test('error: more chains than a byte can number are refused', () => {
  const builder = new TransferBatchBuilder()
  for (let i = 1; i <= 255; i++) builder.chain(parseChain(`eip155:${i}`))
  expect(builder.chain(parseChain('eip155:7'))).toBe(6)
  expect(() => builder.chain(parseChain('eip155:999'))).toThrowError(RangeError)
})
