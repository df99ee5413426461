import { expect, test } from 'vitest'
import type { TraceAnswer } from '../../src/analysis/traceAnswer.ts'
import { type Account, formatAccount } from '../../src/ledger/account.ts'
import { parseAsset } from '../../src/ledger/asset.ts'
import { reconcile } from '../../src/ledger/reconcile.ts'
import { type Transfer, transferId } from '../../src/ledger/transfer.ts'
import { ether, hash, type Leg, ledgerOf, usd, usdt, wallet, weth } from '../ledger.arbitrary.ts'
import { tag, traceLedger } from './traceLedger.ts'

const [victim, thief, x, y, z] = [
  wallet(0xf1),
  wallet(0xa),
  wallet(0x11),
  wallet(0x12),
  wallet(0x13),
]
const idOf = (ledger: readonly Transfer[], tx: number, leg = 0): string => {
  const found = ledger.filter((t) => t.tx === hash(tx + 1))[leg]
  if (!found) throw new RangeError(`no leg ${leg} of transaction ${tx}`)
  return transferId(found)
}

/** Face per outcome and account. */
function ends(answer: TraceAnswer): Record<string, number> {
  const sums: Record<string, number> = {}
  for (const { outcome, account, face } of answer.outcomes) {
    const key = `${outcome} ${account.slice(-2).toLowerCase()}`
    sums[key] = (sums[key] ?? 0) + Number(face)
  }
  expect(answer.outcomes.reduce((sum, { face }) => sum + BigInt(face), 0n)).toBe(
    BigInt(answer.seedTotal),
  )
  return sums
}

const all = { minShare: 0 }

test('golden 1: fifo over a mixed account pays 10, 40, 50 of the tainted hundred', async () => {
  const ledger = ledgerOf([
    [{ from: wallet(1), to: thief, amount: 50n }],
    [{ from: victim, to: thief, amount: 100n }],
    [{ from: thief, to: x, amount: 60n }],
    [{ from: thief, to: y, amount: 40n }],
    [{ from: thief, to: z, amount: 50n }],
  ])
  expect(ends(await traceLedger(ledger, { seeds: [idOf(ledger, 1)], ...all }))).toEqual({
    'still_held 11': 10,
    'still_held 12': 40,
    'still_held 13': 50,
  })
})

test('golden 1: fifo with clean money before and after pays 0, 55, 5', async () => {
  const ledger = ledgerOf([
    [{ from: wallet(1), to: thief, amount: 50n }],
    [{ from: victim, to: thief, amount: 60n }],
    [{ from: wallet(1), to: thief, amount: 40n }],
    [{ from: thief, to: x, amount: 45n }],
    [{ from: thief, to: y, amount: 60n }],
    [{ from: thief, to: z, amount: 45n }],
  ])
  expect(ends(await traceLedger(ledger, { seeds: [idOf(ledger, 1)], ...all }))).toEqual({
    'still_held 12': 55,
    'still_held 13': 5,
  })
})

test('golden 3 and 33: two transactions of one block in any order of arrival give one result', async () => {
  const ledger = ledgerOf(
    [
      [{ from: victim, to: thief, amount: 100n }],
      [{ from: thief, to: x, amount: 70n }],
      [{ from: x, to: y, amount: 70n }],
    ],
    { perBlock: 3, unordered: true },
  )
  const seeds = [idOf(ledger, 0)]
  const straight = await traceLedger(ledger, { seeds })
  for (const order of [
    [2, 1, 0],
    [1, 0, 2],
    [0, 2, 1],
  ]) {
    const rows = order.map((i) => ledger[i] as Transfer)
    expect(await traceLedger(rows, { seeds, batchSize: 1 })).toEqual(straight)
  }
  expect(ends(straight)).toEqual({ 'still_held 0a': 30, 'still_held 12': 70 })
  expect(straight.order).toMatchObject({ rule: 'causal', assumedBlocks: 1 })
})

