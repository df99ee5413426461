import { compareContent, compareText } from './order.ts'
import { type Transfer, transferId } from './transfer.ts'

/**
 * One movement, several sources (design section 3). The rows of one transaction may come from a node, an
 * explorer and a file with different positions. Equal multisets of (transaction, asset, from, to, amount) are
 * one movement: the best assurance wins, the other rows are superseded. What contradicts is a finding.
 *
 * The answer depends on the set of observations alone, never on which came first. Where equal assurances
 * disagree on how often a movement happened, the source that saw it most often wins and a finding says so,
 * unless the smaller set of ids is simply part of the larger.
 *
 * Proven rows (assurance 3) are all that receipts and signatures tell of their transaction: its fee, its value and its
 * token logs. So a fee or token log that they do not have did not happen, and they say nothing of the calls inside the
 * transaction: beside them internal movements are compared among themselves.
 */

/** How well it is proven that a row happened: 3 proven, 2 two providers, 1 one node, 0 a file or explorer. */
export type Assurance = 0 | 1 | 2 | 3

/** A transfer as one source told it. */
export interface Observation {
  readonly transfer: Transfer
  /** Names the source: one node or explorer, or one import command. Rows of one source never repeat a movement. */
  readonly source: string
  readonly assurance: Assurance
}

/** Two sources that cannot both be right. Shown to the operator, never merged. */
export interface Finding {
  readonly kind: 'content' | 'count' | 'block' | 'time'
  readonly chain: string
  readonly tx: string
  /** One sentence with the values in it. */
  readonly text: string
}

export interface Reconciled<O extends Observation> {
  readonly canonical: readonly O[]
  readonly superseded: readonly O[]
  readonly findings: readonly Finding[]
}

/**
 * @param observations - every row that is not orphaned of one transaction, from all sources.
 */
export function reconcile<O extends Observation>(observations: readonly O[]): Reconciled<O> {
  const sorted = [...observations].sort(betterFirst)
  const byId = bestPerId(sorted)
  const movements = bySource(sorted)
  const canonical = new Set([...movements.values()].flatMap((sources) => best(sources)))
  const refuted = refutedRows(sorted, canonical)
  for (const row of refuted) canonical.delete(row)
  const findings = [
    ...contentFindings(sorted),
    ...refuted.map(refutation),
    ...countFindings(movements),
    ...blockFindings(sorted),
  ]
  // A row that contradicts a better one under the same id has its own (asset, from, to, amount), so no
  // multiset comparison drops it: the id decides. Where both say the same, the comparison has decided already.
  for (const row of canonical) {
    const better = byId.get(transferId(row.transfer))
    if (better && movementKey(better) !== movementKey(row)) canonical.delete(row)
  }
  return {
    canonical: sorted.filter((row) => canonical.has(row)),
    superseded: sorted.filter((row) => !canonical.has(row)),
    findings,
  }
}

function betterFirst(a: Observation, b: Observation): number {
  return (
    b.assurance - a.assurance ||
    knownFields(b.transfer) - knownFields(a.transfer) ||
    compareContent(a.transfer, b.transfer) ||
    a.transfer.block - b.transfer.block ||
    compareText(a.transfer.blockHash ?? '', b.transfer.blockHash ?? '') ||
    a.transfer.time - b.transfer.time ||
    compareText(a.source, b.source) ||
    compareText(placeText(a.transfer), placeText(b.transfer))
  )
}

/** What is left to tell two rows apart, so that no order of arrival can. */
function placeText({ txIndex, signer, flags }: Transfer): string {
  return `${txIndex ?? ''} ${signer ?? ''} ${flags.join(' ')}`
}

/** Of two rows that say the same, the one that knows its place in the block says more. */
function knownFields(row: Transfer): number {
  return (
    (row.txIndex === undefined ? 0 : 4) +
    (row.blockHash === undefined ? 0 : 2) +
    (row.signer === undefined ? 0 : 1)
  )
}

function bestPerId<O extends Observation>(sorted: readonly O[]): Map<string, O> {
  const best = new Map<string, O>()
  for (const row of sorted) {
    const id = transferId(row.transfer)
    if (!best.has(id)) best.set(id, row)
  }
  return best
}

function movementKey({ transfer }: Observation): string {
  return `${transfer.asset} ${transfer.from ?? ''} ${transfer.to ?? ''} ${transfer.amount}`
}

/**
 * Rows that would count, but that a proof of the same transaction does not have. Rows with flags are left: an older proof
 * may not have read those events.
 */
