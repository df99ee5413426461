import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { OpenAPIHono } from '@hono/zod-openapi'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { TraceAnswer } from '../../src/analysis/traceAnswer.ts'
import { createApp } from '../../src/api/app.ts'
import type { CoverageAnswer } from '../../src/api/coverage.ts'
import { type Knowledge, openKnowledge } from '../../src/api/knowledge.ts'
import { explained } from '../../src/api/problem.ts'
import { startServer } from '../../src/api/server.ts'
import { readConfig } from '../../src/config.ts'
import { formatAccount } from '../../src/ledger/account.ts'
import { formatCsvRow, jejakCsvHeader } from '../../src/ledger/jejakCsv.ts'
import { transferId } from '../../src/ledger/transfer.ts'
import { createLog } from '../../src/log.ts'
import { dispute, settleDisputes } from '../../src/store/proofs.ts'
import { coveredFor } from '../analysis/traceLedger.ts'
import { ledgerOf, usd, wallet } from '../ledger.arbitrary.ts'

const folder = mkdtempSync(join(tmpdir(), 'jejak-api-'))
const config = { ...readConfig({}), maxBodyBytes: 200_000, port: 0, store: folder }
const log = createLog('silent')
const ledger = ledgerOf([
  [{ from: wallet(1), to: wallet(2), amount: 100n }],
  ...Array.from({ length: 12 }, (_, i) => [{ from: wallet(2), to: wallet(10 + i), amount: 5n }]),
])
const seed = transferId(
  ledger[0] ??
    (() => {
      throw new RangeError('no row')
    })(),
)
let knowledge: Knowledge
let app: OpenAPIHono

beforeAll(async () => {
  knowledge = await openKnowledge(folder)
  await knowledge.store.append({
    transfers: ledger,
    source: 'test',
    assurance: 1,
    coverage: coveredFor(ledger),
  })
  app = await createApp(knowledge, { config, log, port: () => 7717 })
})
afterAll(async () => {
  await knowledge.close()
  rmSync(folder, { recursive: true, force: true })
})

const account = formatAccount(wallet(2))
const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  app.request(path, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    // A machine may be busy: the answer, not a job.
    headers: { 'content-type': 'application/json', prefer: 'wait=60', ...headers },
  })

async function expectProblem(
  response: Response | Promise<Response>,
  status: number,
  code: string,
): Promise<Record<string, unknown>> {
  const answer = await response
  const body = (await answer.json()) as Record<string, unknown>
  expect({
    status: answer.status,
    type: answer.headers.get('content-type'),
    code: body['code'],
  }).toEqual({ status, type: 'application/problem+json', code })
  return body
}

describe('traces', () => {
  test('add up to the seeds, and the same question gives the same bytes', async () => {
    const [one, two] = await Promise.all([
      post('/v1/traces', { seeds: [seed] }),
      post('/v1/traces', { seedAddresses: [formatAccount(wallet(1))], side: 'sent' }),
    ])
    const text = await one.text()
    expect(one.status).toBe(200)
    expect(await two.text()).toBe(text)
    const answer = JSON.parse(text) as { seedTotal: string; outcomes: { face: string }[] }
    expect(answer.outcomes.reduce((sum, { face }) => sum + BigInt(face), 0n)).toBe(
      BigInt(answer.seedTotal),
    )
  })

  test('error: wrong ways are problems that name the field and what to do', async () => {
    await expectProblem(post('/v1/traces', '{bad'), 400, 'request.invalid')
    await expectProblem(post('/v1/traces', { seedz: 1 }), 400, 'request.invalid')
    expect(
      await expectProblem(post('/v1/traces', { seedAddresses: ['0x12'] }), 400, 'request.invalid'),
    ).toMatchObject({ errors: [{ field: 'seedAddresses.0' }] })
    await expectProblem(post('/v1/traces', { seeds: [seed], minShare: 2 }), 400, 'request.invalid')
    await expectProblem(post('/v1/traces', { seeds: ['nonsense'] }), 400, 'transfer.invalid')
    await expectProblem(
      post('/v1/traces', { seeds: [`eip155:1:0x${'9'.repeat(64)}:token:0`] }),
      404,
      'seed.not-found',
    )
    await expectProblem(post('/v1/traces', {}), 404, 'seed.not-found')
    await expectProblem(
      post('/v1/traces', { seeds: [seed], method: 'clean-first', direction: 'backward' }),
      501,
      'trace.unsupported',
    )
    await expectProblem(
      post('/v1/traces', { seeds: [seed], method: 'poison' }),
      400,
      'request.invalid',
    )
    await expectProblem(app.request('/v1/traces', { method: 'POST' }), 415, 'request.media-type')
    await expectProblem(post('/v1/traces', '{"__proto__":{"x":1}}'), 400, 'request.invalid')
  })
})

