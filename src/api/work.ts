import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import { formatAccount } from '../ledger/account.ts'
import { KnownError } from '../ledger/errors.ts'
import { continueWork, listWork, type WorkItem } from '../store/workQueue.ts'
import type { Cursors } from './cursor.ts'
import type { Knowledge } from './knowledge.ts'
import { createRouter } from './router.ts'
import { AccountText, json, Page, problems } from './schemas.ts'

const WorkView = z
  .object({
    id: z.string(),
    priority: z.number().openapi({ description: 'Share of its own seed; 0 when nobody wants it' }),
    flags: z.array(z.string()),
    reason: z.string(),
    state: z.enum(['waiting', 'working', 'done', 'parked']),
    parked: z.enum(['failed', 'high_degree', 'budget']).nullable(),
    error: z
      .object({ code: z.string(), message: z.string(), hint: z.string().nullable() })
      .nullable(),
    attempts: z.number(),
    askedFirst: z.looseObject({}).nullable(),
    continued: z.boolean(),
    spent: z.looseObject({}),
    throughBlock: z.number().nullable(),
  })
  .openapi('Work')

const getWork = createRoute({
  method: 'get',
  path: '/v1/work',
  operationId: 'listWork',
  summary: 'What workers read, have read, and what is parked, by id',
  request: { query: z.strictObject(Page) },
  responses: {
    200: json(
      z.object({ work: z.array(WorkView), next_cursor: z.string().nullable() }),
      'One page',
    ),
    ...problems,
  },
})

const postContinue = createRoute({
  method: 'post',
  path: '/v1/work/{account}/continue',
  operationId: 'continueWork',
  summary: 'Read a parked address whatever its size, and follow the money through it',
  request: {
    params: z.strictObject({ account: AccountText }),
    query: z.strictObject({}),
    body: { required: true, content: { 'application/json': { schema: z.strictObject({}) } } },
  },
  responses: { 200: json(WorkView, 'It is in the queue'), ...problems },
})

/** The queue of what is to be read. */
export function workRoutes({ store }: Knowledge, cursors: Cursors): OpenAPIHono {
  const routes = createRouter()
  routes.openapi(getWork, async (c) => {
    const { limit, cursor } = c.req.valid('query')
    const after = cursor === undefined ? undefined : String(cursors.read('work', cursor)[0])
    const work = await listWork(store, after, limit)
    const last = work.at(-1)
    const next = work.length === limit && last ? cursors.write('work', [last.id]) : null
    return c.json({ work: work.map(viewOf), next_cursor: next }, 200)
  })
  routes.openapi(postContinue, async (c) => {
    const { account } = c.req.valid('param')
    const item = await continueWork(store, account)
    if (item) return c.json(viewOf(item), 200)
    throw new KnownError('document.not-found', `${formatAccount(account)} is in no queue`, {
      hint: 'GET /v1/work lists what is.',
    })
  })
  return routes
}

function viewOf(item: WorkItem): z.output<typeof WorkView> {
  const { account, transaction: _, askFirst: __, limits: ___, finished: ____, ...shown } = item
  return {
    ...shown,
    id: account ? formatAccount(account) : item.id,
    flags: [...item.flags],
    askedFirst: item.askedFirst && { ...item.askedFirst },
    spent: { ...item.spent },
  }
}
