import fc from 'fast-check'
import { expect, test } from 'vitest'
import { methods } from '../../src/analysis/methods.ts'
import { type Parcel, splitParcel } from '../../src/analysis/parcels.ts'
import { Purse } from '../../src/analysis/purse.ts'

const lot = (face: bigint, seed = 0) => ({ seed, hop: 0, face, block: 1 })
const tainted = (units: bigint, seed = 0): Parcel => ({ units, lot: lot(units, seed) })
/** Parts as text: `5` clean, `5/7#0` five units of seed 0 with face seven. */
const shown = (parts: readonly Parcel[]): string[] =>
  parts.map(({ units, lot: l }) => (l ? `${units}/${l.face}#${l.seed}` : `${units}`))

test('splitting a lot rounds the first part’s face down, the rest keeps the remainder', () => {
  expect(shown(splitParcel({ units: 3n, lot: lot(10n) }, 1n))).toEqual(['1/3#0', '2/7#0'])
  expect(shown(splitParcel({ units: 10n, lot: lot(1n) }, 9n))).toEqual(['9/0#0', '1/1#0'])
  const most = 2n ** 256n - 1n
  expect(shown(splitParcel({ units: most, lot: lot(most) }, 1n))).toEqual([
    '1/1#0',
    `${most - 1n}/${most - 1n}#0`,
  ])
})

test('a payment takes the newest inflow of its transaction first, and stands in order of arrival', () => {
  const purse = new Purse(5n, methods.fifo, true)
  purse.receive([tainted(4n, 1)])
  purse.receive([{ units: 3n }, tainted(3n, 2)])
  // The newest inflow whole, oldest part first, then one of the inflow before.
  expect(shown(purse.pay(7n).parts)).toEqual(['1/1#1', '3', '3/3#2'])
  expect(shown(purse.parcels)).toEqual(['5', '3/3#1'])
})

test('in plain order the oldest money pays, whichever transaction brought it', () => {
  const purse = new Purse(5n, methods.fifo, false)
  purse.receive([tainted(4n, 1)])
  purse.receive([tainted(6n, 2)])
  expect(shown(purse.pay(7n).parts)).toEqual(['5', '2/2#1'])
})

test('what is missing is clean and comes last; nothing stays', () => {
  const purse = new Purse(1n, methods.fifo, true)
  purse.receive([tainted(2n)])
  expect(purse.pay(10n)).toMatchObject({ missing: 7n })
  expect(purse.hasLots).toBe(false)
  expect(purse.parcels).toEqual([])
})

test('no unit and no face is made or lost, whatever is received and paid', () => {
  const step = fc.record({
    receive: fc.boolean(),
    units: fc.bigInt(1n, 50n),
    face: fc.option(fc.bigInt(0n, 90n)),
    settle: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.boolean(), fc.array(step, { maxLength: 40 }), (matched, steps) => {
      const purse = new Purse(17n, methods.fifo, matched)
      let [units, face] = [17n, 0n]
      for (const s of steps) {
        if (s.receive) {
          purse.receive([{ units: s.units, ...(s.face === null ? {} : { lot: lot(s.face) }) }])
          units += s.units
          face += s.face ?? 0n
        } else {
          const { parts, missing } = purse.pay(s.units)
          expect(parts.reduce((sum, part) => sum + part.units, 0n)).toBe(s.units)
          units += missing - s.units
          face -= parts.reduce((sum, part) => sum + (part.lot?.face ?? 0n), 0n)
        }
        if (s.settle) purse.settle()
        expect(purse.parcels.reduce((sum, part) => sum + part.units, 0n)).toBe(units)
        expect(purse.parcels.reduce((sum, part) => sum + (part.lot?.face ?? 0n), 0n)).toBe(face)
        expect(purse.hasLots).toBe(purse.parcels.some((part) => part.lot !== undefined))
      }
    }),
  )
})
