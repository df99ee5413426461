import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { BoundsAnswer } from '../../src/analysis/boundsAnswer.ts'
import { formatAccount } from '../../src/ledger/account.ts'
import { formatCsvRow, jejakCsvHeader } from '../../src/ledger/jejakCsv.ts'
import { type Transfer, transferId } from '../../src/ledger/transfer.ts'
import { ledgerOf, wallet } from '../ledger.arbitrary.ts'
import { type Ran, jejak as run } from './jejak.ts'

const folder = mkdtempSync(join(tmpdir(), 'jejak-bounds-cli-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const ledger = ledgerOf([
  [{ from: wallet(9), to: wallet(2), amount: 50n }],
  [{ from: wallet(1), to: wallet(2), amount: 100n }],
  [{ from: wallet(2), to: wallet(3), amount: 60n }],
  [{ from: wallet(2), to: wallet(4), amount: 40n }],
  [{ from: wallet(2), to: wallet(5), amount: 50n }],
])
const seed = transferId(ledger[1] as Transfer)

const jejak = (...args: string[]): Promise<Ran> => run('--store', join(folder, 'store'), ...args)

test('bounds read as an interval with the sums that prove it', async () => {
  const file = join(folder, 'golden1.csv')
  writeFileSync(file, `${[jejakCsvHeader, ...ledger.map(formatCsvRow)].join('\n')}\n`)
  expect((await jejak('import', file, '--complete')).code).toBe(0)
  const to = formatAccount(wallet(3))
  const table = await jejak('bounds', '--seed', seed, '--to', to)
  expect(table).toMatchObject({ code: 0, err: '' })
  expect(table.out).toMatch(/0x\w+\s+10\s+10\.00 %\s+60\s+60\.00 %/)
  expect(table.out).toContain('No more than 60, since all ways to the target pass here:')
  expect(table.out).toContain('No less than 10, since all ways elsewhere pass here:')
  const json = await jejak('bounds', '--seed', seed, '--to', 'still-held', '--json')
  expect(JSON.parse(json.out) as BoundsAnswer).toMatchObject({ target: 'still_held', max: '100' })
  const all = await jejak('bounds', '--seed', seed, '--by-outcome')
  expect(all.out).toMatch(/still_held\s+100/)
})

test('error: one target is needed', async () => {
  const none = await jejak('bounds', '--seed', seed)
  expect(none.code).not.toBe(0)
  expect(none.err).toContain('--to-category')
})
