// Date.parse alone reads "abc 5" as 2001, 30 February as 2 March, and a time without zone as the machine's own;
// a bare year would be seconds after 1970.
const form = /^(\d{4}-\d{2}-\d{2})(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2}))?$/

/**
 * Seconds since 1970 of a date (its first second, UTC) or of a time with its zone; NaN for anything else.
 *
 * @example secondsOfIso('2024-01-31T00:00:00Z') // 1706659200
 */
export function secondsOfIso(text: string): number {
  const day = form.exec(text)?.[1]
  if (day === undefined || !isDay(day)) return Number.NaN
  return Math.floor(Date.parse(text) / 1000)
}

function isDay(day: string): boolean {
  const time = Date.parse(day)
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(day)
}
