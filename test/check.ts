import { spawnSync } from 'node:child_process'

/** `npm run check`: types, lint, dead code, architecture. All run, whatever fails. */
const checks: readonly (readonly [string, string, readonly string[]])[] = [
  ['types', 'node_modules/typescript/bin/tsc', ['--noEmit']],
  ['lint and format', 'node_modules/@biomejs/biome/bin/biome', ['check', '--error-on-warnings']],
  ['dead code', 'node_modules/knip/bin/knip.js', []],
  [
    'architecture',
    'node_modules/vitest/vitest.mjs',
    ['run', 'test/architecture.test.ts', '--reporter=dot'],
  ],
]

let failed = 0
for (const [name, script, args] of checks) {
  const started = performance.now()
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
    encoding: 'utf8',
  })
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)`)
  if (status === 0) continue
  failed++
  console.log(stdout + stderr)
}
process.exitCode = failed === 0 ? 0 : 1
