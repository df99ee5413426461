import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { categoryTable, conceptOf, isAdverse } from '../../src/attribution/categories.ts'
import { createTagView, isValidAt } from '../../src/attribution/tagView.ts'
import type { Tag } from '../../src/ledger/tag.ts'
import { wallet } from '../ledger.arbitrary.ts'

const a = wallet(1)

function tag(parts: Partial<Tag> = {}): Tag {
  return {
    account: a,
    label: 'Exchange One',
    category: 'exchange',
    source: 'operator',
    confidence: 50,
    sourceRank: 10,
    mayStop: true,
    ...parts,
  }
}

describe('golden 21: conflicting and expired tags', () => {
  test("the operator's rank of sources comes before confidence", () => {
    const own = tag({ label: 'own', category: 'gambling', sourceRank: 0, confidence: 5 })
    const crawled = tag({ label: 'crawl', sourceRank: 20, confidence: 100 })
    const view = createTagView([crawled, own])
    expect(view.of(a)).toEqual([own, crawled])
    expect(view.stop(a, 0)).toEqual({ outcome: 'service', category: 'gambling', label: 'own' })
  })

  test('of one rank the more confident leads, of one confidence the newest', () => {
    const old = tag({ label: 'old', confidence: 70, validFrom: 100 })
    const recent = tag({ label: 'recent', confidence: 70, validFrom: 200 })
    const undated = tag({ label: 'undated', confidence: 70 })
    const weak = tag({ label: 'weak', confidence: 20, validFrom: 900 })
    expect(createTagView([weak, undated, old, recent]).of(a)).toEqual([recent, old, undated, weak])
  })

  test('where all else is equal, text decides: source, then category, then label', () => {
    const tags = [
      tag({ source: 'b', category: 'burn', label: 'x' }),
      tag({ source: 'a', category: 'gambling', label: 'z' }),
      tag({ source: 'a', category: 'gambling', label: 'y' }),
      tag({ source: 'a', category: 'exchange', label: 'z' }),
    ]
    expect(createTagView(tags).of(a)).toEqual([tags[3], tags[2], tags[1], tags[0]])
  })

  test('a tag holds from its first second up to, but not including, its last', () => {
    const dated = tag({ validFrom: 100, validTo: 200 })
    const view = createTagView([dated])
    expect([99, 100, 199, 200].map((time) => isValidAt(dated, time))).toEqual([
      false,
      true,
      true,
      false,
    ])
    expect([99, 100, 199, 200].map((time) => view.stop(a, time)?.outcome)).toEqual([
      undefined,
      'service',
      'service',
      undefined,
    ])
  })

  test('an expired tag gives way to the next one and stays visible', () => {
    const expired = tag({ label: 'was a mixer', category: 'mixer', sourceRank: 0, validTo: 100 })
    const present = tag({ label: 'is an exchange' })
    const view = createTagView([expired, present])
    expect(view.stop(a, 99)).toEqual({
      outcome: 'mixer',
      category: 'mixing_service',
      label: 'was a mixer',
    })
    expect(view.stop(a, 100)).toEqual({
      outcome: 'service',
      category: 'exchange',
      label: 'is an exchange',
    })
    expect(view.of(a)).toEqual([expired, present])
  })

  test('a tag without dates holds always', () => {
    const view = createTagView([tag()])
    expect(view.stop(a, Number.MIN_SAFE_INTEGER)?.outcome).toBe('service')
    expect(view.stop(a, Number.MAX_SAFE_INTEGER)?.outcome).toBe('service')
  })

  test('a designation splits time into before and after', () => {
    const view = createTagView([tag({ category: 'sanction', validFrom: 1_660_000_000 })])
    const [designation] = view.adverse(a)
    expect(designation && isValidAt(designation, 1_659_999_999)).toBe(false)
    expect(designation && isValidAt(designation, 1_660_000_000)).toBe(true)
  })
})

describe('golden 36: a pack that came by exchange', () => {
  const sanction = tag({ category: 'sanction', label: 'OFAC SDN', source: 'OFAC', sourceRank: 10 })
  const pack = tag({
    category: 'exchange',
    label: 'trust me',
    source: 'stranger',
    confidence: 100,
    sourceRank: 0,
    mayStop: false,
  })

  test('does not end a trace, whatever confidence it claims', () => {
    expect(createTagView([pack]).stop(a, 0)).toBeUndefined()
    expect(createTagView([pack, sanction]).stop(a, 0)).toBeUndefined()
  })

  test('does not hide a sanction', () => {
    const view = createTagView([pack, sanction])
    expect(view.adverse(a)).toEqual([sanction])
    expect(view.of(a)).toEqual([pack, sanction])
  })

  test("does not take the place of the operator's own tag", () => {
    const own = tag({ category: 'mixer', label: 'own', sourceRank: 10, confidence: 20 })
    expect(createTagView([pack, own]).stop(a, 0)?.label).toBe('own')
  })
})

test('a service tag that ends the trace leaves the adverse one in sight', () => {
  const service = tag({ sourceRank: 0, confidence: 100 })
  const accused = tag({ category: 'Perpetrator', label: 'thief', sourceRank: 99, confidence: 5 })
  const view = createTagView([service, accused])
  expect(view.stop(a, 0)?.label).toBe('Exchange One')
  expect(view.adverse(a)).toEqual([accused])
})

