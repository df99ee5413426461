import { createHash } from 'node:crypto'
import type { Account } from '../ledger/account.ts'
import type { ChainId } from '../ledger/chain.ts'
import { type Coverage, type CoverageOfMany, joinIntervals } from '../ledger/coverage.ts'
import type { Assurance } from '../ledger/reconcile.ts'
import type { Kind } from '../ledger/transfer.ts'
import type { Connection, Row } from './sqliteFile.ts'

export function isForMany(claim: Coverage | CoverageOfMany): claim is CoverageOfMany {
  return 'accounts' in claim
}

/** Adds a claim, joined with those of the same source that touch it. Runs inside the caller's transaction. */
export function addClaim(connection: Connection, claim: Coverage | CoverageOfMany): void {
  if (isForMany(claim)) addClaimForMany(connection, claim)
  else addSingleClaim(connection, claim)
}

function addSingleClaim(connection: Connection, claim: Coverage): void {
  const { account, kind, source, assurance } = claim
  const key = { account, kind, source, assurance }
  const range = { from: claim.fromBlock, to: claim.toBlock }
  const touching = connection.all('touching-coverage', { ...key, ...range })
  const known = touching.map((row) => ({
    from: Number(row['from_block']),
    to: Number(row['to_block']),
  }))
  const [joined = range] = joinIntervals([range, ...known])
  for (const { from } of known) connection.run('delete-coverage', { ...key, from })
  connection.run('add-coverage', { ...key, ...joined })
}

function addClaimForMany(connection: Connection, claim: CoverageOfMany): void {
  const { chain, source, assurance, fromBlock: from, toBlock: to } = claim
  connection.run('add-coverage-set', {
    digest: manyClaimDigest(claim),
    chain,
    kinds: [...claim.kinds].sort().join(' '),
    source,
    assurance,
    from,
    to,
    accounts: JSON.stringify([...claim.accounts].sort()),
  })
}

/** Equal claims have equal digests, whatever the order of their accounts and kinds. */
export function manyClaimDigest(claim: CoverageOfMany): string {
  const { chain, source, assurance, fromBlock, toBlock } = claim
  const kinds = [...claim.kinds].sort().join(' ')
  return createHash('sha256')
    .update(JSON.stringify([chain, kinds, source, assurance, fromBlock, toBlock]))
    .update(JSON.stringify([...claim.accounts].sort()))
    .digest('hex')
}

export function claimOf(row: Row): Coverage {
  return {
    account: String(row['account']) as Account,
    kind: String(row['kind']) as Kind,
    fromBlock: Number(row['from_block']),
    toBlock: Number(row['to_block']),
    assurance: Number(row['assurance']) as Assurance,
    source: String(row['source']),
  }
}

export function claimForManyOf(row: Row): CoverageOfMany {
  return {
    chain: String(row['chain']) as ChainId,
    accounts: JSON.parse(String(row['accounts'])) as Account[],
    kinds: String(row['kinds']).split(' ') as Kind[],
    fromBlock: Number(row['from_block']),
    toBlock: Number(row['to_block']),
    assurance: Number(row['assurance']) as Assurance,
    source: String(row['source']),
  }
}

/** Claims for some accounts, those made for many accounts among them, touching intervals of one source joined. */
export function claimsFor(
  single: readonly Coverage[],
  accounts: ReadonlySet<Account>,
  forMany: readonly CoverageOfMany[],
): Coverage[] {
  const claims = [...single]
  for (const many of forMany) {
    const { accounts: members, kinds, ...rest } = many
    const wanted = members.filter((account) => accounts.has(account))
    for (const account of wanted) {
      for (const kind of kinds) claims.push({ ...withoutChain(rest), account, kind })
    }
  }
  return joinClaims(claims)
}

function withoutChain({
  chain: _,
  ...rest
}: Omit<CoverageOfMany, 'accounts' | 'kinds'>): Omit<Coverage, 'account' | 'kind'> {
  return rest
}

function joinClaims(claims: readonly Coverage[]): Coverage[] {
  const groups = new Map<string, Coverage[]>()
  for (const claim of claims) {
    const key = `${claim.account} ${claim.kind} ${9 - claim.assurance} ${claim.source}`
    groups.set(key, [...(groups.get(key) ?? []), claim])
  }
  const sorted = [...groups].sort(([a], [b]) => (a < b ? -1 : 1))
  return sorted.flatMap(([, group]) => {
    const intervals = group.map((claim) => ({ from: claim.fromBlock, to: claim.toBlock }))
    const [first] = group
    if (!first) return []
    return joinIntervals(intervals).map(({ from, to }) => ({
      ...first,
      fromBlock: from,
      toBlock: to,
    }))
  })
}

/** Ends every claim of a chain below a block. Runs inside the caller's transaction. */
export function cutClaims(connection: Connection, chain: ChainId, from: number): void {
  const accounts = { low: `${chain}:`, high: `${chain};` }
  connection.run('drop-coverage', { ...accounts, from })
  connection.run('cut-coverage', { ...accounts, from })
  connection.run('drop-coverage-sets', { chain, from })
  connection.run('cut-coverage-sets', { chain, from })
}
