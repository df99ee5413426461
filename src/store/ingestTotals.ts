import { conflictIn } from './conflict.ts'
import type { Store } from './store.ts'

/** What all workers together did on one chain since the store was made. */
export interface IngestTotals {
  /** Blocks read for a wallet; the same block for two wallets counts twice. */
  readonly blocks: number
  /** Rows that were new. */
  readonly transfers: number
  /** Calls to nodes, refused ones included. */
  readonly calls: number
  readonly refusals: number
  readonly rollBacks: number
  /** Rows that roll backs made tombstones. */
  readonly orphans: number
}

export interface ChainTotals extends IngestTotals {
  /** The highest block that any worker saw. */
  readonly headBlock: number
}

/** Collection of these documents, by chain. */
const collection = 'ingest'

export const noTotals: IngestTotals = {
  blocks: 0,
  transfers: 0,
  calls: 0,
  refusals: 0,
  rollBacks: 0,
  orphans: 0,
}

const mostAttempts = 20

/** Adds what one worker did lately. */
export async function addIngestTotals(
  store: Store,
  chain: string,
  more: ChainTotals,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const document = await store.readDocument(collection, chain)
    const known = (document?.value ?? { ...noTotals, headBlock: 0 }) as ChainTotals
    const value: ChainTotals = {
      blocks: known.blocks + more.blocks,
      transfers: known.transfers + more.transfers,
      calls: known.calls + more.calls,
      refusals: known.refusals + more.refusals,
      rollBacks: known.rollBacks + more.rollBacks,
      orphans: known.orphans + more.orphans,
      headBlock: Math.max(known.headBlock, more.headBlock),
    }
    try {
      await store.writeDocument(collection, chain, document?.version ?? 0, value)
      return
    } catch (error) {
      if (conflictIn(error) !== collection || attempt === mostAttempts) throw error
    }
  }
}

export async function ingestTotals(store: Store): Promise<ReadonlyMap<string, ChainTotals>> {
  const documents = await store.listDocuments(collection)
  return new Map(documents.map(({ id, value }) => [id, value as ChainTotals]))
}
