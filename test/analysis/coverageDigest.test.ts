import fc from 'fast-check'
import { expect, test } from 'vitest'
import { coverageDigest, essentialClaims } from '../../src/analysis/coverageDigest.ts'
import { createCoverageView } from '../../src/analysis/coverageView.ts'
import type { Coverage, CoverageOfMany } from '../../src/ledger/coverage.ts'
import { chain, usd, wallet } from '../ledger.arbitrary.ts'

type Claim = Coverage | CoverageOfMany

const account = fc.integer({ min: 1, max: 4 }).map(wallet)
const kind = fc.constantFrom('token' as const, 'native' as const, 'fee' as const)
const rest = {
  fromBlock: fc.integer({ min: 0, max: 20 }),
  toBlock: fc.integer({ min: 20, max: 40 }),
  assurance: fc.constantFrom(0 as const, 1 as const, 2 as const, 3 as const),
  source: fc.constantFrom('a node', 'an explorer'),
}
const claim: fc.Arbitrary<Claim> = fc.oneof(
  fc.record({ account, kind, ...rest }),
  fc.record({
    chain: fc.constant(chain),
    accounts: fc.array(account, { minLength: 1, maxLength: 3 }),
    kinds: fc.array(kind, { minLength: 1, maxLength: 3 }),
    ...rest,
  }),
)
const digestOf = (claims: readonly Claim[]): string => coverageDigest(essentialClaims(claims))

test('the digest does not depend on order, repetition or who claimed it', () => {
  fc.assert(
    fc.property(fc.array(claim), fc.array(fc.nat()), (claims, order) => {
      const others = claims.map((one) => ({ ...one, source: 'somebody else' }))
      const mixed = [...claims, ...others]
        .map((one, i) => ({ one, at: order[i % Math.max(1, order.length)] ?? 0 }))
        .sort((a, b) => a.at - b.at)
        .map(({ one }) =>
          'accounts' in one ? { ...one, accounts: one.accounts.toReversed() } : one,
        )
      expect(digestOf(mixed)).toBe(digestOf(claims))
    }),
  )
})

test('what is left of the claims says the same of every account as the claims do', () => {
  fc.assert(
    fc.property(
      fc.array(claim, { maxLength: 6 }),
      account,
      fc.nat(40),
      (claims, who, fromBlock) => {
        const from = { fromBlock, side: 'out' } as const
        expect(createCoverageView(essentialClaims(claims)).through(who, usd, from)).toEqual(
          createCoverageView(claims).through(who, usd, from),
        )
      },
    ),
  )
})

test('another block, account, kind or assurance is another digest', () => {
  const one: Coverage = {
    account: wallet(1),
    kind: 'token',
    fromBlock: 1,
    toBlock: 9,
    assurance: 1,
    source: 'x',
  }
  const others: Coverage[] = [
    { ...one, account: wallet(2) },
    { ...one, kind: 'fee' },
    { ...one, toBlock: 8 },
    { ...one, assurance: 2 },
  ]
  expect(new Set([one, ...others].map((each) => digestOf([each]))).size).toBe(5)
  expect(digestOf([])).toMatch(/^[0-9a-f]{64}$/)
})
