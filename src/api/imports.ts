import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { createWriteStream, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import { formatAccount } from '../ledger/account.ts'
import { KnownError } from '../ledger/errors.ts'
import { nodeArguments } from './ingestProcess.ts'
import type { Knowledge } from './knowledge.ts'
import { createRouter } from './router.ts'
import { AccountText, json, problems } from './schemas.ts'

const ImportView = z
  .object({
    id: z.string(),
    state: z.enum(['running', 'stored', 'refused', 'failed']),
    startedAt: z.string(),
    progress: z.object({ bytes: z.number(), totalBytes: z.number(), rows: z.number() }).nullable(),
    rejected: z.array(z.looseObject({})).openapi({ description: 'The first hundred refused rows' }),
    report: z.looseObject({}).nullable(),
    error: z.string().nullable(),
  })
  .openapi('Import')
type ImportView = z.output<typeof ImportView>

const postImport = createRoute({
  method: 'post',
  path: '/v1/imports',
  operationId: 'startImport',
  summary:
    'Store transfers of an uploaded file (Jejak CSV, ethereum-etl, Etherscan CSV; plain, gzip or zstd): all or nothing',
  description:
    'The body is the file, of any type but a form. The answer names the import; GET it for progress and report.',
  request: {
    query: z.strictObject({
      complete: z.enum(['true', 'false']).optional(),
      covers: AccountText.optional(),
      blocks: z
        .string()
        .regex(/^\d{1,15}-\d{1,15}$/, 'write it as 17000000-17100000')
        .optional(),
      onError: z.enum(['fail', 'skip']).optional(),
      chain: z.string().max(50).optional(),
    }),
  },
  responses: { 202: json(ImportView, 'Running'), ...problems },
})

const getImports = createRoute({
  method: 'get',
  path: '/v1/imports',
  operationId: 'listImports',
  summary: 'Imports since this service started, newest first',
  request: { query: z.strictObject({}) },
  responses: { 200: json(z.object({ imports: z.array(ImportView) }), 'The imports'), ...problems },
})

const getImport = createRoute({
  method: 'get',
  path: '/v1/imports/{id}',
  operationId: 'getImport',
  summary: 'One import with its progress, refused rows and report',
  request: { params: z.strictObject({ id: z.uuid() }), query: z.strictObject({}) },
  responses: { 200: json(ImportView, 'The import'), ...problems },
})

/** More than this many finished imports are forgotten, oldest first. */
const rememberedImports = 1000

export function importRoutes(knowledge: Knowledge): OpenAPIHono {
  const imports = new Map<string, ImportView>()
  const routes = createRouter()
  routes.openapi(postImport, async (c) => {
    const query = c.req.valid('query')
    const type = c.req.header('content-type') ?? ''
    if (/^multipart\/|urlencoded/.test(type)) {
      throw new KnownError(
        'request.media-type',
        `a body of type ${type.slice(0, 60)} is not read`,
        { hint: 'Send the file itself as the body, for example with curl --data-binary @file.' },
      )
    }
    const { body } = c.req.raw
    if (!body)
      throw new KnownError('request.invalid', 'the request has no body', {
        hint: 'Send the file as the body.',
      })
    const id = randomUUID()
    const folder = join(knowledge.folder, 'uploads')
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const file = join(folder, id)
    await pipeline(
      Readable.fromWeb(body as Parameters<typeof Readable.fromWeb>[0]),
      createWriteStream(file, { mode: 0o600 }),
    ).catch((error: unknown) => {
      rmSync(file, { force: true })
      throw error
    })
    const options = [
      ...(query.complete === 'true' ? ['--complete'] : []),
      ...(query.covers === undefined ? [] : ['--covers', formatAccount(query.covers)]),
      ...(query.blocks === undefined ? [] : ['--blocks', query.blocks]),
      ...(query.chain === undefined ? [] : ['--chain', query.chain]),
      '--on-error',
      query.onError ?? 'fail',
      '--rejects',
      join(folder, `${id}.rejected.csv`),
    ]
    if (imports.size >= rememberedImports) imports.delete(imports.keys().next().value ?? '')
    const view: ImportView = {
      id,
      state: 'running',
      startedAt: new Date().toISOString(),
      progress: null,
      rejected: [],
      report: null,
      error: null,
    }
    imports.set(id, view)
    void runImport(
      ['import', '--store', knowledge.location, '--json', ...options, '--', file],
      (change) => {
        imports.set(id, { ...(imports.get(id) ?? view), ...change })
      },
      () => knowledge.showAll(),
    ).finally(() => rmSync(file, { force: true }))
    return c.json(view, 202)
  })
  routes.openapi(getImports, (c) => c.json({ imports: [...imports.values()].reverse() }, 200))
  routes.openapi(getImport, (c) => {
    const found = imports.get(c.req.valid('param').id)
    if (found) return c.json(found, 200)
    throw new KnownError('import.not-found', 'there is no import with this id', {
      hint: 'GET /v1/imports lists them.',
    })
  })
  return routes
}

/** Runs the ingest process and turns what it says into changes of the import's view. */
async function runImport(
  args: readonly string[],
  change: (part: Partial<ImportView>) => void,
  stored: () => Promise<void>,
): Promise<void> {
  const child = spawn(process.execPath, nodeArguments(args), { stdio: ['ignore', 'pipe', 'pipe'] })
  const rejected: ImportView['rejected'] = []
  let complaint = ''
  let report: ImportView['report'] = null
  child.stderr.on('data', (chunk: Buffer) => {
    complaint = `${complaint}${chunk.toString()}`.slice(-2000)
  })
  createInterface({ input: child.stdout }).on('line', (line) => {
    const record = JSON.parse(line) as Readonly<Record<string, unknown>> & { readonly type: string }
    const { type, ...rest } = record
    if (type === 'progress') change({ progress: rest as unknown as ImportView['progress'] })
    if (type === 'rejected' && rejected.length < 100) rejected.push(rest)
    if (type === 'done') report = rest
  })
  const code = await new Promise<number>((resolve) => {
    child.once('error', () => resolve(70))
    child.once('close', (exit) => resolve(exit ?? 70))
  })
  // Who hears that it is stored finds it in the next answer.
  if (code === 0) await stored()
  const state = code === 0 ? 'stored' : code === 1 ? 'refused' : 'failed'
  change({ state, rejected, report, error: state === 'failed' ? complaint.trim() : null })
}
