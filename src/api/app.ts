import { createHash } from 'node:crypto'
import { availableParallelism } from 'node:os'
import type { OpenAPIHono } from '@hono/zod-openapi'
import { bodyLimit } from 'hono/body-limit'
import { createMiddleware } from 'hono/factory'
import type { Config } from '../config.ts'
import { KnownError } from '../ledger/errors.ts'
import type { Log } from '../log.ts'
import { accountRoutes } from './accounts.ts'
import { boundsRoutes } from './bounds.ts'
import { coverageRoutes } from './coverage.ts'
import { createCursors } from './cursor.ts'
import { docsPage, errorsPage } from './docsPage.ts'
import { flagEventRoutes } from './flagEvents.ts'
import { flagRoutes } from './flags.ts'
import { hostGuard, securityHeaders } from './guard.ts'
import { importRoutes } from './imports.ts'
import { jobRoutes } from './jobRoutes.ts'
import { createJobs } from './jobs.ts'
import type { Knowledge } from './knowledge.ts'
import { metricsRoutes } from './metrics.ts'
import { pathsRoutes } from './paths.ts'
import { planInPool } from './planInPool.ts'
import { explained, notFound, problem, problemHandler } from './problem.ts'
import { reachRoutes } from './reach.ts'
import { createRouter } from './router.ts'
import { tagRoutes } from './tags.ts'
import { createTracePool } from './tracePool.ts'
import { traceRoutes } from './traces.ts'
import { workRoutes } from './work.ts'

export interface AppOptions {
  readonly config: Pick<
    Config,
    'maxBodyBytes' | 'maxAddresses' | 'maxTransactions' | 'traceTimeoutMs' | 'maxStalenessMs'
  >
  readonly log: Log
  /** Port the service is reached at, once it listens. */
  readonly port: () => number
  /** Whether to plan what is to be read for what is flagged. */
  readonly plans?: boolean
}

const description = {
  openapi: '3.1.0',
  info: {
    title: 'Jejak',
    version: '0.1.0',
    description: 'Follows scam proceeds across EVM chains.',
  },
}

/** JSON bodies are small; files go to /v1/imports, which has the configured limit. */
const jsonBodyBytes = 4 * 2 ** 20

/** One is left for the service itself; two at least, so that one long trace does not hold up all others. */
const traceThreads = Math.min(4, Math.max(2, availableParallelism() - 1))

/** More traces than this do not wait for a thread: they are refused. */
const mostQueued = 64

/** The HTTP interface over what is known. */
export async function createApp(knowledge: Knowledge, options: AppOptions): Promise<OpenAPIHono> {
  const { id } = await knowledge.store.state()
  const cursors = createCursors(createHash('sha256').update(`cursors of ${id}`).digest('hex'))
  const app = createRouter()
  app.onError(problemHandler(options.log))
  app.notFound(notFound)
  app.use(securityHeaders)
  app.use(hostGuard(options.port))
  app.use('/v1/imports', sized(options.config.maxBodyBytes))
  app.use('/v1/*', async (c, next) =>
    c.req.path === '/v1/imports' ? next() : sized(jsonBodyBytes)(c, next),
  )
  app.use('/v1/*', jsonOnly)
  app.route('/', importRoutes(knowledge))
  app.route('/', tagRoutes(knowledge))
  app.route('/', accountRoutes(knowledge, cursors))
  app.route('/', coverageRoutes(knowledge))
  const pool = createTracePool(knowledge, {
    place: knowledge.place,
    threads: traceThreads,
    queued: mostQueued,
    limitMs: options.config.traceTimeoutMs,
    mostBehindMs: options.config.maxStalenessMs,
  })
  knowledge.onClose(() => pool.close())
  if (options.plans) planInPool(knowledge, options.config.traceTimeoutMs, options.log)
  const jobs = createJobs(pool)
  app.route('/', flagRoutes(knowledge, cursors, jobs))
  app.route('/', flagEventRoutes(knowledge))
  app.route('/', metricsRoutes(knowledge))
  app.route('/', workRoutes(knowledge, cursors))
  app.route('/', traceRoutes(knowledge, jobs, options.config))
  app.route('/', jobRoutes(jobs))
  app.route('/', pathsRoutes(knowledge, options.config))
  app.route('/', reachRoutes(knowledge, options.config))
  app.route('/', boundsRoutes(jobs))
  addPages(app, knowledge, options.config.maxStalenessMs)
  addMethodTable(app)
  return app
}

function sized(maxSize: number) {
  return bodyLimit({
    maxSize,
    onError: (c) =>
      problem(
        c,
        new KnownError('request.too-large', `the body is larger than ${maxSize} bytes`, {
          facts: { limit: maxSize },
          hint: 'Send less at once.',
        }),
      ),
  })
}

const jsonOnly = createMiddleware(async (c, next) => {
  const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase()
  const readsJson = c.req.method === 'POST' && c.req.path !== '/v1/imports'
  if (!readsJson || type === 'application/json') return next()
  return problem(
    c,
    new KnownError(
      'request.media-type',
      `a body of type "${(type ?? 'none').slice(0, 60)}" is not read here`,
      { hint: 'Send application/json.' },
    ),
  )
})

function addPages(app: OpenAPIHono, knowledge: Knowledge, mostBehindMs: number): void {
  const page = {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy':
      "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
  }
  app.get('/', (c) => c.redirect('/docs'))
  app.get('/livez', (c) => c.json({ alive: true }))
  app.get('/readyz', async (c) => {
    const ledger = await knowledge.ledger(mostBehindMs)
    return c.json({
      ready: true,
      transfers: ledger.transferCount,
      sequence: ledger.sequence,
      dataset: ledger.digest,
    })
  })
  app.get('/openapi.json', (c) => c.json(app.getOpenAPI31Document(description)))
  app.get('/docs', (c) =>
    c.body(
      docsPage(app.getOpenAPI31Document(description) as unknown as Parameters<typeof docsPage>[0]),
      200,
      page,
    ),
  )
  app.get('/errors', (c) => c.body(errorsPage(Object.entries(explained)), 200, page))
  app.get('/errors/:code', (c) => {
    const code = c.req.param('code')
    const found = Object.entries(explained).find(([name]) => name === code)
    if (found) return c.json({ code, ...found[1] })
    return problem(
      c,
      new KnownError('route.not-found', `there is no error code ${code.slice(0, 80)}`, {
        hint: '/errors lists all.',
      }),
    )
  })
}

/** A known path with another method answers 405 and says which methods it has. */
function addMethodTable(app: OpenAPIHono): void {
  const methods = new Map<string, Set<string>>()
  for (const { method, path } of app.routes) {
    if (method === 'ALL' || path.includes('*')) continue
    methods.set(path, (methods.get(path) ?? new Set<string>()).add(method))
  }
  for (const [path, known] of methods) {
    const allow = [...known, ...(known.has('GET') ? ['HEAD'] : [])].join(', ')
    app.all(path, (c) => {
      c.header('allow', allow)
      return problem(
        c,
        new KnownError('request.not-allowed', `${c.req.method} is not possible here`, {
          facts: { allow },
          hint: `Use ${allow}.`,
        }),
      )
    })
  }
}
