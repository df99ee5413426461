import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { createLease, type Lease } from '../../ingest/lease.ts'
import type { Clock } from '../../ingest/rpc/clock.ts'
import { openEmbeddedStore } from '../../src/store/embedded.ts'
import type { Store } from '../../src/store/store.ts'

const folder = mkdtempSync(join(tmpdir(), 'jejak-lease-'))
let store: Store
let count = 0

beforeEach(() => {
  store = openEmbeddedStore(join(folder, String(++count)))
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A clock that is moved by hand; each shows another time of day. */
function handClock(start: number): Clock & { pass(ms: number): Promise<void> } {
  let now = start
  const waiting: { due: number; wake: () => void }[] = []
  return {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        waiting.push({ due: now + ms, wake: resolve })
        signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
      }),
    async pass(ms) {
      const end = now + ms
      for (;;) {
        const [first] = waiting.filter(({ due }) => due <= end).sort((a, b) => a.due - b.due)
        if (!first) break
        waiting.splice(waiting.indexOf(first), 1)
        now = Math.max(now, first.due)
        first.wake()
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
      now = end
    },
  }
}

function leaseOf(owner: string, clock: Clock, lastsMs = 1_000): Lease {
  return createLease(store, 'flag x', { owner, lastsMs, clock, sightings: sightingsOf(owner) })
}

const sightings = new Map<string, Map<string, { state: string; since: number }>>()
function sightingsOf(owner: string): Map<string, { state: string; since: number }> {
  const name = `${count} ${owner}`
  const known = sightings.get(name) ?? new Map()
  sightings.set(name, known)
  return known
}

const row = { source: 's', assurance: 1 as const, coverage: [], transfers: [] }

test('who holds it keeps it as long as its heart beats, whatever the clocks of others show', async () => {
  const [mine, early, late] = [handClock(5_000_000), handClock(0), handClock(9e12)]
  const lease = leaseOf('a', mine)
  expect(await lease.take()).toBe(true)
  for (let i = 0; i < 12; i++) {
    for (const clock of [mine, early, late]) await clock.pass(400)
    expect(await leaseOf('b', early).take()).toBe(false)
    expect(await leaseOf('c', late).take()).toBe(false)
  }
  await store.append({ ...row, fence: [lease.fence] })
  await lease.release()
  await store.close()
})

test('a silent holder is followed after the time that it asked for, and can write nothing more', async () => {
  const [mine, other] = [handClock(0), handClock(77)]
  const lease = leaseOf('a', mine, 3_000)
  await lease.take()
  const next = leaseOf('b', other, 1_000)
  expect(await next.take()).toBe(false)
  await other.pass(2_900)
  expect(await next.take()).toBe(false)
  await other.pass(200)
  expect(await next.take()).toBe(true)
  await expect(store.append({ ...row, fence: [lease.fence] })).rejects.toMatchObject({
    code: 'document.conflict',
    facts: { collection: 'lease', id: 'flag x' },
  })
  await store.append({ ...row, fence: [next.fence] })
  // It wakes: neither its heartbeat nor its giving back harm the new holder.
  await mine.pass(10_000)
  await lease.release()
  await store.append({ ...row, fence: [next.fence] })
  await next.release()
  await store.close()
})

test('what was given back is free at once', async () => {
  const clock = handClock(0)
  const lease = leaseOf('a', clock)
  await lease.take()
  await lease.release()
  const next = leaseOf('b', clock)
  expect(await next.take()).toBe(true)
  expect(next.abandoned).toBe(0)
  await next.release()
  await store.close()
})

test('holders that fall silent in a row are counted until one gets on', async () => {
  const counts: number[] = []
  for (const owner of ['a', 'b', 'c', 'd']) {
    // Once it has the lease its clock stands still: no heartbeat comes, and nothing is given back.
    const clock = handClock(0)
    const lease = leaseOf(owner, clock)
    if (!(await lease.take())) {
      await clock.pass(1_500)
      expect(await lease.take()).toBe(true)
    }
    counts.push(lease.abandoned)
    if (owner === 'c') await lease.advanced()
  }
  expect(counts).toEqual([0, 1, 2, 1])
  await store.close()
})
