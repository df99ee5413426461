import { setImmediate } from 'node:timers/promises'
import { z } from '@hono/zod-openapi'
import type { Direction } from '../analysis/methods.ts'
import type { Sliced } from '../analysis/slices.ts'
import type { SweepContext, SweepQuery } from '../analysis/sweepQuestion.ts'
import type { Account } from '../ledger/account.ts'
import type { AssetId } from '../ledger/asset.ts'
import { KnownError } from '../ledger/errors.ts'
import type { Knowledge } from './knowledge.ts'
import { AccountText, AssetText } from './schemas.ts'

/** What CLI and HTTP ask of paths and reach alike; absent fields take defaults. */
export interface SweepRequest {
  readonly direction?: Direction | undefined
  readonly asset?: AssetId | undefined
  readonly since?: number | undefined
  readonly until?: number | undefined
  readonly asOf?: Readonly<Record<string, number>> | undefined
  readonly continueThrough?: readonly Account[] | undefined
  readonly neverFollow?: readonly Account[] | undefined
}

/** The same as fields of a body. */
export const sweepFields = {
  direction: z.enum(['forward', 'backward']).optional(),
  asset: AssetText.optional().openapi({
    description: 'Only transfers of this asset; else of all that carry value, one after another',
  }),
  since: z.int().min(0).optional().openapi({ description: 'Seconds since 1970' }),
  until: z.int().min(0).optional(),
  asOf: z.record(z.string().max(50), z.int().min(0)).optional(),
  continueThrough: z.array(AccountText).max(1000).optional(),
  neverFollow: z.array(AccountText).max(1000).optional(),
}

/** What every answer has besides its lists. */
export const sweepFrameFields = {
  version: z.string(),
  query: z.looseObject({}),
  follows: z.enum(['one_asset', 'value_carrying']),
  asOf: z.record(z.string(), z.looseObject({})),
  dataset: z.string(),
  tags: z.string(),
}

export function sweepQuery(request: SweepRequest): SweepQuery {
  return {
    direction: request.direction ?? 'forward',
    ...(request.asset === undefined ? {} : { asset: request.asset }),
    ...(request.since === undefined ? {} : { since: request.since }),
    ...(request.until === undefined ? {} : { until: request.until }),
    asOf: request.asOf ?? {},
    continueThrough: request.continueThrough ?? [],
    neverFollow: request.neverFollow ?? [],
  }
}

export async function sweepContext(knowledge: Knowledge): Promise<SweepContext> {
  const { tags } = await knowledge.attribution()
  return { ...(await knowledge.context()), tags }
}

/**
 * Does sliced work while others are answered in between.
 *
 * @param until - by `performance.now()`; later it is given up. Absent: however long it takes.
 * @throws KnownError `request.timeout`
 */
export async function inSlices<T>(work: Sliced<T>, until = Number.POSITIVE_INFINITY): Promise<T> {
  for (;;) {
    const { done, value } = work.next()
    if (done) return value
    if (performance.now() > until) {
      throw new KnownError('request.timeout', 'this takes longer than the service allows', {
        hint: 'Name fewer accounts or a shorter window, or use the command line, which has no limit.',
      })
    }
    await setImmediate()
  }
}