test('golden 5: ether is wrapped, paid on, unwrapped; nothing is lost and nothing rests at the wrapper', async () => {
  const wrapper = weth.replace('/erc20:', ':') as Account
  const ledger = ledgerOf([
    [{ from: victim, to: thief, amount: 100n, asset: ether, kind: 'native' }],
    [
      { from: thief, amount: 1n, asset: ether, kind: 'fee' },
      { from: thief, to: wrapper, amount: 60n, asset: ether, kind: 'native' },
      { to: thief, amount: 60n, asset: weth, flags: ['wrap'] },
    ],
    [{ from: thief, to: x, amount: 60n, asset: weth }],
    [
      { from: wrapper, to: x, amount: 50n, asset: ether, kind: 'internal' },
      { from: x, amount: 50n, asset: weth, flags: ['wrap'] },
    ],
    [{ from: x, to: y, amount: 50n, asset: ether, kind: 'native' }],
  ])
  const answer = await traceLedger(ledger, { seeds: [idOf(ledger, 0)], ...all })
  expect(ends(answer)).toEqual({
    'fees 0a': 1,
    'still_held 0a': 39,
    'still_held 11': 10,
    'still_held 12': 50,
  })
  expect(
    answer.conversions.map(({ rule, face, gives }) => [rule, face, gives.asset === ether]),
  ).toEqual([
    ['wrap', '60', true],
    ['wrap', '50', false],
  ])
})

test('golden 5: a wrap that cannot be resolved rests with the wrapper, and says so', async () => {
  const wrapper = weth.replace('/erc20:', ':') as Account
  const ledger = ledgerOf([
    [{ from: victim, to: thief, amount: 100n, asset: ether, kind: 'native' }],
    [{ from: thief, to: wrapper, amount: 60n, asset: ether, kind: 'native' }],
    [{ to: wallet(1), amount: 5n, asset: weth }],
  ])
  const { outcomes } = await traceLedger(ledger, { seeds: [idOf(ledger, 0)], ...all })
  expect(outcomes.map(({ outcome, face, reason }) => [outcome, face, reason])).toEqual([
    ['still_held', '40', undefined],
    ['contract_custody', '60', 'conversion_unresolved'],
  ])
})

test('golden 6: a forged Transfer of an unlisted token called USDT changes nothing', async () => {
  const forged = parseAsset('eip155:1/erc20:0x00000000000000000000000000000000000f0f0f')
  const legs: Leg[][] = [
    [{ from: victim, to: thief, amount: 100n, asset: usdt }],
    [{ from: thief, to: x, amount: 100n, asset: usdt }],
  ]
  const clean = ledgerOf(legs)
  const noisy = ledgerOf([
    ...legs,
    [{ from: x, to: y, amount: 10n ** 12n, asset: forged }],
    ...Array.from({ length: 1200 }, (_, i) => [
      { from: x, to: wallet(5000 + i), amount: 1n, asset: forged },
    ]),
  ])
  expect(ends(await traceLedger(noisy, { seeds: [idOf(noisy, 0)] }))).toEqual(
    ends(await traceLedger(clean, { seeds: [idOf(clean, 0)] })),
  )
})

test('golden 7: a payoff to a look-alike address is followed', async () => {
  const twin = wallet(0xa00000000a)
  const ledger = ledgerOf([
    [{ from: twin, to: victim, amount: 0n }],
    [{ from: victim, to: twin, amount: 900n }],
    [{ from: twin, to: x, amount: 900n }],
  ])
  expect(ends(await traceLedger(ledger, { seeds: [idOf(ledger, 1)] }))).toEqual({
    'still_held 11': 900,
  })
})

function chainOf(hops: number): Leg[][] {
  const legs = [[{ from: victim, to: wallet(100), amount: 1000n }]]
  for (let i = 0; i < hops; i++)
    legs.push([{ from: wallet(100 + i), to: wallet(101 + i), amount: 1000n }])
  return legs
}

test('golden 10: a peel chain of 12 hops is followed to its end, one of 40 to the 33rd move', async () => {
  const short = ledgerOf(chainOf(12))
  expect((await traceLedger(short, { seeds: [idOf(short, 0)] })).outcomes).toMatchObject([
    { outcome: 'still_held', hop: 12, face: '1000' },
  ])
  const long = ledgerOf(chainOf(40))
  const { outcomes, movements } = await traceLedger(long, { seeds: [idOf(long, 0)] })
  expect(outcomes).toMatchObject([
    { outcome: 'hop_limit', hop: 32, account: formatAccount(wallet(132)) },
  ])
  expect(movements).toHaveLength(33)
})

