import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type ChainId, parseChain } from '../../src/ledger/chain.ts'
import { ledgerOrder } from '../../src/ledger/order.ts'
import { type Kind, movesValue, type Transfer, transferId } from '../../src/ledger/transfer.ts'
import { graphOf } from '../analysis/traceLedger.ts'
import { chain, ether, hash, ledgerOf, usd, usdt, wallet } from '../ledger.arbitrary.ts'

/** Ids of rows, short enough to read: transaction number, kind, position. */
function names(rows: readonly Transfer[]): string[] {
  return rows.map(({ tx, kind, position }) => `${Number(tx) || tx} ${kind} ${position}`)
}

const row = (fields: Partial<Transfer>): Transfer => ({
  chain,
  block: 100,
  time: 1_700_000_000,
  tx: hash(1),
  kind: 'token',
  position: 0,
  asset: usd,
  from: wallet(1),
  to: wallet(2),
  amount: 5n,
  flags: [],
  ...fields,
})

describe('known order', () => {
  test('is time, chain, block, transaction, then fee, calls and logs', () => {
    const bnb = parseChain('eip155:56')
    const placed = [
      row({ time: 1, block: 900, txIndex: 7 }),
      row({ time: 2, block: 1, txIndex: 0, kind: 'fee', position: 9 }),
      row({ time: 2, block: 1, txIndex: 0, kind: 'native', position: 0 }),
      row({ time: 2, block: 1, txIndex: 0, kind: 'internal', position: 3 }),
      row({ time: 2, block: 1, txIndex: 0, kind: 'token', position: 2 }),
      row({ time: 2, block: 1, txIndex: 0, kind: 'token', position: 10 }),
      row({ time: 2, block: 1, txIndex: 10, tx: hash(0), kind: 'fee' }),
      row({ time: 2, block: 2, txIndex: 0, tx: hash(5) }),
      row({ time: 2, block: 1, txIndex: 0, chain: bnb, asset: usd }),
    ]
    expect(ledgerOrder([...placed].reverse())).toEqual(placed)
  })

  test('puts rewards and withdrawals last, and they never make a block unordered', () => {
    const placed = [
      row({ tx: hash(9), txIndex: 0, from: wallet(2), to: wallet(3) }),
      row({ tx: hash(1), txIndex: 1, from: wallet(1), to: wallet(2) }),
      row({ tx: 'reward:100', kind: 'reward', asset: ether }),
      row({ tx: 'withdrawal:7', kind: 'withdrawal', asset: ether }),
    ]
    expect(ledgerOrder([...placed].reverse())).toEqual(placed)
  })
})

describe('causal order', () => {
  test('one row without its place makes the whole block unordered, and no other', () => {
    const [early, late] = [
      row({ tx: hash(1), txIndex: 0, from: wallet(2), to: wallet(3) }),
      row({ tx: hash(2), txIndex: 1, from: wallet(1), to: wallet(2) }),
    ]
    const stray = row({ tx: hash(3), from: wallet(8), to: wallet(9) })
    expect(ledgerOrder([early, late])).toEqual([early, late])
    expect(ledgerOrder([early, late, stray])).toEqual([late, early, stray])
    const nextBlock = { ...stray, block: 101 }
    expect(ledgerOrder([early, late, nextBlock])).toEqual([early, late, nextBlock])
  })

  test('money of another asset, zero amounts and transfers to oneself make nobody wait', () => {
    const spends = row({ tx: hash(1), from: wallet(2), to: wallet(3) })
    const feeds = { tx: hash(2), from: wallet(1), to: wallet(2) }
    expect(ledgerOrder([spends, row(feeds)])[0]?.tx).toBe(hash(2))
    for (const idle of [{ asset: usdt }, { amount: 0n }, { from: wallet(2) }])
      expect(ledgerOrder([spends, row({ ...feeds, ...idle })])[0]).toEqual(spends)
  })

  test('in a cycle the first of all remaining goes first, by hash', () => {
    const [one, two, three] = [
      row({ tx: hash(1), from: wallet(3), to: wallet(4) }),
      row({ tx: hash(2), from: wallet(1), to: wallet(2) }),
      row({ tx: hash(3), from: wallet(2), to: wallet(1) }),
    ]
    expect(ledgerOrder([three, two, one])).toEqual([one, two, three])
  })

  test('legs are put in order the same way, the fee before them, whatever their positions', () => {
    const rows = [
      row({ position: 1, from: wallet(2), to: wallet(3) }),
      row({ position: 2, from: wallet(1), to: wallet(2) }),
      row({ position: 3, kind: 'fee', asset: ether, from: wallet(9) }),
    ]
    expect(names(ledgerOrder(rows))).toEqual(['1 fee 3', '1 token 2', '1 token 1'])
  })

  test('amounts decide between legs as numbers, not as text', () => {
    const rows = [9n, 10n, 2n ** 200n].map((amount, i) => row({ amount, position: 5 - i }))
    expect(ledgerOrder([...rows].reverse())).toEqual(rows)
  })
})

