import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import { type ReachAnswer, reach } from '../analysis/reach.ts'
import { outcomes } from '../analysis/traceAnswer.ts'
import type { Config } from '../config.ts'
import type { Account } from '../ledger/account.ts'
import type { Knowledge } from './knowledge.ts'
import { createRouter } from './router.ts'
import { AccountText, json, problems } from './schemas.ts'
import {
  inSlices,
  type SweepRequest,
  sweepContext,
  sweepFields,
  sweepFrameFields,
  sweepQuery,
} from './sweeps.ts'

export interface ReachRequest extends SweepRequest {
  readonly accounts: readonly Account[]
  readonly maxHops?: number | undefined
  readonly sources?: boolean | undefined
  readonly limit?: number | undefined
}

const defaultLimit = 10_000

const ReachBody = z
  .strictObject({
    accounts: z.array(AccountText).min(1).max(10_000),
    ...sweepFields,
    maxHops: z.int().min(1).max(1_000_000).optional(),
    sources: z
      .boolean()
      .optional()
      .openapi({ description: 'Say for each account which of `accounts` reach it' }),
    limit: z
      .int()
      .min(1)
      .max(100_000)
      .optional()
      .openapi({ description: 'Most accounts to list, nearest first; default 10000' }),
  })
  .openapi('ReachRequest')

const ReachView = z
  .object({
    reached: z.array(
      z.object({
        account: z.string(),
        hop: z.int(),
        transfer: z.string(),
        arrival: z.string(),
        time: z.int(),
        stop: z.looseObject({ outcome: z.enum(outcomes) }).optional(),
        sources: z.array(z.string()).optional(),
      }),
    ),
    byHop: z.array(z.object({ hop: z.int(), accounts: z.int() })),
    cut: z.object({ reached: z.int(), listed: z.int() }),
    ...sweepFrameFields,
  })
  .openapi('ReachAnswer')

const postReach = createRoute({
  method: 'post',
  path: '/v1/reach',
  operationId: 'reach',
  summary:
    'Which accounts money can have come to in time order, with the fewest hops; says nothing about amounts',
  request: {
    query: z.strictObject({}),
    body: { required: true, content: { 'application/json': { schema: ReachBody } } },
  },
  responses: { 200: json(ReachView, 'The accounts, nearest first'), ...problems },
})

/**
 * Runs a reach over what is known now: the one way for CLI and HTTP.
 *
 * @param until - see `inSlices`.
 * @throws KnownError `seed.not-found`, `graph.too-large`, `request.timeout`, `store.*`
 */
export async function runReach(
  knowledge: Knowledge,
  request: ReachRequest,
  until?: number,
): Promise<ReachAnswer> {
  const query = {
    ...sweepQuery(request),
    accounts: request.accounts,
    ...(request.maxHops === undefined ? {} : { maxHops: request.maxHops }),
    sources: request.sources ?? false,
    limit: request.limit ?? defaultLimit,
  }
  const context = await sweepContext(knowledge)
  return inSlices(reach(await knowledge.graph(), context, query), until)
}

export function reachRoutes(
  knowledge: Knowledge,
  config: Pick<Config, 'traceTimeoutMs'>,
): OpenAPIHono {
  const routes = createRouter()
  routes.openapi(postReach, async (c) => {
    await knowledge.ledger()
    const until = performance.now() + config.traceTimeoutMs
    const answer = await runReach(knowledge, c.req.valid('json'), until)
    return c.body(`${JSON.stringify(answer)}\n`, 200, {
      'content-type': 'application/json',
    }) as never
  })
  return routes
}
