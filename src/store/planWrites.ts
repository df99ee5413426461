import type { ChainId } from '../ledger/chain.ts'
import { KnownError } from '../ledger/errors.ts'
import type { Assurance, Finding, Observation } from '../ledger/reconcile.ts'
import {
  batchOf,
  keyAt,
  type TransferBatch,
  TransferBatchBuilder,
} from '../ledger/transferBatch.ts'
import type { LogState } from './logState.ts'
import { type Log, mergeBatch, revivedRows } from './mergeBatch.ts'
import type { Append, AppendResult, LogEntry, PlacedFinding } from './store.ts'

/**
 * What a write adds to the log, decided from what is known of it before anything is written: the one place where
 * rows are recognised, replaced and revived, whatever keeps the log. Planning notes the entries in the state, so a
 * state whose plan was not stored is to be thrown away.
 */
export interface Plan {
  /** In order, with the sequence numbers they will have. */
  readonly entries: readonly LogEntry[]
  readonly findings: readonly PlacedFinding[]
}

export interface AppendPlan extends Plan {
  readonly result: AppendResult
}

/** @throws KnownError `transfer.invalid` when a file contradicts the known times of blocks */
export function planAppend(given: Append, log: Log): AppendPlan {
  const { state } = log
  const batch = columnsOf(given.transfers)
  const timeFindings = checkTimes(batch, state, given)
  const merged = mergeBatch(batch, given, log)
  const first = state.sequence + 1
  const entries: LogEntry[] = []
  const add = (entry: LogEntry): void => {
    state.note(entry)
    entries.push(entry)
  }
  if (merged.batch.length > 0) {
    const { source, assurance } = given
    add({ type: 'transfers', firstSequence: first, batch: merged.batch, source, assurance })
  }
  const dead = [
    ...merged.superseded.filter((row) => !state.isSuperseded(row)),
    ...merged.supersededRows.map((row) => first + row),
  ]
  if (dead.length > 0) add(tombstones(state, { dead, reason: 'superseded' }))
  for (const entry of toldAnew(merged.revived, state)) add(entry)
  const blocks = blocksOf(batch, merged.findings)
  const findings = [
    ...timeFindings,
    ...merged.findings.map((finding) => ({ finding, block: blocks.get(finding.tx) ?? 0 })),
  ]
  return {
    entries,
    findings,
    result: {
      added: merged.batch.length,
      known: merged.known,
      superseded: dead.length,
      findings: findings.map(({ finding }) => finding),
      sequence: state.sequence,
    },
  }
}

export function columnsOf(transfers: Append['transfers']): TransferBatch {
  return Array.isArray(transfers) ? batchOf(transfers) : (transfers as TransferBatch)
}

interface RollBack {
  readonly chain: ChainId
  readonly fromBlock: number
}

/** Rows of a chain from a block on that are not orphaned yet. Reads the segments of {@link LogState.segmentsFrom}. */
export function orphansFrom(log: Log, { chain: name, fromBlock }: RollBack): number[] {
  const { state } = log
  const dead: number[] = []
  for (const number of state.segmentsFrom(name, fromBlock)) {
    const { batch, firstSequence } = log.segment(number)
    const { contexts, rows, chains } = batch
    const chain = chains.indexOf(name)
    for (let row = 0; row < batch.length; row++) {
      const context = rows.context[row] as number
      const reached =
        contexts.chain[context] === chain && (contexts.block[context] as number) >= fromBlock
      if (reached && !state.isOrphaned(firstSequence + row)) dead.push(firstSequence + row)
    }
  }
  return dead
}

/** Tombstones for the orphans, and the rows that had lost to them told anew. */
export function planRollBack(orphans: readonly number[], rollBack: RollBack, log: Log): Plan {
  const { state } = log
  const entries: LogEntry[] = []
  if (orphans.length === 0) state.blockTimes(rollBack.chain).cut(rollBack.fromBlock)
  else {
    const entry = tombstones(state, { dead: orphans, reason: 'orphaned', rollBack })
    state.note(entry)
    entries.push(entry)
  }
  for (const entry of toldAnew(revivedAfter(log, orphans), state)) {
    state.note(entry)
    entries.push(entry)
  }
  return { entries, findings: [] }
}

/** The segments that {@link planRollBack} may ask for besides those of the orphans themselves. */
export function segmentsAround(log: Log, orphans: readonly number[]): ReadonlySet<number> {
  const found = new Set<number>()
  for (const { segments } of transactionsOf(log, orphans)) for (const s of segments) found.add(s)
  return found
}

