import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { OpenAPIHono } from '@hono/zod-openapi'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { BoundsAnswer, Interval } from '../../src/analysis/boundsAnswer.ts'
import { checkCertificate } from '../../src/analysis/checkCertificate.ts'
import { createApp } from '../../src/api/app.ts'
import { type Knowledge, openKnowledge } from '../../src/api/knowledge.ts'
import { readConfig } from '../../src/config.ts'
import { formatAccount } from '../../src/ledger/account.ts'
import { type Transfer, transferId } from '../../src/ledger/transfer.ts'
import { createLog } from '../../src/log.ts'
import { coveredFor, tag } from '../analysis/traceLedger.ts'
import { ledgerOf, wallet } from '../ledger.arbitrary.ts'

/** Golden 1 with an exchange at its end. */
const ledger = ledgerOf([
  [{ from: wallet(9), to: wallet(2), amount: 50n }],
  [{ from: wallet(1), to: wallet(2), amount: 100n }],
  [{ from: wallet(2), to: wallet(3), amount: 60n }],
  [{ from: wallet(2), to: wallet(4), amount: 40n }],
  [{ from: wallet(2), to: wallet(5), amount: 50n }],
])
const seeds = [transferId(ledger[1] as Transfer)]
const folder = mkdtempSync(join(tmpdir(), 'jejak-bounds-'))
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
  await knowledge.store.putTags([tag(wallet(3), 'exchange', 'Changer')])
  const config = { ...readConfig({}), store: folder }
  app = await createApp(knowledge, { config, log: createLog('silent'), port: () => 7717 })
})
afterAll(async () => {
  await knowledge.close()
  rmSync(folder, { recursive: true, force: true })
})

const post = (body: unknown) =>
  app.request('/v1/bounds', {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  })

async function ask(to: unknown, more: object = {}): Promise<BoundsAnswer & Interval> {
  const response = await post({ seeds, to, ...more })
  expect(response.status).toBe(200)
  return (await response.json()) as BoundsAnswer & Interval
}

describe('bounds over HTTP', () => {
  test('to an account, a category, an actor and what is still held are golden 1', async () => {
    const accounts = { accounts: [formatAccount(wallet(3))] }
    for (const to of [accounts, { category: 'cex' }, { actor: 'changer' }])
      expect(await ask(to)).toMatchObject({ seedTotal: '100', min: '10', max: '60', budget: null })
    expect(await ask('still_held')).toMatchObject({ min: '40', max: '90' })
    expect(await ask({ accounts: [formatAccount(wallet(4))] })).toMatchObject({
      target: { accounts: [formatAccount(wallet(4))] },
      min: '0',
      max: '40',
      corridor: { transfers: 2, leaving: 1, accounts: 1 },
      opening: 'assumed_zero',
    })
  })

  test('certificates of the answer prove it to who has only the ledger', async () => {
    for (const to of [{ category: 'exchange' }, 'still_held']) {
      const { certificates, premises } = await ask(to)
      expect(certificates.map(({ bound }) => bound)).toEqual(['max', 'min'])
      for (const certificate of certificates)
        expect(checkCertificate(ledger, premises, certificate)).toEqual([])
    }
  })

  test('every end by itself', async () => {
    const { outcomes } = (await ask('by_outcome')) as unknown as { outcomes: Interval[] }
    expect(outcomes.map(({ target, min, max }) => [target, min, max])).toEqual([
      ['still_held', '40', '90'],
      ['service', '10', '60'],
    ])
  })

  test('a corridor beyond the budget gives a proven interval that says so', async () => {
    expect(await ask({ category: 'exchange' }, { maxCorridor: 1 })).toMatchObject({
      min: '0',
      max: '60',
      budget: 'corridor',
      certificates: [],
    })
  })

  test('no minimum is claimed where what was there before counts as unknown', async () => {
    expect(await ask({ category: 'exchange' }, { opening: 'unknown' })).toMatchObject({
      min: null,
      max: '60',
      reason: expect.stringContaining(formatAccount(wallet(2))),
    })
  })

  test('error: a target is needed, and seeds that exist', async () => {
    expect((await post({ seeds })).status).toBe(400)
    expect((await post({ seeds, to: { accounts: [] } })).status).toBe(400)
    expect((await post({ to: 'still_held' })).status).toBe(404)
  })
})
