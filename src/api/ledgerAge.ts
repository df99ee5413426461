import type { Context } from 'hono'
import type { Told } from './tracePool.ts'

/**
 * While a worker writes, answers are of a ledger some seconds old, since a graph of all of it is made more slowly than
 * it is written. How old is said by whoever answers; how old it may be, by whoever asks.
 */

/** What the routes say about it in the API's description. */
export const ageInWords =
  'It holds all that was stored before the question; while the log goes on, all but the last `jejak-behind-ms`, at most ' +
  'JEJAK_MAX_STALENESS_MS, or less where `Cache-Control: max-age` (seconds) or `no-cache` asks for that. ' +
  '`jejak-sequence` is where the log ended.'

/**
 * How old the ledger may be by RFC 9111: `no-cache` or `max-age=5`, seconds, of a request.
 *
 * @returns milliseconds; undefined where the caller says nothing of it
 */
export function acceptedAge(c: Context): number | undefined {
  const header = c.req.header('cache-control') ?? ''
  if (/(?:^|[,\s])no-cache(?:$|[,\s])/i.test(header)) return 0
  const age = /(?:^|[,\s])max-age="?(\d{1,9})/i.exec(header)?.[1]
  return age === undefined ? undefined : Number(age) * 1000
}

/** Says of which moment an answer is; nothing where the ledger is larger than memory and was read as it is. */
export function tellAge(c: Context, told: Told | undefined): void {
  if (!told) return
  c.header('jejak-sequence', String(told.sequence))
  c.header('jejak-behind-ms', String(told.behindMs))
}
