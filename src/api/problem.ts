import { z } from '@hono/zod-openapi'
import type { Context, ErrorHandler, NotFoundHandler } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { type ErrorCode, KnownError } from '../ledger/errors.ts'
import { harmlessText } from '../ledger/text.ts'
import type { Log } from '../log.ts'

/** The one shape of failure: application/problem+json (RFC 9457). */
export const Problem = z
  .object({
    type: z.string().openapi({ example: '/errors/seed.not-found' }),
    title: z.string(),
    status: z.int(),
    code: z.string(),
    hint: z.string().optional(),
    facts: z.record(z.string(), z.string()).optional(),
    errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
  })
  .openapi('Problem')

/** HTTP status and explanation of every code. A code without an entry does not compile. */
export const explained: Readonly<
  Record<ErrorCode, { readonly status: ContentfulStatusCode; readonly text: string }>
> = {
  'account.invalid': {
    status: 400,
    text: 'The text is no account: CAIP-10 such as eip155:1:0x…, with a valid checksum where the case is mixed.',
  },
  'amount.invalid': {
    status: 400,
    text: 'Amounts are whole numbers of base units (wei for ether), digits only, below 2^256.',
  },
  'asset.invalid': {
    status: 400,
    text: 'Assets are CAIP-19, for example eip155:1/slip44:60 or eip155:1/erc20:0x….',
  },
  'asset.ambiguous': {
    status: 409,
    text: 'The addresses moved several assets, and amounts of two assets are never added: name one.',
  },
  'chain.invalid': { status: 400, text: 'Chains are CAIP-2, for example eip155:1.' },
  'chain.mismatch': { status: 409, text: 'The node serves another chain than the account is on.' },
  'chain.contradicted': {
    status: 409,
    text: 'The node shows another block where one was final: it is on another chain, or wrong. Nothing was changed.',
  },
  'flag.abandoned': {
    status: 500,
    text: 'Several workers in a row died or fell silent while they read this wallet; it is parked until it is flagged again.',
  },
  'transfer.invalid': {
    status: 400,
    text: 'A transfer or its id is not well formed, or contradicts the times of blocks already stored.',
  },
  'transfer.not-found': { status: 404, text: 'The store has no such transfer.' },
  'file.unreadable': { status: 400, text: 'A file is missing, cut short, or not readable.' },
  'file.unknown-format': { status: 415, text: 'A file begins with no header that is known.' },
  'file.bad-rows': {
    status: 422,
    text: 'Rows of the file were refused; each is listed with its line, field and what to do.',
  },
  'tag.invalid': { status: 422, text: 'Rows of a tag file are no tags; nothing of it was stored.' },
  'token-list.invalid': { status: 422, text: 'A token list does not have the form of one.' },
  'price.invalid': {
    status: 422,
    text: 'Rows of a price file are no prices; nothing of it was stored.',
  },
  'bridge.invalid': {
    status: 422,
    text: 'Rows of a bridge file are no matched legs, or claim a message or a leg twice; nothing of it was stored.',
  },
  'store.busy': { status: 503, text: 'Another process is writing to the store. Try again.' },
  'store.full': {
    status: 507,
    text: 'There is no space left for the store. Nothing that was stored is lost.',
  },
  'store.foreign': { status: 500, text: 'The folder holds a file of another program.' },
  'store.newer': { status: 500, text: 'The store was written by a newer version.' },
  'store.damaged': { status: 500, text: 'The store is damaged; restore it from a backup.' },
  'store.unavailable': { status: 503, text: 'The store cannot be reached or its disk failed.' },
  'store.older': {
    status: 500,
    text: 'The shared store is of an older version; its operator brings it up with `jejak store migrate`.',
  },
  'store.unauthorized': {
    status: 500,
    text: 'The Neo4j server refuses the user or password that this service was given.',
  },
  'store.timeout': {
    status: 503,
    text: 'The Neo4j server took too long. Nothing is known about the answer: it is not empty.',
  },
  'store.read-only': { status: 503, text: 'The database of the store takes no writes.' },
  'store.memory': {
    status: 507,
    text: 'One transaction is larger than the memory that the Neo4j server gives to it; nothing of it was stored.',
  },
  'store.not-empty': {
    status: 409,
    text: 'A copy needs an empty store, or one that it began itself.',
  },
  'graph.too-large': {
    status: 507,
    text: 'The question needs more of the ledger in memory than JEJAK_MAX_GRAPH_BYTES allows.',
  },
  'document.conflict': {
    status: 409,
    text: 'Somebody else changed it in between: read it again and repeat the change.',
  },
  'document.not-found': { status: 404, text: 'There is no such record.' },
  'seed.not-found': {
    status: 404,
    text: 'A seed matches nothing in the store: import or ingest it first.',
  },
  'seed.ambiguous': {
    status: 409,
    text: 'A transaction has several transfers that carry value: name one of the candidates.',
  },
  'seed.mixed-assets': { status: 409, text: 'The seeds of one trace are of one asset.' },
  'seed.worthless': { status: 422, text: 'A seed is a positive transfer between two addresses.' },
  'trace.unsupported': { status: 501, text: 'This version cannot trace that way.' },
  'trace.not-found': { status: 404, text: 'There is no such trace.' },
  'trace.not-replayable': {
    status: 409,
    text: 'The trace was pinned, but its bytes cannot be made again here; the message says why.',
  },
  'job.not-found': {
    status: 404,
    text: 'There is no such job: jobs are forgotten some time after their end, and when the service stops.',
  },
  'job.queue-full': {
    status: 503,
    text: 'More traces wait already than are taken. Try again in a moment.',
  },
  'flag.not-found': { status: 404, text: 'The account is not flagged.' },
  'import.not-found': { status: 404, text: 'There is no import with this id.' },
  'rpc.unavailable': {
    status: 502,
    text: 'The node does not answer. The worker tries again by itself.',
  },
  'rpc.refused': {
    status: 502,
    text: 'The node or explorer refuses the call; the message has its words.',
  },
  'rpc.invalid-answer': {
    status: 502,
    text: 'The node answered something that cannot be right; nothing of it was stored.',
  },
  'rpc.parked': {
    status: 502,
    text: 'The node is left alone for an hour: its key is not taken, or its plan is used up. The message has its words.',
  },
  'rpc.forbidden-address': {
    status: 502,
    text: 'The name of the node stands for a private address, and names in the own network are not allowed (JEJAK_ALLOW_PRIVATE_RPC).',
  },
  'proof.unanchored': {
    status: 409,
    text: 'Nobody but the endpoint that is to be proven right vouches for the block: a second endpoint or the operator must.',
  },
  'proof.unsupported': {
    status: 501,
    text: 'This version cannot prove blocks of that chain or that form; nothing was claimed.',
  },
  'config.invalid': {
    status: 500,
    text: 'Settings (environment variables) are wrong; the message names each.',
  },
  'request.invalid': {
    status: 400,
    text: 'The request does not have the form that the API description gives.',
  },
  'request.too-large': {
    status: 413,
    text: 'The body is larger than the limit (JEJAK_MAX_BODY_BYTES).',
  },
  'request.media-type': {
    status: 415,
    text: 'The body is of a type that this route does not read.',
  },
  'request.not-allowed': {
    status: 405,
    text: 'The route exists, but not with this method; Allow names those it has.',
  },
  'request.forbidden-host': {
    status: 403,
    text: 'The Host or Origin is not this service: a guard against DNS rebinding.',
  },
  'request.timeout': {
    status: 503,
    text: 'The answer would take longer than allowed: narrow the question.',
  },
  'route.not-found': { status: 404, text: 'There is no such route; /openapi.json lists all.' },
  'cursor.invalid': {
    status: 400,
    text: 'The cursor belongs to another question or another service: begin without one.',
  },
  internal: { status: 500, text: 'A fault of this program. The log has the details.' },
}

