import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type BlockInterval, gapsIn, joinIntervals } from '../../src/ledger/coverage.ts'

const interval = fc
  .record({ from: fc.nat(40), length: fc.nat(8) })
  .map(({ from, length }): BlockInterval => ({ from, to: from + length }))
const intervals = fc.array(interval, { maxLength: 12 })

function blocksOf(parts: Iterable<BlockInterval>): number[] {
  const blocks = new Set<number>()
  for (const { from, to } of parts) for (let block = from; block <= to; block++) blocks.add(block)
  return [...blocks].sort((a, b) => a - b)
}

test('joined intervals hold the same blocks, apart from one another, whatever the order', () => {
  fc.assert(
    fc.property(intervals, (parts) => {
      const joined = joinIntervals(parts)
      expect(blocksOf(joined)).toEqual(blocksOf(parts))
      for (const [i, { from }] of joined.entries())
        if (i > 0) expect(from).toBeGreaterThan((joined[i - 1]?.to ?? 0) + 1)
      expect(joinIntervals([...parts].reverse())).toEqual(joined)
    }),
  )
})

test('gaps are the blocks that no part holds, and no others', () => {
  fc.assert(
    fc.property(interval, intervals, (whole, parts) => {
      const held = new Set(blocksOf(parts))
      expect(blocksOf(gapsIn(whole, parts))).toEqual(
        blocksOf([whole]).filter((block) => !held.has(block)),
      )
    }),
  )
})

test('where nothing was read all is a gap, and where all was read there is none', () => {
  expect(gapsIn({ from: 3, to: 9 }, [])).toEqual([{ from: 3, to: 9 }])
  expect(gapsIn({ from: 3, to: 9 }, [{ from: 0, to: 100 }])).toEqual([])
  expect(joinIntervals([])).toEqual([])
})
