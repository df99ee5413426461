import { expect, test } from 'vitest'
import type { Outcome } from '../../src/analysis/traceAnswer.ts'
import { parseAsset } from '../../src/ledger/asset.ts'
import { type Transfer, transferId } from '../../src/ledger/transfer.ts'
import { ether, hash, type Leg, ledgerOf, usd, usdt, wallet } from '../ledger.arbitrary.ts'
import { type LedgerQuestion, tag, traceLedger } from './traceLedger.ts'

const [victim, hub, next] = [wallet(0xf1), wallet(0xbb), wallet(0x11)]
const customer = (n: number) => wallet(10_000 + n)

/** Outcomes of 100 that a victim pays into an address, which pays them on, after what else happened there. */
async function outcomeAfter(
  history: readonly Leg[],
  question: Partial<LedgerQuestion> = {},
): Promise<readonly Outcome[]> {
  const ledger = ledgerOf([
    [{ from: victim, to: wallet(0xa), amount: 100n }],
    [{ from: wallet(0xa), to: hub, amount: 100n }],
    [{ from: hub, to: next, amount: 100n }],
    ...history.map((leg) => [leg]),
  ])
  const seed = transferId(ledger.find((t) => t.tx === hash(1)) as Transfer)
  const { outcomes } = await traceLedger(ledger, { seeds: [seed], ...question })
  return outcomes.map(({ outcome }) => outcome)
}

const pays = (count: number, more: Partial<Leg> = {}): Leg[] =>
  Array.from({ length: count }, (_, i) => ({
    from: hub,
    to: customer(i),
    amount: 1n,
    asset: usd,
    ...more,
  }))

test('what comes before a tag holds is followed, what comes after it ends there', async () => {
  const ledger = ledgerOf([
    [{ from: victim, to: wallet(0xa), amount: 100n }],
    [{ from: wallet(0xa), to: hub, amount: 40n }],
    [{ from: wallet(0xa), to: hub, amount: 60n }],
  ])
  const [seed, , later] = ledger as [Transfer, Transfer, Transfer]
  const tags = [{ ...tag(hub, 'exchange'), validFrom: later.time }]
  const { outcomes } = await traceLedger(ledger, { seeds: [transferId(seed)], tags })
  expect(outcomes.map(({ outcome, face }) => [outcome, face]).toSorted()).toEqual([
    ['service', '60'],
    ['still_held', '40'],
  ])
})

test('a thousand receivers are a wallet, one more is a service nobody has named', async () => {
  // `next` is a receiver too.
  expect(await outcomeAfter(pays(999))).toEqual(['still_held'])
  expect(await outcomeAfter(pays(1000))).toEqual(['high_degree'])
})

test('receivers count once, over all assets of the chain', async () => {
  const both = [...pays(600), ...pays(600, { asset: ether, kind: 'native' })]
  expect(await outcomeAfter(both)).toEqual(['still_held'])
  const others = pays(400, { asset: usdt }).map((leg, i) => ({ ...leg, to: customer(600 + i) }))
  expect(await outcomeAfter([...pays(600), ...others])).toEqual(['high_degree'])
})

test('nobody can end a trace from outside: what an address was sent, burned or forged in its name is no payment', async () => {
  const forged = parseAsset('eip155:1/erc20:0x00000000000000000000000000000000000f0f0f')
  const sent = pays(1200).map(({ to, ...leg }) => ({ ...leg, from: to, to: hub }))
  const burned = pays(1200).map(({ to: _, ...leg }) => leg)
  const fees = pays(1200, { asset: ether, kind: 'fee' }).map(({ to: _, ...leg }) => leg)
  for (const history of [
    sent,
    burned,
    fees,
    pays(1200, { asset: forged }),
    pays(1200, { amount: 0n }),
    pays(1200, { to: hub }),
  ])
    expect(await outcomeAfter(history)).toEqual(['still_held'])
})

test('payments behind the as-of block do not make an address busy before', async () => {
  expect(await outcomeAfter(pays(1200), { asOf: { 'eip155:1': 102 } })).toEqual(['still_held'])
})

test('any tag makes an address known; only one that may stop and is valid ends the trace', async () => {
  const known = tag(hub, 'exchange')
  expect(await outcomeAfter(pays(1200), { tags: [known] })).toEqual(['service'])
  for (const weak of [{ mayStop: false }, { validTo: 5 }, { category: 'perpetrator' }])
    expect(await outcomeAfter(pays(1200), { tags: [{ ...known, ...weak }] })).toEqual([
      'still_held',
    ])
})

test('each category ends in its own outcome', async () => {
  const ends: Record<string, Outcome> = {
    exchange: 'service',
    gambling: 'service',
    payment_processor: 'service',
    hosted_wallet: 'service',
    deposit_wallet: 'service',
    mixing_service: 'mixer',
    defi_bridge: 'bridge',
    defi_lending: 'contract_custody',
    staking: 'contract_custody',
    vault: 'contract_custody',
    victim: 'still_held',
    'something else': 'still_held',
  }
  for (const [category, outcome] of Object.entries(ends))
    expect([category, await outcomeAfter([], { tags: [tag(hub, category)] })]).toEqual([
      category,
      [outcome],
    ])
})

test('continueThrough goes past every stop, neverFollow makes one', async () => {
  const tags = [tag(hub, 'exchange')]
  expect(await outcomeAfter([], { tags, continueThrough: [hub] })).toEqual(['still_held'])
  expect(await outcomeAfter([], { neverFollow: [hub] })).toEqual(['high_degree'])
})
