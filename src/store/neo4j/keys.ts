import { createHash } from 'node:crypto'
import { type Int, intOfHalves } from './connection.ts'

/** A short unique key for texts of any length, which an index could not hold. */
export function digestKey(parts: readonly (string | number)[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex')
}

const kept = new Map<string, Int>()
const mostKept = 200_000

/**
 * 64 bits that stand for an account in the indexes of transfers, where its text would take four times the room. Two
 * accounts could share them, if somebody worked for it: whoever reads by them compares the account too.
 */
export function accountKey(account: string): Int {
  const known = kept.get(account)
  if (known) return known
  const digest = createHash('sha256').update(account).digest()
  const key = intOfHalves(digest.readInt32LE(0), digest.readInt32LE(4))
  if (kept.size >= mostKept) kept.clear()
  kept.set(account, key)
  return key
}

/** The order of the embedded store's texts: by code point, not by JavaScript's halves of them. */
export function compareCodePoints(a: string, b: string): number {
  if (a === b) return 0
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
