import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { OpenAPIHono } from '@hono/zod-openapi'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createApp } from '../../src/api/app.ts'
import { type Knowledge, openKnowledge } from '../../src/api/knowledge.ts'
import { readConfig } from '../../src/config.ts'
import { formatAccount } from '../../src/ledger/account.ts'
import { createLog } from '../../src/log.ts'
import { changeWork } from '../../src/store/workQueue.ts'
import { chain, hash, ledgerOf, usd, wallet } from '../ledger.arbitrary.ts'

const folder = mkdtempSync(join(tmpdir(), 'jejak-flags-'))
const ledger = ledgerOf([
  [{ from: wallet(1), to: wallet(2), amount: 100n }],
  [
    { from: wallet(2), to: wallet(3), amount: 30n },
    { from: wallet(2), to: wallet(4), amount: 70n },
  ],
])
let knowledge: Knowledge
let app: OpenAPIHono

beforeAll(async () => {
  knowledge = await openKnowledge(folder)
  await knowledge.store.append({ transfers: ledger, source: 'test', assurance: 1, coverage: [] })
  const config = { ...readConfig({}), port: 0, store: folder }
  const log = createLog('silent')
  app = await createApp(knowledge, { config, log, port: () => 7717, plans: true })
})
afterAll(async () => {
  await knowledge.close()
  rmSync(folder, { recursive: true, force: true })
})

const id = `${chain}:${hash(1)}`

async function post(path: string, body: unknown): Promise<Response> {
  return app.request(path, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  })
}

async function get<T>(path: string): Promise<T> {
  return (await (await app.request(path, { headers: { prefer: 'wait=60' } })).json()) as T
}

interface Work {
  readonly id: string
  readonly priority: number
  readonly reason: string
  readonly state: string
}

/** Asks until the planner, which works beside, has come so far. */
async function eventually<T>(path: string, isSo: (found: T) => boolean): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    const found = await get<T>(path)
    if (isSo(found)) return found
    if (attempt > 300) throw new Error(`${path} stays ${JSON.stringify(found)}`)
    await sleep(100)
  }
}

test('a payment is flagged, planned beside the service, and its trace is always at hand', async () => {
  const said = { reason: 'report', source: 'police', budget: { addresses: 7 } }
  const flagged = await post('/v1/flags', { payment: id, ...said })
  expect(flagged.status).toBe(201)
  expect(await flagged.json()).toMatchObject({
    id,
    account: null,
    transaction: id,
    budget: { addresses: 7, calls: 200_000 },
    following: null,
    trace: `/v1/flags/${id}/trace`,
  })
  const { work } = await eventually<{ work: Work[] }>('/v1/work', (page) => page.work.length === 4)
  const best = work.toSorted((a, b) => b.priority - a.priority)
  expect(best.map(({ id: one, priority }) => [one, priority])).toEqual([
    [id, 1],
    [formatAccount(wallet(2)), 1],
    [formatAccount(wallet(4)), 0.7],
    [formatAccount(wallet(3)), 0.3],
  ])
  expect(await get(`/v1/flags/${id}`)).toMatchObject({
    following: { state: 'waiting', unfinished: 1, queued: 3 },
  })
  expect(await get(`/v1/flags/${id}/trace`)).toMatchObject({
    seedTotal: '100',
    totals: [{ outcome: 'not_ingested', face: '100' }],
  })
}, 60_000)

test('what was done is in the log, page by page', async () => {
  for (const account of [wallet(3), wallet(4)]) {
    await changeWork(
      knowledge.store,
      account,
      (known) => known && { ...known, state: 'parked', parked: 'high_degree', finished: 1 },
    )
  }
  const log = `/v1/flags/${id}/log`
  interface Steps {
    readonly steps: readonly { readonly number: number; readonly parked: string }[]
    readonly next_cursor: string | null
  }
  await eventually<Steps>(log, ({ steps }) => steps.length === 2)
  const first = await get<Steps>(`${log}?limit=1`)
  expect(first.steps).toMatchObject([{ number: 1, parked: 'high_degree' }])
  const second = await get<Steps>(`${log}?limit=1&cursor=${first.next_cursor}`)
  expect(second.steps).toMatchObject([{ number: 2, parked: 'high_degree' }])
}, 60_000)

test('a parked address goes on when an operator says so', async () => {
  const parked = formatAccount(wallet(4))
  const answer = await post(`/v1/work/${parked}/continue`, {})
  expect(await answer.json()).toMatchObject({ id: parked, state: 'waiting', continued: true })
  const unknown = await post(`/v1/work/${formatAccount(wallet(99))}/continue`, {})
  expect(unknown.status).toBe(404)
})

test.each([
  ['both', { account: formatAccount(wallet(2)), payment: id }],
  ['neither', {}],
  ['no payment', { payment: 'eip155:1:0x12' }],
  ['an empty budget', { payment: id, budget: { calls: 0 } }],
])('error: a flag of %s is refused', async (_, what) => {
  const answer = await post('/v1/flags', { reason: 'r', source: 's', ...what })
  expect(answer.status).toBe(400)
  expect(await answer.json()).toMatchObject({ code: 'request.invalid' })
})

test('the asset of a wallet is named where it received several', async () => {
  const account = formatAccount(wallet(2))
  await post('/v1/flags', { account, reason: 'r', source: 's' })
  const asset = encodeURIComponent(usd)
  expect(await get(`/v1/flags/${account}/trace?asset=${asset}`)).toMatchObject({
    seedTotal: '100',
  })
})
