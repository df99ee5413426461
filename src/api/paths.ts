import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import { type Order, orders } from '../analysis/bestPath.ts'
import { type PathsAnswer, paths } from '../analysis/paths.ts'
import type { Config } from '../config.ts'
import type { Account } from '../ledger/account.ts'
import type { Knowledge } from './knowledge.ts'
import { createRouter } from './router.ts'
import { AccountText, BaseUnits, json, problems } from './schemas.ts'
import {
  inSlices,
  type SweepRequest,
  sweepContext,
  sweepFields,
  sweepFrameFields,
  sweepQuery,
} from './sweeps.ts'

export interface PathsRequest extends SweepRequest {
  readonly from: readonly Account[]
  readonly to: readonly Account[]
  readonly by?: Order | undefined
  readonly k?: number | undefined
  readonly maxLooked?: number | undefined
}

const defaultBy: Order = 'hops'
const mostPaths = 100
/** Some seconds of looking on one core. */
const defaultLooked = 200_000_000

const PathsBody = z
  .strictObject({
    from: z.array(AccountText).min(1).max(10_000),
    to: z.array(AccountText).min(1).max(10_000),
    by: z.enum(orders).optional().openapi({
      description: 'Fewest transfers, earliest arrival, or largest smallest amount; default hops',
    }),
    k: z.int().min(1).max(mostPaths).optional().openapi({ description: 'Most paths; default 1' }),
    ...sweepFields,
    maxLooked: z.int().min(1).max(defaultLooked).optional().openapi({
      description: 'Most transfers to look at, each as often as it is looked at',
    }),
  })
  .openapi('PathsRequest')

const PathsView = z
  .object({
    paths: z.array(
      z.object({
        transfers: z.array(
          z.object({
            transfer: z.string(),
            from: z.string(),
            to: z.string(),
            asset: z.string(),
            amount: BaseUnits,
            time: z.int(),
          }),
        ),
        hops: z.int(),
        bottleneck: BaseUnits.nullable(),
        firstTime: z.int(),
        lastTime: z.int(),
      }),
    ),
    cut: z.object({
      reason: z.enum(['paths', 'transfers']).nullable(),
      corridor: z.int(),
      looked: z.int(),
    }),
    ...sweepFrameFields,
  })
  .openapi('PathsAnswer')

const postPaths = createRoute({
  method: 'post',
  path: '/v1/paths',
  operationId: 'paths',
  summary:
    'The best paths in time order from one set of accounts to another, each with its transfers',
  request: {
    query: z.strictObject({}),
    body: { required: true, content: { 'application/json': { schema: PathsBody } } },
  },
  responses: { 200: json(PathsView, 'The paths, best first'), ...problems },
})

/**
 * Looks for paths in what is known now: the one way for CLI and HTTP.
 *
 * @param until - see `inSlices`.
 * @throws KnownError `seed.not-found`, `request.invalid`, `asset.ambiguous`, `graph.too-large`, `request.timeout`,
 * `store.*`
 */
export async function runPaths(
  knowledge: Knowledge,
  request: PathsRequest,
  until?: number,
): Promise<PathsAnswer> {
  const query = {
    ...sweepQuery(request),
    from: request.from,
    to: request.to,
    by: request.by ?? defaultBy,
    k: request.k ?? 1,
    maxLooked: request.maxLooked ?? defaultLooked,
  }
  const context = await sweepContext(knowledge)
  return inSlices(paths(await knowledge.graph(), context, query), until)
}

export function pathsRoutes(
  knowledge: Knowledge,
  config: Pick<Config, 'traceTimeoutMs'>,
): OpenAPIHono {
  const routes = createRouter()
  routes.openapi(postPaths, async (c) => {
    await knowledge.ledger()
    const until = performance.now() + config.traceTimeoutMs
    const answer = await runPaths(knowledge, c.req.valid('json'), until)
    return c.body(`${JSON.stringify(answer)}\n`, 200, {
      'content-type': 'application/json',
    }) as never
  })
  return routes
}