test('a word of a label file ends a trace like the concept it stands for', () => {
  const view = createTagView([tag({ category: 'Hot Wallet', label: 'hot' })])
  expect(view.stop(a, 0)).toEqual({ outcome: 'service', category: 'exchange', label: 'hot' })
})

test("an operator's own category ends a trace", () => {
  const desk = tag({ category: 'otc_desk', label: 'desk' })
  expect(createTagView([desk]).stop(a, 0)).toBeUndefined()
  const view = createTagView([desk], categoryTable([['otc_desk', 'service']]))
  expect(view.stop(a, 0)).toEqual({ outcome: 'service', category: 'otc_desk', label: 'desk' })
})

test('an address without tags is just that; any tag at all makes it tagged', () => {
  const view = createTagView([tag({ category: 'other', mayStop: false, validTo: 1 })])
  expect(view.isTagged(a)).toBe(true)
  expect(view.stop(a, 0)).toBeUndefined()
  expect(view.isTagged(wallet(2))).toBe(false)
  expect(view.of(wallet(2))).toEqual([])
  expect(view.adverse(wallet(2))).toEqual([])
  expect(view.stop(wallet(2), 0)).toBeUndefined()
})

test('a tag of a contract category says that there is code, expired or not, if it may end a trace', () => {
  const pool = { category: 'dex', validTo: 1 }
  expect(createTagView([tag(pool)]).hasContractTag(a)).toBe(true)
  expect(createTagView([tag({ ...pool, mayStop: false })]).hasContractTag(a)).toBe(false)
  expect(createTagView([tag()]).hasContractTag(a)).toBe(false)
  expect(createTagView([tag(pool)]).hasContractTag(wallet(2))).toBe(false)
})

test('a hostile label is kept as given', () => {
  const label = '\u202e=HYPERLINK("x")<script>\u200b\u0000'
  const view = createTagView([tag({ label })])
  expect(view.of(a)[0]?.label).toBe(label)
  expect(view.stop(a, 0)?.label).toBe(label)
})

const words = ['exchange', 'mixer', 'sanction', 'malicious', 'defi_dex', 'other', 'burn']
const tagsOfFew = fc.uniqueArray(
  fc.record(
    {
      account: fc.integer({ min: 1, max: 3 }).map(wallet),
      label: fc.constantFrom('x', 'y', '\u202e'),
      category: fc.constantFrom(...words),
      source: fc.constantFrom('s', 't'),
      confidence: fc.constantFrom(0, 50, 100),
      sourceRank: fc.constantFrom(0, 10),
      mayStop: fc.boolean(),
      validFrom: fc.constantFrom(10, 20),
      validTo: fc.constantFrom(15, 30),
    },
    {
      requiredKeys: [
        'account',
        'label',
        'category',
        'source',
        'confidence',
        'sourceRank',
        'mayStop',
      ],
    },
  ),
  { selector: (t) => [t.account, t.label, t.category, t.source].join('|'), maxLength: 25 },
)

test('the order in which tags arrive changes nothing', () => {
  fc.assert(
    fc.property(
      tagsOfFew.chain((tags) =>
        fc.tuple(
          fc.constant(tags),
          fc.shuffledSubarray(tags, { minLength: tags.length, maxLength: tags.length }),
        ),
      ),
      ([tags, shuffled]) => {
        const one = createTagView(tags)
        const other = createTagView(shuffled)
        expect(other.digest).toBe(one.digest)
        for (const n of [1, 2, 3]) expect(other.of(wallet(n))).toEqual(one.of(wallet(n)))
      },
    ),
    { numRuns: 500 },
  )
})

test('no tag is hidden, and the one that stops is the first in order that may', () => {
  const table = categoryTable()
  fc.assert(
    fc.property(tagsOfFew, fc.constantFrom(5, 12, 17, 25, 40), (tags, time) => {
      const view = createTagView(tags)
      expect(view.size).toBe(tags.length)
      for (const n of [1, 2, 3]) {
        const own = tags.filter((t) => t.account === wallet(n))
        const shown = view.of(wallet(n))
        expect(new Set(shown)).toEqual(new Set(own))
        expect(new Set(view.adverse(wallet(n)))).toEqual(
          new Set(own.filter((t) => isAdverse(t.category))),
        )
        const first = shown.find(
          (t) =>
            t.mayStop &&
            table.has(conceptOf(t.category)) &&
            time >= (t.validFrom ?? 0) &&
            time < (t.validTo ?? 99),
        )
        expect(view.stop(wallet(n), time)?.label).toBe(first?.label)
      }
    }),
    { numRuns: 500 },
  )
})

test('every part of a tag, and every category in force, is part of the digest', () => {
  const base = createTagView([tag()]).digest
  expect(base).toMatch(/^[0-9a-f]{64}$/)
  const changes: Partial<Tag>[] = [
    { account: wallet(2) },
    { label: 'other' },
    { category: 'gambling' },
    { source: 'other' },
    { confidence: 51 },
    { sourceRank: 11 },
    { mayStop: false },
    { validFrom: 0 },
    { validTo: 0 },
  ]
  const digests = changes.map((change) => createTagView([tag(change)]).digest)
  digests.push(createTagView([]).digest, createTagView([tag(), tag({ label: 'two' })]).digest)
  digests.push(createTagView([tag()], categoryTable([['otc_desk', 'service']])).digest)
  expect(new Set([base, ...digests]).size).toBe(digests.length + 1)
  expect(createTagView([tag()]).digest).toBe(base)
})
