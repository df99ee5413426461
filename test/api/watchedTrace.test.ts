import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Knowledge, openKnowledge } from '../../src/api/knowledge.ts'
import { runTrace } from '../../src/api/runTrace.ts'
import { traceText } from '../../src/api/traceId.ts'
import type { TraceProgress, TraceWatch } from '../../src/api/watchedTrace.ts'
import { type Transfer, transferId } from '../../src/ledger/transfer.ts'
import { coveredFor } from '../analysis/traceLedger.ts'
import { ledgerOf, wallet } from '../ledger.arbitrary.ts'

const folder = mkdtempSync(join(tmpdir(), 'jejak-watched-'))
/** Two thousand payments round and round thirty wallets; what splits off is followed only in later passes. */
const ledger = ledgerOf([
  [{ from: wallet(1), to: wallet(2), amount: 10n ** 9n }],
  ...Array.from({ length: 2_000 }, (_, i) => [
    { from: wallet(2 + (i % 30)), to: wallet(2 + ((i * 7 + 1) % 30)), amount: 10n ** 6n },
  ]),
])
const request = { seeds: [transferId(ledger[0] as Transfer)], minShare: 0.005, maxHops: 64 }
let whole: Knowledge
let part: Knowledge

beforeAll(async () => {
  whole = await openKnowledge(folder)
  const coverage = coveredFor(ledger)
  await whole.store.append({ transfers: ledger, source: 'test', assurance: 1, coverage })
  part = await openKnowledge({ location: folder, maxGraphBytes: 1 })
})
afterAll(async () => {
  await part.close()
  await whole.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Stops at the so-manieth look, and counts all looks. */
function stopAt(look: number): { readonly watch: TraceWatch; readonly seen: TraceProgress[] } {
  const seen: TraceProgress[] = []
  return {
    seen,
    watch(progress) {
      seen.push(progress())
      return seen.length === look ? 'stop' : 'go'
    },
  }
}

test('wherever a trace is stopped, in whichever pass, that place gives the same bytes', async () => {
  const { watch, seen } = stopAt(0)
  const full = traceText(await runTrace(whole, request, watch))
  expect(full).toBe(traceText(await runTrace(whole, request)))
  expect(seen.at(-1)?.passes).toBeGreaterThan(1)
  const texts = new Set<string>()
  for (let look = 1; look <= seen.length; look += 5) {
    for (const knowledge of [whole, part]) {
      const stopped = await runTrace(knowledge, request, stopAt(look).watch)
      const { throughTransfer } = stopped.query
      expect(throughTransfer).toBeDefined()
      const text = traceText(stopped)
      expect(traceText(await runTrace(whole, { ...request, throughTransfer }))).toBe(text)
      expect(stopped.totals.reduce((sum, { face }) => sum + BigInt(face), 0n)).toBe(10n ** 9n)
      texts.add(text)
    }
  }
  expect(texts.size).toBeGreaterThan(3)
}, 120_000)

test('a stop that comes again while the answer is made ends it earlier, and never nowhere', async () => {
  const visits = async (watch: TraceWatch) => {
    const { query, cut } = await runTrace(whole, request, watch)
    const again = await runTrace(whole, { ...request, throughTransfer: query.throughTransfer })
    expect(again.cut.transactions).toBe(cut.transactions)
    return cut.transactions
  }
  const { watch, seen } = stopAt(0)
  await runTrace(whole, request, watch)
  const late = seen.filter(({ passes }) => passes === 1).length
  expect(late).toBeGreaterThan(4)
  let looks = 0
  const twice: TraceWatch = () => (++looks === late || looks === late + 1 ? 'stop' : 'go')
  const once = await visits(stopAt(late).watch)
  const earlier = await visits(twice)
  expect(earlier).toBeLessThan(once)
  const least = await visits(() => 'stop')
  expect(least).toBeLessThan(earlier)
  expect(least).toBeGreaterThan(0)
}, 60_000)

test('a trace that is dropped is given up, also while it is made again after a stop', async () => {
  const gaveUp = { code: 'request.timeout' }
  await expect(runTrace(whole, request, () => 'drop')).rejects.toMatchObject(gaveUp)
  let looks = 0
  const stopThenDrop: TraceWatch = () => (++looks === 3 ? 'stop' : looks > 3 ? 'drop' : 'go')
  await expect(runTrace(whole, request, stopThenDrop)).rejects.toMatchObject(gaveUp)
})
