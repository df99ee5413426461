import { expect, test } from 'vitest'
import type { BridgeMatch, ConversionKnowledge } from '../../src/analysis/conversionKnowledge.ts'
import { methodNames } from '../../src/analysis/methods.ts'
import type { TraceAnswer } from '../../src/analysis/traceAnswer.ts'
import type { Account } from '../../src/ledger/account.ts'
import { parseAsset } from '../../src/ledger/asset.ts'
import { type Transfer, transferId } from '../../src/ledger/transfer.ts'
import { dai } from '../arbitrary/trades.ts'
import { ether, hash, type Leg, ledgerOf, usdt, wallet, weth } from '../ledger.arbitrary.ts'
import { type LedgerQuestion, tag, traceLedger } from './traceLedger.ts'

/* Golden scenarios of the design about swaps, washes and bridges. */

const names = {
  V: 0xf1,
  a: 0xa,
  b: 0xb,
  x: 0x11,
  pool: 0x91,
  pool2: 0x92,
  router: 0x93,
  bridge: 0x94,
}
const at = (name: keyof typeof names): Account => wallet(names[name])
const [V, a, b, x, pool, pool2, router, bridge] = Object.keys(names).map((name) =>
  at(name as keyof typeof names),
) as [Account, Account, Account, Account, Account, Account, Account, Account]
const pools = [tag(pool, 'defi_dex'), tag(pool2, 'defi_dex')]

const idOf = (ledger: readonly Transfer[], tx: number, leg = 0): string =>
  transferId(ledger.filter((t) => t.tx === hash(tx + 1))[leg] as Transfer)

const move = (
  from: Account | undefined,
  to: Account | undefined,
  amount: bigint,
  asset = usdt,
): Leg => ({
  ...(from === undefined ? {} : { from }),
  ...(to === undefined ? {} : { to }),
  amount,
  asset,
  kind: asset === ether ? 'internal' : 'token',
})

function told(answer: TraceAnswer): string[] {
  const total = answer.outcomes.reduce((sum, { face }) => sum + BigInt(face), 0n)
  expect(total).toBe(BigInt(answer.seedTotal))
  const name = (account: string): string =>
    Object.entries({ ...names }).find(([, n]) => wallet(n) === account.toLowerCase())?.[0] ??
    account
  const token = (text: string): string =>
    ({ [usdt]: 'USDT', [weth]: 'WETH', [ether]: 'ETH', [dai]: 'DAI' })[parseAsset(text)] ?? text
  return answer.outcomes.map(
    ({ outcome, account, asset, amount, face }) =>
      `${outcome} ${name(account)} ${amount} ${token(asset)} for ${face}`,
  )
}

async function follow(
  story: readonly (readonly Leg[])[],
  more: Partial<LedgerQuestion> = {},
): Promise<{
  readonly ends: string[]
  readonly answer: TraceAnswer
  readonly ledger: readonly Transfer[]
}> {
  const ledger = ledgerOf(story)
  const answer = await traceLedger(ledger, {
    seeds: [idOf(ledger, 0)],
    tags: pools,
    minShare: 0,
    ...more,
  })
  return { ends: told(answer), answer, ledger }
}

const viaRouter = [
  [move(V, a, 100n)],
  [
    move(a, router, 100n),
    move(router, pool, 100n),
    move(pool, router, 50n, ether),
    move(router, a, 50n, ether),
  ],
  [move(a, x, 50n, ether)],
  [move(pool, b, 40n, ether), move(router, b, 7n)],
]

test('golden 4: a swap through router and pool goes on in what it bought; pool and router stay clean', async () => {
  for (const method of methodNames) {
    const { ends, answer } = await follow(viaRouter, { method })
    expect(ends, method).toEqual(['still_held x 50 ETH for 100'])
    expect(answer.conversions).toMatchObject([
      { rule: 'pool', gives: { amount: '100' }, gets: { amount: '50' }, face: '100' },
    ])
    expect(answer.movements).toHaveLength(2)
  }
})

