import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import { formatAccount } from '../ledger/account.ts'
import type { Knowledge } from './knowledge.ts'
import { createRouter } from './router.ts'
import { AccountText, json, problems } from './schemas.ts'

const TagView = z
  .object({
    account: z.string(),
    label: z.string(),
    category: z.string(),
    source: z.string(),
    confidence: z.number(),
    sourceRank: z.number(),
    mayStop: z.boolean(),
    validFrom: z.number().nullable(),
    validTo: z.number().nullable(),
  })
  .openapi('Tag')

const getTags = createRoute({
  method: 'get',
  path: '/v1/accounts/{account}/tags',
  operationId: 'listTags',
  summary: 'Every tag of an account, the leading one first; none are hidden',
  request: { params: z.strictObject({ account: AccountText }), query: z.strictObject({}) },
  responses: { 200: json(z.object({ tags: z.array(TagView) }), 'The tags'), ...problems },
})

const text = z.string().min(1).max(500)

const postTags = createRoute({
  method: 'post',
  path: '/v1/tags',
  operationId: 'addTags',
  summary: 'Add tags, all or none',
  request: {
    query: z.strictObject({}),
    body: {
      required: true,
      content: {
        'application/json': {
          schema: z.strictObject({
            tags: z
              .array(
                z.strictObject({
                  account: AccountText,
                  label: z.string().max(500),
                  category: z.string().max(100),
                  source: text,
                  confidence: z.int().min(0).max(100).default(50),
                  sourceRank: z.int().min(0).max(1000).default(10),
                  mayStop: z.boolean().default(true),
                  validFrom: z.int().optional(),
                  validTo: z.int().optional(),
                }),
              )
              .min(1)
              .max(10_000),
          }),
        },
      },
    },
  },
  responses: {
    200: json(z.object({ added: z.number(), replaced: z.number() }), 'Stored'),
    ...problems,
  },
})

export function tagRoutes(knowledge: Knowledge): OpenAPIHono {
  const routes = createRouter()
  routes.openapi(getTags, async (c) => {
    const { tags } = await knowledge.attribution()
    const found = tags.of(c.req.valid('param').account)
    return c.json(
      {
        tags: found.map((tag) => ({
          ...tag,
          account: formatAccount(tag.account),
          validFrom: tag.validFrom ?? null,
          validTo: tag.validTo ?? null,
        })),
      },
      200,
    )
  })
  routes.openapi(postTags, async (c) => {
    const given = c.req.valid('json').tags
    const tags = given.map(({ validFrom, validTo, ...tag }) => ({
      ...tag,
      ...(validFrom === undefined ? {} : { validFrom }),
      ...(validTo === undefined ? {} : { validTo }),
    }))
    return c.json(await knowledge.store.putTags(tags), 200)
  })
  return routes
}