function refutedRows<O extends Observation>(
  sorted: readonly O[],
  canonical: ReadonlySet<O>,
): readonly O[] {
  const [first] = sorted
  if (first?.assurance !== 3) return []
  const rows = sorted.filter((row) => row.assurance === 3)
  const proven = new Set(rows.map(movementKey))
  const ids = new Set(rows.map((row) => transferId(row.transfer)))
  return sorted.filter(
    (row) =>
      row.assurance < 3 &&
      (row.transfer.kind === 'token' || row.transfer.kind === 'fee') &&
      row.transfer.flags.length === 0 &&
      canonical.has(row) &&
      !ids.has(transferId(row.transfer)) &&
      !proven.has(movementKey(row)),
  )
}

function refutation(row: Observation): Finding {
  const { chain, tx } = row.transfer
  const text = `${transferId(row.transfer)}: ${row.source} says ${movementKey(row)}, the proven transaction does not have it`
  return { kind: 'content', chain, tx, text }
}

/** For each movement the rows of each source. */
function bySource<O extends Observation>(sorted: readonly O[]): Map<string, O[][]> {
  const isProven = sorted[0]?.assurance === 3
  const movements = new Map<string, Map<string, O[]>>()
  for (const row of sorted) {
    const apart = isProven && row.transfer.kind === 'internal' ? ' (internal)' : ''
    const key = `${movementKey(row)}${apart}`
    const sources = movements.get(key) ?? new Map<string, O[]>()
    movements.set(key, sources)
    sources.set(row.source, withoutRepeats([...(sources.get(row.source) ?? []), row]))
  }
  return new Map([...movements].map(([key, sources]) => [key, [...sources.values()]]))
}

/** One source may hold the same id twice, in another block after a reorganisation it did not notice. */
function withoutRepeats<O extends Observation>(rows: O[]): O[] {
  const last = rows.at(-1)
  if (!last) return rows
  const id = transferId(last.transfer)
  const repeated = rows.slice(0, -1).some((row) => transferId(row.transfer) === id)
  return repeated ? rows.slice(0, -1) : rows
}

/** The rows of one source: the best assured, among equals the one that saw most. */
function best<O extends Observation>(sources: readonly (readonly O[])[]): readonly O[] {
  let winner: readonly O[] = []
  for (const rows of sources) {
    const [first] = rows
    const [leader] = winner
    if (!first) continue
    const better =
      leader === undefined ||
      first.assurance > leader.assurance ||
      (first.assurance === leader.assurance && rows.length > winner.length)
    if (better) winner = rows
  }
  return winner
}

function contentFindings(sorted: readonly Observation[]): Finding[] {
  const findings: Finding[] = []
  const first = new Map<string, Observation>()
  for (const row of sorted) {
    const id = transferId(row.transfer)
    const known = first.get(id)
    if (!known) first.set(id, row)
    else if (movementKey(known) !== movementKey(row)) {
      const text = `${id}: ${known.source} says ${movementKey(known)}, ${row.source} says ${movementKey(row)}`
      findings.push({ kind: 'content', chain: row.transfer.chain, tx: row.transfer.tx, text })
    }
  }
  return findings
}

function countFindings(movements: ReadonlyMap<string, readonly Observation[][]>): Finding[] {
  const findings: Finding[] = []
  for (const [key, sources] of movements) {
    const winner = best(sources)
    const ids = new Set(winner.map((row) => transferId(row.transfer)))
    const [leader] = winner
    for (const rows of sources) {
      const [row] = rows
      if (!row || !leader || rows.length === winner.length) continue
      if (rows.length < winner.length && rows.every((r) => ids.has(transferId(r.transfer))))
        continue
      const { chain, tx } = row.transfer
      const text = `${tx}: ${leader.source} saw "${key}" ${winner.length} times, ${row.source} ${rows.length} times`
      findings.push({ kind: 'count', chain, tx, text })
    }
  }
  return findings
}

function blockFindings(sorted: readonly Observation[]): Finding[] {
  const [first, ...rest] = sorted
  if (!first) return []
  const other = rest.find((row) => row.transfer.block !== first.transfer.block)
  const { chain, tx } = first.transfer
  const findings: Finding[] = []
  if (other) {
    const text = `${tx}: ${first.source} has it in block ${first.transfer.block}, ${other.source} in ${other.transfer.block}`
    findings.push({ kind: 'block', chain, tx, text })
  }
  const late = rest.find(
    (row) =>
      row.transfer.block === first.transfer.block && row.transfer.time !== first.transfer.time,
  )
  if (late) {
    const text = `block ${late.transfer.block}: ${first.source} says time ${first.transfer.time}, ${late.source} says ${late.transfer.time}`
    findings.push({ kind: 'time', chain, tx, text })
  }
  return findings
}
