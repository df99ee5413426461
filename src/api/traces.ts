import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { methodNames } from '../analysis/methods.ts'
import { outcomes } from '../analysis/traceAnswer.ts'
import type { Config } from '../config.ts'
import type { TransferId } from '../ledger/transfer.ts'
import { JobView, jobView } from './jobRoutes.ts'
import { isSettled, type Job, type Jobs } from './jobs.ts'
import type { Knowledge } from './knowledge.ts'
import { acceptedAge, ageInWords, tellAge } from './ledgerAge.ts'
import { readPin } from './pinnedTraces.ts'
import { createRouter } from './router.ts'
import type { TraceRequest } from './runTrace.ts'
import { BaseUnits, json, problems, seedFields } from './schemas.ts'
import { within } from './within.ts'

const TraceBody = z
  .strictObject({
    ...seedFields,
    direction: z.enum(['forward', 'backward']).optional(),
    method: z.enum(methodNames).optional(),
    sameTransaction: z.enum(['matched', 'ordered']).optional(),
    minShare: z.number().min(0).max(1).optional(),
    maxHops: z.int().min(1).max(64).optional(),
    maxIdle: z.int().min(0).optional(),
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

export const TraceView = z
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
  responses: {
    200: json(TraceView, `The trace; Location names it for later. ${ageInWords}`),
    202: json(JobView, 'It takes longer than `Prefer: wait` (2 s): Location is its job'),
    ...problems,
  },
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

const Faces = z.record(z.string(), BaseUnits)

const ComparisonView = z
  .object({
    version: z.string(),
    methods: z.array(z.enum(methodNames)),
    query: z.looseObject({}),
    seeds: z.array(z.object({ transfer: z.string(), asset: z.string(), amount: BaseUnits })),
    seedTotal: BaseUnits,
    table: z.array(
      z.object({
        outcome: z.enum(outcomes),
        faces: Faces,
        shares: z.record(z.string(), z.number()),
      }),
    ),
    places: z.array(
      z.object({
        outcome: z.enum(outcomes),
        account: z.string(),
        asset: z.string(),
        category: z.string().optional(),
        label: z.string().optional(),
        faces: Faces,
      }),
    ),
    bySeed: z.array(
      z.object({
        seed: z.string(),
        table: z.array(z.object({ outcome: z.enum(outcomes), faces: Faces })),
      }),
    ),
    cuts: z.record(z.string(), z.looseObject({})),
    asOf: z.record(z.string(), z.looseObject({})),
    dataset: z.string(),
    tags: z.string(),
  })
  .openapi('Comparison')

const postComparison = createRoute({
  method: 'post',
  path: '/v1/compare',
  operationId: 'compare',
  summary: 'The same trace under every method, in one table of outcome by method',
  request: {
    query: z.strictObject({}),
    body: {
      required: true,
      content: {
        'application/json': { schema: TraceBody.omit({ method: true }).openapi('CompareRequest') },
      },
    },
  },
  responses: { 200: json(ComparisonView, `The comparison. ${ageInWords}`), ...problems },
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
      `What moved; empty when nothing did. ${ageInWords}`,
    ),
    ...problems,
  },
})

/**
 * A trace that ends sooner is answered at once, unless the caller prefers otherwise; counted from when it begins, which
 * may be a while where a thread has to be started or to become free.
 */
const waitMs = 2_000
const beginningMs = 10_000
const longestWaitSeconds = 240

/** An answer does not wait longer than this for its pin: an import may hold the store for a minute. */
const pinPatienceMs = 1_000

/** The same while a worker writes all the time: its pin has to wait for a gap. */
const busyPinPatienceMs = 10

/** Count budgets of the service bound every trace; a caller may ask for less. */
export function traceRoutes(
  knowledge: Knowledge,
  jobs: Jobs,
  config: Pick<Config, 'maxAddresses' | 'maxTransactions'>,
): OpenAPIHono {
  const routes = createRouter()
  const limited = <
    T extends { maxAddresses?: number | undefined; maxTransactions?: number | undefined },
  >(
    asked: T,
  ): T & { maxAddresses: number; maxTransactions: number } => ({
    ...asked,
    maxAddresses: Math.min(asked.maxAddresses ?? config.maxAddresses, config.maxAddresses),
    maxTransactions: Math.min(
      asked.maxTransactions ?? config.maxTransactions,
      config.maxTransactions,
    ),
  })
  routes.openapi(postTrace, (c) => answerTrace(c, jobs, limited(c.req.valid('json'))))
  routes.openapi(postComparison, async (c) => {
    const request = limited(c.req.valid('json'))
    return answered(c, jobs.start({ kind: 'compare', request }, acceptedAge(c)))
  })
  routes.openapi(getTrace, async (c) => {
    const { id } = c.req.valid('param')
    const recent = jobs.recent(id)
    if (recent) return bytes(c, recent.bytes)
    await readPin(knowledge.store, id)
    return bytes(c, (await jobs.start({ kind: 'replay', id }).answered).bytes)
  })
  routes.openapi(getDiff, async (c) => {
    const { id } = c.req.valid('param')
    await readPin(knowledge.store, id)
    return answered(c, jobs.start({ kind: 'diff', id }, acceptedAge(c)))
  })
  return routes
}

/** Traces within the time a caller waits, else names the job that goes on. */
export async function answerTrace(
  c: Context,
  jobs: Jobs,
  request: TraceRequest,
): Promise<ReturnType<typeof bytes>> {
  const wait = preferredWait(c.req.header('prefer'))
  const { job, answered } = jobs.start({ kind: 'trace', request }, acceptedAge(c))
  if (wait !== undefined) c.header('preference-applied', `wait=${wait}`)
  if (wait === undefined) await within(Promise.race([answered, begun(jobs, job.id)]), beginningMs)
  const answer = await within(answered, wait === undefined ? waitMs : wait * 1000)
  c.header('jejak-job', `/v1/jobs/${job.id}`)
  if (!answer) {
    c.header('location', `/v1/jobs/${job.id}`)
    return c.json(jobView(jobs.get(job.id)), 202) as never
  }
  const isBusy = (answer.told?.behindMs ?? 0) > 0
  await within(settled(jobs, job.id), isBusy ? busyPinPatienceMs : pinPatienceMs)
  tellAge(c, answer.told)
  c.header('location', `/v1/traces/${answer.trace}`)
  c.header('jejak-pinned', pinText(jobs.get(job.id)))
  return bytes(c, answer.bytes)
}

async function answered(c: Context, started: ReturnType<Jobs['start']>): Promise<never> {
  const answer = await started.answered
  tellAge(c, answer.told)
  return bytes(c, answer.bytes)
}

function bytes(c: Context, body: Uint8Array<ArrayBuffer>): never {
  return c.body(body, 200, { 'content-type': 'application/json' }) as never
}

/** RFC 7240: `Prefer: wait=10` in seconds, among other preferences. */
function preferredWait(header: string | undefined): number | undefined {
  const wait = /(?:^|[,;\s])wait=(\d{1,9})(?:$|[,;\s])/i.exec(header ?? '')?.[1]
  return wait === undefined ? undefined : Math.min(Number(wait), longestWaitSeconds)
}

async function begun(jobs: Jobs, id: string): Promise<void> {
  while (jobs.get(id).state === 'queued') await jobs.changed(id)
}

async function settled(jobs: Jobs, id: string): Promise<void> {
  while (!isSettled(jobs.get(id))) await jobs.changed(id)
}

/** `no`: the job says why the trace cannot be replayed later. */
function pinText({ pin }: Job): string {
  if (!pin) return 'pending'
  return pin.stored ? 'yes' : 'no'
}
