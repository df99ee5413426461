import { type PathsAnswer, type PathsQuery, paths } from '../../src/analysis/paths.ts'
import { type ReachAnswer, type ReachQuery, reach } from '../../src/analysis/reach.ts'
import { finished } from '../../src/analysis/slices.ts'
import type { SweepContext } from '../../src/analysis/sweepQuestion.ts'
import { createTagView } from '../../src/attribution/tagView.ts'
import { createTokenTrust } from '../../src/attribution/trustedTokens.ts'
import type { WholeGraph } from '../../src/graph/graph.ts'
import type { Account } from '../../src/ledger/account.ts'
import type { Tag } from '../../src/ledger/tag.ts'
import type { Transfer } from '../../src/ledger/transfer.ts'
import { ledgerOf } from '../ledger.arbitrary.ts'
import type { Step } from './everyPath.ts'

export function contextOf(tags: readonly Tag[] = []): SweepContext {
  return { tags: createTagView(tags), tokens: createTokenTrust(), coverage: [] }
}

export const plainQuestion = {
  direction: 'forward',
  asOf: {},
  continueThrough: [],
  neverFollow: [],
} as const

export function askReach(
  graph: WholeGraph,
  accounts: readonly Account[],
  question: Partial<ReachQuery> & { readonly tags?: readonly Tag[] } = {},
): ReachAnswer {
  const { tags, ...query } = question
  return finished(
    reach(graph, contextOf(tags), {
      ...plainQuestion,
      accounts,
      sources: false,
      limit: 1_000_000,
      ...query,
    }),
  )
}

export function askPaths(
  graph: WholeGraph,
  question: Partial<PathsQuery> &
    Pick<PathsQuery, 'from' | 'to'> & { readonly tags?: readonly Tag[] },
): PathsAnswer {
  const { tags, ...query } = question
  return finished(
    paths(graph, contextOf(tags), {
      ...plainQuestion,
      by: 'hops',
      k: 1,
      maxLooked: 100_000_000,
      ...query,
    }),
  )
}

/** The transfers of a graph in its order, as plain rows. */
export const stepsOf = (graph: WholeGraph): Step[] =>
  Array.from({ length: graph.transferCount }, (_, i) => graph.transfer(i))

/** The ledger as it would look to somebody for whom time runs the other way. */
export function reversedLedger(ledger: readonly Transfer[]): Transfer[] {
  const byTransaction = Map.groupBy(ledger, ({ tx }) => tx)
  return ledgerOf(
    [...byTransaction.values()]
      .reverse()
      .map((legs) =>
        legs
          .toReversed()
          .map(({ from, to, amount, asset }) => ({ from: to, to: from, amount, asset })),
      ),
  )
}
