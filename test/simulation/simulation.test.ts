import { expect, test } from 'vitest'
import { type Met, simulate } from './simulate.ts'

/** What is run with every test; `npm run simulate` runs as many as there is time for. */
const first = 1
const count = 25

/** Seeds that failed once, with what was wrong then. */
const failedOnce: readonly (readonly [seed: number, why: string])[] = [
  [6, 'a worker that fell asleep while it took a lease over ended when it woke'],
  [1249, 'a worker that died after its work was noted as done left the flag waiting'],
]

test(`${count} seeds: the store equals a rebuild from the final chain, and everything was met`, async () => {
  const met: Record<string, number> = {}
  for (let seed = first; seed < first + count; seed++) {
    const outcome = await simulate(seed)
    expect([seed, outcome.wrong]).toEqual([seed, []])
    for (const [name, times] of Object.entries(outcome.met)) met[name] = (met[name] ?? 0) + times
  }
  const least: Met = {
    kills: 50,
    freezes: 20,
    stops: 20,
    reorganisations: 100,
    rollBacks: 100,
    parked: 3,
    events: 50_000,
  }
  for (const [name, times] of Object.entries(least))
    expect([name, met[name]]).toEqual([name, expect.toSatisfy((is: number) => is >= times)])
}, 120_000)

test('a seed replays exactly', async () => {
  const [once, again] = [await simulate(7), await simulate(7)]
  expect(again).toEqual(once)
  expect((await simulate(8)).digest).not.toBe(once.digest)
})

test.each([...failedOnce])('seed %i, which once failed: %s', async (seed) => {
  expect((await simulate(seed)).wrong).toEqual([])
})