test('a trace that takes longer than allowed ends where it is, and the place gives the same again', async () => {
  const hasty = await createApp(knowledge, {
    config: { ...config, traceTimeoutMs: 0 },
    log,
    port: () => 7717,
  })
  const body = JSON.stringify({ seeds: [seed] })
  const headers = { 'content-type': 'application/json', prefer: 'wait=60' }
  const partial = await hasty.request('/v1/traces', { method: 'POST', body, headers })
  expect(partial.status).toBe(200)
  const text = await partial.text()
  const { query, outcomes } = JSON.parse(text) as TraceAnswer
  expect(query.throughTransfer).toBeDefined()
  expect(outcomes.map(({ outcome, reason }) => `${outcome} ${reason}`)).toContain('budget deadline')
  const again = await post('/v1/traces', { seeds: [seed], throughTransfer: query.throughTransfer })
  expect(await again.text()).toBe(text)
})

describe('accounts', () => {
  test('a card shows balance, degree, coverage', async () => {
    const card = await (await app.request(`/v1/accounts/${account}`)).json()
    expect(card).toMatchObject({
      account,
      known: true,
      flagged: false,
      balances: [{ asset: usd, balance: '40', received: 1, sent: 12, carriesValue: 'opaque' }],
    })
  })

  test('an unknown account is not clean, it is unknown', async () => {
    expect(
      await (await app.request(`/v1/accounts/${formatAccount(wallet(999))}`)).json(),
    ).toMatchObject({ known: false, balances: [], coverage: [] })
  })

  test('transfers are paged by a cursor that survives new data', async () => {
    const page = async (query: string) =>
      (await (await app.request(`/v1/accounts/${account}/transfers?${query}`)).json()) as {
        transfers: { transfer: string }[]
        next_cursor: string | null
      }
    const first = await page('limit=5')
    const later = ledgerOf([[{ from: wallet(50), to: wallet(2), amount: 1n }]]).map((t) => ({
      ...t,
      block: 90,
      time: t.time - 1000,
      tx: `0x${'7'.repeat(64)}`,
    }))
    await knowledge.store.append({ transfers: later, source: 'test', assurance: 1, coverage: [] })
    const read = [...first.transfers]
    for (let next = first.next_cursor; next !== null; ) {
      const more = await page(`limit=5&cursor=${next}`)
      read.push(...more.transfers)
      next = more.next_cursor
    }
    expect(read.map(({ transfer }) => transfer)).toEqual(ledger.map(transferId))
    await expectProblem(
      app.request(
        `/v1/accounts/${account}/transfers?limit=5&direction=in&cursor=${first.next_cursor}`,
      ),
      400,
      'cursor.invalid',
    )
    await expectProblem(
      app.request(`/v1/accounts/${account}/transfers?limit=0`),
      400,
      'request.invalid',
    )
    await expectProblem(
      app.request(`/v1/accounts/${account}/transfers?colour=red`),
      400,
      'request.invalid',
    )
    await expectProblem(app.request('/v1/accounts/0x12/transfers'), 400, 'request.invalid')
  })
})

