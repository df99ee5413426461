import { expect, test } from 'vitest'
import { type Account, formatAccount, parseAccount } from '../../src/ledger/account.ts'
import { parseAsset } from '../../src/ledger/asset.ts'
import { parseChain } from '../../src/ledger/chain.ts'
import { reconcile } from '../../src/ledger/reconcile.ts'
import { type Transfer, transferId } from '../../src/ledger/transfer.ts'
import { ether, hash, type Leg, ledgerOf, wallet, weth } from '../ledger.arbitrary.ts'
import { traceLedger } from './traceLedger.ts'

const [V, a, x] = [0xf1, 0xa, 0x11].map(wallet) as [Account, Account, Account]
const first = (ledger: readonly Transfer[], tx: number): string =>
  transferId(ledger.find((t) => t.tx === hash(tx + 1)) as Transfer)

test('a seed behind the as-of block is refused, never left out of the sum', async () => {
  const ledger = ledgerOf([[{ from: V, to: a, amount: 100n }], [{ from: a, to: x, amount: 100n }]])
  const seeds = [first(ledger, 0), first(ledger, 1)]
  await expect(traceLedger(ledger, { seeds, asOf: { 'eip155:1': 100 } })).rejects.toMatchObject({
    code: 'seed.not-found',
  })
})

test('a budget with minShare 0 gives an answer with budget, not an error', async () => {
  const legs: Leg[][] = [[{ from: V, to: a, amount: 1000n }]]
  for (let i = 0; i < 50; i++) legs.push([{ from: a, to: wallet(700 + i), amount: 20n }])
  const ledger = ledgerOf(legs)
  const answer = await traceLedger(ledger, {
    seeds: [first(ledger, 0)],
    minShare: 0,
    maxAddresses: 10,
  })
  expect(answer.cut.budget).toBe('addresses')
})

test('unwrapped coins are with the wrapper, also where the ledger has no ether at all', async () => {
  const ledger = ledgerOf([
    [{ from: V, to: a, amount: 100n, asset: weth }],
    [{ from: a, amount: 100n, asset: weth, flags: ['wrap'] }],
  ])
  const { outcomes } = await traceLedger(ledger, { seeds: [first(ledger, 0)] })
  const account = formatAccount(weth.replace('/erc20:', ':') as Account)
  expect(outcomes).toMatchObject([
    { outcome: 'contract_custody', account, reason: 'conversion_unresolved' },
  ])
})

test('two rows of one source that differ in time only: arrival does not decide', () => {
  const [row] = ledgerOf([[{ from: V, to: a, amount: 1n }]]) as [Transfer]
  const rows = [row, { ...row, time: row.time + 12 }].map((transfer) => ({
    transfer,
    source: 'n',
    assurance: 1 as const,
  }))
  expect(reconcile([...rows].reverse()).canonical).toEqual(reconcile(rows).canonical)
})

test('two equal payments stay two where another file of the same assurance knows only the first', () => {
  const [one, two] = ledgerOf([
    [
      { from: V, to: a, amount: 2n },
      { from: V, to: a, amount: 2n },
    ],
  ]) as [Transfer, Transfer]
  const told = (source: string, transfer: Transfer) => ({ transfer, source, assurance: 0 as const })
  expect(reconcile([told('f', one), told('g', one), told('g', two)]).canonical).toHaveLength(2)
})

test('rows that arrive in another order number chains and assets otherwise, and change no byte', async () => {
  const wrapper = weth.replace('/erc20:', ':') as Account
  const ledger = ledgerOf([
    [{ from: V, to: a, amount: 100n, asset: ether, kind: 'native' }],
    [
      { from: a, to: wrapper, amount: 40n, asset: ether, kind: 'native' },
      { to: a, amount: 40n, asset: weth },
    ],
    [{ from: x, to: wallet(7), amount: 5n, asset: weth }],
  ])
  const [row] = ledger as [Transfer, ...Transfer[]]
  const chain = parseChain('eip155:137')
  const elsewhere: Transfer = {
    ...row,
    chain,
    asset: parseAsset('eip155:137/slip44:966'),
    from: parseAccount(`0x${'1'.repeat(40)}`, chain),
    to: parseAccount(`0x${'2'.repeat(40)}`, chain),
  }
  const rows = [...ledger, elsewhere]
  const seeds = [first(ledger, 0)]
  // The coverage that the helper claims is on the chain of the first row: it would differ too.
  const question = { seeds, covered: false }
  const straight = await traceLedger(rows, question)
  const reversed = await traceLedger([...rows].reverse(), { ...question, batchSize: 1 })
  expect(straight.outcomes).toHaveLength(2)
  expect(Object.keys(straight.query.asOf)).toHaveLength(2)
  expect(JSON.stringify(reversed)).toBe(JSON.stringify(straight))
})
