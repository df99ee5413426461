import { parseArgs } from 'node:util'
import { readConfig } from '../src/config.ts'
import { KnownError } from '../src/ledger/errors.ts'
import { harmlessText } from '../src/ledger/text.ts'
import { explorerOptions } from './explorer/connect.ts'
import { createProgressBar } from './progress.ts'
import { readTransactions, runWorker, type WorkerEvent } from './worker.ts'

/**
 * `ingest/main.ts worker`: reads what is wanted from a node or an explorer, or single transactions by their hashes.
 * URLs come by environment, since they may carry a key.
 */
export async function runWorkerCommand(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      store: { type: 'string' },
      once: { type: 'boolean' },
      json: { type: 'boolean' },
      rpc: { type: 'string', multiple: true },
      'allow-private': { type: 'boolean' },
      explorer: { type: 'string' },
      chain: { type: 'string' },
      behind: { type: 'string' },
      rate: { type: 'string' },
      'lease-ms': { type: 'string' },
      transaction: { type: 'string', multiple: true },
    },
  })
  const config = readConfig(process.env)
  const stop = new AbortController()
  // A terminal tells the whole group, and who started this passes it on: told twice it still ends in good order.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort())
  const bar = createProgressBar(process.stderr)
  let failed = false
  const tell = (event: WorkerEvent): void => {
    failed ||= event.event === 'failed'
    if (values.json) process.stdout.write(`${JSON.stringify(event)}\n`)
    else tellPerson(event, bar)
  }
  const options = {
    store: { location: values.store ?? './jejak-data', neo4j: config.neo4j },
    rpc:
      values.explorer === undefined
        ? nodeUrls(values.rpc)
        : explorerOptions(values.explorer, values, config.explorerKey),
    allowPrivate: values['allow-private'] ?? config.allowPrivateRpc,
    signal: stop.signal,
    tell,
  }
  if (values.transaction) {
    await readTransactions({ ...options, once: true }, values.transaction)
    return 0
  }
  await runWorker({
    ...options,
    ...(values['lease-ms'] === undefined ? {} : { leaseMs: Number(values['lease-ms']) }),
    once: values.once ?? false,
  })
  return failed ? 4 : 0
}

function nodeUrls(given: readonly string[] | undefined): readonly string[] {
  const urls = given ?? process.env['JEJAK_INGEST_RPC']?.split(/[\n,]/) ?? []
  if (urls.length > 0 && urls.every((url) => /^https?:\/\//.test(url) && URL.canParse(url)))
    return urls
  throw new KnownError('request.invalid', 'no http(s) node is named', {
    hint: 'Give --rpc http://host:port.',
  })
}

function tellPerson(event: WorkerEvent, bar: ReturnType<typeof createProgressBar>): void {
  if (event.event === 'range') {
    bar.show({
      done: event.toBlock,
      total: event.headBlock,
      rows: event.toBlock - event.fromBlock + 1,
      unit: 'blocks',
    })
    return
  }
  bar.clear()
  console.error(lineOf(event))
}

function lineOf(event: Exclude<WorkerEvent, { event: 'range' }>): string {
  switch (event.event) {
    case 'connected': {
      const inner = event.traces === 'none' ? 'none: internal transfers stay a gap' : event.traces
      return `Connected to ${event.chain} (${event.node}); traces by ${inner}`
    }
    case 'done':
      return `${event.account}: complete through block ${event.throughBlock} (${event.calls} calls so far)`
    case 'failed':
    case 'finding':
      return `${event.account}: ${harmlessText(event.message)}`
    case 'parked':
      return `${event.account}: parked: ${harmlessText(event.message)}`
    case 'delayed':
      return `${event.account}: ${harmlessText(event.message)}; again in ${event.seconds} seconds`
    case 'storeAway':
    case 'nodeAway':
      return `${harmlessText(event.message)}; again in ${event.seconds} seconds`
    case 'held':
      return 'Other workers are at what is left; what they do not go on with is taken over.'
    case 'endpoint':
      return `${event.node} is ${event.state}: ${harmlessText(event.message)}`
    case 'rolledBack':
      return `${event.chain}: the chain was reorganised; ${event.orphans} rows from block ${event.fromBlock} are orphans, ${event.reopened} wallets are read again`
  }
}
