import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Knowledge, openKnowledge } from '../../src/api/knowledge.ts'
import { pinTrace, replayTrace } from '../../src/api/pinnedTraces.ts'
import { type TraceRequest, traceMoment } from '../../src/api/runTrace.ts'
import { diffTrace } from '../../src/api/traceDiff.ts'
import { traceText } from '../../src/api/traceId.ts'
import { KnownError } from '../../src/ledger/errors.ts'
import { type Transfer, transferId } from '../../src/ledger/transfer.ts'
import { copyStore } from '../../src/store/copyStore.ts'
import { openStore } from '../../src/store/open.ts'
import { coveredFor, tag } from '../analysis/traceLedger.ts'
import { chain, ledgerOf, randomLedger, wallet } from '../ledger.arbitrary.ts'

let folder: string
let knowledge: Knowledge

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'jejak-pins-'))
  knowledge = await openKnowledge(join(folder, 'store'))
})
afterEach(async () => {
  await knowledge.close()
  rmSync(folder, { recursive: true, force: true })
})

const append = (transfers: readonly Transfer[], source = 'test') =>
  knowledge.store.append({ transfers, source, assurance: 1, coverage: coveredFor(transfers) })

/** Blocks 100 to 104: 1 pays 2, who pays 3, who pays 4, 5, 6. */
const ledger = ledgerOf([
  [{ from: wallet(1), to: wallet(2), amount: 100n }],
  [{ from: wallet(2), to: wallet(3), amount: 90n }],
  ...[4, 5, 6].map((to) => [{ from: wallet(3), to: wallet(to), amount: 30n }]),
])
const [first] = ledger
const seeds = first ? [transferId(first)] : []

async function pinned(request: TraceRequest = { seeds }) {
  const moment = await traceMoment(knowledge, request)
  await pinTrace(knowledge.store, moment)
  return { id: moment.answer.id, text: traceText(moment.answer) }
}

const replayed = async (id: string, from = knowledge) => traceText(await replayTrace(from, id))

describe('a pinned trace gives the same bytes again', () => {
  test('when nothing happened, after a restart, and from a copy of the store', async () => {
    await append(ledger)
    const { id, text } = await pinned()
    expect(text).toContain(`{"version":"jejak-trace/3","id":"${id}"`)
    expect(await replayed(id)).toBe(text)
    await knowledge.close()
    knowledge = await openKnowledge(join(folder, 'store'))
    expect(await replayed(id)).toBe(text)
    const target = await openStore({ location: join(folder, 'copy') })
    await copyStore(knowledge.store, target)
    await target.close()
    const copy = await openKnowledge(join(folder, 'copy'))
    expect(await replayed(id, copy)).toBe(text)
    await copy.close()
  })

  test('after more data, other tags and wider coverage; the same question asked anew is another trace', async () => {
    await append(ledger.slice(0, 2))
    const { id, text } = await pinned()
    await append(ledger.slice(2))
    await knowledge.store.putTags([tag(wallet(3), 'exchange')])
    expect(await replayed(id)).toBe(text)
    const now = await pinned()
    expect(now.id).not.toBe(id)
    expect(now.text).toContain('"service"')
    expect(await replayed(now.id)).toBe(now.text)
    expect(await replayed(id)).toBe(text)
  })

  test('after a reorganisation of depth 3, and after the blocks came back otherwise', async () => {
    await append(ledger)
    const { id, text } = await pinned()
    expect(await knowledge.store.rollBack(chain, 102)).toBe(3)
    expect(await replayed(id)).toBe(text)
    const [other] = ledgerOf([[{ from: wallet(3), to: wallet(9), amount: 90n }]])
    if (other)
      await append([{ ...other, block: 102, time: other.time + 24, tx: `0x${'9'.repeat(64)}` }])
    expect(await replayed(id)).toBe(text)
    const { diff } = await diffTrace(knowledge, id)
    expect(diff.moved.map(({ account, change }) => `${account.at(-1)} ${change}`)).toEqual(
      expect.arrayContaining(['4 -30', '5 -30', '6 -30', '9 90']),
    )
  })

  test('of everything: random ledgers, grown, tagged and rolled back after the pin', async () => {
    let compared = 0
    await fc.assert(
      fc.asyncProperty(randomLedger, fc.integer(), fc.integer(), async (rows, cut, back) => {
        const part = rows.slice(0, 1 + (Math.abs(cut) % rows.length))
        const place = mkdtempSync(join(folder, 'random-'))
        const mine = await openKnowledge(place)
        try {
          await mine.store.append({ transfers: part, source: 'a', assurance: 1, coverage: [] })
          const moments = []
          for (const row of part.slice(0, 3)) {
            const asked = traceMoment(mine, { seeds: [transferId(row)] })
            const moment = await asked.catch((error: unknown) => {
              if (error instanceof KnownError) return undefined
              throw error
            })
            if (moment) moments.push(moment)
          }
          for (const moment of moments) await pinTrace(mine.store, moment)
          await mine.store.rollBack(chain, 100 + (Math.abs(back) % 10))
          await mine.store.append({
            transfers: rows,
            source: 'b',
            assurance: 2,
            coverage: coveredFor(rows),
          })
          await mine.store.putTags([tag(wallet(2), 'mixer')])
          for (const { answer } of moments) {
            expect(await replayed(answer.id, mine)).toBe(traceText(answer))
            compared++
          }
        } finally {
          await mine.close()
        }
      }),
      { numRuns: 6 },
    )
    expect(compared).toBeGreaterThan(5)
  })

  test('a wrong id is not found; a pin without its tags says so', async () => {
    await append(ledger)
    const { id, text } = await pinned()
    await expect(replayed('f'.repeat(64))).rejects.toMatchObject({ code: 'trace.not-found' })
    await expect(replayed('../x')).rejects.toMatchObject({ code: 'trace.not-found' })
    const { tags } = JSON.parse(text) as { tags: string }
    await knowledge.store.deleteDocument('trace-tags', tags, 1)
    await expect(replayed(id)).rejects.toThrow(/the tags of that time are not in the store/)
  })

  test('beyond memory: while the log stays; when it goes on, the error says why', async () => {
    await append(ledger)
    const { id, text } = await pinned()
    const part = await openKnowledge({ location: join(folder, 'store'), maxGraphBytes: 1 })
    expect(await replayed(id, part)).toBe(text)
    await append(ledgerOf([[{ from: wallet(7), to: wallet(8), amount: 1n }]]).slice(0, 1), 'more')
    await expect(replayed(id, part)).rejects.toMatchObject({ code: 'trace.not-replayable' })
    await part.close()
    expect(await replayed(id)).toBe(text)
  })
})

