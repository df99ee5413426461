import { createHash } from 'node:crypto'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AssetId } from '../ledger/asset.ts'
import type { ChainId } from '../ledger/chain.ts'
import { jejakCsvHeader } from '../ledger/jejakCsv.ts'
import { BatchReader } from '../ledger/transferBatch.ts'
import type { LogEntry, Store } from '../store/store.ts'
import { highestBlocks } from './buildColumns.ts'
import { plainLines } from './contentDigest.ts'
import { type RawRows, RawRowsBuilder } from './rawRows.ts'
import { sortRows } from './sortRows.ts'
import { createSpill, type Spill } from './spill.ts'

/** What answers say of a whole ledger, for who has only a part of it in memory. */
export interface LedgerSummary {
  readonly storeId: string
  readonly sequence: number
  /** Content digest, as a generation has it. */
  readonly digest: string
  /** Canonical transfers. */
  readonly transfers: number
  /** Chains and assets in the order in which a generation numbers them. */
  readonly chains: readonly ChainId[]
  readonly assets: readonly AssetId[]
  readonly highest: readonly (readonly [ChainId, number, string | null])[]
}

export interface SummaryOptions {
  /** Folder for the rows on their way, a hundred bytes each, and for the summary itself. */
  readonly folder: string
  /** Rows to hold in memory at once, about 300 bytes each. */
  readonly rowsAtOnce: number
}

/** Rows are sorted apart by the ten minutes they are in: blocks of one moment are never parted. */
const secondsTogether = 600

const mostParts = 256

const fileName = 'ledger.summary.json'

/**
 * Reads the whole log in bounded memory: rows are laid aside on disk by spans of time that fit, then each span is put
 * in order and hashed. The same digest as of a generation, byte for byte.
 *
 * Cost: the log is read twice and its rows written once; memory is that of one span, one bit a row, and the assets.
 */
export async function summarise(store: Store, options: SummaryOptions): Promise<LedgerSummary> {
  const { id, sequence } = await store.state()
  const survey = await surveyLog(store, sequence)
  const spans = spansOf(survey.counts, Math.max(options.rowsAtOnce, survey.rows / mostParts))
  const spill = createSpill(options.folder, spans.count)
  try {
    await layAside(store, { sequence, survey, spans, spill })
    return { storeId: id, sequence, ...hashed(spill, spans.count), ...namesOf(survey) }
  } finally {
    spill.close()
  }
}

interface Survey {
  readonly chains: Set<ChainId>
  readonly assets: Set<AssetId>
  /** One bit per sequence number, set for rows that a tombstone names. */
  readonly dead: Uint8Array
  /** Rows by ten minutes. */
  readonly counts: Map<number, number>
  rows: number
}

function namesOf({ chains, assets }: Survey): Pick<LedgerSummary, 'chains' | 'assets'> {
  return { chains: [...chains], assets: [...assets] }
}

async function* entriesTo(store: Store, sequence: number): AsyncGenerator<LogEntry> {
  for await (const entry of store.readLog(0)) {
    if (entry.firstSequence > sequence) return
    yield entry
  }
}

async function surveyLog(store: Store, sequence: number): Promise<Survey> {
  const survey: Survey = {
    chains: new Set(),
    assets: new Set(),
    dead: new Uint8Array(Math.floor(sequence / 8) + 1),
    counts: new Map(),
    rows: 0,
  }
  for await (const entry of entriesTo(store, sequence)) {
    if (entry.type === 'tombstones') {
      for (const row of entry.dead)
        survey.dead[row >> 3] = (survey.dead[row >> 3] as number) | (1 << (row & 7))
      continue
    }
    const { batch } = entry
    for (const chain of batch.chains) survey.chains.add(chain)
    for (const asset of batch.assets) survey.assets.add(asset)
    survey.rows += batch.length
    for (const context of batch.rows.context) {
      const time = spanTime(batch.contexts.time[context] as number)
      survey.counts.set(time, (survey.counts.get(time) ?? 0) + 1)
    }
  }
  return survey
}

function spanTime(time: number): number {
  return Math.floor(time / secondsTogether)
}

interface Spans {
  readonly count: number
  readonly spanOf: ReadonlyMap<number, number>
}

/** Neighbouring moments together, until they have enough rows. */
function spansOf(counts: ReadonlyMap<number, number>, rowsAtOnce: number): Spans {
  const spanOf = new Map<number, number>()
  let count = 0
  let rows = Number.POSITIVE_INFINITY
  for (const [time, here] of [...counts].sort(([a], [b]) => a - b)) {
    if (rows + here > rowsAtOnce) {
      count++
      rows = 0
    }
    rows += here
    spanOf.set(time, count - 1)
  }
  return { count, spanOf }
}

async function layAside(
  store: Store,
  given: {
    readonly sequence: number
    readonly survey: Survey
    readonly spans: Spans
    readonly spill: Spill
  },
): Promise<void> {
  const { dead } = given.survey
  for await (const entry of entriesTo(store, given.sequence)) {
    if (entry.type !== 'transfers') continue
    const { batch, firstSequence } = entry
    const reader = new BatchReader(batch)
    for (let row = 0; row < batch.length; row++) {
      const sequence = firstSequence + row
      if ((dead[sequence >> 3] as number) & (1 << (sequence & 7))) continue
      const time = batch.contexts.time[batch.rows.context[row] as number] as number
      given.spill.add(given.spans.spanOf.get(spanTime(time)) ?? 0, reader.transfer(row))
    }
  }
}

/** Span after span in ledger order. */
function hashed(
  spill: Spill,
  spans: number,
): Pick<LedgerSummary, 'digest' | 'transfers' | 'highest'> {
  const hash = createHash('sha256').update(`${jejakCsvHeader}\n`)
  const highest = new Map<ChainId, readonly [ChainId, number, string | null]>()
  let transfers = 0
  for (let span = 0; span < spans; span++) {
    const raw = rowsOf(spill, span)
    const sorted = sortRows(raw)
    for (const text of plainLines(raw, sorted.order, 0)) hash.update(text)
    for (const found of highestBlocks(raw, sorted)) {
      const [chain, block] = found
      if ((highest.get(chain)?.[1] ?? -1) < block) highest.set(chain, found)
    }
    transfers += sorted.order.length
  }
  return { digest: hash.digest('hex'), transfers, highest: [...highest.values()] }
}

function rowsOf(spill: Spill, span: number): RawRows {
  const rows = new RawRowsBuilder(spill.rows(span))
  let firstSequence = 1
  for (const batch of spill.read(span)) {
    rows.add({ type: 'transfers', firstSequence, batch, source: '', assurance: 0 })
    firstSequence += batch.length
  }
  return rows.done()
}

/** Keeps a summary beside the store; the old one stays until the new one is whole. */
export function saveSummary(folder: string, summary: LedgerSummary): void {
  const partial = join(folder, `${fileName}.${process.pid}.part`)
  writeFileSync(partial, JSON.stringify(summary), { mode: 0o600 })
  renameSync(partial, join(folder, fileName))
}

/** The summary that is kept beside a store; undefined unless it is of exactly this store and log sequence. */
export function loadSummary(
  folder: string,
  wanted: { readonly storeId: string; readonly sequence: number },
): LedgerSummary | undefined {
  try {
    const summary = JSON.parse(readFileSync(join(folder, fileName), 'utf8')) as LedgerSummary
    const { storeId, sequence } = summary
    return storeId === wanted.storeId && sequence === wanted.sequence ? summary : undefined
  } catch {
    // Only a copy: whatever is wrong with it, the log has the original.
    return undefined
  }
}
