import type { Account } from './account.ts'
import type { ChainId } from './chain.ts'
import type { Assurance } from './reconcile.ts'
import type { Kind } from './transfer.ts'

/**
 * For one account and one kind of transfer: every such transfer from `fromBlock` to `toBlock` (both included)
 * is stored. An interval that no claim covers was not read: a gap, not a zero.
 */
export interface Coverage {
  readonly account: Account
  readonly kind: Kind
  readonly fromBlock: number
  readonly toBlock: number
  readonly assurance: Assurance
  readonly source: string
}

/** One claim for many accounts of one chain and several kinds, as a file import declares it. */
export interface CoverageOfMany {
  readonly chain: ChainId
  readonly accounts: readonly Account[]
  readonly kinds: readonly Kind[]
  readonly fromBlock: number
  readonly toBlock: number
  readonly assurance: Assurance
  readonly source: string
}

export interface BlockInterval {
  readonly from: number
  readonly to: number
}

/**
 * The intervals that claims cover together, sorted, touching ones joined.
 *
 * @example joinIntervals([{from: 5, to: 9}, {from: 0, to: 4}]) // [{from: 0, to: 9}]
 */
export function joinIntervals(intervals: Iterable<BlockInterval>): BlockInterval[] {
  const sorted = [...intervals].sort((a, b) => a.from - b.from || a.to - b.to)
  const joined: BlockInterval[] = []
  for (const next of sorted) {
    const last = joined.at(-1)
    if (last && next.from <= last.to + 1) {
      joined[joined.length - 1] = { from: last.from, to: Math.max(last.to, next.to) }
    } else joined.push({ from: next.from, to: next.to })
  }
  return joined
}

/** What `whole` holds and `parts` do not: the gaps. */
export function gapsIn(whole: BlockInterval, parts: Iterable<BlockInterval>): BlockInterval[] {
  const gaps: BlockInterval[] = []
  let next = whole.from
  for (const part of joinIntervals(parts)) {
    if (part.to < next) continue
    if (part.from > whole.to) break
    if (part.from > next) gaps.push({ from: next, to: part.from - 1 })
    next = part.to + 1
  }
  if (next <= whole.to) gaps.push({ from: next, to: whole.to })
  return gaps
}

/** What claims of one account and kind say together about a stretch of blocks. */
export interface BestInterval extends BlockInterval {
  /** Of the best claim. */
  readonly assurance: Assurance
  /** Of the claims with that assurance, sorted. */
  readonly sources: readonly string[]
}

/**
 * Cuts claims of one account and kind where any begins or ends, and says of each piece how well it is covered; equal
 * neighbours are joined. Blocks that no claim covers are left out.
 */
export function bestIntervals(claims: readonly Coverage[]): BestInterval[] {
  const edges = new Set(claims.flatMap(({ fromBlock, toBlock }) => [fromBlock, toBlock + 1]))
  const places = [...edges].sort((a, b) => a - b)
  const joined: BestInterval[] = []
  for (const [i, from] of places.slice(0, -1).entries()) {
    const to = (places[i + 1] as number) - 1
    const over = claims.filter(({ fromBlock, toBlock }) => fromBlock <= from && toBlock >= to)
    if (over.length === 0) continue
    const assurance = Math.max(...over.map((claim) => claim.assurance)) as Assurance
    const best = over.filter((claim) => claim.assurance === assurance)
    const sources = [...new Set(best.map(({ source }) => source))].sort()
    const last = joined.at(-1)
    const isSame =
      last?.to === from - 1 && last.assurance === assurance && `${last.sources}` === `${sources}`
    if (last && isSame) joined[joined.length - 1] = { ...last, to }
    else joined.push({ from, to, assurance, sources })
  }
  return joined
}

/** Where and for which kinds something better contradicts what was claimed. */
export interface DisputedInterval {
  readonly account: Account
  readonly kinds: readonly Kind[]
  readonly fromBlock: number
  readonly toBlock: number
}

/**
 * Claims as they may be relied on: in a disputed interval those that are not proven count as assurance 0. A claim is cut
 * where a dispute begins and ends.
 *
 * Cost: claims times disputes of their accounts; none without disputes.
 */
export function lowerClaims<C extends Coverage | CoverageOfMany>(
  claims: readonly C[],
  disputes: readonly DisputedInterval[],
): readonly (C | Coverage | CoverageOfMany)[] {
  if (disputes.length === 0) return claims
  const byAccount = Map.groupBy(disputes, ({ account }) => account)
  return claims.flatMap((claim): (C | Coverage | CoverageOfMany)[] => {
    if ('account' in claim) return lowered(claim, byAccount.get(claim.account) ?? [])
    const disputed = claim.accounts.filter((account) => byAccount.has(account))
    if (disputed.length === 0) return [claim]
    const { accounts, kinds, chain: _, ...rest } = claim
    const others = accounts.filter((account) => !byAccount.has(account))
    return [
      { ...claim, accounts: others },
      ...disputed.flatMap((account) =>
        kinds.flatMap((kind) => lowered({ ...rest, account, kind }, byAccount.get(account) ?? [])),
      ),
    ]
  })
}

function lowered(claim: Coverage, disputes: readonly DisputedInterval[]): Coverage[] {
  if (claim.assurance === 0 || claim.assurance === 3) return [claim]
  const whole = { from: claim.fromBlock, to: claim.toBlock }
  const parts = disputes
    .filter(({ kinds }) => kinds.includes(claim.kind))
    .map(({ fromBlock, toBlock }) => ({
      from: Math.max(whole.from, fromBlock),
      to: Math.min(whole.to, toBlock),
    }))
    .filter(({ from, to }) => from <= to)
  const undisputed = gapsIn(whole, parts).map((part) => ({ ...part, assurance: claim.assurance }))
  const low = joinIntervals(parts).map((part) => ({ ...part, assurance: 0 as const }))
  return [...undisputed, ...low]
    .sort((a, b) => a.from - b.from)
    .map(({ from, to, assurance }) => ({ ...claim, fromBlock: from, toBlock: to, assurance }))
}
