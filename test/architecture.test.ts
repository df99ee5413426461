import { readdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { cycles, importsOf, sourcesBelow, violations } from './architecture.ts'

const root = resolve(import.meta.dirname, '..')

test('imports point one way, and each package has one door', () => {
  const sources = sourcesBelow(root)
  expect(violations(sources)).toEqual([])
  expect(importsOf(sources).length, 'the check must have looked at something').toBeGreaterThan(200)
})

test('no files import one another in a circle', () => {
  expect(cycles(sourcesBelow(root))).toEqual([])
})

test('error: a forbidden import, a side door and a circle are seen', () => {
  expect(
    violations([{ file: 'src/ledger/a.ts', text: "import { x } from '../store/b.ts'\n" }]),
  ).toHaveLength(1)
  expect(
    violations([
      { file: 'src/api/a.ts', text: "const m = await import('../../ingest/main.ts')\n" },
    ]),
  ).toHaveLength(1)
  expect(
    violations([{ file: 'src/analysis/a.ts', text: "import { Hono } from 'hono'\n" }]),
  ).toHaveLength(1)
  expect(
    violations([{ file: 'src/store/a.ts', text: "export { id } from 'ethers'\n" }]),
  ).toHaveLength(1)
  const circle = [
    { file: 'src/ledger/a.ts', text: "import { b } from './b.ts'\n" },
    { file: 'src/ledger/b.ts', text: "import { a } from './a.ts'\n" },
  ]
  expect(cycles(circle)).toHaveLength(1)
})

test('the top level holds the five folders and nothing else', () => {
  const folders = readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(({ name }) => name)
  const made = ['node_modules', 'jejak-data']
  const wanted = ['src', 'ingest', 'queries', 'notebooks', 'test']
  expect(folders.filter((name) => !made.includes(name)).sort()).toEqual(wanted.sort())
})
