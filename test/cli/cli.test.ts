import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { TraceAnswer } from '../../src/analysis/traceAnswer.ts'
import type { TraceDiff } from '../../src/api/traceDiff.ts'
import { formatCsvRow, jejakCsvHeader } from '../../src/ledger/jejakCsv.ts'
import { ledgerOf, wallet } from '../ledger.arbitrary.ts'
import { realData } from '../realData.ts'
import { jejak } from './jejak.ts'

const root = resolve(import.meta.dirname, '../..')
const base = mkdtempSync(join(tmpdir(), 'jejak-cli-'))
afterAll(() => rmSync(base, { recursive: true, force: true }))
let made = 0
const place = (): string => join(base, `s${made++}`)

const rows = ledgerOf([
  [{ from: wallet(1), to: wallet(2), amount: 100n }],
  [{ from: wallet(2), to: wallet(3), amount: 60n }],
])

function file(of = rows): string {
  const path = join(base, `f${made++}.csv`)
  writeFileSync(path, `${[jejakCsvHeader, ...of.map(formatCsvRow)].join('\n')}\n`)
  return path
}

test('from a file to a trace in which everything is accounted for', async () => {
  const store = place()
  expect(await jejak('--store', store, 'import', file(), '--complete')).toMatchObject({
    code: 0,
    out: expect.stringContaining('2 transfers stored'),
  })
  const table = await jejak(
    '--store',
    store,
    'trace',
    '--seed-address',
    '0x0000000000000000000000000000000000000001',
    '--side',
    'sent',
  )
  expect(table).toMatchObject({ code: 0, out: expect.stringContaining('100 % accounted for') })
  const json = await jejak('--store', store, '--json', 'trace', '--seed', rows[0]?.tx ?? '')
  expect((JSON.parse(json.out) as TraceAnswer).totals).toMatchObject([
    { outcome: 'still_held', face: '100' },
  ])
  expect((await jejak('--store', store, 'export', 'transfers')).out.split('\n')).toHaveLength(4)
  expect(await jejak('--store', store, 'check')).toMatchObject({
    code: 0,
    out: expect.stringContaining('The store is sound'),
  })
  expect(
    await jejak('--store', store, 'account', '0x0000000000000000000000000000000000000002'),
  ).toMatchObject({ code: 0, out: expect.stringContaining('40') })
  expect(
    await jejak('--store', store, 'coverage', '0x0000000000000000000000000000000000000002'),
  ).toMatchObject({ code: 0, out: expect.stringContaining('A0') })
}, 60_000)

test('from one account to another, and wherever else money can have come', async () => {
  const store = place()
  await jejak('--store', store, 'import', file(), '--complete')
  const [first, second, third] = [1, 2, 3].map((n) => `0x${n.toString().padStart(40, '0')}`)
  const asked = ['--from', first ?? '', '--to', third ?? '']
  expect(await jejak('--store', store, 'paths', ...asked, '--by', 'bottleneck')).toMatchObject({
    code: 0,
    out: expect.stringContaining('2 transfers, smallest amount 60'),
  })
  const found = JSON.parse((await jejak('--store', store, '--json', 'paths', ...asked)).out)
  expect(found).toMatchObject({ paths: [{ hops: 2, bottleneck: '60' }], cut: { reason: 'paths' } })
  expect(await jejak('--store', store, 'reach', first ?? '', '--max-hops', '1')).toMatchObject({
    code: 0,
    out: expect.stringMatching(/1 account reached[\s\S]*nor how much/),
  })
  const late = ['--since', '2030-01-01', '--json']
  const none = JSON.parse((await jejak('--store', store, 'reach', second ?? '', ...late)).out)
  expect(none).toMatchObject({ reached: [], query: { since: 1_893_456_000 } })
  expect((await jejak('--store', store, 'paths', '--from', first ?? '')).code).toBe(2)
  expect((await jejak('--store', store, 'paths', ...asked, '--by', 'luck')).code).toBe(2)
  expect((await jejak('--store', store, 'reach', second ?? '', '--since', 'noon')).code).toBe(2)
  expect((await jejak('--store', store, 'reach', `0x${'f'.repeat(40)}`)).code).toBe(5)
}, 60_000)
test('a pinned trace replays byte for byte after more was imported, and diff says what moved', async () => {
  const store = place()
  await jejak('--store', store, 'import', '--complete', file(rows.slice(0, 1)))
  const seed = ['--seed', rows[0]?.tx ?? '']
  const pinned = await jejak('--store', store, '--json', 'trace', ...seed, '--pin')
  const { id } = JSON.parse(pinned.out) as { id: string }
  expect(await jejak('--store', store, 'diff', id)).toMatchObject({
    code: 0,
    out: 'Nothing moved.\n',
  })
  await jejak('--store', store, 'import', '--complete', file())
  expect(await jejak('--store', store, '--json', 'replay', id)).toMatchObject(pinned)
  expect(await jejak('--store', store, 'replay', id)).toMatchObject({
    out: expect.stringContaining('100 % accounted for'),
  })
  const { moved } = JSON.parse(
    (await jejak('--store', store, '--json', 'diff', id)).out,
  ) as TraceDiff
  expect(moved.length).toBeGreaterThan(0)
  expect(moved.reduce((sum, { change }) => sum + BigInt(change), 0n)).toBe(0n)
}, 120_000)

test('flags are kept and listed', async () => {
  const store = place()
  const account = '0x0000000000000000000000000000000000000009'
  expect(
    (await jejak('--store', store, 'flag', account, '--reason', 'report 17', '--source', 'hotline'))
      .code,
  ).toBe(0)
  expect(await jejak('--store', store, 'flags')).toMatchObject({
    code: 0,
    out: expect.stringContaining('report 17'),
  })
  expect(await jejak('--store', store, 'coverage', account)).toMatchObject({
    out: expect.stringContaining('nothing is covered'),
  })
}, 60_000)

