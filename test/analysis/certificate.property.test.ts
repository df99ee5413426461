import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Certificate } from '../../src/analysis/certificate.ts'
import { checkCertificate } from '../../src/analysis/checkCertificate.ts'
import { ledgerOrder } from '../../src/ledger/order.ts'
import { type Transfer, transferId } from '../../src/ledger/transfer.ts'
import { fundedLedger } from '../arbitrary/fundedLedger.ts'
import { ether, etherLedger, randomLedger, usd, wallet } from '../ledger.arbitrary.ts'
import { boundsLedger, type CertifiedBounds } from './boundsLedger.ts'
import { tag } from './traceLedger.ts'

interface Certified extends CertifiedBounds {
  readonly ledger: readonly Transfer[]
}

async function certified(
  transfers: readonly Transfer[],
  choice: readonly number[],
  asset: string,
): Promise<Certified | undefined> {
  const fit = transfers.filter(
    (t) => t.asset === asset && t.amount > 0n && t.from !== t.to && t.kind !== 'fee',
  )
  if (fit.length === 0) return undefined
  const seeds = [...new Set(choice.map((n) => transferId(fit[n % fit.length] as Transfer)))]
  const tags = [tag(wallet(5), 'exchange')]
  const bounds = await boundsLedger(transfers, { seeds, to: [wallet(3)], tags })
  return { ...bounds, ledger: ledgerOrder(transfers) }
}

const anyLedger = fc.oneof(
  {
    weight: 1,
    arbitrary: fc.record({ transfers: randomLedger, asset: fc.constant<string>(usd) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ transfers: etherLedger, asset: fc.constant<string>(ether) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      transfers: fundedLedger({ wallets: 5, amount: 50, transfers: 25 }),
      asset: fc.constant<string>(usd),
    }),
  },
)
const choices = fc.array(fc.nat(1000), { minLength: 1, maxLength: 3 })

test('every certificate is accepted', async () => {
  let minima = 0
  let maxima = 0
  await fc.assert(
    fc.asyncProperty(anyLedger, choices, async ({ transfers, asset }, choice) => {
      const found = await certified(transfers, choice, asset)
      if (!found) return
      for (const certificate of found.certificates) {
        expect(checkCertificate(found.ledger, found.premises, certificate)).toEqual([])
        if (certificate.bound === 'min') minima++
        else maxima++
      }
    }),
    { numRuns: 600 },
  )
  expect(maxima).toBeGreaterThan(300)
  expect(minima).toBeGreaterThan(100)
}, 120_000)

type Mutation = (certificate: Certificate, pick: number) => Certificate

const plus = (amount: string, more: bigint): string => (BigInt(amount) + more).toString()

function changed<T>(list: readonly T[], pick: number, change: (item: T) => T): readonly T[] {
  return list.map((item, i) => (i === pick % list.length ? change(item) : item))
}

function without<T>(list: readonly T[], pick: number): readonly T[] {
  return list.filter((_, i) => i !== pick % list.length)
}

const mutations: Readonly<Record<string, Mutation>> = {
  'a larger bound': (c) => ({ ...c, amount: plus(c.amount, 1n) }),
  'a smaller bound': (c) => ({ ...c, amount: plus(c.amount, -1n) }),
  'the other bound': (c) => ({ ...c, bound: c.bound === 'max' ? 'min' : 'max' }),
  'a bound and sum that agree': (c) => ({
    ...c,
    amount: plus(c.amount, c.bound === 'max' ? 1n : -1n),
    cut: { ...c.cut, total: plus(c.cut.total, 1n) },
  }),
  'a transfer less in the cut': (c, pick) => ({
    ...c,
    cut: { ...c.cut, transfers: without(c.cut.transfers, pick) },
  }),
  'a transfer left out and the sums made to agree': (c, pick) => {
    const gone = c.cut.transfers[pick % c.cut.transfers.length]?.amount ?? '0'
    const less = -BigInt(gone)
    return {
      ...c,
      amount: plus(c.amount, c.bound === 'max' ? less : -less),
      cut: {
        ...c.cut,
        transfers: without(c.cut.transfers, pick),
        total: plus(c.cut.total, less),
      },
    }
  },
  'a transfer of the cut twice': (c, pick) => ({
    ...c,
    cut: {
      ...c.cut,
      transfers: c.cut.transfers.flatMap((t, i) =>
        i === pick % c.cut.transfers.length ? [t, t] : [t],
      ),
    },
  }),
  'another amount in the cut': (c, pick) => ({
    ...c,
    cut: {
      ...c.cut,
      transfers: changed(c.cut.transfers, pick, (t) => ({ ...t, amount: plus(t.amount, 1n) })),
    },
  }),
  // A balance of nothing may be left out without harm where the transfers alone close every way.
  'a balance less in the cut': (c, pick) => {
    const held = c.cut.balances.filter((b) => b.held !== '0')
    const left = without(held, pick)
    const balances = c.cut.balances.filter((b) => !held.includes(b) || left.includes(b))
    return { ...c, cut: { ...c.cut, balances } }
  },
  'another balance': (c, pick) => ({
    ...c,
    cut: {
      ...c.cut,
      balances: changed(c.cut.balances, pick, (b) => ({ ...b, held: plus(b.held, 1n) })),
    },
  }),
  'a balance of other blocks': (c, pick) => ({
    ...c,
    cut: {
      ...c.cut,
      balances: changed(c.cut.balances, pick, (b) => ({ ...b, toBlock: b.toBlock + 1 })),
    },
  }),
  'a part that carries more': (c, pick) => ({
    ...c,
    flow: changed(c.flow, pick, (f) => ({ ...f, amount: plus(f.amount, 1n) })),
  }),
  'a part that carries less': (c, pick) => ({
    ...c,
    flow: changed(c.flow, pick, (f) => ({ ...f, amount: plus(f.amount, -1n) })),
  }),
  'a part left out': (c, pick) => ({ ...c, flow: without(c.flow, pick) }),
  'a part of an unknown transfer': (c) => ({
    ...c,
    flow: c.flow.map((f) => ({ ...f, transfer: `${f.transfer}9` as typeof f.transfer })),
  }),
  'an end with more': (c, pick) => ({
    ...c,
    ends: changed(c.ends, pick, (e) => ({ ...e, amount: plus(e.amount, 1n) })),
  }),
  'an end left out': (c, pick) => ({ ...c, ends: without(c.ends, pick) }),
}

test('thousands of changed certificates are rejected, each kind of change many times', async () => {
  const rejected = new Map<string, number>()
  await fc.assert(
    fc.asyncProperty(
      anyLedger,
      choices,
      fc.nat(1000),
      async ({ transfers, asset }, choice, pick) => {
        const found = await certified(transfers, choice, asset)
        if (!found) return
        for (const certificate of found.certificates) {
          for (const [name, mutate] of Object.entries(mutations)) {
            const mutated = mutate(certificate, pick)
            if (JSON.stringify(mutated) === JSON.stringify(certificate)) continue
            const findings = checkCertificate(found.ledger, found.premises, mutated)
            expect(findings, `${name}: ${JSON.stringify(mutated)}`).not.toEqual([])
            rejected.set(name, (rejected.get(name) ?? 0) + 1)
          }
        }
      },
    ),
    { numRuns: 300 },
  )
  for (const name of Object.keys(mutations))
    expect(rejected.get(name) ?? 0, name).toBeGreaterThan(2)
  expect([...rejected.values()].reduce((sum, n) => sum + n, 0)).toBeGreaterThan(1000)
}, 120_000)