test('coverage says how well, by whom, and what is missing; a dispute lowers it', async () => {
  const watched = wallet(77)
  const at = { account: watched, kind: 'token', fromBlock: 3, toBlock: 9 } as const
  const claims = [
    { ...at, assurance: 1 as const, source: 'node:a' },
    { ...at, fromBlock: 8, assurance: 3 as const, source: 'proof' },
  ]
  await knowledge.store.append({ transfers: [], source: 'node:a', assurance: 1, coverage: claims })
  const path = `/v1/accounts/${formatAccount(watched)}/coverage`
  const coverage = async () => (await (await app.request(path)).json()) as CoverageAnswer
  const one = { kind: 'token', fromBlock: 3, toBlock: 7, sources: ['node:a'] } as const
  const proven = {
    kind: 'token',
    fromBlock: 8,
    toBlock: 9,
    sources: ['proof'],
    assurance: 3,
  } as const
  const whole = await coverage()
  expect(whole).toMatchObject({
    account: formatAccount(watched),
    intervals: [
      { ...one, assurance: 1, disputed: false },
      { ...proven, disputed: false },
    ],
    disputes: [],
    readings: [],
  })
  expect(whole.gaps).toContainEqual({ kind: 'token', fromBlock: 0, toBlock: 2 })
  expect(whole.gaps).toContainEqual({ kind: 'token', fromBlock: 10, toBlock: null })
  expect(whole.gaps).toContainEqual({ kind: 'reward', fromBlock: 0, toBlock: null })
  await dispute(knowledge.store, {
    account: watched,
    kinds: ['token'],
    fromBlock: 3,
    toBlock: 9,
    what: 'balance',
    asset: usd,
    amount: '7',
    text: '7 is not explained',
    endpoints: ['node:a'],
    at: '2026-01-01T00:00:00.000Z',
  })
  const lowered = await coverage()
  expect(lowered.disputes).toMatchObject([{ what: 'balance', amount: '7' }])
  expect(lowered.intervals).toEqual([
    { ...one, assurance: 0, disputed: true },
    { ...proven, disputed: true },
  ])
  // Traces rest on the same.
  expect(await knowledge.claims()).toContainEqual({ ...claims[0], assurance: 0 })
  await settleDisputes(knowledge.store, watched, () => true)
  expect(await coverage()).toEqual(whole)
  expect(await knowledge.claims()).toContainEqual(claims[0])
})

test('flags are added, listed and shown with their coverage', async () => {
  await expectProblem(app.request(`/v1/flags/${account}`), 404, 'flag.not-found')
  expect(
    (await post('/v1/flags', { account, reason: 'victim report', source: 'hotline' })).status,
  ).toBe(201)
  expect(await (await app.request('/v1/flags')).json()).toMatchObject({
    flags: [{ account, state: 'waiting' }],
    next_cursor: null,
  })
  expect(await (await app.request(`/v1/flags/${account}`)).json()).toMatchObject({
    reason: 'victim report',
    coverage: expect.arrayContaining([expect.objectContaining({ kind: 'token' })]),
  })
  await expectProblem(
    post('/v1/flags', { account, reason: '', source: 'x' }),
    400,
    'request.invalid',
  )
})

test('tags are added and shown, hostile labels as plain text', async () => {
  const label = '<img src=x onerror=alert(1)>'
  expect(
    await (
      await post('/v1/tags', { tags: [{ account, label, category: 'scam', source: 'me' }] })
    ).json(),
  ).toEqual({ added: 1, replaced: 0 })
  expect(await (await app.request(`/v1/accounts/${account}/tags`)).json()).toMatchObject({
    tags: [{ label, confidence: 50 }],
  })
})

