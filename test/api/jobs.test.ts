import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { OpenAPIHono } from '@hono/zod-openapi'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { TraceAnswer } from '../../src/analysis/traceAnswer.ts'
import { createApp } from '../../src/api/app.ts'
import { jobView } from '../../src/api/jobRoutes.ts'
import { createJobs, isSettled, type Job } from '../../src/api/jobs.ts'
import { type Knowledge, openKnowledge } from '../../src/api/knowledge.ts'
import { readPin } from '../../src/api/pinnedTraces.ts'
import { problemHandler } from '../../src/api/problem.ts'
import { createRouter } from '../../src/api/router.ts'
import { runTrace } from '../../src/api/runTrace.ts'
import { traceText } from '../../src/api/traceId.ts'
import type { TraceTask } from '../../src/api/traceMessages.ts'
import { createTracePool, type TaskEars, type TracePool } from '../../src/api/tracePool.ts'
import { traceRoutes } from '../../src/api/traces.ts'
import { readConfig } from '../../src/config.ts'
import { KnownError } from '../../src/ledger/errors.ts'
import { type Transfer, transferId } from '../../src/ledger/transfer.ts'
import { createLog } from '../../src/log.ts'
import { coveredFor, tag } from '../analysis/traceLedger.ts'
import { hash, ledgerOf, wallet } from '../ledger.arbitrary.ts'

const folder = mkdtempSync(join(tmpdir(), 'jejak-jobs-'))
const config = { ...readConfig({}), port: 0, store: folder }
let knowledge: Knowledge
let app: OpenAPIHono

/** A chain of three thousand payments, each splitting a little off: long enough to be stopped on its way. */
const payments = 3_000
const ledger = ledgerOf([
  [{ from: wallet(1), to: wallet(2), amount: 10n ** 9n }],
  ...Array.from({ length: payments }, (_, i) => [
    { from: wallet(2 + (i % 30)), to: wallet(2 + ((i + 1) % 30)), amount: 10n ** 8n },
  ]),
])
const seed = transferId(ledger[0] as Transfer)

beforeAll(async () => {
  knowledge = await openKnowledge(folder)
  const coverage = coveredFor(ledger)
  await knowledge.store.append({ transfers: ledger, source: 'test', assurance: 1, coverage })
  app = await createApp(knowledge, { config, log: createLog('silent'), port: () => 7717 })
})
afterAll(async () => {
  await knowledge.close()
  rmSync(folder, { recursive: true, force: true })
})

const post = (body: unknown, headers: Record<string, string> = {}, to = app) =>
  to.request('/v1/traces', {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  })

type View = Record<'id' | 'state' | 'trace' | 'digest' | 'reason', string> & { pinned: boolean }

