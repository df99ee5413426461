import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { OpenAPIHono } from '@hono/zod-openapi'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createApp } from '../../src/api/app.ts'
import { type Knowledge, openKnowledge } from '../../src/api/knowledge.ts'
import { metricsText } from '../../src/api/metrics.ts'
import { readConfig } from '../../src/config.ts'
import { formatAccount } from '../../src/ledger/account.ts'
import { createLog } from '../../src/log.ts'
import { changeFlag, type Following, putFlag } from '../../src/store/flags.ts'
import { addIngestTotals, noTotals } from '../../src/store/ingestTotals.ts'
import { chain, wallet } from '../ledger.arbitrary.ts'

const folder = mkdtempSync(join(tmpdir(), 'jejak-flag-events-'))
let knowledge: Knowledge
let app: OpenAPIHono

beforeAll(async () => {
  knowledge = await openKnowledge(folder)
  const config = { ...readConfig({}), port: 0, store: folder }
  app = await createApp(knowledge, { config, log: createLog('silent'), port: () => 7717 })
})
afterAll(async () => {
  await knowledge.close()
  rmSync(folder, { recursive: true, force: true })
})

const progress = {
  fromBlock: 0,
  throughBlock: 40,
  headBlock: 100,
  transfers: 7,
  blocksPerSecond: 20,
  remainingSeconds: 3,
}

test('the reading of a flag is seen while it goes on, and the stream ends when it is done', async () => {
  const { store } = knowledge
  const account = wallet(1)
  await putFlag(store, { account, reason: 'r', source: 's' }, new Date(0))
  const answer = await app.request(`/v1/flags/${formatAccount(account)}/events`)
  expect(answer.headers.get('content-type')).toContain('text/event-stream')
  const whole = answer.text()
  await new Promise((resolve) => setTimeout(resolve, 100))
  await changeFlag(store, account, (known) => known && { ...known, state: 'working', progress })
  await new Promise((resolve) => setTimeout(resolve, 1_000))
  await changeFlag(store, account, (known) => known && { ...known, state: 'done' })
  const events = [...(await whole).matchAll(/event: (\w+)\ndata: (.*)\n/g)].map(
    ([, name = '', data = '']) => ({ name, data }),
  )
  const states = events.map(({ name, data }) => `${name} ${(JSON.parse(data) as Flag).state}`)
  expect(states).toEqual(['progress waiting', 'progress working', 'done done'])
  expect(JSON.parse(events[1]?.data ?? '')).toMatchObject({
    account: formatAccount(account),
    progress,
  })
  const told = events.slice(0, -1).map(({ data }) => `${data}\n`)
  const records = createHash('sha256').update(told.join('')).digest('hex')
  expect(JSON.parse(events.at(-1)?.data ?? '')).toMatchObject({ count: 2, records })
})

test('while a planner is there, the stream goes on until nothing more is followed', async () => {
  const { store } = knowledge
  const account = wallet(2)
  await putFlag(store, { account, reason: 'r', source: 's' }, new Date(0))
  const turn = { owner: 'somebody', until: Date.now() + 60_000, planned: '' }
  const { version } = await store.writeDocument('lease', 'planner', 0, turn)
  await changeFlag(store, account, (known) => known && { ...known, state: 'done' })
  const whole = (async () =>
    (await app.request(`/v1/flags/${formatAccount(account)}/events`)).text())()
  await new Promise((resolve) => setTimeout(resolve, 300))
  for (const state of ['following', 'done'] as const) {
    const following = { ...begun, state }
    await changeFlag(store, account, (known) => known && { ...known, following })
    await new Promise((resolve) => setTimeout(resolve, 600))
  }
  const names = [...(await whole).matchAll(/event: (\w+)\n/g)].map(([, name]) => name)
  expect(names).toEqual(['progress', 'progress', 'done'])
  await store.deleteDocument('lease', 'planner', version)
})

const begun: Following = {
  state: 'waiting',
  over: null,
  unfinished: 1,
  assets: [],
  queued: 0,
  spent: { addresses: 0, calls: 0, blocks: 0 },
  through: {},
  steps: 0,
  error: null,
}

interface Flag {
  readonly state: string
}

test('error: nothing is told of an address that is not flagged', async () => {
  const answer = await app.request(`/v1/flags/${formatAccount(wallet(99))}/events`)
  expect(answer.status).toBe(404)
  expect(await answer.json()).toMatchObject({ code: 'flag.not-found' })
})

test('metrics tell by chain what was read, what was refused, how far behind and what is parked', async () => {
  const { store } = knowledge
  const error = { code: 'rpc.refused', message: 'm', hint: null }
  const states = [
    ['failed', null],
    ['waiting', null],
    ['working', { ...progress, throughBlock: 70 }],
  ] as const
  for (const [i, [state, at]] of states.entries()) {
    const account = wallet(10 + i)
    await putFlag(store, { account, reason: 'r', source: 's' }, new Date(0))
    await changeFlag(
      store,
      account,
      (known) =>
        known && { ...known, state, progress: at, error: state === 'failed' ? error : null },
    )
  }
  const once = { ...noTotals, blocks: 500, transfers: 20, calls: 31, refusals: 2, headBlock: 90 }
  await addIngestTotals(store, chain, once)
  await addIngestTotals(store, chain, { ...once, rollBacks: 1, orphans: 6, headBlock: 100 })
  const answer = await app.request('/metrics')
  expect(answer.headers.get('content-type')).toContain('text/plain; version=0.0.4')
  const lines = (await answer.text()).split('\n')
  const label = `{chain="${chain}"}`
  expect(lines).toEqual(
    expect.arrayContaining([
      '# TYPE jejak_ingest_blocks_total counter',
      `jejak_ingest_blocks_total${label} 1000`,
      `jejak_ingest_transfers_total${label} 40`,
      `jejak_ingest_calls_total${label} 62`,
      `jejak_ingest_refusals_total${label} 4`,
      `jejak_ingest_rollbacks_total${label} 1`,
      `jejak_ingest_orphans_total${label} 6`,
      `jejak_ingest_head_block${label} 100`,
      `jejak_ingest_lag_blocks${label} 101`,
      `jejak_flags{chain="${chain}",state="parked"} 1`,
      `jejak_flags{chain="${chain}",state="working"} 1`,
    ]),
  )
  for (const line of lines.filter((text) => text !== '' && !text.startsWith('#')))
    expect(line).toMatch(/^[a-z_]+(\{[a-z]+="[^"\n]*"(,[a-z]+="[^"\n]*")*\})? -?\d+$/)
})

test('a label can hold anything', () => {
  const values = [{ labels: { chain: 'a"b\\c\nd' }, value: 1 }]
  expect(metricsText([{ name: 'm', type: 'gauge', help: 'h', values }])).toBe(
    '# HELP m h\n# TYPE m gauge\nm{chain="a\\"b\\\\c\\nd"} 1\n',
  )
})
