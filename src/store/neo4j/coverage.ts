import { accountChain, accountReference } from '../../ledger/account.ts'
import type { ChainId } from '../../ledger/chain.ts'
import { type Coverage, type CoverageOfMany, joinIntervals } from '../../ledger/coverage.ts'
import { claimForManyOf, claimOf, isForMany, manyClaimDigest } from '../coverageTable.ts'
import type { Row as ClaimRow } from '../sqliteFile.ts'
import { int, type Parameter, type Row, type Unit } from './connection.ts'
import { compareCodePoints, digestKey } from './keys.ts'
import { memberSum, minus, plus, type SetSum } from './setSum.ts'

/**
 * Adds claims inside the caller's transaction, which holds the lock of the store; touching claims of one source become
 * one, as in the embedded store.
 *
 * @param number - orders claims for many accounts: larger than any before.
 * @returns the sum of all claims, given the sum before.
 */
export async function addClaims(
  unit: Unit,
  claims: readonly (Coverage | CoverageOfMany)[],
  { number, sum }: { readonly number: number; readonly sum: SetSum },
): Promise<SetSum> {
  const single = claims.filter((claim): claim is Coverage => !isForMany(claim))
  let all = single.length > 0 ? await addSingleClaims(unit, single, sum) : sum
  for (const [i, claim] of claims.entries())
    if (isForMany(claim) && (await addClaimForMany(unit, claim, number + i)))
      all = plus(all, [setSum(manyClaimDigest(claim))])
  return all
}

/** Reads what the accounts have, joins here, and writes what came of it: the server never reads what it writes. */
async function addSingleClaims(
  unit: Unit,
  claims: readonly Coverage[],
  sum: SetSum,
): Promise<SetSum> {
  const accounts = [...new Set(claims.map(({ account }) => account))]
  const known = (await unit.run('coverage-of', { accounts })).map((row) => claimOf(row as ClaimRow))
  const groups = Map.groupBy([...known, ...claims], seriesOf)
  const touched = new Set(claims.map(seriesOf))
  const gone = known.filter((claim) => touched.has(seriesOf(claim)))
  const fresh = [...touched].flatMap((series) => joined(groups.get(series) ?? []))
  const kept = new Set(fresh.map(claimKey))
  const keys = gone.map(claimKey).filter((key) => !kept.has(key))
  if (keys.length > 0) await unit.run('delete-coverage', { keys })
  await unit.run('add-coverage', { claims: fresh.map(claimParameter) })
  return plus(minus(sum, gone.map(claimSum)), fresh.map(claimSum))
}

/** Claims of one series as few as they can be. */
function joined(series: readonly Coverage[]): Coverage[] {
  const [first] = series
  if (!first) return []
  const intervals = series.map(({ fromBlock, toBlock }) => ({ from: fromBlock, to: toBlock }))
  return joinIntervals(intervals).map(({ from, to }) => ({
    ...first,
    fromBlock: from,
    toBlock: to,
  }))
}

function claimSum({ account, kind, source, assurance, fromBlock, toBlock }: Coverage): SetSum {
  return memberSum([account, kind, source, assurance, fromBlock, toBlock])
}

function setSum(digest: string): SetSum {
  return memberSum([digest])
}

/** What the claims that were read add up to. */
export function coverageSum(single: readonly Row[], many: readonly Row[]): SetSum {
  return plus(0n, [
    ...single.map((row) => claimSum(claimOf(row as ClaimRow))),
    ...many.map((row) => setSum(String(row['digest']))),
  ])
}

function seriesOf({ account, kind, source, assurance }: Coverage): string {
  return JSON.stringify([account, kind, source, assurance])
}

function claimKey(claim: Coverage): string {
  const { account, kind, source, assurance, fromBlock } = claim
  return digestKey([account, kind, source, assurance, fromBlock])
}

function claimParameter(claim: Coverage): Parameter {
  const { account, kind, source, assurance, fromBlock, toBlock } = claim
  const ends = [int(fromBlock), int(toBlock)]
  return [claimKey(claim), account, accountChain(account), kind, source, int(assurance), ...ends]
}

/** @returns false when the same claim was there */
async function addClaimForMany(
  unit: Unit,
  claim: CoverageOfMany,
  number: number,
): Promise<boolean> {
  const kinds = [...claim.kinds].sort().join(' ')
  const { chain, source, assurance, fromBlock, toBlock } = claim
  const [row] = await unit.run('add-coverage-set', {
    digest: manyClaimDigest(claim),
    chain,
    kinds,
    source,
    assurance: int(assurance),
    from: int(fromBlock),
    to: int(toBlock),
    // A list that an analyst can ask: WHERE a.address IN c.accounts.
    accounts: [...claim.accounts].sort().map(accountReference),
    number: int(number),
  })
  return row?.['made'] === true
}

export function claimsForManyOf(rows: readonly Row[]): CoverageOfMany[] {
  return [...rows]
    .sort((a, b) => Number(a['number']) - Number(b['number']))
    .map((row) => {
      const accounts = (row['accounts'] as string[]).map((text) => `${row['chain']}:${text}`)
      return claimForManyOf({ ...(row as ClaimRow), accounts: JSON.stringify(accounts) })
    })
}

/** Claims in the order of the embedded store. */
export function sortedClaims(rows: readonly Row[]): Coverage[] {
  return rows
    .map((row) => claimOf(row as ClaimRow))
    .sort(
      (a, b) =>
        compareCodePoints(a.account, b.account) ||
        compareCodePoints(a.kind, b.kind) ||
        b.assurance - a.assurance ||
        compareCodePoints(a.source, b.source) ||
        a.fromBlock - b.fromBlock,
    )
}

/**
 * Ends every claim of a chain below a block, inside the caller's transaction.
 *
 * @returns the sum of all claims, given the sum before.
 */
export async function cutClaims(
  unit: Unit,
  { chain, fromBlock }: { readonly chain: ChainId; readonly fromBlock: number },
  sum: SetSum,
): Promise<SetSum> {
  const where = { chain, from: int(fromBlock) }
  const single = (await unit.run('coverage-reaching', where)).map((row) => claimOf(row as ClaimRow))
  const many = await unit.run('coverage-sets-reaching', where)
  for (const query of ['drop-coverage', 'cut-coverage', 'drop-coverage-sets', 'cut-coverage-sets'])
    await unit.run(query, where)
  const before = [...single.map(claimSum), ...many.map((row) => setSum(String(row['digest'])))]
  const after = [
    ...single
      .filter((claim) => claim.fromBlock < fromBlock)
      .map((claim) => claimSum({ ...claim, toBlock: fromBlock - 1 })),
    ...many
      .filter((row) => Number(row['from_block']) < fromBlock)
      .map((row) => setSum(`${row['digest']} cut ${fromBlock}`)),
  ]
  return plus(minus(sum, before), after)
}
