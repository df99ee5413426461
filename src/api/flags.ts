import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import { readSteps } from '../follow/followLog.ts'
import { formatAsset } from '../ledger/asset.ts'
import { KnownError } from '../ledger/errors.ts'
import {
  type Flag,
  formatFlagId,
  type GivenFlag,
  listFlags,
  parseFlagId,
  parsePayment,
  putFlag,
} from '../store/flags.ts'
import { reliableCoverage } from '../store/proofs.ts'
import type { Cursors } from './cursor.ts'
import { existingFlag, flagTraceRequest } from './flagTrace.ts'
import type { Jobs } from './jobs.ts'
import type { Knowledge } from './knowledge.ts'
import { createRouter } from './router.ts'
import { AccountText, AssetText, BaseUnits, json, Page, parsedBy, problems } from './schemas.ts'
import { answerTrace, TraceView } from './traces.ts'

const Failure = z.object({ code: z.string(), message: z.string(), hint: z.string().nullable() })

const Budget = z
  .object({
    addresses: z.int().min(1).openapi({ description: 'Addresses whose histories are read' }),
    calls: z.int().min(1).openapi({ description: 'Calls of nodes and explorers' }),
    blocks: z.int().min(1).openapi({ description: 'Blocks looked through, over all addresses' }),
  })
  .openapi('Budget')

const Spent = z.object({ addresses: z.number(), calls: z.number(), blocks: z.number() })

const FollowingView = z
  .object({
    state: z.enum(['waiting', 'following', 'done', 'over_budget', 'parked', 'failed']),
    over: z.enum(['addresses', 'calls', 'blocks']).nullable(),
    unfinished: z
      .number()
      .openapi({ description: 'Share of the seed that rests where nobody has read on' }),
    assets: z.array(
      z.object({
        asset: z.string(),
        seedTotal: BaseUnits,
        unfinished: z.number(),
        blocked: z.number().openapi({ description: 'Part of it that needs a decision' }),
      }),
    ),
    queued: z.number(),
    spent: Spent,
    through: z.record(z.string(), z.number()),
    steps: z.number(),
    error: Failure.nullable(),
  })
  .openapi('Following')

const FlagView = z
  .object({
    id: z.string(),
    account: z.string().nullable(),
    payment: z.string().nullable(),
    transaction: z.string().nullable(),
    reason: z.string(),
    source: z.string(),
    flaggedAt: z.string(),
    state: z
      .enum(['waiting', 'working', 'done', 'failed'])
      .openapi({ description: 'How far what is flagged itself is read' }),
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
    error: Failure.nullable(),
    budget: Budget,
    minShare: z.number(),
    following: FollowingView.nullable(),
    trace: z.string().openapi({ description: 'Where its trace is, as far as it is known' }),
  })
  .openapi('Flag')

const Claim = z.object({
  kind: z.string(),
  fromBlock: z.number(),
  toBlock: z.number(),
  assurance: z.number(),
  source: z.string(),
})

const PaymentText = z
  .string()
  .max(300)
  .openapi({
    description:
      'Id of the transfer, or <chain>:<hash> of a transaction with one transfer of value',
    example: `eip155:1:0x${'ab'.repeat(32)}`,
  })
  .transform(
    parsedBy((text) => {
      const payment = parsePayment(text, undefined)
      if (payment) return payment
      throw new KnownError('transfer.invalid', `"${text.slice(0, 200)}" is no payment`, {
        hint: 'Give <chain>:<tx>:<kind>:<position>, or <chain>:<hash>.',
      })
    }),
  )

const FlagBody = z.strictObject({
  account: AccountText.optional(),
  payment: PaymentText.optional(),
  reason: z.string().min(1).max(2000),
  source: z.string().min(1).max(500),
  budget: Budget.partial().strict().optional(),
  minShare: z.number().min(0).max(1).optional(),
})

const addFlag = createRoute({
  method: 'post',
  path: '/v1/flags',
  operationId: 'addFlag',
  summary:
    'Put a wallet, a payment or a transaction under investigation, or give it a larger budget',
  request: {
    query: z.strictObject({}),
    body: { required: true, content: { 'application/json': { schema: FlagBody } } },
  },
  responses: { 201: json(FlagView, 'Flagged; workers follow the money'), ...problems },
})

const getFlags = createRoute({
  method: 'get',
  path: '/v1/flags',
  operationId: 'listFlags',
  summary: 'What is flagged, by id',
  request: { query: z.strictObject(Page) },
  responses: {
    200: json(
      z.object({ flags: z.array(FlagView), next_cursor: z.string().nullable() }),
      'One page',
    ),
    ...problems,
  },
})

export const FlagId = z.strictObject({
  id: z
    .string()
    .max(300)
    .openapi({ description: 'The account, the id of the transfer, or <chain>:<hash>' })
    .transform(parsedBy((text) => parseFlagId(text))),
})

