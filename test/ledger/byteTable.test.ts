import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ByteTable, hashBytes } from '../../src/ledger/byteTable.ts'

const keys = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 200 })

test('keys come back by number, alone and packed', () => {
  fc.assert(
    fc.property(keys, (given) => {
      const table = new ByteTable(1)
      const numbers = given.map((key) => table.intern(key))
      for (const [i, key] of given.entries())
        expect([...table.bytes(numbers[i] as number)]).toEqual([...key])
      const { pool, ends } = table.packed()
      for (let number = 0; number < table.size; number++) {
        const start = number === 0 ? 0 : (ends[number - 1] as number)
        expect(pool.slice(start, ends[number])).toEqual(table.bytes(number).slice())
      }
      expect(ends).toHaveLength(table.size)
    }),
  )
})

test('a key is its bytes, wherever they lie', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(9), (key, before) => {
      const around = Uint8Array.from([...new Uint8Array(before).fill(7), ...key, 1, 2, 3])
      const table = new ByteTable()
      const number = table.intern(key)
      expect(table.find(around, before, before + key.length)).toBe(number)
      expect(table.intern(around, before, before + key.length)).toBe(number)
      expect(hashBytes(around, before, before + key.length)).toBe(hashBytes(key, 0, key.length))
    }),
  )
})

test('a cleared table begins at 0 and finds nothing of before', () => {
  const table = new ByteTable(1)
  for (let i = 0; i < 500; i++) table.intern(Uint8Array.of(i, i >> 8))
  table.clear()
  expect(table.size).toBe(0)
  expect(table.find(Uint8Array.of(3, 0))).toBe(-1)
  expect(table.intern(Uint8Array.of(9, 9))).toBe(0)
})

test('a hundred thousand keys that differ in one place only are told apart', () => {
  const table = new ByteTable(16)
  const key = new Uint8Array(21)
  const view = new DataView(key.buffer)
  for (const place of [0, 8, 17]) {
    key.fill(0)
    for (let i = 1; i <= 33_000; i++) {
      view.setUint32(place, i)
      table.intern(key)
    }
  }
  expect(table.size).toBe(99_000)
})
