import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Coverage } from '../../src/ledger/coverage.ts'
import type { Transfer } from '../../src/ledger/transfer.ts'
import { type ExplorerServer, startExplorer } from '../ingest/explorerServer.ts'
import { ledgerOf, usdt, wallet } from '../ledger.arbitrary.ts'
import { jejak } from './jejak.ts'

const store = join(mkdtempSync(join(tmpdir(), 'jejak-explorer-')), 'store')
const key = 'KEY-1234567890-1234567890-SECRET'
const account = wallet(1)
const ledger: readonly Transfer[] = ledgerOf([
  [{ to: account, amount: 5n, asset: usdt }],
  [{ from: account, to: wallet(2), amount: 5n, asset: usdt }],
])
let explorer: ExplorerServer

beforeAll(async () => {
  explorer = await startExplorer(ledger, 1_000, { key, perSecond: 50 })
})

afterAll(() => {
  explorer.close()
  delete process.env['JEJAK_EXPLORER_KEY']
  rmSync(join(store, '..'), { recursive: true, force: true })
})

const ingest = (given: string) => {
  process.env['JEJAK_EXPLORER_KEY'] = given
  const url = explorer.etherscan
  return jejak('--store', store, 'ingest', '--explorer', 'etherscan', '--url', url, '--rate', '40')
}

test('a flagged wallet is read from an explorer, and nobody is told the key', async () => {
  const flagged = ['flag', account, '--reason', 'victim', '--source', 'desk']
  expect(await jejak('--store', store, ...flagged)).toMatchObject({ code: 0 })
  const refused = await ingest('WRONG-1234567890-1234567890-SECRET')
  expect(refused).toMatchObject({ code: 4, err: expect.stringContaining('JEJAK_EXPLORER_KEY') })
  const read = await ingest(key)
  expect(read).toMatchObject({ code: 0, err: expect.stringContaining('through block 935') })
  for (const { out, err } of [refused, read]) expect(out + err).not.toContain('SECRET')
  const covered = await jejak('--store', store, '--json', 'coverage', account)
  const { intervals } = JSON.parse(covered.out) as { intervals: Coverage[] }
  expect(
    intervals.map(({ kind, assurance, toBlock }) => [kind, assurance, toBlock]).sort(),
  ).toEqual(['fee', 'internal', 'native', 'token'].map((kind) => [kind, 0, 935]))
  const exported = await jejak('--store', store, 'export', 'transfers')
  expect(exported.out.trim().split('\n')).toHaveLength(3)
}, 120_000)

test.each([
  [['--explorer', 'blockscan'], 'there is no explorer "blockscan"'],
  [['--explorer', 'blockscout'], 'no http(s) explorer is named'],
  [['--explorer', 'etherscan', '--rpc', 'http://127.0.0.1:1'], 'exclude each other'],
  [['--explorer', 'etherscan', '--chain', 'tron:0x2b6653dc'], 'no EVM chain'],
  [['--explorer', 'etherscan', '--rate', 'fast'], '--rate "fast"'],
])('error: %s', async (args, message) => {
  const ran = await jejak('--store', store, 'ingest', ...args)
  expect(ran).toMatchObject({ code: 2, err: expect.stringContaining(message) })
})
