import {
  type ConversionKnowledge,
  noConversionKnowledge,
} from '../../src/analysis/conversionKnowledge.ts'
import { type TraceContext, trace } from '../../src/analysis/trace.ts'
import type { TraceAnswer, TraceQuery } from '../../src/analysis/traceAnswer.ts'
import { createTagView } from '../../src/attribution/tagView.ts'
import { createTokenTrust } from '../../src/attribution/trustedTokens.ts'
import { buildColumns } from '../../src/graph/buildColumns.ts'
import { createGraph } from '../../src/graph/createGraph.ts'
import type { WholeGraph } from '../../src/graph/graph.ts'
import { readRawRows } from '../../src/graph/rawRows.ts'
import type { Account } from '../../src/ledger/account.ts'
import type { CoverageOfMany } from '../../src/ledger/coverage.ts'
import type { Freezes } from '../../src/ledger/freezes.ts'
import type { Tag } from '../../src/ledger/tag.ts'
import { kinds, type Transfer, type TransferId } from '../../src/ledger/transfer.ts'
import { batchOf } from '../../src/ledger/transferBatch.ts'

/** A graph of transfers without a store, cut into batches of any size. */
export async function graphOf(
  transfers: readonly Transfer[],
  batchSize = 1000,
): Promise<WholeGraph> {
  async function* log() {
    for (let i = 0; i < transfers.length; i += batchSize) {
      const batch = batchOf(transfers.slice(i, i + batchSize))
      yield {
        type: 'transfers' as const,
        firstSequence: i + 1,
        batch,
        source: 'test',
        assurance: 1 as const,
      }
    }
  }
  return createGraph(await buildColumns(await readRawRows(log(), transfers.length), 'test'))
}

export function tag(account: Account, category: string, label = category): Tag {
  return { account, label, category, source: 'test', confidence: 50, sourceRank: 0, mayStop: true }
}

export function coveredFor(transfers: readonly Transfer[]): CoverageOfMany[] {
  const accounts = [...new Set(transfers.flatMap(({ from, to }) => [from, to]))].filter(
    (a) => a !== undefined,
  )
  const blocks = transfers.map(({ block }) => block)
  const [first] = transfers
  if (!first) return []
  const reach = { fromBlock: Math.min(...blocks), toBlock: Math.max(...blocks) }
  return [{ chain: first.chain, accounts, kinds, ...reach, assurance: 0, source: 'test' }]
}

/** Where the ledger itself shows code: who sent an internal transfer, and contracts of tokens (design 8.2). */
export function codeIn(transfers: readonly Transfer[]): (account: Account) => boolean {
  const found = new Set<Account>()
  for (const { kind, from, asset } of transfers) {
    if (kind === 'internal' && from) found.add(from)
    if (asset.includes('/erc20:')) found.add(asset.replace('/erc20:', ':') as Account)
  }
  return (account) => found.has(account)
}

export interface LedgerQuestion extends Partial<Omit<TraceQuery, 'seeds'>> {
  readonly seeds: readonly string[]
  readonly tags?: readonly Tag[]
  readonly conversions?: Partial<ConversionKnowledge>
  readonly covered?: boolean
  readonly freezes?: Freezes
  readonly batchSize?: number
}

/** Traces a ledger given as plain transfers with the real engine. */
export async function traceLedger(
  transfers: readonly Transfer[],
  question: LedgerQuestion,
): Promise<TraceAnswer> {
  const { tags = [], covered = true, batchSize, conversions, freezes, ...query } = question
  const context: TraceContext = {
    tags: createTagView(tags),
    tokens: createTokenTrust(),
    coverage: covered ? coveredFor(transfers) : [],
    conversions: {
      ...noConversionKnowledge,
      hasRecords: conversions?.recordsOf !== undefined,
      ...conversions,
    },
    ...(freezes && { freezes }),
  }
  return trace(await graphOf(transfers, batchSize), context, {
    direction: 'forward',
    method: 'fifo',
    sameTransaction: 'matched',
    minShare: 0.001,
    maxHops: 32,
    asOf: {},
    continueThrough: [],
    neverFollow: [],
    resolve: [],
    maxAddresses: 100_000,
    maxTransactions: 1_000_000,
    ...query,
    seeds: question.seeds as readonly TransferId[],
  })
}
