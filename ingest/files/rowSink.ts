import type { Account } from '../../src/ledger/account.ts'
import type { Coverage, CoverageOfMany } from '../../src/ledger/coverage.ts'
import { KnownError } from '../../src/ledger/errors.ts'
import type { Finding } from '../../src/ledger/reconcile.ts'
import type { Transfer } from '../../src/ledger/transfer.ts'
import {
  BatchReader,
  type TransferBatch,
  TransferBatchBuilder,
} from '../../src/ledger/transferBatch.ts'
import type { Appender } from '../../src/store/store.ts'
import type { Refusals } from './refusals.ts'

/** Where readers put rows: batches of one source, appended as they fill. */
export interface RowSink {
  /** For fast readers: fill it row by row, then call {@link RowSink.noted}. */
  readonly builder: TransferBatchBuilder
  /** A row was put into `builder` directly: where it stood. */
  noted(file: string, line: number): void
  add(transfer: Transfer, file: string, line: number): void
  /** Stores what is full; readers wait for it between chunks. */
  flush(): Promise<void>
  /** Stores the rest together with the coverage it completes. */
  finish(coverage: (seen: SeenAccounts) => readonly (Coverage | CoverageOfMany)[]): Promise<void>
  readonly totals: SinkTotals
}

export interface SinkTotals {
  readonly rows: number
  readonly added: number
  readonly known: number
  readonly superseded: number
  readonly findings: readonly Finding[]
}

/** Every account that a command's rows name, and the blocks they span, per chain. */
export interface SeenAccounts {
  readonly chains: ReadonlyMap<
    string,
    { readonly accounts: ReadonlySet<Account>; readonly lowest: number; readonly highest: number }
  >
}

const batchRows = 8192

export function createRowSink(
  appender: Appender,
  told: { readonly source: string; readonly collectAccounts: boolean },
  refusals: Refusals,
): RowSink {
  const builder = new TransferBatchBuilder()
  const totals = { rows: 0, added: 0, known: 0, superseded: 0, findings: [] as Finding[] }
  const seen = new Map<string, { accounts: Set<Account>; lowest: number; highest: number }>()
  const waiting: { batch: TransferBatch; places: Place[] }[] = []
  let places: Place[] = []

  function cut(): void {
    if (builder.length === 0) return
    waiting.push({ batch: builder.build(), places })
    builder.reset()
    places = []
  }

  function noted(file: string, line: number): void {
    places.push({ file, line })
    totals.rows++
    if (builder.length >= batchRows) cut()
  }

  async function store(
    batch: TransferBatch,
    at: readonly Place[],
    coverage: readonly (Coverage | CoverageOfMany)[],
  ): Promise<void> {
    try {
      const result = await appender.append({
        transfers: batch,
        source: told.source,
        assurance: 0,
        coverage,
      })
      totals.added += result.added
      totals.known += result.known
      totals.superseded += result.superseded
      totals.findings.push(...result.findings)
      if (told.collectAccounts) noteAccounts(batch, seen)
    } catch (error) {
      const row =
        error instanceof KnownError && error.code === 'transfer.invalid'
          ? Number(error.facts['row'])
          : -1
      const place = at[row]
      if (!place || !(error instanceof KnownError)) throw error
      refusals.add({
        ...place,
        field: 'time',
        value: String(error.facts['value']),
        message: error.message,
        hint: error.hint ?? '',
      })
      const rest = withoutContext(batch, row)
      totals.rows -= batch.length - rest.batch.length
      await store(
        rest.batch,
        rest.kept.map((i) => at[i] as Place),
        coverage,
      )
    }
  }

  return {
    builder,
    noted,
    add(transfer, file, line) {
      builder.add(transfer)
      noted(file, line)
    },
    async flush() {
      for (const { batch, places: at } of waiting.splice(0)) await store(batch, at, [])
    },
    async finish(coverage) {
      cut()
      for (const { batch, places: at } of waiting.splice(0)) await store(batch, at, [])
      const claims = coverage({ chains: seen })
      if (claims.length > 0)
        await appender.append({
          transfers: [],
          source: told.source,
          assurance: 0,
          coverage: claims,
        })
    },
    totals,
  }
}

interface Place {
  readonly file: string
  readonly line: number
}

/** The batch without the rows that share the block and time of one row. */
function withoutContext(
  batch: TransferBatch,
  row: number,
): { batch: TransferBatch; kept: number[] } {
  const { contexts, rows } = batch
  const bad = rows.context[row] as number
  const builder = new TransferBatchBuilder()
  const reader = new BatchReader(batch)
  const kept: number[] = []
  for (let i = 0; i < batch.length; i++) {
    const context = rows.context[i] as number
    const same =
      contexts.block[context] === contexts.block[bad] &&
      contexts.time[context] === contexts.time[bad]
    if (same && contexts.chain[context] === contexts.chain[bad]) continue
    builder.add(reader.transfer(i))
    kept.push(i)
  }
  return { batch: builder.build(), kept }
}

function noteAccounts(
  batch: TransferBatch,
  seen: Map<string, { accounts: Set<Account>; lowest: number; highest: number }>,
): void {
  const reader = new BatchReader(batch)
  const entry = (chain: string): { accounts: Set<Account>; lowest: number; highest: number } => {
    const known = seen.get(chain) ?? {
      accounts: new Set(),
      lowest: Number.POSITIVE_INFINITY,
      highest: -1,
    }
    seen.set(chain, known)
    return known
  }
  for (let i = 0; i < batch.accounts.ends.length; i++) {
    const account = reader.account(i)
    entry(account.slice(0, account.lastIndexOf(':'))).accounts.add(account)
  }
  const { contexts, chains } = batch
  for (let i = 0; i < contexts.block.length; i++) {
    const known = entry(chains[contexts.chain[i] as number] as string)
    known.lowest = Math.min(known.lowest, contexts.block[i] as number)
    known.highest = Math.max(known.highest, contexts.block[i] as number)
  }
}
