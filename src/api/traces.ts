import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import { methodNames } from '../analysis/methods.ts'
import { outcomes } from '../analysis/traceAnswer.ts'
import type { Config } from '../config.ts'
import type { TransferId } from '../ledger/transfer.ts'
import type { Knowledge } from './knowledge.ts'
import { pinTrace, replayTrace } from './pinnedTraces.ts'
import { createRouter } from './router.ts'
import { traceMoment } from './runTrace.ts'
import { AccountText, AssetText, BaseUnits, json, problems } from './schemas.ts'
import { diffTrace } from './traceDiff.ts'
import { traceText } from './traceId.ts'

const TraceBody = z
  .strictObject({
    seeds: z
      .array(z.string().max(300))
      .max(10_000)
      .optional()
      .openapi({ description: 'Transfer ids or transaction hashes' }),
    seedAddresses: z.array(AccountText).max(1000).optional(),
    side: z.enum(['received', 'sent']).optional(),
    asset: AssetText.optional(),
    since: z.int().min(0).optional().openapi({ description: 'Seconds since 1970' }),
    until: z.int().min(0).optional(),
    direction: z.enum(['forward', 'backward']).optional(),
    method: z.enum(methodNames).optional(),
    sameTransaction: z.enum(['matched', 'ordered']).optional(),
    minShare: z.number().min(0).max(1).optional(),
    maxHops: z.int().min(1).max(64).optional(),
    maxIdle: z.int().min(0).optional(),
    asOf: z.record(z.string().max(50), z.int().min(0)).optional(),
    continueThrough: z.array(AccountText).max(1000).optional(),
    neverFollow: z.array(AccountText).max(1000).optional(),
    resolve: z
      .array(
        z.strictObject({
          tx: z.string().max(200),
          account: AccountText,
          asset: AssetText,
        }),
      )
      .max(1000)
      .optional()
      .openapi({
        description: 'Which asset an account got in a transaction where several are credible',
      }),
    throughTransfer: z
      .string()
      .max(300)
      .transform((id) => id as TransferId)
      .optional()
      .openapi({ type: 'string', description: 'Look no further than this transfer' }),
    maxAddresses: z.int().min(1).optional(),
    maxTransactions: z.int().min(1).optional(),
  })
  .openapi('TraceRequest')

const TraceView = z
  .object({
    version: z.string(),
    id: z.string(),
    method: z.string(),
    query: z.looseObject({}),
    seeds: z.array(z.object({ transfer: z.string(), asset: z.string(), amount: BaseUnits })),
    seedTotal: BaseUnits,
    outcomes: z.array(
      z.object({
        outcome: z.enum(outcomes),
        account: z.string(),
        asset: z.string(),
        amount: BaseUnits,
        face: BaseUnits,
        share: z.number(),
        hop: z.int(),
        seed: z.string(),
        category: z.string().optional(),
        label: z.string().optional(),
        reason: z.string().optional(),
        receipt: z.string().optional(),
        candidates: z.array(z.string()).optional(),
      }),
    ),
    totals: z.array(z.object({ outcome: z.enum(outcomes), face: BaseUnits, share: z.number() })),
    movements: z.array(z.looseObject({})),
    conversions: z.array(z.looseObject({})),
    gaps: z.array(z.looseObject({})),
    coverage: z.array(z.looseObject({})),
    asOf: z.record(z.string(), z.looseObject({})),
    dataset: z.string(),
    tags: z.string(),
    order: z.looseObject({}),
    cut: z.looseObject({}),
    trust: z.looseObject({}),
    opening: z.literal('assumed_zero'),
  })
  .openapi('TraceAnswer')

const postTrace = createRoute({
  method: 'post',
  path: '/v1/traces',
  operationId: 'trace',
  summary:
    'Follow money from its seeds to where it ended; the faces of all outcomes add up to seedTotal',
  request: {
    query: z.strictObject({}),
    body: { required: true, content: { 'application/json': { schema: TraceBody } } },
  },
  responses: { 200: json(TraceView, 'The trace'), ...problems },
})

const TraceId = z.strictObject({
  id: z.string().max(100).openapi({ description: 'Id of a pinned trace, 64 hex digits' }),
})

const getTrace = createRoute({
  method: 'get',
  path: '/v1/traces/{id}',
  operationId: 'replayTrace',
  summary: 'A pinned trace again, byte for byte, from the data, tags and coverage of its time',
  request: { params: TraceId, query: z.strictObject({}) },
  responses: { 200: json(TraceView, 'The trace'), ...problems },
})

const change = { before: BaseUnits, after: BaseUnits, change: z.string() }

const getDiff = createRoute({
  method: 'get',
  path: '/v1/traces/{id}/diff',
  operationId: 'diffTrace',
  summary: 'What moved since a trace was pinned: the same seeds and parameters on the newest data',
  request: { params: TraceId, query: z.strictObject({}) },
  responses: {
    200: json(
      z.object({
        id: z.string(),
        now: z.string(),
        moved: z.array(
          z.object({
            outcome: z.enum(outcomes),
            account: z.string(),
            asset: z.string(),
            seed: z.string(),
            ...change,
            amountBefore: BaseUnits,
            amountAfter: BaseUnits,
          }),
        ),
        totals: z.array(z.object({ outcome: z.enum(outcomes), ...change })),
        seedTotal: z.object(change),
      }),
      'What moved; empty when nothing did',
    ),
    ...problems,
  },
})

/** Count budgets of the service bound every trace; a caller may ask for less. */
export function traceRoutes(
  knowledge: Knowledge,
  config: Pick<Config, 'maxAddresses' | 'maxTransactions' | 'traceTimeoutMs'>,
): OpenAPIHono {
  const routes = createRouter()
  routes.openapi(postTrace, async (c) => {
    const asked = c.req.valid('json')
    await knowledge.ledger()
    const until = performance.now() + config.traceTimeoutMs
    const request = {
      ...asked,
      maxAddresses: Math.min(asked.maxAddresses ?? config.maxAddresses, config.maxAddresses),
      maxTransactions: Math.min(
        asked.maxTransactions ?? config.maxTransactions,
        config.maxTransactions,
      ),
    }
    const moment = await traceMoment(knowledge, request, () =>
      performance.now() > until ? 'stop' : 'go',
    )
    await pinTrace(knowledge.store, moment)
    c.header('location', `/v1/traces/${moment.answer.id}`)
    return c.body(traceText(moment.answer), 200, { 'content-type': 'application/json' }) as never
  })
  routes.openapi(getTrace, async (c) => {
    const answer = await replayTrace(knowledge, c.req.valid('param').id)
    return c.body(traceText(answer), 200, { 'content-type': 'application/json' }) as never
  })
  routes.openapi(getDiff, async (c) => {
    const { diff, now } = await diffTrace(knowledge, c.req.valid('param').id)
    await pinTrace(knowledge.store, now)
    return c.body(`${JSON.stringify(diff)}\n`, 200, {
      'content-type': 'application/json',
    }) as never
  })
  return routes
}
