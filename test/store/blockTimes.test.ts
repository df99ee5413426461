import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createBlockTimes } from '../../src/store/blockTimes.ts'

test('a block is refused exactly when it contradicts a known one, whatever the order', () => {
  const step = fc.record({
    block: fc.nat(60),
    time: fc.nat(30),
    cut: fc.option(fc.nat(60), { freq: 12 }),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const times = createBlockTimes()
      const known = new Map<number, number>()
      for (const { block, time, cut } of steps) {
        if (cut !== null) {
          times.cut(cut)
          for (const other of [...known.keys()]) if (other >= cut) known.delete(other)
        }
        const fits = [...known].every(([b, t]) =>
          b === block ? t === time : b < block ? t <= time : t >= time,
        )
        expect(times.note(block, time) === undefined).toBe(fits)
        if (fits) known.set(block, time)
      }
    }),
  )
})

test('thousands of blocks in any order are noted', () => {
  const times = createBlockTimes()
  const blocks = Array.from({ length: 5000 }, (_, i) => (i * 7919) % 5000)
  for (const block of blocks) expect(times.note(block, block * 12)).toBeUndefined()
  expect(times.note(2500, 1)).toMatchObject({ block: 2500 })
  expect(times.note(6000, 1)).toMatchObject({ block: 4999 })
})
