import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { OpenAPIHono } from '@hono/zod-openapi'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { PathsAnswer } from '../../src/analysis/paths.ts'
import type { ReachAnswer } from '../../src/analysis/reach.ts'
import { createApp } from '../../src/api/app.ts'
import { type Knowledge, openKnowledge } from '../../src/api/knowledge.ts'
import { runPaths } from '../../src/api/paths.ts'
import { runReach } from '../../src/api/reach.ts'
import { readConfig } from '../../src/config.ts'
import { formatAccount } from '../../src/ledger/account.ts'
import { createLog } from '../../src/log.ts'
import { ledgerOf, wallet } from '../ledger.arbitrary.ts'

const folder = mkdtempSync(join(tmpdir(), 'jejak-paths-'))
const [a, b, c, d] = [wallet(0xa), wallet(0xb), wallet(0xc), wallet(0xd)]
const ledger = ledgerOf([
  [{ from: a, to: b, amount: 50n }],
  [{ from: b, to: c, amount: 40n }],
  [{ from: c, to: d, amount: 30n }],
  [{ from: a, to: d, amount: 1n }],
])
const options = {
  config: { ...readConfig({}), traceTimeoutMs: 60_000 },
  log: createLog('silent'),
  port: () => 7717,
}
let knowledge: Knowledge
let app: OpenAPIHono

beforeAll(async () => {
  knowledge = await openKnowledge(folder)
  await knowledge.store.append({ transfers: ledger, source: 'test', assurance: 1, coverage: [] })
  app = await createApp(knowledge, options)
})
afterAll(async () => {
  await knowledge.close()
  rmSync(folder, { recursive: true, force: true })
})

async function post<T>(path: string, body: unknown): Promise<{ status: number; answer: T }> {
  const response = await app.request(path, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  })
  return { status: response.status, answer: (await response.json()) as T }
}
const text = formatAccount

test('paths answer with their transfers, what was asked, and as of when', async () => {
  const { status, answer } = await post<PathsAnswer>('/v1/paths', {
    from: [text(a)],
    to: [text(d)],
    by: 'bottleneck',
    k: 5,
  })
  expect(status).toBe(200)
  expect(answer.paths.map(({ hops, bottleneck }) => [hops, bottleneck])).toEqual([
    [3, '30'],
    [1, '1'],
  ])
  expect(answer.paths[0]?.transfers[0]).toMatchObject({ from: text(a), to: text(b), amount: '50' })
  expect(answer).toMatchObject({
    version: 'jejak-paths/1',
    query: { by: 'bottleneck', k: 5, direction: 'forward', asOf: { 'eip155:1': 103 } },
    asOf: { 'eip155:1': { block: 103 } },
    cut: { reason: null },
    dataset: (await knowledge.ledger()).digest,
  })
  expect(answer).toEqual(await runPaths(knowledge, { from: [a], to: [d], by: 'bottleneck', k: 5 }))
})

test('reach answers with accounts, nearest first, and says nothing about amounts', async () => {
  const { status, answer } = await post<ReachAnswer>('/v1/reach', {
    accounts: [text(a), text(b)],
    sources: true,
  })
  expect(status).toBe(200)
  expect(answer.reached.map(({ account, hop, sources }) => [account, hop, sources])).toEqual([
    [text(c), 1, [text(a), text(b)]],
    [text(d), 1, [text(a), text(b)]],
  ])
  expect(answer.cut).toEqual({ reached: 2, listed: 2 })
  expect(JSON.stringify(answer)).not.toMatch(/amount|share|face/)
  expect(answer).toEqual(await runReach(knowledge, { accounts: [a, b], sources: true }))
})

test('error: what is not possible is a problem with its code', async () => {
  const account = text(a)
  for (const [path, body, status, code] of [
    ['/v1/paths', { from: [account], to: [account] }, 400, 'request.invalid'],
    ['/v1/paths', { from: [account], to: [text(wallet(0xff))] }, 404, 'seed.not-found'],
    ['/v1/paths', { from: [account], to: [text(d)], k: 101 }, 400, 'request.invalid'],
    ['/v1/paths', { from: [], to: [text(d)] }, 400, 'request.invalid'],
    ['/v1/reach', { accounts: [text(wallet(0xff))] }, 404, 'seed.not-found'],
    ['/v1/reach', { accounts: [account], method: 'poison' }, 400, 'request.invalid'],
  ] as const)
    expect(await post(path, body)).toMatchObject({ status, answer: { code } })
})

test('error: a question that takes too long is given up, and others are answered meanwhile', async () => {
  const impatient = await createApp(knowledge, {
    ...options,
    config: { ...options.config, traceTimeoutMs: -1 },
  })
  const response = await impatient.request('/v1/reach', {
    method: 'POST',
    body: JSON.stringify({ accounts: [text(a)] }),
    headers: { 'content-type': 'application/json' },
  })
  expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([
    503,
    'request.timeout',
  ])
})

test('error: a ledger beyond memory is not gone through', async () => {
  const small = await openKnowledge({ location: folder, maxGraphBytes: 10 })
  await expect(runReach(small, { accounts: [a] })).rejects.toMatchObject({
    code: 'graph.too-large',
  })
  await small.close()
})