test('an uploaded file is imported by a process of its own, with progress and report', async () => {
  const rows = ledgerOf([[{ from: wallet(70), to: wallet(71), amount: 3n }]]).map((t) =>
    formatCsvRow({ ...t, tx: `0x${'8'.repeat(64)}` }),
  )
  const started = await app.request('/v1/imports?complete=true', {
    method: 'POST',
    body: `${jejakCsvHeader}\n${rows.join('\n')}\n`,
    headers: { 'content-type': 'text/csv' },
  })
  expect(started.status).toBe(202)
  const { id } = (await started.json()) as { id: string }
  for (;;) {
    const view = (await (await app.request(`/v1/imports/${id}`)).json()) as {
      state: string
      report: unknown
    }
    if (view.state !== 'running') {
      expect(view).toMatchObject({ state: 'stored', report: { added: 1 } })
      break
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  await expectProblem(
    app.request('/v1/imports/00000000-0000-4000-8000-000000000000'),
    404,
    'import.not-found',
  )
  await expectProblem(
    app.request('/v1/imports', {
      method: 'POST',
      body: 'x'.repeat(300_000),
      headers: { 'content-type': 'text/csv', 'content-length': '300000' },
    }),
    413,
    'request.too-large',
  )
})

test('every failure is a problem: unknown routes, methods, types, sizes', async () => {
  await expectProblem(app.request('/v1/nothing'), 404, 'route.not-found')
  const put = await app.request('/v1/flags', { method: 'PUT' })
  expect(put.headers.get('allow')).toContain('POST')
  await expectProblem(put, 405, 'request.not-allowed')
  await expectProblem(app.request('/v1/traces'), 405, 'request.not-allowed')
  await expectProblem(
    post('/v1/flags', {}, { 'content-type': 'text/plain' }),
    415,
    'request.media-type',
  )
  await expectProblem(
    post('/v1/tags', `{"x":"${'y'.repeat(5 * 2 ** 20)}"}`, {
      'content-length': String(5 * 2 ** 20),
    }),
    413,
    'request.too-large',
  )
})

test('each error code is explained at its own address', async () => {
  for (const code of Object.keys(explained)) {
    const answer = await app.request(`/errors/${code}`)
    expect(answer.status).toBe(200)
    expect(((await answer.json()) as { text: string }).text.length).toBeGreaterThan(20)
  }
  expect((await app.request('/errors')).headers.get('content-type')).toContain('text/html')
})

test('the description is OpenAPI 3.1 and the docs page needs nothing from elsewhere', async () => {
  const document = (await (await app.request('/openapi.json')).json()) as {
    openapi: string
    paths: Record<string, unknown>
  }
  expect(document.openapi).toBe('3.1.0')
  expect(Object.keys(document.paths)).toEqual(
    expect.arrayContaining([
      '/v1/traces',
      '/v1/flags',
      '/v1/imports',
      '/v1/tags',
      '/v1/accounts/{account}',
      '/v1/accounts/{account}/coverage',
    ]),
  )
  const docs = await app.request('/docs')
  const html = await docs.text()
  expect(html).toContain('/v1/traces')
  expect(html).not.toMatch(/<script|https?:\/\//)
  expect(docs.headers.get('content-security-policy')).toContain("default-src 'none'")
})

describe('over a real socket', () => {
  test('only this machine by its own names: a rebound host and a foreign origin are refused', async () => {
    const server = await startServer(knowledge, config, log)
    const port = Number(new URL(server.url).port)
    const ask = (headers: Record<string, string>): Promise<number> =>
      new Promise((resolve, reject) => {
        request({ host: '127.0.0.1', port, path: '/livez', headers }, (response) => {
          response.resume()
          resolve(response.statusCode ?? 0)
        })
          .on('error', reject)
          .end()
      })
    expect(await ask({ host: `127.0.0.1:${port}` })).toBe(200)
    expect(await ask({ host: `localhost:${port}` })).toBe(200)
    expect(await ask({ host: 'evil.example' })).toBe(403)
    expect(await ask({ host: `127.0.0.1.evil.example:${port}` })).toBe(403)
    expect(await ask({ host: `127.0.0.1:${port}`, origin: 'https://evil.example' })).toBe(403)
    expect(await ask({ host: `127.0.0.1:${port}`, origin: `http://localhost:${port}` })).toBe(200)
    await server.close()
  })

  test('error: an address that others reach is refused, and so is a taken port', async () => {
    await expect(startServer(knowledge, { ...config, host: '0.0.0.0' }, log)).rejects.toMatchObject(
      { code: 'config.invalid' },
    )
    const server = await startServer(knowledge, config, log)
    await expect(
      startServer(knowledge, { ...config, port: Number(new URL(server.url).port) }, log),
    ).rejects.toMatchObject({ code: 'config.invalid' })
    await server.close()
  })
})

test('settings: wrong values and unknown names are refused all at once, and no value is repeated', () => {
  const wrong = { JEJAK_PORT: 'many', JEJAK_RPC_URLS: 'ftp://user:secret@x', JEJAK_PROT: '1' }
  expect(() => readConfig(wrong)).toThrowError(expect.objectContaining({ code: 'config.invalid' }))
  try {
    readConfig(wrong)
  } catch (error) {
    expect(String(error)).toMatch(/JEJAK_PORT.*JEJAK_RPC_URLS|JEJAK_RPC_URLS.*JEJAK_PORT/)
    expect(String(error)).toContain('JEJAK_PROT')
    expect(String(error)).not.toMatch(/secret|many/)
  }
})
