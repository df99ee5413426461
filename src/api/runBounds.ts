import { bounds } from '../analysis/bounds.ts'
import type { BoundsAnswer, BoundsTarget } from '../analysis/boundsAnswer.ts'
import { conceptOf } from '../attribution/categories.ts'
import { isValidAt, type TagView } from '../attribution/tagView.ts'
import type { Account } from '../ledger/account.ts'
import { KnownError } from '../ledger/errors.ts'
import type { Knowledge } from './knowledge.ts'
import { type TraceRequest, traceQuery } from './runTrace.ts'

/** What CLI and HTTP ask of bounds: seeds and scope as of a trace, and one target. */
export interface BoundsRequest
  extends Pick<
    TraceRequest,
    | 'seeds'
    | 'seedAddresses'
    | 'side'
    | 'asset'
    | 'since'
    | 'until'
    | 'asOf'
    | 'continueThrough'
    | 'neverFollow'
    | 'resolve'
  > {
  readonly to: BoundsTarget
  readonly opening?: 'assumed_zero' | 'unknown' | undefined
  readonly maxCorridor?: number | undefined
}

export const boundsDefaults = { opening: 'assumed_zero', maxCorridor: 200_000 } as const

/**
 * Answers bounds over what is known now: the one way to them, for CLI and HTTP alike.
 *
 * @throws KnownError `seed.*`, `asset.ambiguous`, `request.invalid`, `graph.too-large`, `store.*`
 */
export async function runBounds(
  knowledge: Knowledge,
  request: BoundsRequest,
): Promise<BoundsAnswer> {
  const { to, opening, maxCorridor, ...rest } = request
  const context = await knowledge.context()
  const { tags } = await knowledge.attribution()
  const graph = await knowledge.graph()
  const { seeds, asOf, continueThrough, neverFollow, resolve } = traceQuery(graph, context, rest)
  return bounds(
    graph,
    { ...context, isTarget: targetOf(to, tags) },
    {
      seeds,
      asOf,
      continueThrough,
      neverFollow,
      resolve,
      to,
      opening: opening ?? boundsDefaults.opening,
      maxCorridor: maxCorridor ?? boundsDefaults.maxCorridor,
    },
  )
}

/** Which accounts are the target, as tags say at the time of a transfer. */
function targetOf(to: BoundsTarget, tags: TagView): (account: Account, time: number) => boolean {
  if (typeof to === 'string') return () => false
  if ('accounts' in to) {
    const accounts = new Set(to.accounts)
    if (accounts.size === 0) throw noTarget()
    return (account) => accounts.has(account)
  }
  const hasTag = (matches: (tag: ReturnType<TagView['of']>[number]) => boolean) => {
    return (account: Account, time: number): boolean =>
      tags.of(account).some((tag) => isValidAt(tag, time) && matches(tag))
  }
  if ('category' in to) {
    const concept = conceptOf(to.category)
    return hasTag(({ category }) => conceptOf(category) === concept)
  }
  const actor = to.actor.trim().toLowerCase()
  return hasTag(({ label }) => label.trim().toLowerCase() === actor)
}

function noTarget(): KnownError {
  return new KnownError('request.invalid', 'bounds need a target', {
    facts: { field: 'to' },
    hint: 'Name accounts, a category, an actor, still_held or by_outcome.',
  })
}
