import { createHash } from 'node:crypto'
import { coverageDigest, essentialClaims } from '../analysis/coverageDigest.ts'
import type { TraceContext } from '../analysis/trace.ts'
import type { TraceAnswer, TraceQuery } from '../analysis/traceAnswer.ts'
import { compareText } from '../ledger/order.ts'

/** An answer under its name. Equal ids mean equal bytes, whatever the store or the machine. */
export type NamedTrace = TraceAnswer & { readonly id: string }

export interface NamedCoverage {
  readonly digest: string
  readonly claims: TraceContext['coverage']
}

/**
 * Names an answer by what it depends on: SHA-256 over the canonical JSON of engine version, dataset, tags, coverage,
 * the blocks at which it was looked and all parameters as used.
 */
export function namedTrace(answer: TraceAnswer, coverage: string): NamedTrace {
  const { version, dataset, tags, asOf, query } = answer
  const id = createHash('sha256')
    .update(canonicalJson({ version, dataset, tags, coverage, asOf, query }))
    .digest('hex')
  const { version: first, ...rest } = answer
  return { version: first, id, ...rest, query: inOrder(query) }
}

/** Fields of a query in the one order in which an answer has them: the id does not look at it, the bytes do. */
const fields: Readonly<Record<keyof TraceQuery, true>> = {
  seeds: true,
  direction: true,
  method: true,
  sameTransaction: true,
  minShare: true,
  maxHops: true,
  maxIdle: true,
  asOf: true,
  continueThrough: true,
  neverFollow: true,
  resolve: true,
  throughTransfer: true,
  maxAddresses: true,
  maxTransactions: true,
}

function inOrder(query: TraceAnswer['query']): TraceAnswer['query'] {
  const given = new Map(Object.entries(query))
  const names = Object.keys(fields).filter((name) => given.get(name) !== undefined)
  const sorted: unknown = Object.fromEntries(names.map((name) => [name, given.get(name)]))
  return sorted as TraceAnswer['query']
}

/** The bytes of an answer, as CLI and HTTP give them. */
export function traceText(answer: NamedTrace): string {
  return `${JSON.stringify(answer)}\n`
}

export function textDigest(text: string | Uint8Array): string {
  return createHash('sha256').update(text).digest('hex')
}

/** JSON with the keys of every object in order, without blanks. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => compareText(a, b)))
  })
}

const known = new WeakMap<TraceContext['coverage'], NamedCoverage>()

/** Claims as an answer depends on them. The same array is read once. */
export function namedCoverage(given: TraceContext['coverage']): NamedCoverage {
  const before = known.get(given)
  if (before) return before
  const claims = essentialClaims(given)
  const named = { digest: coverageDigest(claims), claims }
  known.set(given, named)
  return named
}