async function ended(place: string): Promise<View> {
  for (;;) {
    const view = (await (await app.request(place)).json()) as View
    if (!['queued', 'running'].includes(view.state) && view.pinned !== null) return view
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

describe('a trace over HTTP', () => {
  test('has the same bytes as in process, is pinned, and is found again under its id', async () => {
    const answer = await post({ seeds: [seed] }, { prefer: 'respond-async, wait=60' })
    expect(answer.status).toBe(200)
    const text = await answer.text()
    expect(text).toBe(traceText(await runTrace(knowledge, { seeds: [seed] })))
    expect(answer.headers.get('preference-applied')).toBe('wait=60')
    expect(answer.headers.get('jejak-pinned')).toBe('yes')
    expect(answer.headers.get('jejak-sequence')).toBe(String(ledger.length))
    expect(answer.headers.get('jejak-behind-ms')).toBe('0')
    const place = answer.headers.get('location') ?? ''
    expect(place).toBe(`/v1/traces/${(JSON.parse(text) as { id: string }).id}`)
    expect(await (await app.request(place)).text()).toBe(text)
    const restarted = await createApp(knowledge, {
      config,
      log: createLog('silent'),
      port: () => 7717,
    })
    expect(await (await restarted.request(place)).text()).toBe(text)
    const diff = await (await app.request(`${place}/diff`)).json()
    expect(diff).toMatchObject({ moved: [], seedTotal: { change: '0' } })
  })

  test('knows what was appended and tagged before it was asked', async () => {
    const ask = async () => (await post({ seeds: [seed] }, { prefer: 'wait=60' })).text()
    const before = await ask()
    const late = ledgerOf([[{ from: wallet(5), to: wallet(99), amount: 77n }]])
    const rows = late.map((row) => ({
      ...row,
      block: 9_000,
      time: 1_700_200_000,
      tx: hash(99_999),
    }))
    await knowledge.store.append({
      transfers: rows,
      source: 'late',
      assurance: 1,
      coverage: coveredFor(rows),
    })
    const after = await ask()
    expect(after).toContain('"eip155:1":9000')
    await knowledge.store.putTags([tag(wallet(7), 'mixer')])
    const tagged = await ask()
    expect(tagged).toContain('"mixer"')
    expect(new Set([before, after, tagged]).size).toBe(3)
    expect(tagged).toBe(traceText(await runTrace(knowledge, { seeds: [seed] })))
  })

  test('is a job when nobody waits: progress, events with count and digest, and the answer', async () => {
    const accepted = await post({ seeds: [seed], maxHops: 60 }, { prefer: 'wait=0' })
    expect(accepted.status).toBe(202)
    const place = accepted.headers.get('location') ?? ''
    expect(place).toMatch(/^\/v1\/jobs\//)
    const events = await (await app.request(`${place}/events`)).text()
    const data = [...events.matchAll(/^event: (\w+)\ndata: (.*)$/gm)].map(([, event, text]) => ({
      event,
      text: text ?? '',
    }))
    const records = data.filter(({ event }) => event === 'progress')
    const digest = createHash('sha256')
    for (const { text } of records) digest.update(`${text}\n`)
    expect(data.at(-1)?.event).toBe('done')
    expect(JSON.parse(data.at(-1)?.text ?? '')).toMatchObject({
      state: 'done',
      count: records.length,
      records: digest.digest('hex'),
      pinned: true,
    })
    const view = await ended(place)
    const text = await (await app.request(`/v1/traces/${view.trace}`)).text()
    expect(createHash('sha256').update(text).digest('hex')).toBe(view.digest)
  })

  test('that a deadline ends says where, and that place asked for gives the same bytes', async () => {
    const hasty = await createApp(knowledge, {
      config: { ...config, traceTimeoutMs: 0 },
      log: createLog('silent'),
      port: () => 7717,
    })
    const partial = await post({ seeds: [seed] }, { prefer: 'wait=60' }, hasty)
    const text = await partial.text()
    const { query, totals, seedTotal } = JSON.parse(text) as TraceAnswer
    expect(query.throughTransfer).toBeDefined()
    expect(totals.some(({ outcome }) => outcome === 'budget')).toBe(true)
    expect(totals.reduce((sum, { face }) => sum + BigInt(face), 0n)).toBe(BigInt(seedTotal))
    const { throughTransfer } = query
    const again = await post({ seeds: [seed], throughTransfer }, { prefer: 'wait=60' })
    expect(await again.text()).toBe(text)
  })

  test('error: what is wrong with it is told as ever, also by the job', async () => {
    const refused = await post({ seeds: [`eip155:1:0x${'9'.repeat(64)}:token:0`] })
    expect(refused.status).toBe(404)
    expect(await refused.json()).toMatchObject({ code: 'seed.not-found' })
    const unknown = await app.request('/v1/jobs/nobody')
    expect(await unknown.json()).toMatchObject({ code: 'job.not-found', status: 404 })
    const none = await app.request(`/v1/traces/${'0'.repeat(64)}`)
    expect(await none.json()).toMatchObject({ code: 'trace.not-found', status: 404 })
  })
})

describe('jobs', () => {
  const task: TraceTask = { kind: 'trace', request: { seeds: [seed] } }

  /** A pool in which a test decides what happens. */
  function scripted() {
    const ears: TaskEars[] = []
    const wishes: string[] = []
    const pool: TracePool = {
      take(_, heard) {
        ears.push(heard)
        return (wish) => wishes.push(wish)
      },
      close: async () => undefined,
    }
    return { pool, ears, wishes }
  }

  const answer = (trace: string, size = 1) => ({
    type: 'answer' as const,
    bytes: new Uint8Array(size),
    trace,
    digest: '',
    reason: undefined,
    told: undefined,
  })

  test('a first cancel ends the trace where it is, a second gives it up, and then nothing changes', () => {
    const { pool, ears, wishes } = scripted()
    const jobs = createJobs(pool)
    const { job } = jobs.start(task)
    jobs.cancel(job.id)
    jobs.cancel(job.id)
    expect(wishes).toEqual(['stop', 'drop'])
    ears[0]?.failed(new KnownError('request.timeout', 'given up'))
    expect(jobs.get(job.id).state).toBe('cancelled')
    jobs.cancel(job.id)
    expect(wishes).toHaveLength(2)
  })

  test('a full queue says when to ask again; what asking again does not mend does not', async () => {
    const routes = createRouter()
    routes.onError(problemHandler(createLog('silent')))
    routes.get('/full', () => {
      throw new KnownError('job.queue-full', 'enough wait already', { retryable: true })
    })
    routes.get('/never', () => {
      throw new KnownError('job.not-found', 'there is no such job')
    })
    const again = async (path: string) => (await routes.request(path)).headers.get('retry-after')
    expect([await again('/full'), await again('/never')]).toEqual(['2', null])
  })

  test('whoever asks says how old the ledger may be, and hears how old it is', async () => {
    const ages: (number | undefined)[] = []
    const told = { sequence: 7, behindMs: 900 }
    const { pool } = scripted()
    const taking: TracePool = {
      ...pool,
      take(_, heard, mostBehindMs) {
        ages.push(mostBehindMs)
        heard.answered({ ...answer('a'), told })
        heard.pinned(undefined)
        return () => undefined
      },
    }
    const jobs = createJobs(taking)
    const routes = traceRoutes(knowledge, jobs, config)
    for (const wish of ['no-cache', 'no-store, max-age=3', 'max-age=0', 'private'])
      await post({ seeds: [seed] }, { 'cache-control': wish }, routes)
    expect(ages).toEqual([0, 3_000, 0, undefined])
    const { headers } = await post({ seeds: [seed] }, {}, routes)
    expect([headers.get('jejak-sequence'), headers.get('jejak-behind-ms')]).toEqual(['7', '900'])
    const place = headers.get('jejak-job') ?? ''
    expect(jobView(jobs.get(place.slice('/v1/jobs/'.length)))).toMatchObject(told)
  })

  test('what could not be pinned is said, after the answer', async () => {
    const { pool, ears } = scripted()
    const jobs = createJobs(pool)
    const { job, answered } = jobs.start(task)
    ears[0]?.answered(answer('a'))
    expect((await answered).trace).toBe('a')
    expect(isSettled(jobs.get(job.id))).toBe(false)
    ears[0]?.pinned(new KnownError('store.busy', 'an import holds the store'))
    const settled: Job = jobs.get(job.id)
    expect(settled).toMatchObject({ state: 'done', pin: { stored: false } })
  })

  test('answers are remembered up to a size, the newest always', () => {
    const { pool, ears } = scripted()
    const jobs = createJobs(pool)
    for (const [i, trace] of ['a', 'b', 'c'].entries()) {
      jobs.start(task)
      ears[i]?.answered(answer(trace, 2 ** 25 + 1))
    }
    const known = ['a', 'b', 'c'].map((trace) => jobs.recent(trace) !== undefined)
    expect(known).toEqual([false, false, true])
  })

  test('a running trace that is cancelled answers with what it has, reproducibly; the queue has an end', async () => {
    const pool = createTracePool(knowledge, {
      place: knowledge.place,
      threads: 1,
      queued: 2,
      limitMs: 60_000,
    })
    const jobs = createJobs(pool)
    const running = jobs.start(task)
    // Told before the thread has begun: it stops at its first look.
    jobs.cancel(running.job.id)
    const queued = [jobs.start(task), jobs.start(task)]
    expect(() => jobs.start(task)).toThrow(/2 traces wait already/)
    jobs.cancel(queued[0]?.job.id ?? '')
    expect(jobs.get(queued[0]?.job.id ?? '').state).toBe('cancelled')
    const partial = await running.answered
    expect(partial.reason).toBe('cancelled')
    expect(jobs.get(running.job.id).state).toBe('partial')
    const whole = await queued[1]?.answered
    expect(whole?.reason).toBeUndefined()
    const text = new TextDecoder().decode(partial.bytes)
    const { throughTransfer } = (JSON.parse(text) as TraceAnswer).query
    expect(traceText(await runTrace(knowledge, { seeds: [seed], throughTransfer }))).toBe(text)
    await pool.close()
  })

  test('an import that holds the store holds back the pin and nothing else', async () => {
    const options = { place: knowledge.place, threads: 1, queued: 8, limitMs: 60_000 }
    const pool = createTracePool(knowledge, options)
    const jobs = createJobs(pool)
    const request = { seeds: [seed], maxHops: 11 }
    const answers = await knowledge.store.atomically(async () => {
      const started = [request, { ...request, maxHops: 12 }].map((asked) =>
        jobs.start({ kind: 'trace', request: asked }),
      )
      const given = await Promise.all(started.map(({ answered }) => answered))
      expect(started.map(({ job }) => jobs.get(job.id).pin)).toEqual([undefined, undefined])
      return started.map(({ job }, i) => ({ job, trace: given[i]?.trace ?? '' }))
    })
    for (const { job, trace } of answers) {
      while (!isSettled(jobs.get(job.id))) await jobs.changed(job.id)
      expect(jobs.get(job.id).pin).toEqual({ stored: true })
      expect(await readPin(knowledge.store, trace)).toMatchObject({ version: 'jejak-trace/3' })
    }
    await pool.close()
  }, 60_000)

  test('beyond memory threads ask the store, with the same bytes', async () => {
    const part = await openKnowledge({ location: folder, maxGraphBytes: 1 })
    const pool = createTracePool(part, {
      place: part.place,
      threads: 2,
      queued: 8,
      limitMs: 60_000,
    })
    const jobs = createJobs(pool)
    const answers = await Promise.all([jobs.start(task), jobs.start(task)].map((j) => j.answered))
    const expected = traceText(await runTrace(knowledge, { seeds: [seed] }))
    for (const { bytes } of answers) expect(new TextDecoder().decode(bytes)).toBe(expected)
    await pool.close()
    await part.close()
  })
})