type Tombstones = Extract<LogEntry, { type: 'tombstones' }>

function tombstones(
  state: LogState,
  given: Pick<Tombstones, 'reason' | 'rollBack'> & { readonly dead: readonly number[] },
): Tombstones {
  return {
    ...given,
    type: 'tombstones',
    dead: Uint32Array.from(given.dead),
    firstSequence: state.sequence + 1,
  }
}

/** Rows appended anew, each as the source that told it. The log never takes a tombstone back. */
function* toldAnew(rows: readonly Observation[], state: LogState): Generator<LogEntry> {
  const bySource = Map.groupBy(rows, ({ source, assurance }) => `${assurance} ${source}`)
  for (const told of bySource.values()) {
    const { source, assurance } = told[0] as { source: string; assurance: Assurance }
    const batch = batchOf(told.map(({ transfer }) => transfer))
    yield { type: 'transfers', firstSequence: state.sequence + 1, batch, source, assurance }
  }
}

interface KnownTransaction {
  readonly key: Uint8Array
  readonly chain: ChainId
  readonly segments: readonly number[]
}

/** The transactions of some rows. Nothing is read unless a transaction ever had several sources. */
function* transactionsOf(log: Log, rows: readonly number[]): Generator<KnownTransaction> {
  const { state } = log
  const seen = new Set<string>()
  for (const sequence of state.supersededAny ? rows : []) {
    const { batch, firstSequence } = log.segment(state.segmentAt(sequence))
    const context = batch.rows.context[sequence - firstSequence] as number
    const chain = batch.chains[batch.contexts.chain[context] as number] as ChainId
    const key = keyAt(batch.transactions, batch.contexts.transaction[context] as number)
    const name = `${chain} ${Buffer.from(key).toString('latin1')}`
    if (seen.has(name)) continue
    seen.add(name)
    yield { key, chain, segments: state.segmentsOf(key, chain) }
  }
}

/** Rows that had lost to rows that are orphans now. */
function revivedAfter(log: Log, orphans: readonly number[]): Observation[] {
  return [...transactionsOf(log, orphans)].flatMap((transaction) => revivedRows(transaction, log))
}

/** A transaction's hash or name as a batch keeps it. */
export function transactionKey(tx: string): Uint8Array {
  const builder = new TransferBatchBuilder()
  builder.transactionText(tx)
  return builder.build().transactions.pool
}

/** The block in which a batch has each of its transactions, by the text of the transaction. */
function blocksOf(batch: TransferBatch, findings: readonly Finding[]): Map<string, number> {
  const wanted = new Map(
    findings.map(({ tx }) => [Buffer.from(transactionKey(tx)).toString('latin1'), tx]),
  )
  const blocks = new Map<string, number>()
  const { contexts } = batch
  for (let i = 0; wanted.size > 0 && i < contexts.transaction.length; i++) {
    const key = keyAt(batch.transactions, contexts.transaction[i] as number)
    const tx = wanted.get(Buffer.from(key).toString('latin1'))
    if (tx !== undefined && !blocks.has(tx)) blocks.set(tx, contexts.block[i] as number)
  }
  return blocks
}

/** One block has one time, and time never decreases: refused from a file, a finding from a node. */
function checkTimes(batch: TransferBatch, log: LogState, given: Append): PlacedFinding[] {
  const { contexts, chains } = batch
  const findings: PlacedFinding[] = []
  for (let i = 0; i < contexts.block.length; i++) {
    const chain = chains[contexts.chain[i] as number] as ChainId
    const block = contexts.block[i] as number
    const time = contexts.time[i] as number
    const against = log.blockTimes(chain).note(block, time)
    if (against === undefined) continue
    const text = `block ${block} at time ${time} contradicts block ${against.block} at time ${against.time}`
    if (given.assurance === 0) throw contradictedTime(batch, i, text)
    findings.push({ finding: { kind: 'time', chain, tx: `block:${block}`, text }, block })
  }
  return findings
}

function contradictedTime(batch: TransferBatch, context: number, text: string): KnownError {
  const row = batch.rows.context.indexOf(context)
  return new KnownError('transfer.invalid', text, {
    facts: { field: 'time', value: batch.contexts.time[context] as number, row },
    hint: 'Within a chain one block has one time and time never decreases with block: correct the row.',
  })
}
