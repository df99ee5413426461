import { afterEach, expect, test } from 'vitest'
import { keepPlanning } from '../../src/follow/keepPlanning.ts'
import { KnownError } from '../../src/ledger/errors.ts'
import { plannerPlace, plannerState } from '../../src/store/workQueue.ts'
import { ledgerOf, wallet } from '../ledger.arbitrary.ts'
import { type Played, play } from './played.ts'

const opened: Played[] = []
afterEach(async () => {
  for (const played of opened.splice(0)) await played.close()
})

async function playing(): Promise<Played> {
  const played = await play(ledgerOf([[{ from: wallet(1), to: wallet(2), amount: 1n }]]))
  opened.push(played)
  return played
}

/** A planner that counts its rounds until it is stopped. */
function counting(played: Played) {
  const stop = new AbortController()
  const counted = { rounds: 0, faults: 0, begun: false }
  let fail = false
  const ended = keepPlanning(played.store, {
    async round() {
      counted.rounds++
      if (fail) {
        fail = false
        throw new KnownError('store.busy', 'busy', { retryable: true })
      }
      return played.planner.round(new Date(0))
    },
    signal: stop.signal,
    began: () => {
      counted.begun = true
    },
    failed: () => {
      counted.faults++
    },
  })
  return {
    counted,
    failOnce: () => {
      fail = true
    },
    async stop() {
      stop.abort()
      await ended
    },
  }
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt++) {
    if (await isSo()) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error('it never came to be')
}

test('one plans, the other waits, and takes over when the first has ended', async () => {
  const played = await playing()
  const first = counting(played)
  await until(() => first.counted.rounds > 1)
  const second = counting(played)
  await until(() => second.counted.begun)
  expect(second.counted.rounds).toBe(0)
  expect(await plannerState(played.store)).not.toBe('none')
  await first.stop()
  await until(() => second.counted.rounds > 1)
  await second.stop()
  expect(await plannerState(played.store)).toBe('none')
})

test('a planner that died is replaced when its turn is over', async () => {
  const played = await playing()
  const { collection, id } = plannerPlace
  const until300 = Date.now() + 300
  const dead = { owner: 'dead', until: until300, planned: '' }
  await played.store.writeDocument(collection, id, 0, dead)
  const next = counting(played)
  await until(() => next.counted.rounds > 0)
  expect(Date.now()).toBeGreaterThan(until300)
  await next.stop()
})

test('a fault that may pass is told, and planning goes on', async () => {
  const played = await playing()
  const planner = counting(played)
  await until(() => planner.counted.rounds > 0)
  planner.failOnce()
  await until(() => planner.counted.faults === 1)
  const { rounds } = planner.counted
  await until(() => planner.counted.rounds > rounds)
  await planner.stop()
})

test('when all is planned, workers know it', async () => {
  const played = await playing()
  const planner = counting(played)
  await until(async () => (await plannerState(played.store)) === 'planned')
  await planner.stop()
})
