import { createHash } from 'node:crypto'
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import { streamSSE } from 'hono/streaming'
import { KnownError } from '../ledger/errors.ts'
import { isSettled, type Job, type Jobs } from './jobs.ts'
import { createRouter } from './router.ts'
import { json, problems } from './schemas.ts'

const Failure = z.object({ code: z.string(), message: z.string(), hint: z.string().nullable() })

export const JobView = z
  .object({
    id: z.string(),
    kind: z.enum(['trace', 'replay', 'diff', 'compare', 'bounds']),
    state: z
      .enum(['queued', 'running', 'done', 'partial', 'failed', 'cancelled'])
      .openapi({ description: 'partial: the answer ends before the trace did, see reason' }),
    progress: z
      .object({
        transactions: z.int().openapi({ description: 'Visited in this pass' }),
        passes: z.int().openapi({ description: 'Begun so far' }),
        transfer: z.string().openapi({ description: 'Where in the ledger the pass is' }),
        block: z.int(),
      })
      .nullable(),
    reason: z.enum(['deadline', 'cancelled']).nullable(),
    trace: z
      .string()
      .nullable()
      .openapi({ description: 'Id of the trace: GET /v1/traces/{id} has the answer' }),
    digest: z.string().nullable().openapi({ description: "SHA-256 of the answer's bytes" }),
    pinned: z
      .boolean()
      .nullable()
      .openapi({ description: 'Whether it can be replayed later; null while that is not known' }),
    sequence: z
      .int()
      .nullable()
      .openapi({ description: 'Where the log ended that the answer is of' }),
    behindMs: z.int().nullable().openapi({
      description: 'Whatever was stored so long before the question is in the answer; 0: all',
    }),
    error: Failure.nullable().openapi({ description: 'Why it failed, or why it is not pinned' }),
  })
  .openapi('Job')

const JobId = z.strictObject({ id: z.string().max(100) })

const getJob = createRoute({
  method: 'get',
  path: '/v1/jobs/{id}',
  operationId: 'getJob',
  summary: 'One job with its progress',
  request: { params: JobId, query: z.strictObject({}) },
  responses: { 200: json(JobView, 'The job'), ...problems },
})

const getEvents = createRoute({
  method: 'get',
  path: '/v1/jobs/{id}/events',
  operationId: 'jobEvents',
  summary: 'The job whenever it changes, as server-sent events, with a last event `done`',
  description:
    'Events `progress` carry the job. The last event is `done`: the job, `count` of the events before it, and ' +
    '`records`, the SHA-256 of their data, each followed by a newline. A stream without it is cut.',
  request: { params: JobId, query: z.strictObject({}) },
  responses: {
    200: { description: 'Events', content: { 'text/event-stream': { schema: z.string() } } },
    ...problems,
  },
})

const deleteJob = createRoute({
  method: 'delete',
  path: '/v1/jobs/{id}',
  operationId: 'cancelJob',
  summary: 'End a trace where it is, with an answer that says so; a second time, give it up',
  request: { params: JobId, query: z.strictObject({}) },
  responses: { 202: json(JobView, 'It is told; the job says when it has ended'), ...problems },
})

/** Jobs, which traces become that take longer than a caller waits. */
export function jobRoutes(jobs: Jobs): OpenAPIHono {
  const routes = createRouter()
  routes.openapi(getJob, (c) => c.json(jobView(jobs.get(c.req.valid('param').id)), 200))
  routes.openapi(deleteJob, (c) => c.json(jobView(jobs.cancel(c.req.valid('param').id)), 202))
  routes.openapi(getEvents, (c) => {
    const { id } = c.req.valid('param')
    let job = jobs.get(id)
    return streamSSE(c, async (stream) => {
      const records = createHash('sha256')
      let count = 0
      while (!isSettled(job) && !stream.aborted) {
        const data = JSON.stringify(jobView(job))
        records.update(`${data}\n`)
        count++
        await stream.writeSSE({ event: 'progress', data })
        job = await nextOf(jobs, job)
      }
      const data = JSON.stringify({ ...jobView(job), count, records: records.digest('hex') })
      await stream.writeSSE({ event: 'done', data })
    }) as never
  })
  return routes
}

/** The job after its next change; changes while the last one was written are not waited for again. */
async function nextOf(jobs: Jobs, seen: Job): Promise<Job> {
  if (jobs.get(seen.id) === seen) await jobs.changed(seen.id)
  return jobs.get(seen.id)
}

export function jobView(job: Job): z.output<typeof JobView> {
  const { id, kind, state, progress, reason, answer, error, pin } = job
  const failure = error ?? (pin?.stored === false ? pin.error : undefined)
  return {
    id,
    kind,
    state,
    progress: progress ?? null,
    reason: reason ?? null,
    trace: answer?.trace ?? null,
    digest: answer?.digest ?? null,
    pinned: pin?.stored ?? null,
    sequence: answer?.told?.sequence ?? null,
    behindMs: answer?.told?.behindMs ?? null,
    error: failure === undefined ? null : failureOf(failure),
  }
}

/** Of what we do not know we say no more than a request would. */
function failureOf(error: unknown): z.output<typeof Failure> {
  if (!(error instanceof KnownError))
    return { code: 'internal', message: 'Internal error', hint: null }
  return { code: error.code, message: error.message, hint: error.hint ?? null }
}