describe('the id of a trace', () => {
  test('is the same however the same was asked and told', async () => {
    await append(ledger)
    const one = await pinned()
    const two = await pinned({ seedAddresses: [wallet(1)], side: 'sent', maxHops: 32 })
    expect(two).toEqual(one)
    const elsewhere = await openKnowledge(join(folder, 'elsewhere'))
    for (const row of ledger.toReversed())
      await elsewhere.store.append({ transfers: [row], source: 'x', assurance: 1, coverage: [] })
    const claims = coveredFor(ledger)
    await elsewhere.store.append({ transfers: [], source: 'y', assurance: 1, coverage: claims })
    expect(traceText((await traceMoment(elsewhere, { seeds })).answer)).toBe(one.text)
    await elsewhere.close()
  })

  test('changes with parameters, rows, tags and coverage, each', async () => {
    await append(ledger.slice(0, 4))
    const ids = new Set([(await pinned()).id, (await pinned({ seeds, maxHops: 5 })).id])
    await append(ledger.slice(4))
    ids.add((await pinned()).id)
    await knowledge.store.putTags([tag(wallet(60), 'exchange')])
    ids.add((await pinned()).id)
    const coverage = coveredFor(ledger).map((claim) => ({ ...claim, toBlock: 103 }))
    await knowledge.store.append({ transfers: [], source: 'z', assurance: 1, coverage })
    ids.add((await pinned()).id)
    expect(ids.size).toBe(5)
  })
})

describe('the difference to a pinned trace', () => {
  test('is empty when nothing moved, and changes add up to nothing when something did', async () => {
    await append(ledger.slice(0, 2))
    const { id } = await pinned()
    expect((await diffTrace(knowledge, id)).diff).toMatchObject({ id, now: id, moved: [] })
    await append(ledger.slice(2))
    const { diff } = await diffTrace(knowledge, id)
    // The rest with wallet 2 is there still, but no longer covered through the last block.
    expect(diff.moved).toHaveLength(6)
    for (const list of [diff.moved, diff.totals])
      expect(list.reduce((sum, { change }) => sum + BigInt(change), 0n)).toBe(0n)
    expect(diff.seedTotal).toEqual({ before: '100', after: '100', change: '0' })
  })

  test('error: a seed that a reorganisation took is named', async () => {
    await append(ledger)
    const { id, text } = await pinned()
    await knowledge.store.rollBack(chain, 100)
    await expect(diffTrace(knowledge, id)).rejects.toMatchObject({ code: 'seed.not-found' })
    expect(await replayed(id)).toBe(text)
  })
})
