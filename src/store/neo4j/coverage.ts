import { accountChain, accountReference } from '../../ledger/account.ts'
import type { ChainId } from '../../ledger/chain.ts'
import { type Coverage, type CoverageOfMany, joinIntervals } from '../../ledger/coverage.ts'
import { claimForManyOf, claimOf, isForMany, manyClaimDigest } from '../coverageTable.ts'
import type { Row as ClaimRow } from '../sqliteFile.ts'
import { int, type Parameter, type Row, type Unit } from './connection.ts'
import { compareCodePoints, digestKey } from './keys.ts'

/**
 * Adds claims inside the caller's transaction, which holds the lock of the store; touching claims of one source become
 * one, as in the embedded store.
 *
 * @param number - orders claims for many accounts: larger than any before.
 */
export async function addClaims(
  unit: Unit,
  claims: readonly (Coverage | CoverageOfMany)[],
  number: number,
): Promise<void> {
  const single = claims.filter((claim): claim is Coverage => !isForMany(claim))
  if (single.length > 0) await addSingleClaims(unit, single)
  for (const [i, claim] of claims.entries())
    if (isForMany(claim)) await addClaimForMany(unit, claim, number + i)
}

/** Reads what the accounts have, joins here, and writes what came of it: the server never reads what it writes. */
async function addSingleClaims(unit: Unit, claims: readonly Coverage[]): Promise<void> {
  const accounts = [...new Set(claims.map(({ account }) => account))]
  const known = (await unit.run('coverage-of', { accounts })).map((row) => claimOf(row as ClaimRow))
  const groups = Map.groupBy([...known, ...claims], seriesOf)
  const touched = new Set(claims.map(seriesOf))
  const [gone, fresh]: [Coverage[], Coverage[]] = [[], []]
  for (const series of touched) {
    const all = groups.get(series) ?? []
    const joined = joinIntervals(
      all.map(({ fromBlock, toBlock }) => ({ from: fromBlock, to: toBlock })),
    )
    const [first] = all
    if (!first) continue
    for (const { from, to } of joined) fresh.push({ ...first, fromBlock: from, toBlock: to })
    gone.push(...known.filter((claim) => seriesOf(claim) === series))
  }
  const kept = new Set(fresh.map(claimKey))
  const keys = gone.map(claimKey).filter((key) => !kept.has(key))
  if (keys.length > 0) await unit.run('delete-coverage', { keys })
  await unit.run('add-coverage', { claims: fresh.map(claimParameter) })
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

async function addClaimForMany(unit: Unit, claim: CoverageOfMany, number: number): Promise<void> {
  const kinds = [...claim.kinds].sort().join(' ')
  const { chain, source, assurance, fromBlock, toBlock } = claim
  await unit.run('add-coverage-set', {
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

/** Ends every claim of a chain below a block, inside the caller's transaction. */
export async function cutClaims(unit: Unit, chain: ChainId, fromBlock: number): Promise<void> {
  const where = { chain, from: int(fromBlock) }
  for (const query of ['drop-coverage', 'cut-coverage', 'drop-coverage-sets', 'cut-coverage-sets'])
    await unit.run(query, where)
}
