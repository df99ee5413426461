import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'

/** What each part may import, besides itself. The arrow always points towards the ledger. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  'src/ledger': [],
  'src/store': ['src/ledger'],
  'src/graph': ['src/ledger', 'src/store'],
  'src/attribution': ['src/ledger', 'src/store'],
  'src/analysis': ['src/ledger', 'src/graph'],
  'src/sample': ['src/ledger'],
  'src/follow': ['src/ledger', 'src/store', 'src/graph', 'src/attribution', 'src/analysis'],
  'src/evidence': ['src/ledger', 'src/store', 'src/graph', 'src/attribution', 'src/analysis'],
  'src/api': [
    'src/ledger',
    'src/store',
    'src/graph',
    'src/attribution',
    'src/analysis',
    'src/evidence',
    'src/follow',
    'src/config.ts',
    'src/log.ts',
  ],
  'src/cli': [
    'src/ledger',
    'src/store',
    'src/graph',
    'src/attribution',
    'src/analysis',
    'src/evidence',
    'src/follow',
    'src/api',
    'src/sample',
    'src/config.ts',
    'src/log.ts',
  ],
  'src/cli.ts': ['src/cli'],
  ingest: ['src/ledger', 'src/store', 'src/config.ts', 'src/log.ts'],
  'src/log.ts': [],
  'src/config.ts': ['src/ledger', 'src/store'],
}

/** The only places where each package may be imported: one door per dependency. */
const doors: Readonly<Record<string, RegExp>> = {
  ethers: /^(ingest\/|src\/ledger\/(account|create2)\.ts)/,
  '@ethereumjs/mpt': /^ingest\/proof\//,
  '@ethereumjs/rlp': /^ingest\/proof\//,
  'neo4j-driver': /^src\/store\/neo4j\//,
  graphology: /^src\/graph\//,
  'graphology-communities-louvain': /^src\/graph\//,
  hono: /^src\/api\//,
  '@hono/node-server': /^src\/api\//,
  '@hono/zod-openapi': /^src\/api\//,
  pino: /^src\/log\.ts/,
  'node:sqlite': /^src\/store\//,
  commander: /^src\/cli/,
  'ipaddr.js': /^ingest\/rpc\/addressGuard\.ts/,
  zod: /^(src\/config\.ts|src\/attribution\/|src\/api\/|ingest\/)/,
}

export interface Source {
  readonly file: string
  readonly text: string
}

interface Edge {
  readonly file: string
  readonly target: string
}

const statement = /(?:^|\n)\s*(?:import|export)\b(?:[^'";]*?\bfrom)?\s*['"]([^'"]+)['"]/g
const dynamic = /\bimport\(\s*['"]([^'"]+)['"]/g
const worker = /new URL\(\s*['"](\.{1,2}\/[^'"]+\.ts)['"]/g

function partOf(file: string): string {
  return (
    Object.keys(mayImport).find((part) => file === part || file.startsWith(`${part}/`)) ??
    'unlisted'
  )
}

/** Every import of the sources; paths of files relative to the root. */
export function importsOf(sources: readonly Source[]): Edge[] {
  return sources.flatMap(({ file, text }) =>
    [statement, dynamic, worker]
      .flatMap((pattern) => [...text.matchAll(pattern)])
      .map((match) => match[1] ?? '')
      .map((path) => ({ file, target: path.startsWith('.') ? join(dirname(file), path) : path })),
  )
}

/** Imports against the arrow, and packages used elsewhere than at their door. */
export function violations(sources: readonly Source[]): string[] {
  return importsOf(sources).flatMap(({ file, target }) => {
    const from = partOf(file)
    if (target.endsWith('.ts')) {
      // The entry of the ingest process is started, never imported.
      if (file === 'src/api/ingestProcess.ts' && target === 'ingest/main.ts') return []
      const to = partOf(target)
      return from === to || mayImport[from]?.includes(to)
        ? []
        : [`${file} must not import ${target}`]
    }
    const name = Object.keys(doors).find((door) => target === door || target.startsWith(`${door}/`))
    return name === undefined || doors[name]?.test(file)
      ? []
      : [`${file} is not the door of ${target}`]
  })
}

/** Files that import one another in a circle, types left aside. */
export function cycles(sources: readonly Source[]): string[] {
  const withoutTypes = sources.map(({ file, text }) => ({
    file,
    text: text.replace(/(?:^|\n)\s*(?:import|export) type\b[^'"]*['"][^'"]+['"]/g, ''),
  }))
  const targets = new Map<string, string[]>()
  for (const { file, target } of importsOf(withoutTypes))
    targets.set(file, [...(targets.get(file) ?? []), target])
  const done = new Set<string>()
  const found: string[] = []
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) {
      found.push([...path.slice(path.indexOf(file)), file].join(' → '))
      return
    }
    if (done.has(file)) return
    for (const target of targets.get(file) ?? []) visit(target, [...path, file])
    done.add(file)
  }
  for (const { file } of sources) visit(file, [])
  return found
}

export function sourcesBelow(root: string): Source[] {
  return ['src', 'ingest'].flatMap((top) =>
    readdirSync(join(root, top), { recursive: true, encoding: 'utf8' })
      .filter((entry) => entry.endsWith('.ts'))
      .map((entry) => join(top, entry))
      .map((file) => ({
        file: relative(root, resolve(root, file)),
        text: readFileSync(join(root, file), 'utf8'),
      })),
  )
}
