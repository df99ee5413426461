import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Assurance, type Observation, reconcile } from '../../src/ledger/reconcile.ts'
import { type Transfer, transferId } from '../../src/ledger/transfer.ts'
import { ledgerOf, wallet } from '../ledger.arbitrary.ts'

const [plain] = ledgerOf([[{ from: wallet(1), to: wallet(2), amount: 5n }]]) as [Transfer]

function seen(source: string, assurance: Assurance, fields: Partial<Transfer> = {}): Observation {
  return { transfer: { ...plain, ...fields }, source, assurance }
}

const kept = (rows: readonly Observation[]): string[] =>
  reconcile(rows).canonical.map((r) => `${r.source} ${r.transfer.position} ${r.transfer.amount}`)

const kindsOf = (rows: readonly Observation[]): string[] =>
  reconcile(rows).findings.map(({ kind }) => kind)

describe('one movement, several sources', () => {
  test('the best assured row is kept, in any order of arrival, whatever its position', () => {
    const rows = [seen('file', 0, { position: 1 }), seen('node', 1, { position: 88 })]
    expect(kept(rows)).toEqual(['node 88 5'])
    expect(kept([...rows].reverse())).toEqual(['node 88 5'])
    expect(kindsOf(rows)).toEqual([])
  })

  test('two equal payments of one transaction stay two, also when three sources tell both', () => {
    const rows = ['a', 'b', 'c'].flatMap((source, i) => [
      seen(source, 0, { position: i * 10 }),
      seen(source, 0, { position: i * 10 + 1 }),
    ])
    const { canonical, superseded, findings } = reconcile(rows)
    expect([canonical.length, superseded.length, findings.length]).toEqual([2, 4, 0])
    expect(new Set(canonical.map(({ source }) => source)).size).toBe(1)
  })

  test('among equals the row that knows its place in the block is kept', () => {
    const { txIndex: _, ...unplaced } = plain
    const rows = [
      { ...seen('a', 0), transfer: { ...unplaced, position: 4 } },
      seen('z', 0, { position: 9 }),
    ]
    expect(kept(rows)).toEqual(['z 9 5'])
  })

  test('another amount, receiver, asset or transaction leg is another movement', () => {
    const rows = [
      seen('a', 0, { position: 1 }),
      seen('b', 0, { position: 2, amount: 6n }),
      seen('b', 0, { position: 3, to: wallet(3) }),
      seen('b', 0, { position: 4, asset: 'eip155:1/slip44:60' as Transfer['asset'] }),
    ]
    expect(reconcile(rows).canonical).toHaveLength(4)
    expect(kindsOf(rows)).toEqual([])
  })

  test('two halves of one transaction from two sources make the whole', () => {
    const rows = [
      seen('payer', 0, { position: 7, from: wallet(1), to: wallet(2) }),
      seen('payee', 0, { position: 8, from: wallet(2), to: wallet(3) }),
    ]
    expect(reconcile(rows).superseded).toEqual([])
  })
})

describe('what contradicts is a finding, never merged', () => {
  test('two amounts under one id: the better assured stands, both are in the text', () => {
    const rows = [seen('file', 0, { amount: 7n }), seen('node', 1)]
    expect(kept(rows)).toEqual(['node 0 5'])
    const [finding] = reconcile(rows).findings
    expect(finding).toMatchObject({ kind: 'content', tx: plain.tx })
    expect(finding?.text).toMatch(/node says .* 5, file says .* 7/)
  })

  test('how often: of equal assurance the most, of unequal the better; both say so', () => {
    const twice = (source: string, assurance: Assurance): Observation[] => [
      seen(source, assurance, { position: 20 }),
      seen(source, assurance, { position: 21 }),
    ]
    const equal = [seen('one', 0, { position: 1 }), ...twice('two', 0)]
    expect(kept(equal)).toEqual(['two 20 5', 'two 21 5'])
    expect(kindsOf(equal)).toEqual(['count'])
    const unequal = [seen('node', 1, { position: 1 }), ...twice('two', 0)]
    expect(kept(unequal)).toEqual(['node 1 5'])
    expect(kindsOf(unequal)).toEqual(['count'])
  })

  test('another block, and another time of the same block', () => {
    expect(kindsOf([seen('a', 1), seen('b', 0, { block: plain.block + 1, position: 3 })])).toEqual([
      'block',
    ])
    expect(kindsOf([seen('a', 1), seen('b', 0, { time: plain.time + 1, position: 3 })])).toEqual([
      'time',
    ])
  })
})

describe('beside a proof', () => {
  const proven = seen('proof', 3)

  test('a token log that the proven receipt does not have did not happen, and is a finding', () => {
    const invented = seen('node', 1, { position: 9, amount: 7n })
    expect(kept([seen('node', 1), invented, proven])).toEqual([`proof ${plain.position} 5`])
    expect(kindsOf([seen('node', 1), invented, proven])).toEqual(['content'])
    expect(kept([seen('node', 1), invented])).toHaveLength(2)
  })

  test('an altered amount gives way', () => {
    const altered = seen('node', 1, { amount: 7n })
    expect(kept([altered, proven])).toEqual([`proof ${plain.position} 5`])
    expect(kindsOf([altered, proven])).toEqual(['content'])
  })

  test('a call inside the transaction that equals its value stays: proofs say nothing of calls', () => {
    const native = { kind: 'native', position: 0 } as const
    const rows = [
      seen('node', 1, native),
      seen('node', 1, { kind: 'internal', position: 4 }),
      seen('proof', 3, native),
    ]
    expect(kept(rows)).toEqual(['proof 0 5', 'node 4 5'])
    expect(kindsOf(rows)).toEqual([])
  })

  test('what a newer version reads from events stays', () => {
    expect(
      kept([seen('node', 1, { position: 9, amount: 7n, flags: ['wrap'] }), proven]),
    ).toHaveLength(2)
  })
})

test('the answer depends on the set of rows alone, and every row is kept or superseded', () => {
  const observation = fc
    .record({
      position: fc.nat(3),
      amount: fc.bigInt(1n, 2n),
      to: fc.constantFrom(wallet(2), wallet(3)),
      source: fc.constantFrom<[string, Assurance]>(['n', 3], ['p', 1], ['q', 1], ['f', 0]),
    })
    .map(({ source: [source, assurance], ...fields }) =>
      seen(source, assurance, { ...fields, time: plain.time + (source === 'q' ? 12 : 0) }),
    )
  fc.assert(
    fc.property(fc.array(observation, { maxLength: 8 }), fc.nat(), (rows, turn) => {
      const cut = rows.length === 0 ? 0 : turn % rows.length
      const turned = [...rows.slice(cut), ...rows.slice(0, cut)].reverse()
      const [straight, other] = [reconcile(rows), reconcile(turned)]
      expect(other.canonical).toEqual(straight.canonical)
      expect(other.findings).toEqual(straight.findings)
      expect(straight.canonical.length + straight.superseded.length).toBe(rows.length)
      const ids = straight.canonical.map(({ transfer }) => transferId(transfer))
      expect(new Set(ids).size).toBe(ids.length)
      const again = reconcile(straight.canonical)
      expect(again.canonical).toEqual(straight.canonical)
    }),
    { numRuns: 1_000 },
  )
})
