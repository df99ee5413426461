import { deserialize, serialize } from 'node:v8'
import type { Coverage, CoverageOfMany } from '../ledger/coverage.ts'
import { shared } from './columns.ts'

/**
 * Claims of coverage on their way from the thread that read them to those that answer. Between them stands the thread
 * that serves requests: it hands the bytes on and never looks at them, since a file may claim for a million accounts.
 */
export interface SharedClaims {
  /** Of the coverage of the store. */
  readonly version: number
  readonly bytes: Uint8Array
}

export function sharedClaims(
  version: number,
  claims: readonly (Coverage | CoverageOfMany)[],
): SharedClaims {
  const written = serialize(claims)
  const bytes = shared(Uint8Array, written.length)
  bytes.set(written)
  return { version, bytes }
}

export function claimsOf({ bytes }: SharedClaims): readonly (Coverage | CoverageOfMany)[] {
  return deserialize(bytes) as (Coverage | CoverageOfMany)[]
}