test.each([
  [['trace', '--seed', 'nonsense'], 2],
  [['trace', '--seed', `0x${'9'.repeat(64)}`], 5],
  [['trace', '--seed', `0x${'9'.repeat(64)}`, '--method', 'poison'], 2],
  [['trace', '--seed', `0x${'9'.repeat(64)}`, '--method', 'clairvoyant'], 2],
  [['replay', 'f'.repeat(64)], 5],
  [['diff', 'nonsense'], 5],
  [['trace', '--seeds-from', '/nowhere/seeds.txt'], 3],
  [['trace', '--max-hops', '65'], 2],
  [['flag', '0x12', '--reason', 'r', '--source', 's'], 2],
  [['flag'], 2],
  [['fly'], 2],
  [['import', '/nowhere/at-all.csv'], 3],
  [['import', '--complete', '--covers', '0x1', '--', 'x'], 2],
  [['ingest'], 2],
  [['tags', 'import', '/nowhere.csv'], 3],
])(
  'error: jejak %j ends with code %i and one line that says what to do',
  async (args, code) => {
    const ran = await jejak('--store', place(), ...args)
    expect(ran.code).toBe(code)
    expect(ran.err).not.toMatch(/\n\s+at /)
    expect(ran.err.length).toBeGreaterThan(20)
  },
  60_000,
)

test('help is short and has examples', async () => {
  const { code, out } = await jejak('--help')
  expect(code).toBe(0)
  expect(out).toMatch(/Examples:[\s\S]*Exit codes:/)
  expect(out.split('\n').length).toBeLessThan(75)
})

describe('start', () => {
  function start(
    store: string,
  ): Promise<{ url: string; text: string; seconds: number; stop: () => Promise<number> }> {
    const began = performance.now()
    const child = spawn(process.execPath, [
      '--disable-warning=ExperimentalWarning',
      join(root, 'src/cli.ts'),
      '--store',
      store,
      'start',
      '--port',
      '0',
    ])
    let text = ''
    return new Promise((done, fail) => {
      child.once('exit', (code) => fail(new Error(`start ended with ${code}: ${text}`)))
      child.stderr.on('data', (chunk: Buffer) => {
        text += chunk.toString()
      })
      child.stdout.on('data', (chunk: Buffer) => {
        text += chunk.toString()
        const url = /Jejak serves (\S+),/.exec(text)?.[1]
        if (url === undefined) return
        child.removeAllListeners('exit')
        const stop = (): Promise<number> => {
          const gone = new Promise<number>((resolveExit) =>
            child.once('exit', (code) => resolveExit(code ?? -1)),
          )
          child.kill('SIGTERM')
          return gone
        }
        done({ url, text, seconds: (performance.now() - began) / 1000, stop })
      })
    })
  }

  test('makes the sample case, traces it, serves it; the second start is quick; it stops gracefully', async () => {
    const store = place()
    const first = await start(store)
    expect(first.text).toContain('100 % accounted for')
    for (const outcome of [
      'still held',
      'at a service',
      'in a mixer',
      'into a bridge',
      'spent on fees',
    ])
      expect(first.text).toContain(outcome)
    const seeds = readFileSync(join(store, 'sample', 'sample-seeds.txt'), 'utf8')
      .trim()
      .split('\n')
    const answer = await fetch(`${first.url}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ seeds }),
    })
    const served = await answer.text()
    expect(await first.stop()).toBe(0)
    const second = await start(store)
    expect(second.seconds).toBeLessThan(10)
    expect(await second.stop()).toBe(0)
    const cli = await jejak(
      '--store',
      store,
      '--json',
      'trace',
      '--seeds-from',
      join(store, 'sample', 'sample-seeds.txt'),
    )
    expect(cli.out).toBe(served)
  }, 120_000)
})

describe.runIf(realData('mftracer-cases'))('real laundering cases', () => {
  test.each([
    ['TxPhish', 0.143014],
    ['LIFI', 0.881342],
    ['Atomic', 0.836207],
  ])(
    '%s: the trace sums exactly and %d of it reaches the listed terminals',
    async (name, expected) => {
      const folder = realData(`mftracer-cases/${name}/jejak`) ?? ''
      const store = place()
      expect(
        (await jejak('--store', store, 'import', join(folder, 'transfers.csv'), '--complete')).code,
      ).toBe(0)
      expect((await jejak('--store', store, 'tags', 'import', join(folder, 'tags.csv'))).code).toBe(
        0,
      )
      const { out } = await jejak(
        '--store',
        store,
        '--json',
        'trace',
        '--seeds-from',
        join(folder, 'seeds.txt'),
        '--side',
        'sent',
      )
      const answer = JSON.parse(out) as TraceAnswer
      const total = BigInt(answer.seedTotal)
      expect(answer.outcomes.reduce((sum, { face }) => sum + BigInt(face), 0n)).toBe(total)
      const terminals = new Set(
        readFileSync(join(folder, 'terminals.txt'), 'utf8')
          .trim()
          .split(/\s+/)
          .map((line) => line.toLowerCase()),
      )
      const reached = answer.outcomes.filter(({ account }) =>
        terminals.has(account.slice(account.lastIndexOf(':') + 1).toLowerCase()),
      )
      const share =
        Number((reached.reduce((sum, { face }) => sum + BigInt(face), 0n) * 1_000_000n) / total) /
        1_000_000
      expect(share).toBe(expected)
    },
    60_000,
  )
})
