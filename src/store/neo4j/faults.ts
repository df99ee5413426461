import { Neo4jError } from 'neo4j-driver'
import { type ErrorCode, type Facts, KnownError } from '../../ledger/errors.ts'

interface Explanation {
  readonly code: ErrorCode
  readonly text: string
  readonly hint: string
  readonly retryable: boolean
}

const unreachable: Explanation = {
  code: 'store.unavailable',
  text: 'the Neo4j server cannot be reached',
  hint: 'Check that it runs, its address, and whether it wants encryption (neo4j+s://).',
  retryable: true,
}

const unauthorized: Explanation = {
  code: 'store.unauthorized',
  text: 'the Neo4j server refuses the user or password',
  hint: 'Set JEJAK_NEO4J_USER and JEJAK_NEO4J_PASSWORD_FILE; after several wrong ones the server waits a while.',
  retryable: false,
}

const tooSlow: Explanation = {
  code: 'store.timeout',
  text: 'the Neo4j server took too long and the transaction was ended',
  hint: 'Nothing of it was stored. Try again, or raise JEJAK_NEO4J_TIMEOUT_MS.',
  retryable: true,
}

const readOnly: Explanation = {
  code: 'store.read-only',
  text: 'the Neo4j database takes no writes',
  hint: 'Point JEJAK_STORE at a database that may be written, with neo4j:// for a cluster.',
  retryable: false,
}

const outOfMemory = /OutOfMemory/

const noMemory: Explanation = {
  code: 'store.memory',
  text: 'the transaction is larger than the memory that the Neo4j server gives to one',
  hint: 'Nothing of it was stored. Import fewer files at once, raise the heap or dbms.memory.transaction.total.max, or import into a folder and `jejak store copy` it.',
  retryable: false,
}

const noDatabase: Explanation = {
  code: 'store.unavailable',
  text: 'the Neo4j server has no such database, or it is stopped',
  hint: 'Set JEJAK_NEO4J_DATABASE to one that exists.',
  retryable: false,
}

const busy: Explanation = {
  code: 'store.busy',
  text: 'the Neo4j server could not finish the transaction now',
  hint: 'Try again.',
  retryable: true,
}

const heldUp: Explanation = {
  code: 'store.busy',
  text: 'another process is writing to the store and took too long',
  hint: 'Try again when it is done; a large import may take minutes.',
  retryable: true,
}

/** First match counts. Codes are the server's and the driver's own; the last word of each is enough to know it. */
const explanations: readonly (readonly [RegExp, Explanation])[] = [
  [/^Neo\.ClientError\.Security\./, unauthorized],
  [outOfMemory, noMemory],
  [/LockClientStopped|LockAcquisitionTimeout/, heldUp],
  [/TransactionTimedOut|TransactionValidationFailed/, tooSlow],
  [/^Neo\.ClientError\.Transaction\.TransactionTerminated/, tooSlow],
  [/ReadOnlyDatabase|WriteOnReadOnly|ForbiddenOnReadOnly|AccessMode/, readOnly],
  [/DatabaseNotFound|^Neo\.ClientError\.Database\./, noDatabase],
  [/^(ServiceUnavailable|SessionExpired|N\/A)$/, unreachable],
  [
    /DatabaseUnavailable|NotALeader/,
    { ...unreachable, text: 'the Neo4j database is not available' },
  ],
  [/^Neo\.TransientError\./, busy],
]

/** The driver's error as one that says what to do; what is no fault of a server stays as it is. */
export function explained(error: unknown, location: string): unknown {
  if (!(error instanceof Neo4jError)) return error
  const found = explanations.find(([pattern]) => pattern.test(error.code))?.[1]
  if (!found) return error
  const facts: Facts = { location, neo4j: error.code }
  const { code, text, hint, retryable } = found
  return new KnownError(code, text, { facts, hint, retryable, cause: error })
}

/** When no answer came at all, not even that the time was over: a network that swallows what is sent. */
export function noAnswer(location: string, afterMs: number): KnownError {
  return new KnownError('store.timeout', 'the Neo4j server does not answer any more', {
    facts: { location, afterMs },
    hint: 'Check the network between here and the server. Nothing is known about what was asked last.',
    retryable: true,
  })
}

/** True when somebody else made the same index or constraint between the server's question and its answer. */
export function isThereAlready(error: unknown): boolean {
  return (
    error instanceof Neo4jError && /^Neo\.ClientError\.Schema\.\w+AlreadyExists$/.test(error.code)
  )
}

export function isOutOfMemory(error: unknown): boolean {
  return error instanceof Neo4jError && outOfMemory.test(error.code)
}

/** True when the transaction is at an end at the server's side. */
export function isGone(error: unknown): boolean {
  return error instanceof Neo4jError
}

/** True when somebody else removed what this transaction was waiting for. */
export function isRemoved(error: unknown): boolean {
  return error instanceof Neo4jError && error.code === 'Neo.ClientError.Statement.EntityNotFound'
}
