import { parseArgs } from 'node:util'
import { type Met, simulate } from './simulate.ts'

/** `npm run simulate -- --seeds N [--from K]`: runs seeds K to K + N - 1. */
const usage = `npm run simulate -- [--seeds N] [--from K]
  --seeds N    how many seeds; default 25
  --from K     the first of them; default 1. The same seed is the same run.`

const { values } = parseArgs({
  options: { seeds: { type: 'string' }, from: { type: 'string' }, help: { type: 'boolean' } },
})

function whole(name: string, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  console.error(`simulate: --${name} ${text} is no whole number\n${usage}`)
  process.exit(2)
}

async function run(seeds: number, from: number): Promise<boolean> {
  const met: Record<string, number> = {}
  let failed = 0
  const started = performance.now()
  for (let seed = from; seed < from + seeds; seed++) {
    const outcome = await simulate(seed).catch((error: unknown) => ({
      wrong: [error instanceof Error ? String(error.stack) : String(error)],
      met: {} as Met,
    }))
    for (const [name, count] of Object.entries(outcome.met)) met[name] = (met[name] ?? 0) + count
    if (outcome.wrong.length > 0) {
      failed++
      console.log(`seed ${seed} failed; npm run simulate -- --seeds 1 --from ${seed}`)
      for (const line of outcome.wrong) console.log(`  ${line}`)
    }
    const done = seed - from + 1
    const seconds = (performance.now() - started) / 1000
    const left = Math.ceil((seconds / done) * (seeds - done))
    if (process.stderr.isTTY)
      process.stderr.write(`\r\x1b[2K${done} of ${seeds} seeds, ${failed} failed, ${left} s left`)
    else if (done % 50 === 0)
      console.error(`${done} of ${seeds} seeds, ${failed} failed, ${left} s left`)
  }
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[2K')
  const told = Object.entries(met).map(([name, count]) => `${count} ${name}`)
  console.log(`Met: ${told.join(', ')}`)
  console.log(`${seeds - failed} passed, ${failed} failed`)
  return failed === 0
}

if (values.help) console.log(usage)
else {
  const passed = await run(whole('seeds', values.seeds ?? '25'), whole('from', values.from ?? '1'))
  process.exitCode = passed ? 0 : 1
}
