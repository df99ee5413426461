import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createConversionRecords } from '../../src/attribution/conversionRecords.ts'
import type { ConversionRecord } from '../../src/ledger/conversionRecord.ts'
import { chain, hash, usdt, wallet } from '../ledger.arbitrary.ts'

const record = (tx: number, position: number, recipient = 1): ConversionRecord => ({
  chain,
  tx: hash(tx),
  position,
  pool: wallet(9),
  recipient: wallet(recipient),
  gets: usdt,
})

test('records are found by transaction, in order of their logs', () => {
  const records = createConversionRecords()
  expect(records.of(chain, hash(1))).toEqual([])
  records.add([record(1, 5), record(2, 1), record(1, 3)])
  expect(records.of(chain, hash(1)).map(({ position }) => position)).toEqual([3, 5])
})

test('a transaction that was read again is as it was read last', () => {
  const [changed, fresh] = [createConversionRecords(), createConversionRecords()]
  changed.add([record(1, 5), record(1, 6), record(2, 1)])
  changed.add([record(1, 4, 7)])
  expect(changed.of(chain, hash(1))).toEqual([record(1, 4, 7)])
  fresh.add([record(1, 4, 7), record(2, 1)])
  expect(changed.digest()).toBe(fresh.digest())
})

test('the digest is of the records, whatever the order and the parts in which they came', () => {
  const some = fc.uniqueArray(fc.tuple(fc.nat(20), fc.nat(3), fc.nat(3)), {
    selector: ([tx]) => tx,
    minLength: 2,
  })
  fc.assert(
    fc.property(some, fc.nat(), (made, seed) => {
      const all = made.map(([tx, position, recipient]) => record(tx, position, recipient))
      const [whole, parts, fewer] = [1, 2, 3].map(createConversionRecords)
      whole?.add(all)
      const cut = seed % all.length
      parts?.add(all.slice(cut))
      parts?.add(all.slice(0, cut))
      parts?.add(all.slice(0, 1))
      fewer?.add(all.slice(1))
      expect(parts?.digest()).toBe(whole?.digest())
      expect(fewer?.digest()).not.toBe(whole?.digest())
    }),
  )
})
