import { KnownError } from '../ledger/errors.ts'

/** The collection of the document that was changed by somebody else; undefined for any other error. */
export function conflictIn(error: unknown): string | undefined {
  if (!(error instanceof KnownError && error.code === 'document.conflict')) return undefined
  return String(error.facts['collection'])
}
