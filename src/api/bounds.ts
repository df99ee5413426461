import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import type { Jobs } from './jobs.ts'
import { acceptedAge, ageInWords, tellAge } from './ledgerAge.ts'
import { createRouter } from './router.ts'
import { boundsDefaults } from './runBounds.ts'
import { AccountText, BaseUnits, json, problems, seedFields } from './schemas.ts'

const Target = z
  .union([
    z.literal('still_held'),
    z.literal('by_outcome'),
    z.strictObject({ accounts: z.array(AccountText).min(1).max(1000) }),
    z.strictObject({ category: z.string().min(1).max(200) }),
    z.strictObject({ actor: z.string().min(1).max(300) }),
  ])
  .openapi({
    description: 'Accounts, all of a tag, where money still rests, or every end by itself',
  })

const BoundsBody = z
  .strictObject({
    ...seedFields,
    to: Target,
    opening: z.enum(['assumed_zero', 'unknown']).optional().openapi({
      description: 'What accounts held before their first known transfer',
    }),
    maxCorridor: z.int().min(1).max(boundsDefaults.maxCorridor).optional(),
  })
  .openapi('BoundsRequest')

const interval = {
  target: z.union([z.string(), z.looseObject({})]),
  min: BaseUnits.nullable().optional(),
  reason: z.string().optional().openapi({ description: 'Why there is no minimum' }),
  max: BaseUnits.optional(),
  budget: z.enum(['corridor']).nullable().optional(),
  corridor: z.looseObject({ transfers: z.int(), leaving: z.int(), accounts: z.int() }).optional(),
  certificates: z.array(z.looseObject({})).optional(),
  premises: z.looseObject({}).optional(),
}

const BoundsView = z
  .object({
    version: z.string(),
    query: z.looseObject({}),
    seeds: z.array(z.object({ transfer: z.string(), asset: z.string(), amount: BaseUnits })),
    seedTotal: BaseUnits,
    ...interval,
    outcomes: z.array(z.object(interval)).optional(),
    asOf: z.record(z.string(), z.looseObject({})),
    dataset: z.string(),
    tags: z.string(),
    opening: z.enum(['assumed_zero', 'unknown']),
  })
  .openapi('BoundsAnswer')

const postBounds = createRoute({
  method: 'post',
  path: '/v1/bounds',
  operationId: 'bounds',
  summary:
    'How much of the seeds must, and at most can, have reached a target under any accounting, with certificates',
  request: {
    query: z.strictObject({}),
    body: { required: true, content: { 'application/json': { schema: BoundsBody } } },
  },
  responses: { 200: json(BoundsView, `The interval. ${ageInWords}`), ...problems },
})

export function boundsRoutes(jobs: Jobs): OpenAPIHono {
  const routes = createRouter()
  routes.openapi(postBounds, async (c) => {
    const task = { kind: 'bounds', request: c.req.valid('json') } as const
    const { bytes, told } = await jobs.start(task, acceptedAge(c)).answered
    tellAge(c, told)
    return c.body(bytes, 200, { 'content-type': 'application/json' }) as never
  })
  return routes
}
