import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { nodeArguments, runIngest } from '../api/ingestProcess.ts'
import { type Knowledge, openKnowledge } from '../api/knowledge.ts'
import { runTrace } from '../api/runTrace.ts'
import { type RunningServer, startServer } from '../api/server.ts'
import { importTags } from '../attribution/importTags.ts'
import type { Config } from '../config.ts'
import { formatAccount } from '../ledger/account.ts'
import { createLog } from '../log.ts'
import { type SampleCase, sampleCase } from '../sample/sampleCase.ts'
import { writeSample } from '../sample/writeSample.ts'
import { globals, type ProgramContext, placeOf, wholeNumber } from './options.ts'
import { traceTable } from './traceTable.ts'

type Program = ProgramContext['program']

/** The sample case is the same everywhere, so that what the README shows is what everybody sees. */
const sampleSeed = 20_261_124

/** `jejak start` and `jejak serve`. */
export function registerServiceCommands({ program, config }: ProgramContext): void {
  program
    .command('start')
    .description('set up a sample case on first start, trace it, and serve')
    .option('--port <n>', 'port to serve on', wholeNumber(0, 65_535))
    .action(async (options: { readonly port?: number }, command: Program) => {
      await start({
        ...config,
        store: globals(command).store,
        ...(options.port === undefined ? {} : { port: options.port }),
      })
    })
  program
    .command('serve')
    .description('serve the API on this machine')
    .option('--port <n>', 'port to serve on', wholeNumber(0, 65_535))
    .action(async (options: { readonly port?: number }, command: Program) => {
      const settings = {
        ...config,
        store: globals(command).store,
        ...(options.port === undefined ? {} : { port: options.port }),
      }
      const stopped = stopSignal()
      const knowledge = await openKnowledge({ ...placeOf(settings), isPatient: true })
      const server = await startServer(knowledge, settings, createLog(settings.logLevel))
      await knowledge.ledger()
      console.log(`Jejak serves ${server.url} (store ${settings.store}). API: ${server.url}/docs`)
      await untilStopped(stopped, { knowledge, server, stopWorker: watchFlags(settings) })
    })
}

async function start(config: Config): Promise<void> {
  const stopped = stopSignal()
  const started = performance.now()
  const knowledge = await openKnowledge({ ...placeOf(config), isPatient: true })
  const { sequence } = await knowledge.store.state()
  const sample = await prepareSample(knowledge, config, sequence === 0)
  const server = await startServer(knowledge, config, createLog(config.logLevel))
  if (sample) await showSample(knowledge, sample, { url: server.url, folder: knowledge.folder })
  else await knowledge.ledger()
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(`\nJejak serves ${server.url}, ready after ${seconds} s. Ctrl-C stops it.`)
  await untilStopped(stopped, { knowledge, server, stopWorker: watchFlags(config) })
}

/** First start: makes the case and imports it as an analyst would. A store with other data is left alone. */
async function prepareSample(
  knowledge: Knowledge,
  config: Config,
  isEmpty: boolean,
): Promise<SampleCase | undefined> {
  const marker = await knowledge.store.readDocument('sample', 'case')
  if (!isEmpty && !marker) return undefined
  const folder = join(knowledge.folder, 'sample')
  if (!isEmpty) return sampleCase(sampleSeed, 0)
  console.log('First start: making a sample case (invented wallets and money) …')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const sample = sampleCase(sampleSeed)
  const files = writeSample(folder, sample)
  const code = await runIngest(['import', '--store', config.store, '--complete', files.transfers])
  if (code !== 0) throw new Error(`the import of the sample case ended with ${code}`)
  await importTags(knowledge.store, [files.tags], { sourceRank: 0 })
  await knowledge.store.writeDocument('sample', 'case', 0, { seed: sampleSeed })
  return sample
}

async function showSample(
  knowledge: Knowledge,
  sample: SampleCase,
  at: { readonly url: string; readonly folder: string },
): Promise<void> {
  const answer = await runTrace(knowledge, { seeds: sample.seeds })
  const { tokens } = await knowledge.attribution()
  const drainer = formatAccount(sample.drainer)
  console.log(
    `\nThe sample case: ${sample.seeds.length} victims paid ${drainer}. Where is their money?\n`,
  )
  console.log(traceTable(answer, tokens.info))
  const seeds = join(at.folder, 'sample', 'sample-seeds.txt')
  console.log(`
Try:
  npx jejak trace --seeds-from ${seeds}
  npx jejak account ${drainer}
  curl ${at.url}/v1/accounts/${drainer}
  curl '${at.url}/v1/accounts/${drainer}/transfers?limit=5'
  curl -X POST ${at.url}/v1/traces -H 'content-type: application/json' -d '{"seedAddresses":["${drainer}"],"asset":"eip155:1/slip44:60"}'
  ${at.url}/docs`)
}

/** With a node configured the service reads flagged wallets by itself, in a process of its own. */
function watchFlags(config: Config): () => void {
  if (config.rpcUrls.length === 0) return () => undefined
  const child = spawn(process.execPath, nodeArguments(['worker', '--store', config.store]), {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, JEJAK_INGEST_RPC: config.rpcUrls.join('\n') },
  })
  return () => {
    child.kill('SIGTERM')
  }
}

/** Resolves at the first signal to stop; asked for before anything is said to run, so that none is missed. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })
}

interface Running {
  readonly knowledge: Knowledge
  readonly server: RunningServer
  readonly stopWorker: () => void
}

async function untilStopped(stopped: Promise<void>, running: Running): Promise<void> {
  await stopped
  running.stopWorker()
  await running.server.close()
  await running.knowledge.close()
}
