import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import { formatAccount } from '../ledger/account.ts'
import { KnownError } from '../ledger/errors.ts'
import { type Flag, listFlags, putFlag, readFlag } from '../store/flags.ts'
import { reliableCoverage } from '../store/proofs.ts'
import type { Cursors } from './cursor.ts'
import type { Knowledge } from './knowledge.ts'
import { createRouter } from './router.ts'
import { AccountText, json, Page, problems } from './schemas.ts'

const FlagView = z
  .object({
    account: z.string(),
    reason: z.string(),
    source: z.string(),
    flaggedAt: z.string(),
    state: z.enum(['waiting', 'working', 'done', 'failed']),
    progress: z
      .object({
        fromBlock: z.number(),
        throughBlock: z.number(),
        headBlock: z.number(),
        transfers: z.number(),
        blocksPerSecond: z.number(),
        remainingSeconds: z.number().nullable(),
      })
      .nullable(),
    error: z
      .object({ code: z.string(), message: z.string(), hint: z.string().nullable() })
      .nullable(),
  })
  .openapi('Flag')

const Claim = z.object({
  kind: z.string(),
  fromBlock: z.number(),
  toBlock: z.number(),
  assurance: z.number(),
  source: z.string(),
})

const addFlag = createRoute({
  method: 'post',
  path: '/v1/flags',
  operationId: 'addFlag',
  summary: 'Put an address under investigation',
  request: {
    query: z.strictObject({}),
    body: {
      required: true,
      content: {
        'application/json': {
          schema: z.strictObject({
            account: AccountText,
            reason: z.string().min(1).max(2000),
            source: z.string().min(1).max(500),
          }),
        },
      },
    },
  },
  responses: { 201: json(FlagView, 'Flagged; a worker reads its history'), ...problems },
})

const getFlags = createRoute({
  method: 'get',
  path: '/v1/flags',
  operationId: 'listFlags',
  summary: 'What is flagged, by account',
  request: { query: z.strictObject(Page) },
  responses: {
    200: json(
      z.object({ flags: z.array(FlagView), next_cursor: z.string().nullable() }),
      'One page',
    ),
    ...problems,
  },
})

const getFlag = createRoute({
  method: 'get',
  path: '/v1/flags/{account}',
  operationId: 'getFlag',
  summary: 'One flag with its progress and coverage',
  request: { params: z.strictObject({ account: AccountText }), query: z.strictObject({}) },
  responses: { 200: json(FlagView.extend({ coverage: z.array(Claim) }), 'The flag'), ...problems },
})

export function flagRoutes(knowledge: Knowledge, cursors: Cursors): OpenAPIHono {
  const { store } = knowledge
  const routes = createRouter()
  routes.openapi(addFlag, async (c) => {
    const flag = await putFlag(store, c.req.valid('json'), new Date())
    return c.json(viewOf(flag), 201)
  })
  routes.openapi(getFlags, async (c) => {
    const { limit, cursor } = c.req.valid('query')
    const after = cursor === undefined ? undefined : String(cursors.read('flags', cursor)[0])
    const flags = await listFlags(store, after, limit)
    const last = flags.at(-1)
    const next = flags.length === limit && last ? cursors.write('flags', [last.account]) : null
    return c.json({ flags: flags.map(viewOf), next_cursor: next }, 200)
  })
  routes.openapi(getFlag, async (c) => {
    const { account } = c.req.valid('param')
    const flag = await readFlag(store, account)
    if (!flag) {
      throw new KnownError('flag.not-found', `${formatAccount(account)} is not flagged`, {
        hint: 'POST /v1/flags flags it.',
      })
    }
    const coverage = await reliableCoverage(store, account)
    return c.json(
      { ...viewOf(flag), coverage: coverage.map(({ account: _, ...claim }) => claim) },
      200,
    )
  })
  return routes
}

function viewOf(flag: Flag): z.output<typeof FlagView> {
  return { ...flag, account: formatAccount(flag.account) }
}