const places = fc.record({
  tx: fc.integer({ min: 1, max: 4 }),
  block: fc.integer({ min: 100, max: 101 }),
  other: fc.boolean(),
  from: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
  to: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
  amount: fc.bigInt(0n, 3n),
  kind: fc.constantFrom<Kind>('fee', 'native', 'internal', 'token', 'token', 'token', 'reward'),
})

/** Blocks of two chains at the same times, every kind, some of them without known order. */
const mixed: fc.Arbitrary<Transfer[]> = fc
  .record({ rows: fc.array(places, { minLength: 1, maxLength: 24 }), unordered: fc.nat(3) })
  .map(({ rows, unordered }) => rows.map((place, i) => placed(place, i, unordered)))

type Place = typeof places extends fc.Arbitrary<infer P> ? P : never

function placed(place: Place, position: number, unordered: number): Transfer {
  const on: ChainId = place.other ? parseChain('eip155:56') : chain
  const at = (n: number | undefined) =>
    n === undefined ? undefined : (wallet(n).replace(chain, on) as ReturnType<typeof wallet>)
  const [from, to] = [at(place.from), place.kind === 'fee' ? undefined : at(place.to)]
  const reward = place.kind === 'reward'
  const known = !reward && ((place.block + Number(place.other)) & 1) !== (unordered & 1)
  const { block, kind, amount } = place
  return {
    chain: on,
    block,
    time: 1_700_000_000 + block * 12,
    tx: reward ? `reward:${block}` : hash(place.tx + (block - 100) * 10),
    ...(known || unordered > 1 ? (reward ? {} : { txIndex: 9 - place.tx }) : {}),
    kind,
    position,
    asset: (kind === 'token' ? `${on}/iso4217:usd` : `${on}/slip44:60`) as Transfer['asset'],
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    amount,
    flags: [],
  }
}

describe('on blocks of every kind', () => {
  test('causal order is what the rule says, word by word, for transactions and for legs', () => {
    fc.assert(
      fc.property(mixed, (rows) => {
        const block = rows
          .filter((t) => t.chain === chain && t.block === 100)
          .map(({ txIndex: _, ...t }): Transfer => t)
        if (block.every((t) => t.kind === 'reward')) return
        expect(ledgerOrder(block).map(transferId)).toEqual(plainBlock(block).map(transferId))
      }),
      { numRuns: 1_000 },
    )
  })

  test('the graph holds its rows in the same order', async () => {
    await fc.assert(
      fc.asyncProperty(mixed, fc.integer({ min: 1, max: 9 }), async (rows, batchSize) => {
        const graph = await graphOf(rows, batchSize)
        const ids = Array.from({ length: graph.transferCount }, (_, i) => graph.transfer(i).id)
        expect(ids).toEqual(ledgerOrder(rows).map(transferId))
        expect(ledgerOrder([...rows].reverse())).toEqual(ledgerOrder(rows))
      }),
      { numRuns: 300 },
    )
  })
})

/** "Repeatedly the first transaction, then leg, none of whose senders receives from a remaining one." */
function plainBlock(block: readonly Transfer[]): Transfer[] {
  const rewards = block.filter((t) => t.kind === 'reward')
  const byHash = [...new Set(block.filter((t) => t.kind !== 'reward').map(({ tx }) => tx))].sort()
  const transactions = plainOrder(byHash.map((tx) => block.filter((t) => t.tx === tx)))
  return [...transactions.flatMap(plainLegs), ...rewards.sort((a, b) => a.position - b.position)]
}

function plainLegs(legs: readonly Transfer[]): Transfer[] {
  const text = (t: Transfer): string =>
    [t.from ?? '', t.to ?? '', t.amount.toString().padStart(78, '0'), t.asset, t.kind].join('\n') +
    t.position.toString().padStart(10, '0')
  const sorted = [...legs].sort((a, b) => (text(a) < text(b) ? -1 : 1))
  const fees = sorted.filter((t) => t.kind === 'fee')
  return [...fees, ...plainOrder(sorted.filter((t) => t.kind !== 'fee').map((t) => [t])).flat()]
}

function plainOrder(items: readonly (readonly Transfer[])[]): (readonly Transfer[])[] {
  const remaining = [...items]
  const ordered: (readonly Transfer[])[] = []
  while (remaining.length > 0) {
    const free = remaining.findIndex((item) =>
      remaining.every((other) => other === item || !waitsFor(item, other)),
    )
    ordered.push(...remaining.splice(Math.max(free, 0), 1))
  }
  return ordered
}

function waitsFor(item: readonly Transfer[], other: readonly Transfer[]): boolean {
  return item.some(
    (sent) =>
      sent.from !== undefined &&
      movesValue(sent) &&
      other.some((got) => movesValue(got) && got.to === sent.from && got.asset === sent.asset),
  )
}

test('a row of made-up ledgers is placed as its transaction is', () => {
  const rows = ledgerOf([[{ from: wallet(1), to: wallet(2), amount: 1n }]])
  expect(ledgerOrder(rows)).toEqual(rows)
})
