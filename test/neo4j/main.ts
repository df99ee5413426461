import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { NoNeo4j, neo4jVersion, startNeo4j } from './server.ts'

/** `npm run neo4j [-- --port N --data DIR]`: a real Neo4j to try things with, until Ctrl-C. */
const usage = `npm run neo4j [-- --port N] [--data DIR]
  --port N     port for Bolt; default 7687
  --data DIR   keep the data there; default: a folder that is removed at the end
  NEO4J_URI    use that server instead`

try {
  const { values } = parseArgs({
    options: { port: { type: 'string' }, data: { type: 'string' }, help: { type: 'boolean' } },
  })
  if (values.help) console.log(usage)
  else await run(values)
} catch (error) {
  const known =
    error instanceof NoNeo4j || (error as { code?: string }).code?.startsWith('ERR_PARSE')
  console.error(`neo4j: ${known ? (error as Error).message : String(error)}`)
  process.exitCode = 1
}

async function run({ port = '7687', data }: { port?: string; data?: string }): Promise<void> {
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535)
    throw new NoNeo4j(`--port ${port} is not a port: give a number up to 65535`)
  const folder = data ?? mkdtempSync(join(tmpdir(), 'jejak-neo4j-'))
  const started = performance.now()
  const server = await startNeo4j({
    folder,
    port: Number(port),
    say: (line) => console.error(line),
  })
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  const what =
    server.from === 'given' ? 'the given server' : `Neo4j ${neo4jVersion} (${server.from})`
  console.error(`${what} answers after ${seconds} s; Ctrl-C ends it`)
  console.log(server.uri)
  if (server.from === 'given') return
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, resolve)
  })
  await server.stop()
  if (data === undefined) rmSync(folder, { recursive: true, force: true })
}