export function problem(
  c: Context,
  error: KnownError,
  more: { readonly errors?: readonly { field: string; message: string }[] } = {},
): Response {
  const { status } = explained[error.code]
  const facts = Object.entries(error.facts).map(([name, value]) => [
    name,
    harmlessText(String(value)),
  ])
  const body = {
    type: `/errors/${error.code}`,
    title: harmlessText(error.message),
    status,
    code: error.code,
    ...(error.hint === undefined ? {} : { hint: harmlessText(error.hint) }),
    ...(facts.length === 0 ? {} : { facts: Object.fromEntries(facts) as Record<string, string> }),
    ...(more.errors ? { errors: more.errors } : {}),
  }
  const again = error.retryable && waiting.has(status) ? { 'retry-after': retryAfterSeconds } : {}
  return c.body(`${JSON.stringify(body)}\n`, status, {
    'content-type': 'application/problem+json',
    ...again,
  })
}

/** Too many requests, and unavailable: the same may be asked again when the work that is waiting has been done. */
const waiting: ReadonlySet<number> = new Set([429, 503])
const retryAfterSeconds = '2'

/** Explains known errors; says nothing about unknown ones beyond "our fault", and logs them in full. */
export function problemHandler(log: Log): ErrorHandler {
  return (error, c) => {
    if (error instanceof KnownError) return problem(c, error)
    if (error instanceof HTTPException) return problem(c, ofHttp(error))
    log.error({ event: 'request.failed', method: c.req.method, path: c.req.path, error })
    return problem(c, new KnownError('internal', 'Internal error'))
  }
}

function ofHttp(error: HTTPException): KnownError {
  if (error.status === 415)
    return new KnownError('request.media-type', 'the body has the wrong type', {
      hint: 'Send application/json.',
    })
  if (error.status === 413) return new KnownError('request.too-large', 'the body is too large')
  return new KnownError(
    'request.invalid',
    error.message === '' ? 'the request is malformed' : error.message,
    {
      hint: 'See /openapi.json for the form of this request.',
    },
  )
}

export const notFound: NotFoundHandler = (c) =>
  problem(
    c,
    new KnownError('route.not-found', `there is no route ${c.req.path.slice(0, 200)}`, {
      hint: '/openapi.json lists all routes.',
    }),
  )

/** A failed validation, each fault with its field. */
export function validationProblem(c: Context, error: z.core.$ZodError): Response {
  const errors = error.issues.map((issue) => ({
    field: issue.path.join('.') || '(body)',
    message: issue.message,
  }))
  const title = errors.map(({ field, message }) => `${field}: ${message}`).join('; ')
  return problem(
    c,
    new KnownError('request.invalid', title.slice(0, 180), {
      hint: 'Correct the fields named in errors.',
    }),
    { errors },
  )
}