test('a swap is followed back from what it bought to what it was paid with', async () => {
  const ledger = ledgerOf(viaRouter)
  const answer = await traceLedger(ledger, {
    seeds: [idOf(ledger, 2)],
    tags: pools,
    direction: 'backward',
    minShare: 0,
  })
  expect(answer.movements.map(({ transfer }) => transfer)).toEqual([
    idOf(ledger, 0),
    idOf(ledger, 2),
  ])
  expect(told(answer)).toEqual(['ledger_gap V 100 USDT for 50'])
})

test('half of what is swapped is tainted: half of what it bought is', async () => {
  const { ends } = await follow(
    [
      [move(V, a, 100n)],
      [move(b, a, 100n)],
      [move(a, pool, 200n), move(pool, a, 60n, ether)],
      [move(a, x, 60n, ether)],
    ],
    { method: 'haircut' },
  )
  expect(ends).toEqual(['still_held x 30 ETH for 100'])
})

test('an aggregator with two pools, and a pool that lends in the same transaction', async () => {
  const { ends } = await follow([
    [move(V, a, 100n)],
    [
      move(pool2, a, 900n, dai),
      move(a, pool, 50n),
      move(a, pool2, 50n),
      move(pool, a, 20n, ether),
      move(pool2, a, 30n, ether),
      move(a, pool2, 900n, dai),
    ],
  ])
  expect(ends).toEqual(['still_held a 50 ETH for 100'])
})

test('golden 20: a token that takes a fee of its own on the way still converts', async () => {
  const { ends } = await follow([
    [move(V, a, 100n)],
    [move(a, pool, 95n), move(a, undefined, 5n), move(pool, a, 50n, ether)],
  ])
  expect(ends).toEqual(['still_held a 50 ETH for 100'])
})

test('golden 20: a balance that grew by itself is a gap in the data, shown with what was missing', async () => {
  const { ends, answer } = await follow([[move(V, a, 100n)], [move(a, x, 130n)]])
  expect(ends).toEqual(['still_held x 100 USDT for 100'])
  expect(answer.gaps).toMatchObject([{ missing: '30' }])
})

test('golden 34: one wei of another token in return for a payment washes nothing', async () => {
  const { ends } = await follow([[move(V, a, 100n)], [move(a, b, 100n), move(b, a, 1n, weth)]])
  expect(ends).toEqual(['still_held b 100 USDT for 100'])
})

test('golden 34: nor with a trusted pool touched on the way', async () => {
  const { ends } = await follow([
    [move(V, a, 100n)],
    [move(a, b, 100n), move(b, pool, 1n), move(pool, b, 1n, weth), move(b, a, 1n, weth)],
  ])
  // The one unit that b put into the pool ends there; nothing is with a.
  expect(ends).toEqual(['still_held b 99 USDT for 99', 'contract_custody pool 1 USDT for 1'])
  const whole = await follow([
    [move(V, a, 100n)],
    [move(a, b, 100n), move(b, pool, 100n), move(pool, b, 50n, weth), move(b, a, 1n, weth)],
  ])
  expect(whole.ends).not.toContainEqual(expect.stringContaining('still_held a'))
})

test('one wei of a third asset from a stranger makes no second candidate', async () => {
  const { ends } = await follow([
    [move(V, a, 100n)],
    [move(a, pool, 100n), move(pool, a, 50n, ether), move(b, a, 1n, weth)],
  ])
  expect(ends).toEqual(['still_held a 50 ETH for 100'])
})

const twoBought = [
  [move(V, a, 100n)],
  [move(a, pool, 100n), move(pool, a, 30n, ether), move(pool, a, 20n, dai)],
]

test('two assets bought at once are ambiguous, with both named', async () => {
  const { ends, answer } = await follow(twoBought)
  expect(ends).toEqual(['ambiguous a 100 USDT for 100'])
  expect(answer.outcomes[0]?.candidates).toHaveLength(2)
})

test('two assets bought at once are split by a price set', async () => {
  const value: ConversionKnowledge['value'] = (asset, amount) => ({
    numerator: asset === ether ? amount * 2n : amount * 2n,
    denominator: 1n,
  })
  const { ends, answer } = await follow(twoBought, { conversions: { value } })
  expect(ends).toEqual(['still_held a 20 DAI for 40', 'still_held a 30 ETH for 60'])
  expect(answer.conversions.map(({ rule }) => rule)).toEqual(['split', 'split'])
})