test('golden 11: a cycle of five ends where the money is', async () => {
  const ring = [1, 2, 3, 4, 5].map((n) => wallet(200 + n))
  const legs: Leg[][] = [[{ from: victim, to: ring[0], amount: 100n }]]
  for (let i = 0; i < 12; i++)
    legs.push([{ from: ring[i % 5], to: ring[(i + 1) % 5], amount: 100n }])
  const ledger = ledgerOf(legs)
  const { outcomes } = await traceLedger(ledger, { seeds: [idOf(ledger, 0)] })
  expect(outcomes).toMatchObject([
    { outcome: 'still_held', hop: 12, account: formatAccount(ring[2] as Account) },
  ])
})

test('golden 12: scattered to eight and gathered again, all of it is there', async () => {
  const legs: Leg[][] = [[{ from: victim, to: thief, amount: 800n }]]
  for (let i = 0; i < 8; i++) legs.push([{ from: thief, to: wallet(300 + i), amount: 100n }])
  for (let i = 0; i < 8; i++) legs.push([{ from: wallet(300 + i), to: x, amount: 100n }])
  const ledger = ledgerOf(legs)
  expect(ends(await traceLedger(ledger, { seeds: [idOf(ledger, 0)] }))).toEqual({
    'still_held 11': 800,
  })
})

test('golden 13: an untagged address that paid more than a thousand receivers ends the trace; continueThrough follows', async () => {
  const hub = wallet(0xbb)
  const legs: Leg[][] = Array.from({ length: 1100 }, (_, i) => [
    { from: hub, to: wallet(10_000 + i), amount: 1n },
  ])
  legs.push([{ from: victim, to: thief, amount: 100n }], [{ from: thief, to: hub, amount: 100n }])
  const ledger = ledgerOf(legs, { perBlock: 50 })
  const seeds = [idOf(ledger, 1100)]
  expect(ends(await traceLedger(ledger, { seeds }))).toEqual({ 'high_degree bb': 100 })
  expect(ends(await traceLedger(ledger, { seeds, continueThrough: [hub] }))).toEqual({
    'still_held bb': 100,
  })
  expect(ends(await traceLedger(ledger, { seeds, tags: [tag(hub, 'perpetrator')] }))).toEqual({
    'still_held bb': 100,
  })
})

test('golden 13: a hub of a hundred thousand received payments does not hold up a trace', async () => {
  const hub = wallet(0xbb)
  const legs: Leg[][] = [[{ from: victim, to: hub, amount: 100n }]]
  for (let i = 0; i < 200; i++)
    legs.push(
      Array.from({ length: 500 }, (_, k) => ({ from: wallet(20_000 + k), to: hub, amount: 1n })),
    )
  legs.push([{ from: hub, to: x, amount: 60n }])
  const ledger = ledgerOf(legs)
  const answer = await traceLedger(ledger, { seeds: [idOf(ledger, 0)] })
  expect(ends(answer)).toEqual({ 'still_held 11': 60, 'still_held bb': 40 })
  expect(answer.cut.transactions).toBeLessThan(10)
}, 60_000)

test('golden 16: a failed transaction leaves its fee and moves nothing else', async () => {
  const ledger = ledgerOf([
    [{ from: victim, to: thief, amount: 100n, asset: ether, kind: 'native' }],
    [{ from: thief, amount: 7n, asset: ether, kind: 'fee' }],
  ])
  expect(ends(await traceLedger(ledger, { seeds: [idOf(ledger, 0)], ...all }))).toEqual({
    'fees 0a': 7,
    'still_held 0a': 93,
  })
})

test('golden 17: a transfer to oneself is no event, and 2^256-1 is exact', async () => {
  const most = 2n ** 256n - 1n
  const ledger = ledgerOf([
    [{ from: victim, to: thief, amount: most }],
    [{ from: thief, to: thief, amount: most }],
    [{ from: thief, to: x, amount: most - 1n }],
  ])
  const { outcomes } = await traceLedger(ledger, { seeds: [idOf(ledger, 0)], ...all })
  expect(outcomes.map(({ account, face, hop }) => [account.slice(-2), face, hop])).toEqual(
    [
      ['0A', '1', 0],
      ['11', (most - 1n).toString(), 1],
    ].map(([account, face, hop]) => [String(account), face, hop]),
  )
})

