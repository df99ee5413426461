import { describe, expect, test } from 'vitest'
import { createCallRate } from '../../ingest/rpc/callRate.ts'
import { createNode } from '../../ingest/rpc/node.ts'
import { createProvider, type ProviderLimits } from './simulatedProvider.ts'
import { createVirtualClock } from './virtualClock.ts'

/** Calls for so many seconds of virtual time, as many as the node lets go. */
async function callFor(
  seconds: number,
  limits: ProviderLimits,
): Promise<{ share: number; refused: number }> {
  const clock = createVirtualClock()
  const provider = createProvider({ clock, limits, seed: 7, answer: () => ({ result: '0x1' }) })
  const node = createNode('https://provider.example', { clock, exchange: provider.exchange })
  const end = clock.now() + seconds * 1000
  const busy = Array.from({ length: 8 }, async () => {
    while (clock.now() < end) await node.call('eth_blockNumber', [])
  })
  await clock.run(Promise.all(busy))
  const { accepted, refused } = provider.counts()
  return {
    share: accepted / (limits.perSecond * seconds),
    refused: refused / (accepted + refused),
  }
}

describe('the rate of an endpoint is learned from its refusals', () => {
  test.each<[string, ProviderLimits]>([
    ['10 a second, counted by the second', { perSecond: 10, counts: 'second' }],
    ['10 a second, counted over any second', { perSecond: 10, counts: 'sliding' }],
    ['10 a second out of a bucket of 20', { perSecond: 10, counts: 'bucket', burst: 20 }],
    ['5 a second out of a bucket of 1', { perSecond: 5, counts: 'bucket', burst: 1 }],
    ['3 a second', { perSecond: 3, counts: 'sliding' }],
    ['50 a second', { perSecond: 50, counts: 'second' }],
    ['10 a second, with Retry-After', { perSecond: 10, counts: 'second', retryAfterSeconds: 1 }],
  ])('%s: nearly all of it is used, and hardly a call refused', async (_, limits) => {
    const { share, refused } = await callFor(600, limits)
    expect(share).toBeGreaterThan(0.9)
    expect(refused).toBeLessThan(0.02)
  })

  test('an endpoint without a limit is not held back', async () => {
    const clock = createVirtualClock()
    const rate = createCallRate(clock)
    const before = clock.now()
    for (let i = 0; i < 1_000; i++) await rate.take(1)
    expect(clock.now()).toBe(before)
    expect(rate.known().perSecond).toBeNull()
  })

  test('what was learned is kept: the next start is hardly refused', async () => {
    const clock = createVirtualClock()
    const limits: ProviderLimits = { perSecond: 10, counts: 'sliding' }
    const provider = createProvider({ clock, limits, seed: 1, answer: () => ({ result: 1 }) })
    const node = createNode('https://provider.example', {
      clock,
      exchange: provider.exchange,
      known: { rate: { perSecond: 9.5, patienceMs: 600_000, step: 1.02 } },
    })
    await clock.run(Promise.all(Array.from({ length: 200 }, () => node.call('x', []))))
    expect(provider.counts()).toEqual({ accepted: 200, refused: 0 })
  })

  test('those who wait are served in turn, and one who gives up does not hold up the rest', async () => {
    const clock = createVirtualClock()
    const rate = createCallRate(clock, {
      perSecond: 1,
      patienceMs: 1e9,
      step: 1.02,
    })
    const order: number[] = []
    const stop = new AbortController()
    const waiting = [1, 2, 3, 4].map((n) =>
      rate.take(1, n === 2 ? stop.signal : undefined).then(
        () => order.push(n),
        () => order.push(-n),
      ),
    )
    stop.abort()
    await clock.run(Promise.all(waiting))
    expect(order).toEqual([1, -2, 3, 4])
  })
})
