import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ChainId } from '../../src/ledger/chain.ts'
import { type Economy, makeEconomy, smallEconomy } from './economy.ts'
import { followed } from './followed.ts'
import { rightShare } from './judge.ts'

const folder = mkdtempSync(join(tmpdir(), 'jejak-economy-'))
let economy: Economy

beforeAll(async () => {
  economy = await makeEconomy(folder, smallEconomy)
}, 60_000)

afterAll(async () => {
  await economy.anvil.stop()
  rmSync(folder, { recursive: true, force: true })
})

test('from one payment, what was stolen is found where it truly is, and few others are read', async () => {
  const { chain, truth } = economy
  const { flag, answer, steps } = await followed(join(folder, 'one'), economy, {
    transaction: { chain: chain as ChainId, tx: truth.payment },
    reason: 'report',
    source: 'police',
  })
  const read = flag.following?.spent.addresses ?? 0
  expect(flag.following?.state).toBe('done')
  expect(rightShare(answer, truth)).toBeGreaterThanOrEqual(0.99)
  expect(read).toBeLessThanOrEqual(3 * truth.involved.size)
  expect(steps.length).toBeGreaterThan(10)
}, 60_000)