test('golden 26: a flash loan in between does not wash the money', async () => {
  const pool = wallet(0x99)
  const ledger = ledgerOf([
    [{ to: pool, amount: 1000n }],
    [{ from: victim, to: thief, amount: 100n }],
    [
      { from: pool, to: thief, amount: 900n },
      { from: thief, to: pool, amount: 900n },
    ],
    [{ from: thief, to: x, amount: 100n }],
  ])
  const seeds = [idOf(ledger, 1)]
  expect(ends(await traceLedger(ledger, { seeds }))).toEqual({ 'still_held 11': 100 })
  const ordered = await traceLedger(ledger, { seeds, sameTransaction: 'ordered' })
  expect(ends(ordered)).toEqual({ 'still_held 99': 100 })
})

test('golden 29: ten thousand crumbs below the share that meet again are followed', async () => {
  const legs: Leg[][] = [[{ from: victim, to: thief, amount: 10_000_000n }]]
  for (let i = 0; i < 10_000; i++)
    legs.push([{ from: thief, to: wallet(40_000 + i), amount: 1000n }])
  for (let i = 0; i < 10_000; i++) legs.push([{ from: wallet(40_000 + i), to: x, amount: 1000n }])
  // One who pays ten thousand distinct receivers would be a busy address: the thief is known.
  const ledger = ledgerOf(legs, { perBlock: 100 })
  const answer = await traceLedger(ledger, {
    seeds: [idOf(ledger, 0)],
    tags: [tag(thief, 'perpetrator')],
  })
  expect(ends(answer)).toEqual({ 'still_held 11': 10_000_000 })
}, 60_000)

test('golden 30: a victim paid with another victim’s money: distinct money is seeds less reseeded', async () => {
  const second = wallet(0xf2)
  const ledger = ledgerOf([
    [{ from: victim, to: thief, amount: 100n }],
    [{ from: thief, to: second, amount: 100n }],
    [{ from: second, to: thief, amount: 80n }],
    [{ from: thief, to: x, amount: 80n }],
  ])
  const answer = await traceLedger(ledger, { seeds: [idOf(ledger, 0), idOf(ledger, 2)], ...all })
  expect(ends(answer)).toEqual({ 'reseeded f2': 80, 'still_held 11': 80, 'still_held f2': 20 })
})

test('golden 35: the same wallet from node, explorer and file is one, in any order of arrival', () => {
  const [row] = ledgerOf([[{ from: victim, to: thief, amount: 100n }]])
  const twice = ledgerOf([
    [
      { from: victim, to: thief, amount: 100n },
      { from: victim, to: thief, amount: 100n },
    ],
  ])
  if (!row) throw new RangeError('no row')
  const observed = [
    ...twice.map((t) => ({
      transfer: { ...t, position: t.position + 17 },
      source: 'node:a',
      assurance: 1 as const,
    })),
    ...twice.map((t) => ({
      transfer: { ...t, position: 900 + t.position },
      source: 'file:explorer',
      assurance: 0 as const,
    })),
    ...twice.map((t) => ({ transfer: t, source: 'file:analyst', assurance: 0 as const })),
  ]
  const straight = reconcile(observed)
  expect(straight.canonical.map(({ source }) => source)).toEqual(['node:a', 'node:a'])
  expect(straight.superseded).toHaveLength(4)
  expect(straight.findings).toEqual([])
  expect(reconcile([...observed].reverse()).canonical).toEqual(straight.canonical)
})

test('not covered is not still held', async () => {
  const ledger = ledgerOf([[{ from: victim, to: thief, amount: 100n }]])
  const { outcomes, coverage } = await traceLedger(ledger, {
    seeds: [idOf(ledger, 0)],
    covered: false,
  })
  expect(outcomes).toMatchObject([{ outcome: 'not_ingested', face: '100' }])
  expect(coverage).toMatchObject([{ coveredThrough: null }])
})

test('a service ends the trace with its name, an expired tag does not', async () => {
  const ledger = ledgerOf([
    [{ from: victim, to: thief, amount: 100n }],
    [{ from: thief, to: x, amount: 100n }],
  ])
  const seeds = [idOf(ledger, 0)]
  const known = { ...tag(x, 'exchange', 'Example Exchange') }
  expect((await traceLedger(ledger, { seeds, tags: [known] })).outcomes).toMatchObject([
    { outcome: 'service', category: 'exchange', label: 'Example Exchange', hop: 1 },
  ])
  expect(ends(await traceLedger(ledger, { seeds, tags: [{ ...known, validTo: 1_000 }] }))).toEqual({
    'still_held 11': 100,
  })
  expect(ends(await traceLedger(ledger, { seeds, tags: [{ ...known, mayStop: false }] }))).toEqual({
    'still_held 11': 100,
  })
})

