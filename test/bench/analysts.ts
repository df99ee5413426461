import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { readColumns } from '../../src/graph/build.ts'
import { createGraph } from '../../src/graph/createGraph.ts'
import { openStore } from '../../src/store/open.ts'
import { inFolder } from './folder.ts'
import type { IngestWork } from './ingestingThread.ts'
import { madeLedger } from './madeLedger.ts'

const count = Number(process.env['BENCH_ROWS'] ?? 1_000_000)
const analysts = 8
const everyMs = 2_000
const phaseMs = Number(process.env['BENCH_PHASE_MS'] ?? 30_000)
const port = 17_717

/** Eight analysts, one trace each every two seconds whether or not the last was answered, beside a worker at full speed. */
export async function benchAnalysts(): Promise<void> {
  await inFolder(async (folder) => {
    const store = await openStore(folder)
    const made = { transfers: count, addresses: Math.ceil(count / 5), batch: 16_384, seed: 3 }
    let block = 0
    for (const transfers of madeLedger(made)) {
      await store.append({ transfers, source: 'bench', assurance: 1, coverage: [] })
      block = Math.max(block, Math.ceil(count / 50))
    }
    const bodies = bodiesOf(createGraph(await readColumns(store)))
    await store.close()
    const ingesting = startIngesting({ folder, firstBlock: 20_000_000 + block })
    await sleep(phaseMs / 2)
    const alone = await ingesting.stop()
    console.log(`ingest alone: ${Math.round(alone).toLocaleString('en')}/s`)
    const server = await serving(folder)
    try {
      const quiet = await asking(bodies)
      console.log(`traces alone: ${quiet.text}`)
      const beside = startIngesting({ folder, firstBlock: 30_000_000 + block })
      const loaded = await asking(bodies)
      const rate = await beside.stop()
      console.log(
        `traces beside ingest: ${loaded.text}; p99 ${(loaded.p99 / quiet.p99).toFixed(1)} × alone`,
      )
      console.log(
        `ingest alone ${Math.round(alone).toLocaleString('en')}/s, beside traces ${Math.round(rate).toLocaleString('en')}/s: ${Math.round((rate / alone) * 100)} %`,
      )
    } finally {
      const ended = new Promise((resolve) => server.once('exit', resolve))
      server.kill('SIGINT')
      await ended
    }
  })
}

function bodiesOf(graph: ReturnType<typeof createGraph>): string[] {
  const found: string[] = []
  for (let transfer = 500; found.length < 500; transfer += 1_003) {
    const [from, to] = [graph.from(transfer), graph.to(transfer)]
    if (from < 0 || to < 0 || from === to || graph.amount(transfer) === 0n) continue
    found.push(JSON.stringify({ seeds: [graph.transfer(transfer).id] }))
  }
  return found
}

function startIngesting(work: IngestWork): { readonly stop: () => Promise<number> } {
  const worker = new Worker(new URL('./ingestingThread.ts', import.meta.url), { workerData: work })
  return {
    stop: () =>
      new Promise((resolve, reject) => {
        worker.once('message', resolve).once('error', reject)
        worker.postMessage('stop')
      }),
  }
}

async function serving(folder: string): Promise<ChildProcess> {
  const cli = join(import.meta.dirname, '../../src/cli.ts')
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', cli, 'serve'], {
    env: {
      ...process.env,
      JEJAK_STORE: folder,
      JEJAK_PORT: String(port),
      JEJAK_LOG_LEVEL: 'error',
    },
    stdio: 'inherit',
  })
  for (let tries = 0; tries < 300; tries++) {
    await sleep(200)
    const up = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined)
    if (up?.ok) return child
  }
  throw new Error('the server did not start')
}

async function asking(
  bodies: readonly string[],
): Promise<{ readonly text: string; readonly p99: number }> {
  const times: number[] = []
  const behind: number[] = []
  const refused: string[] = []
  const running: Promise<void>[] = []
  const one = async (body: string): Promise<void> => {
    const started = performance.now()
    const response = await fetch(`http://127.0.0.1:${port}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', prefer: 'wait=60' },
      body,
    })
    const said = await response.text()
    if (response.status === 200) {
      times.push(performance.now() - started)
      behind.push(Number(response.headers.get('jejak-behind-ms')))
    } else refused.push(`${response.status} ${said.slice(0, 120)}`)
  }
  for (let i = 0; i < 4; i++) await one(bodies[i] as string)
  times.length = 0
  behind.length = 0
  const began = performance.now()
  for (let n = 0; performance.now() - began < phaseMs; n++) {
    running.push(one(bodies[n % bodies.length] as string))
    await sleep(Math.max(0, began + ((n + 1) * everyMs) / analysts - performance.now()))
  }
  await Promise.all(running)
  times.sort((a, b) => a - b)
  const at = (share: number): number => times[Math.floor((times.length - 1) * share)] ?? 0
  return {
    text: `${times.length} traces, p50 ${at(0.5).toFixed(0)} ms, p99 ${at(0.99).toFixed(0)} ms, ledger at most ${Math.max(0, ...behind)} ms old, ${refused.length} refused${refused[0] ? ` (${refused[0]})` : ''}`,
    p99: at(0.99),
  }
}
