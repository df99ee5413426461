import { readFileSync } from 'node:fs'

const folder = new URL('../../queries/', import.meta.url)
const loaded = new Map<string, string>()

/**
 * The text of one statement in `queries/`, by its path without ending, for example `embedded/read-log`. The only
 * door to query text: nothing from a request can become part of it.
 */
export function queryText(name: string, ending: 'sql' | 'cypher'): string {
  const known = loaded.get(name)
  if (known !== undefined) return known
  const text = readFileSync(new URL(`${name}.${ending}`, folder), 'utf8')
  loaded.set(name, text)
  return text
}
