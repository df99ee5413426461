import { expect, test } from 'vitest'
import { type Backfill, backfill } from './backfill.ts'

const wide: Omit<Backfill, 'calls'> = {
  head: 3_000_000,
  takes: {
    blocks: 10_000,
    results: 10_000,
    wordsForBlocks: 'eth_getLogs is limited to a 10,000 range',
  },
  everyBlocks: 6_000,
  seed: 1,
}
const narrow: Omit<Backfill, 'calls'> = {
  head: 12_000,
  takes: {
    blocks: 10,
    results: 10_000,
    wordsForBlocks: 'You can make eth_getLogs requests with up to a 10 block range.',
  },
  everyBlocks: 60,
  seed: 2,
}

test.each<[string, Backfill]>([
  ['10,000 blocks, 10 calls a second', { ...wide, calls: { perSecond: 10, counts: 'second' } }],
  ['10 blocks, out of a bucket', { ...narrow, calls: { perSecond: 5, counts: 'bucket' } }],
])('a whole history is read with nearly all calls that are permitted: %s', async (_, given) => {
  const { used, refused, missing, twice, transfers } = await backfill(given)
  expect(transfers).toBeGreaterThan(5_000)
  expect({ missing, twice }).toEqual({ missing: 0, twice: 0 })
  expect(used).toBeGreaterThan(0.96)
  expect(refused).toBeLessThan(0.02)
})
