/**
 * Stable, machine-readable error codes. A released code is never renamed or reused: alerts, scripts and
 * case notes match on it. `src/api/problem.ts` maps each to an HTTP status and GET /errors/{code} explains it.
 */
export type ErrorCode =
  | 'account.invalid'
  | 'amount.invalid'
  | 'asset.invalid'
  | 'asset.ambiguous'
  | 'chain.invalid'
  | 'transfer.invalid'
  | 'transfer.not-found'
  | 'file.unreadable'
  | 'file.unknown-format'
  | 'file.bad-rows'
  | 'tag.invalid'
  | 'token-list.invalid'
  | 'price.invalid'
  | 'bridge.invalid'
  | 'store.busy'
  | 'store.full'
  | 'store.foreign'
  | 'store.newer'
  | 'store.damaged'
  | 'store.unavailable'
  | 'store.older'
  | 'store.unauthorized'
  | 'store.timeout'
  | 'store.read-only'
  | 'store.memory'
  | 'store.not-empty'
  | 'graph.too-large'
  | 'document.conflict'
  | 'document.not-found'
  | 'seed.not-found'
  | 'seed.ambiguous'
  | 'seed.mixed-assets'
  | 'seed.worthless'
  | 'trace.unsupported'
  | 'trace.not-found'
  | 'trace.not-replayable'
  | 'job.not-found'
  | 'job.queue-full'
  | 'flag.not-found'
  | 'import.not-found'
  | 'rpc.unavailable'
  | 'rpc.refused'
  | 'rpc.invalid-answer'
  | 'rpc.parked'
  | 'rpc.forbidden-address'
  | 'chain.mismatch'
  | 'chain.contradicted'
  | 'flag.abandoned'
  | 'proof.unanchored'
  | 'proof.unsupported'
  | 'config.invalid'
  | 'request.invalid'
  | 'request.too-large'
  | 'request.media-type'
  | 'request.not-allowed'
  | 'request.forbidden-host'
  | 'request.timeout'
  | 'route.not-found'
  | 'cursor.invalid'
  | 'internal'

export type Facts = Readonly<Record<string, string | number | bigint>>

interface KnownErrorOptions {
  /** Values that explain this occurrence. Never put secrets or RPC URLs here: facts are shown to API callers. */
  readonly facts?: Facts
  /** What the reader can do about it, as an instruction. */
  readonly hint?: string
  /** True when the same call may succeed later with no change by the caller. */
  readonly retryable?: boolean
  readonly cause?: unknown
}

/**
 * An error the project understands and can explain. Anything else that is thrown is a bug:
 * the API answers 500 without detail and the worker stops.
 */
export class KnownError extends Error {
  readonly code: ErrorCode
  readonly facts: Facts
  readonly hint: string | undefined
  readonly retryable: boolean

  constructor(code: ErrorCode, summary: string, options: KnownErrorOptions = {}) {
    super(summary, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.code = code
    this.facts = options.facts ?? {}
    this.hint = options.hint
    this.retryable = options.retryable ?? false
  }
}
