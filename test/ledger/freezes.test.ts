import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createFreezes, type FreezeEvent, type FreezeReading } from '../../src/ledger/freezes.ts'
import { freezableTokens } from '../../src/ledger/issuers.ts'
import { hash, usdt, wallet, weth } from '../ledger.arbitrary.ts'

const event = (block: number, change: FreezeEvent['change'], holder = 1): FreezeEvent => ({
  asset: usdt,
  account: wallet(holder),
  change,
  block,
  tx: hash(block),
  position: 0,
})

function freezesOf(events: readonly FreezeEvent[]) {
  const freezes = createFreezes()
  freezes.add({ assets: [usdt], fromBlock: 0, toBlock: 100, events })
  return freezes
}

test('what is frozen stays so until it is released, through any block', () => {
  const freezes = freezesOf([event(20, 'released'), event(10, 'frozen'), event(30, 'frozen')])
  const blocks = [9, 10, 19, 20, 29, 30, 99]
  const through = blocks.map((block) => freezes.frozenBy(wallet(1), usdt, block)?.block)
  expect(through).toEqual([undefined, 10, 10, undefined, undefined, 30, 30])
  expect(freezes.frozenBy(wallet(2), usdt, 99)).toBeUndefined()
  expect(freezes.frozenBy(wallet(1), weth, 99)).toBeUndefined()
})

test('what was destroyed is still frozen, by who froze it', () => {
  const freezes = freezesOf([event(10, 'frozen'), event(20, 'destroyed')])
  expect(freezes.frozenBy(wallet(1), usdt, 50)?.block).toBe(10)
})

test('what is read again takes the place of what was read before, of these blocks and tokens alone', () => {
  const freezes = freezesOf([event(10, 'frozen'), event(60, 'frozen', 2)])
  freezes.add({ assets: [weth], fromBlock: 0, toBlock: 100, events: [] })
  freezes.add({ assets: [usdt], fromBlock: 0, toBlock: 50, events: [] })
  expect(freezes.frozenBy(wallet(1), usdt, 99)).toBeUndefined()
  expect(freezes.frozenBy(wallet(2), usdt, 99)).toBeDefined()
})

test('the digest tells the events, not how they were read, and is empty without any', () => {
  expect(createFreezes().digest()).toBe('')
  const blocks = fc.uniqueArray(fc.integer({ min: 0, max: 99 }), { minLength: 1, maxLength: 20 })
  fc.assert(
    fc.property(blocks, fc.integer({ min: 1, max: 99 }), (numbers, cut) => {
      const events = numbers.map((block) =>
        event(block, block % 3 ? 'frozen' : 'released', block % 4),
      )
      const part = (fromBlock: number, toBlock: number): FreezeReading => ({
        assets: [usdt],
        fromBlock,
        toBlock,
        events: events.filter(({ block }) => block >= fromBlock && block <= toBlock),
      })
      const pieces = createFreezes()
      for (const reading of [part(cut, 100), part(0, cut - 1), part(cut, 100)]) pieces.add(reading)
      expect(pieces.digest()).toBe(freezesOf(events).digest())
      expect(pieces.digest()).not.toBe(freezesOf(events.slice(1)).digest())
    }),
    { numRuns: 200 },
  )
})

test('tokens that can be frozen are those of Tether and Circle', () => {
  expect(freezableTokens.has(usdt)).toBe(true)
  expect(freezableTokens.has(weth)).toBe(false)
  expect([...freezableTokens].filter((asset) => asset.startsWith('eip155:56/'))).toEqual([])
  expect(freezableTokens.size).toBe(11)
})
