import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { TraceAnswer } from '../../src/analysis/traceAnswer.ts'
import { formatCsvRow, jejakCsvHeader } from '../../src/ledger/jejakCsv.ts'
import { ledgerOf, usdt, wallet } from '../ledger.arbitrary.ts'

const root = resolve(import.meta.dirname, '../..')
const base = mkdtempSync(join(tmpdir(), 'jejak-cli-'))
afterAll(() => rmSync(base, { recursive: true, force: true }))
let made = 0

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

function jejak(...args: string[]): Promise<Ran> {
  return new Promise((done) => {
    execFile(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', join(root, 'src/cli.ts'), ...args],
      (error, out, err) =>
        done({ code: typeof error?.code === 'number' ? error.code : error ? 1 : 0, out, err }),
    )
  })
}

function file(...lines: readonly string[]): string {
  const path = join(base, `f${made++}.csv`)
  writeFileSync(path, `${lines.join('\n')}\n`)
  return path
}

const prices = 'asset,time,currency,price,source'
const legs = 'message,fromChain,fromTx,fromAsset,fromAmount,toChain,toTx,toAsset,toAmount,receiver'

test('prices and bridgings are imported, counted, and refused by line and field', async () => {
  const store = join(base, 'store')
  expect(
    await jejak('--store', store, 'prices', 'import', file(prices, `${usdt},1000,USD,1,desk`)),
  ).toMatchObject({ code: 0, out: '1 prices of 1 assets stored\n' })
  const bad = file(prices, `${usdt},1000,USD,one,desk`)
  expect(await jejak('--store', store, 'prices', 'import', bad)).toMatchObject({
    code: 3,
    err: expect.stringContaining(`${bad}:2 price "one"`),
  })
  const unknown = `eip155:1/erc20:0x${'77'.repeat(20)}`
  expect(
    await jejak('--store', store, 'prices', 'import', file(prices, `${unknown},1000,USD,1,desk`)),
  ).toMatchObject({ code: 0, out: expect.stringContaining(`the decimals of ${unknown}`) })
  const again = file(legs, legs)
  expect(await jejak('--store', store, 'bridges', 'import', again)).toMatchObject({
    code: 3,
    err: expect.stringContaining(`${again}:2 fromChain "fromChain"`),
  })
}, 60_000)

test('a trace goes on behind a bridge where the imported legs prove it, and ends there without', async () => {
  const store = join(base, 'crossing')
  const [victim, thief, bridge, hideout] = [wallet(1), wallet(2), wallet(3), wallet(4)]
  const rows = ledgerOf([
    [{ from: victim, to: thief, amount: 100n }],
    [{ from: thief, to: bridge, amount: 100n }],
    [{ from: bridge, to: hideout, amount: 95n }],
  ])
  const [, left, arrived] = rows
  const row = (at: (typeof rows)[number] | undefined): string =>
    [at?.chain, at?.tx, at?.asset, at?.amount].join(',')
  const plain = (account: string): string => account.slice(account.lastIndexOf(':') + 1)
  const ends = async (): Promise<unknown> => {
    const { out } = await jejak('--store', store, '--json', 'trace', '--seed', rows[0]?.tx ?? '')
    return (JSON.parse(out) as TraceAnswer).outcomes.map(({ outcome, account, face }) => ({
      outcome,
      account: account?.toLowerCase(),
      face,
    }))
  }
  await jejak(
    '--store',
    store,
    'import',
    file(jejakCsvHeader, ...rows.map(formatCsvRow)),
    '--complete',
  )
  const tags = file(
    'address,chain,label,category,source',
    `${plain(bridge)},ethereum,B,bridge,desk`,
  )
  await jejak('--store', store, 'tags', 'import', tags)
  expect(await ends()).toEqual([{ outcome: 'bridge', account: bridge, face: '100' }])
  const match = `m1,${row(left)},${row(arrived)},${plain(hideout)}`
  expect(await jejak('--store', store, 'bridges', 'import', file(legs, match))).toMatchObject({
    code: 0,
    out: '1 bridgings stored, 0 known before\n',
  })
  expect(await ends()).toEqual([{ outcome: 'still_held', account: hideout, face: '100' }])
  expect(await jejak('--store', store, 'bridges', 'import', file(legs, match))).toMatchObject({
    out: '0 bridgings stored, 1 known before\n',
  })
}, 60_000)
