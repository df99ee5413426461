import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type BlockInterval,
  bestIntervals,
  type Coverage,
  gapsIn,
  joinIntervals,
  lowerClaims,
} from '../../src/ledger/coverage.ts'
import type { Assurance } from '../../src/ledger/reconcile.ts'
import { chain, wallet } from '../ledger.arbitrary.ts'

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

const claim = fc
  .record({
    at: interval,
    assurance: fc.constantFrom<Assurance>(0, 1, 2, 3),
    source: fc.constantFrom('a', 'b'),
  })
  .map(
    ({ at, assurance, source }): Coverage => ({
      account: wallet(1),
      kind: 'token',
      fromBlock: at.from,
      toBlock: at.to,
      assurance,
      source,
    }),
  )

/** How well each block is covered. */
function levels(claims: readonly Coverage[]): Map<number, Assurance> {
  const best = new Map<number, Assurance>()
  for (const { fromBlock, toBlock, assurance } of claims)
    for (let block = fromBlock; block <= toBlock; block++)
      best.set(block, Math.max(best.get(block) ?? 0, assurance) as Assurance)
  return best
}

test('of several claims over a block the best counts, and no block is added or lost', () => {
  fc.assert(
    fc.property(fc.array(claim, { maxLength: 8 }), (claims) => {
      const found = bestIntervals(claims)
      const told = new Map<number, Assurance>()
      for (const { from, to, assurance, sources } of found) {
        expect(sources.length).toBeGreaterThan(0)
        for (let block = from; block <= to; block++) {
          expect(told.has(block)).toBe(false)
          told.set(block, assurance)
        }
      }
      expect(told).toEqual(new Map([...levels(claims)].sort(([a], [b]) => a - b)))
    }),
  )
})

test('a dispute lowers what is not proven, in its blocks and kinds alone', () => {
  const dispute = interval.map(({ from, to }) => ({
    account: wallet(1),
    kinds: ['token'] as const,
    fromBlock: from,
    toBlock: to,
  }))
  fc.assert(
    fc.property(
      fc.array(claim, { maxLength: 5 }),
      fc.array(dispute, { maxLength: 3 }),
      (claims, disputes) => {
        for (const one of claims) {
          const low = lowerClaims([one], disputes) as Coverage[]
          const disputed = new Set(
            blocksOf(disputes.map(({ fromBlock: from, toBlock: to }) => ({ from, to }))),
          )
          const expected = [...levels([one])].map(([block, assurance]) => [
            block,
            assurance < 3 && disputed.has(block) ? 0 : assurance,
          ])
          expect([...levels(low)]).toEqual(expected)
          expect(lowerClaims([{ ...one, kind: 'fee' }], disputes)).toEqual([
            { ...one, kind: 'fee' },
          ])
          expect(lowerClaims([{ ...one, account: wallet(2) }], disputes)).toEqual([
            { ...one, account: wallet(2) },
          ])
        }
      },
    ),
  )
})

test('a claim for many accounts is lowered for the disputed one alone', () => {
  const many = {
    chain,
    accounts: [wallet(1), wallet(2)],
    kinds: ['token', 'fee'] as const,
    fromBlock: 1,
    toBlock: 9,
    assurance: 1 as const,
    source: 'f',
  }
  const disputes = [{ account: wallet(1), kinds: ['token'] as const, fromBlock: 4, toBlock: 20 }]
  const { accounts: _, kinds: __, chain: ___, ...one } = { ...many, account: wallet(1) }
  expect(lowerClaims([many], disputes)).toEqual([
    { ...many, accounts: [wallet(2)] },
    { ...one, kind: 'token', toBlock: 3 },
    { ...one, kind: 'token', fromBlock: 4, assurance: 0 },
    { ...one, kind: 'fee' },
  ])
})