const getFlag = createRoute({
  method: 'get',
  path: '/v1/flags/{id}',
  operationId: 'getFlag',
  summary: 'One flag with its progress, its budget and the coverage of a flagged wallet',
  request: { params: FlagId, query: z.strictObject({}) },
  responses: { 200: json(FlagView.extend({ coverage: z.array(Claim) }), 'The flag'), ...problems },
})

const StepView = z
  .object({
    number: z.number(),
    at: z.string(),
    subject: z.string(),
    result: z.enum(['read', 'parked']),
    parked: z.enum(['failed', 'high_degree', 'budget']).nullable(),
    reason: z.string().openapi({ description: 'Why it was next' }),
    share: z.number(),
    cost: z.object({
      calls: z.number(),
      blocks: z.number(),
      transfers: z.number(),
      seconds: z.number(),
    }),
    askedFirst: z.looseObject({}).nullable(),
    error: z.string().nullable(),
    before: z.number().openapi({ description: 'Unfinished share before' }),
    after: z.number(),
  })
  .openapi('FollowStep')

const getLog = createRoute({
  method: 'get',
  path: '/v1/flags/{id}/log',
  operationId: 'flagLog',
  summary: 'Each step of following: why that address, what it cost, what it changed',
  request: { params: FlagId, query: z.strictObject(Page) },
  responses: {
    200: json(
      z.object({ steps: z.array(StepView), next_cursor: z.string().nullable() }),
      'One page',
    ),
    ...problems,
  },
})

const getFlagTrace = createRoute({
  method: 'get',
  path: '/v1/flags/{id}/trace',
  operationId: 'flagTrace',
  summary:
    'The trace of a flag as far as it is known; its not_ingested part shrinks as workers read',
  request: { params: FlagId, query: z.strictObject({ asset: AssetText.optional() }) },
  responses: { 200: json(TraceView, 'The trace'), ...problems },
})

/** What is flagged, and how the following of it goes. */
export function flagRoutes(knowledge: Knowledge, cursors: Cursors, jobs: Jobs): OpenAPIHono {
  const { store } = knowledge
  const routes = createRouter()
  routes.openapi(addFlag, async (c) => {
    const flag = await putFlag(store, givenFlag(c.req.valid('json')), new Date())
    return c.json(viewOf(flag), 201)
  })
  routes.openapi(getFlags, async (c) => {
    const { limit, cursor } = c.req.valid('query')
    const after = cursor === undefined ? undefined : String(cursors.read('flags', cursor)[0])
    const flags = await listFlags(store, after, limit)
    const last = flags.at(-1)
    const next = flags.length === limit && last ? cursors.write('flags', [last.id]) : null
    return c.json({ flags: flags.map(viewOf), next_cursor: next }, 200)
  })
  routes.openapi(getFlag, async (c) => {
    const flag = await existingFlag(store, c.req.valid('param').id)
    const coverage = flag.account ? await reliableCoverage(store, flag.account) : []
    return c.json(
      { ...viewOf(flag), coverage: coverage.map(({ account: _, ...claim }) => claim) },
      200,
    )
  })
  routes.openapi(getLog, async (c) => {
    const { limit, cursor } = c.req.valid('query')
    const { id } = await existingFlag(store, c.req.valid('param').id)
    const after = cursor === undefined ? 0 : Number(cursors.read(`log ${id}`, cursor)[0])
    const steps = await readSteps(store, id, { after, limit })
    const last = steps.at(-1)
    const next =
      steps.length === limit && last ? cursors.write(`log ${id}`, [String(last.number)]) : null
    return c.json(
      {
        steps: steps.map((step) => ({
          ...step,
          askedFirst: step.askedFirst ? { ...step.askedFirst } : null,
        })),
        next_cursor: next,
      },
      200,
    )
  })
  routes.openapi(getFlagTrace, async (c) => {
    const flag = await existingFlag(store, c.req.valid('param').id)
    const request = await flagTraceRequest(store, flag, c.req.valid('query').asset)
    return answerTrace(c, jobs, request)
  })
  return routes
}

function givenFlag({
  account,
  payment,
  budget = {},
  minShare,
  ...said
}: z.output<typeof FlagBody>): GivenFlag {
  const flagged = account === undefined ? payment : { account }
  if (!flagged || (account !== undefined && payment !== undefined)) {
    throw new KnownError('request.invalid', 'a flag names one account or one payment', {
      facts: { field: 'account' },
      hint: 'Give account or payment, not both.',
    })
  }
  const given = Object.entries(budget).filter(([, most]) => most !== undefined)
  return {
    ...flagged,
    ...said,
    budget: Object.fromEntries(given),
    ...(minShare === undefined ? {} : { minShare }),
  }
}

export function viewOf(flag: Flag): z.output<typeof FlagView> {
  const { account, transaction, following } = flag
  const id = formatFlagId(flag)
  return {
    ...flag,
    id,
    account: account === null ? null : id,
    transaction: transaction && `${transaction.chain}:${transaction.tx}`,
    following: following && {
      ...following,
      through: { ...following.through },
      assets: following.assets.map((one) => ({ ...one, asset: formatAsset(one.asset) })),
    },
    trace: `/v1/flags/${id}/trace`,
  }
}