test('a budget that is hit is in the answer', async () => {
  const legs: Leg[][] = [[{ from: victim, to: thief, amount: 1000n }]]
  for (let i = 0; i < 50; i++) legs.push([{ from: thief, to: wallet(700 + i), amount: 20n }])
  const ledger = ledgerOf(legs)
  const answer = await traceLedger(ledger, { seeds: [idOf(ledger, 0)], maxAddresses: 10 })
  expect(answer.cut.budget).toBe('addresses')
  expect(answer.totals).toMatchObject([{ outcome: 'budget', face: '1000' }])
})

test('gaps that carried a lot are listed with what was missing', async () => {
  const ledger = ledgerOf([
    [{ from: victim, to: thief, amount: 100n }],
    [{ from: thief, to: x, amount: 130n }],
  ])
  const answer = await traceLedger(ledger, { seeds: [idOf(ledger, 0)] })
  expect(answer.gaps).toMatchObject([{ missing: '30' }])
  expect(answer.seedTotal).toBe('100')
})

test('idle money ends when it finally leaves', async () => {
  const ledger = ledgerOf([
    [{ from: victim, to: thief, amount: 100n }],
    [{ from: thief, to: x, amount: 40n }],
  ])
  const seeds = [idOf(ledger, 0)]
  expect(ends(await traceLedger(ledger, { seeds, maxIdle: 11, ...all }))).toEqual({
    'idle 0a': 40,
    'still_held 0a': 60,
  })
  expect(ends(await traceLedger(ledger, { seeds, maxIdle: 12, ...all }))).toEqual({
    'still_held 0a': 60,
    'still_held 11': 40,
  })
})

test('beyond the as-of block nothing has happened yet', async () => {
  const ledger = ledgerOf([
    [{ from: victim, to: thief, amount: 100n }],
    [{ from: thief, to: x, amount: 100n }],
  ])
  expect(
    ends(await traceLedger(ledger, { seeds: [idOf(ledger, 0)], asOf: { 'eip155:1': 100 } })),
  ).toEqual({ 'still_held 0a': 100 })
})

test('error: a seed that moves nothing, is unknown or of another asset is refused', async () => {
  const ledger = ledgerOf([
    [{ from: victim, to: thief, amount: 0n }],
    [{ from: victim, to: thief, amount: 5n }],
    [{ from: victim, to: thief, amount: 5n, asset: usdt }],
  ])
  await expect(traceLedger(ledger, { seeds: [idOf(ledger, 0)] })).rejects.toMatchObject({
    code: 'seed.worthless',
  })
  await expect(
    traceLedger(ledger, { seeds: [`eip155:1:${hash(99)}:token:0`] }),
  ).rejects.toMatchObject({ code: 'seed.not-found' })
  await expect(
    traceLedger(ledger, { seeds: [idOf(ledger, 1), idOf(ledger, 2)] }),
  ).rejects.toMatchObject({ code: 'seed.mixed-assets' })
  await expect(traceLedger(ledger, { seeds: [] })).rejects.toMatchObject({ code: 'seed.not-found' })
  expect(usd).not.toBe(usdt)
})

test('what enters a trusted pool and is not converted ends there, and says so', async () => {
  const pool = wallet(0x77)
  const ledger = ledgerOf([
    [{ from: victim, to: thief, amount: 100n }],
    [{ from: thief, to: pool, amount: 100n }],
    [{ from: pool, to: x, amount: 100n }],
  ])
  const { outcomes } = await traceLedger(ledger, {
    seeds: [idOf(ledger, 0)],
    tags: [tag(pool, 'defi_dex', 'Some Pool')],
  })
  expect(outcomes).toMatchObject([
    {
      outcome: 'contract_custody',
      label: 'Some Pool',
      reason: 'conversion_unresolved',
      face: '100',
    },
  ])
})

test('error: a seed beyond the as-of block is refused, in traces of either direction', async () => {
  const ledger = ledgerOf([
    [{ from: victim, to: thief, amount: 1n }],
    [{ from: thief, to: x, amount: 1n }],
  ])
  const block = ledger[0]?.block ?? 0
  for (const direction of ['forward', 'backward'] as const) {
    const asked = { seeds: [idOf(ledger, 1)], asOf: { 'eip155:1': block }, direction }
    await expect(traceLedger(ledger, asked)).rejects.toThrowError(/beyond the as-of block/)
  }
})
