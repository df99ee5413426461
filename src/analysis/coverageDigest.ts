import { createHash } from 'node:crypto'
import type { Coverage, CoverageOfMany } from '../ledger/coverage.ts'
import { compareText } from '../ledger/order.ts'

/**
 * Claims of coverage as far as an answer depends on them: who made them is left out, each stands once, in order of its
 * text. So two stores to which the same was told by others, or in another order, have the same.
 *
 * Cost: O(n log n) in the size of all claims.
 */
export function essentialClaims(
  claims: readonly (Coverage | CoverageOfMany)[],
): readonly (Coverage | CoverageOfMany)[] {
  const byText = new Map<string, Coverage | CoverageOfMany>()
  for (const claim of claims) {
    const essential = essentialClaim(claim)
    byText.set(JSON.stringify(essential), essential)
  }
  return [...byText].sort(([a], [b]) => compareText(a, b)).map(([, claim]) => claim)
}

/**
 * SHA-256 of {@link essentialClaims} as JSON, one a line.
 *
 * @param essential - as `essentialClaims` gives them.
 */
export function coverageDigest(essential: readonly (Coverage | CoverageOfMany)[]): string {
  const hash = createHash('sha256')
  for (const claim of essential) hash.update(`${JSON.stringify(claim)}\n`)
  return hash.digest('hex')
}

function essentialClaim(claim: Coverage | CoverageOfMany): Coverage | CoverageOfMany {
  const { fromBlock, toBlock, assurance } = claim
  const rest = { fromBlock, toBlock, assurance, source: '' }
  if (!('accounts' in claim)) return { account: claim.account, kind: claim.kind, ...rest }
  const accounts = [...new Set(claim.accounts)].sort()
  return { chain: claim.chain, accounts, kinds: [...new Set(claim.kinds)].sort(), ...rest }
}