test('two assets bought at once: the analyst says which', async () => {
  const { ends } = await follow(twoBought, {
    resolve: [{ tx: hash(2), account: a, asset: ether }],
  })
  expect(ends).toEqual(['still_held a 30 ETH for 100'])
  const other = await follow(twoBought, { resolve: [{ tx: hash(2), account: a, asset: weth }] })
  expect(other.ends).toEqual(['ambiguous a 100 USDT for 100'])
})

test('a pool paid somebody else: only its event says that this was a swap', async () => {
  const story = [[move(V, a, 100n)], [move(a, pool, 100n), move(pool, x, 50n, ether)]]
  expect((await follow(story)).ends).toEqual(['contract_custody pool 100 USDT for 100'])
  const recordsOf: ConversionKnowledge['recordsOf'] = (_, tx) =>
    tx === hash(2) ? [{ pool, recipient: x, gets: ether }] : []
  const { ends, answer } = await follow(story, { conversions: { recordsOf } })
  expect(ends).toEqual(['still_held x 50 ETH for 100'])
  expect(answer.conversions[0]?.recipient?.toLowerCase()).toBe(x)
})

test('a deposit into a lending contract rests there, with the receipt token named', async () => {
  const { ends, answer } = await follow(
    [[move(V, a, 100n)], [move(a, b, 100n), move(undefined, a, 99n, dai)]],
    { tags: [tag(b, 'defi_lending')] },
  )
  expect(ends).toEqual(['contract_custody b 100 USDT for 100'])
  expect(answer.outcomes[0]?.receipt).toContain('0x6B17')
})

const bridged = [
  [move(V, a, 100n)],
  [move(a, bridge, 100n)],
  [move(bridge, x, 99n, weth)],
  [move(x, b, 99n, weth)],
]
const match = (ledger: readonly Transfer[], more: Partial<BridgeMatch> = {}): BridgeMatch => ({
  message: 'm1',
  fromChain: ledger[0]?.chain as never,
  fromTx: hash(2),
  fromAsset: usdt,
  fromAmount: 100n,
  toChain: ledger[0]?.chain as never,
  toTx: hash(3),
  toAsset: weth,
  toAmount: 99n,
  receiver: x,
  ...more,
})

test('golden 23: a bridge is crossed where both legs of a message agree, and nowhere else', async () => {
  const tags = [tag(bridge, 'defi_bridge')]
  const ledger = ledgerOf(bridged)
  const knowing = (found: BridgeMatch) => ({ leaving: () => [found], arriving: () => [found] })
  const proven = await follow(bridged, { tags, conversions: knowing(match(ledger)) })
  expect(proven.ends).toEqual(['still_held b 99 WETH for 100'])
  expect(proven.answer.conversions).toMatchObject([{ rule: 'bridge', message: 'm1' }])
  expect((await follow(bridged, { tags })).ends).toEqual(['bridge bridge 100 USDT for 100'])
  for (const wrong of [
    { toAmount: 98n },
    { receiver: b },
    { toTx: hash(4) },
    { fromAmount: 99n },
  ]) {
    const { ends } = await follow(bridged, { tags, conversions: knowing(match(ledger, wrong)) })
    expect(ends, JSON.stringify(Object.keys(wrong))).toEqual(['bridge bridge 100 USDT for 100'])
  }
})

test('what comes by no transfer is a gap in the data, not an origin', async () => {
  const ledger = ledgerOf([[move(a, x, 100n)]])
  const covered = await traceLedger(ledger, { seeds: [idOf(ledger, 0)], direction: 'backward' })
  expect(told(covered)).toEqual(['ledger_gap a 100 USDT for 100'])
  const unread = await traceLedger(ledger, {
    seeds: [idOf(ledger, 0)],
    direction: 'backward',
    covered: false,
  })
  expect(told(unread)).toEqual(['not_ingested a 100 USDT for 100'])
})
