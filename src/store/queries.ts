import { readdirSync, readFileSync } from 'node:fs'

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

/** Names of the statements in a folder below `queries/`, sorted, without ending. */
export function queryNames(below: string, ending: 'sql' | 'cypher'): string[] {
  return readdirSync(new URL(`${below}/`, folder))
    .filter((file) => file.endsWith(`.${ending}`))
    .map((file) => file.slice(0, -ending.length - 1))
    .sort()
}
