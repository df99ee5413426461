import { setTimeout as sleep } from 'node:timers/promises'
import { runIngest } from '../api/ingestProcess.ts'
import { type Knowledge, openKnowledge } from '../api/knowledge.ts'
import { keepPlanning } from '../follow/keepPlanning.ts'
import { createPlanner } from '../follow/plan.ts'
import { type ChainId, parseChain } from '../ledger/chain.ts'
import { KnownError } from '../ledger/errors.ts'
import { harmlessText } from '../ledger/text.ts'
import { listFlags } from '../store/flags.ts'
import type { Store } from '../store/store.ts'
import { bestWork, lookAtQueue, plannerState } from '../store/workQueue.ts'
import { followingText } from './flagTable.ts'
import { collected, globals, type ProgramContext } from './options.ts'

type Program = ProgramContext['program']

interface IngestOptions {
  readonly rpc?: string[]
  readonly explorer?: string
  readonly url?: string
  readonly chain?: ChainId
  readonly behind?: string
  readonly rate?: string
  readonly watch?: true
  readonly allowPrivate?: true
}

/** `jejak ingest`: a worker that reads in a process of its own, and beside it the planner that says what. */
export function registerIngestCommand({ program, config }: ProgramContext): void {
  program
    .command('ingest')
    .description(
      'follow what is flagged: read wallets from JSON-RPC nodes or an explorer, best first, until done',
    )
    .option(
      '--rpc <url>',
      'http(s) URL of a node; again for more of the same chain, best first; default JEJAK_RPC_URLS',
      collected,
    )
    .option('--allow-private', 'take a node by a name that stands for a private address')
    .option(
      '--explorer <name>',
      'etherscan or blockscout instead of a node; key in JEJAK_EXPLORER_KEY',
    )
    .option('--url <url>', "the explorer's API; default Etherscan's version 2")
    .option(
      '--chain <chain>',
      'chain that the explorer is asked for (default eip155:1)',
      parseChain,
    )
    .option(
      '--behind <blocks>',
      "leave out the newest blocks (default: the chain's depth of finality)",
    )
    .option('--rate <calls>', 'calls a second to the explorer (default 3)')
    .option('--watch', 'go on waiting for new flags')
    .action(async (options: IngestOptions, command: Program) => {
      const { store, json, place } = globals(command)
      const source =
        options.explorer === undefined
          ? nodeArguments(options, config.rpcUrls)
          : explorerArguments(options.explorer, options)
      const args = [
        'worker',
        '--store',
        store,
        ...source,
        ...(json ? ['--json'] : []),
        ...(options.watch ? [] : ['--once']),
      ]
      const knowledge = await openKnowledge(place)
      try {
        process.exitCode = await planned(knowledge, () => runIngest(args), options.watch ?? false)
        if (!json) for (const line of await summary(knowledge)) console.error(line)
      } finally {
        await knowledge.close()
      }
    })
}

/** URLs may carry a key: they go by the environment, where other users of the machine do not see them. */
function nodeArguments(
  options: Pick<IngestOptions, 'rpc' | 'allowPrivate'>,
  configured: readonly string[],
): readonly string[] {
  const urls = options.rpc ?? configured
  if (urls.length === 0) {
    throw new KnownError('request.invalid', 'no node is named', {
      hint: 'Give --rpc URL, set JEJAK_RPC_URLS, or name an --explorer.',
    })
  }
  process.env['JEJAK_INGEST_RPC'] = urls.join('\n')
  return options.allowPrivate ? ['--allow-private'] : []
}

function explorerArguments(explorer: string, options: IngestOptions): readonly string[] {
  if (options.rpc !== undefined) {
    throw new KnownError('request.invalid', '--rpc and --explorer exclude each other', {
      hint: 'Run one after the other: what both tell is stored once.',
    })
  }
  if (options.url !== undefined) process.env['JEJAK_INGEST_EXPLORER'] = options.url
  const given = { chain: options.chain, behind: options.behind, rate: options.rate }
  return [
    '--explorer',
    explorer,
    ...Object.entries(given).flatMap(([name, value]) =>
      value === undefined ? [] : [`--${name}`, value],
    ),
  ]
}

/**
 * Plans for as long as the work goes on. A planner that was killed is waited for before another one plans, and by then
 * the worker may have ended for want of work: then it is started again.
 */
async function planned(
  knowledge: Knowledge,
  work: () => Promise<number>,
  watches: boolean,
): Promise<number> {
  const { store } = knowledge
  const planner = createPlanner(knowledge)
  const stop = new AbortController()
  const { promise: begun, resolve: began } = Promise.withResolvers<void>()
  const planning = keepPlanning(store, {
    round: () => planner.round(new Date()),
    signal: stop.signal,
    began,
    failed: (error) => console.error(`jejak: ${harmlessText(error.message)}; planning goes on`),
  })
  // Without a plan the queue is read as it is, and the fault is told at the end.
  const ended = planning.then(
    () => true,
    () => true,
  )
  await Promise.race([begun, ended])
  let code = await work()
  // What this worker left as it is is for others: a wallet of another chain.
  let left: string | undefined
  while (code === 0 && !watches) {
    const wanted = await stillWanted(store, ended)
    if (wanted === undefined || wanted === left) break
    left = wanted
    code = await work()
  }
  stop.abort()
  await planning
  return code
}

const lookMs = 100

/** What the queue is like when it is planned and somebody should work on; undefined when nobody needs to. */
async function stillWanted(store: Store, ended: Promise<boolean>): Promise<string | undefined> {
  while ((await plannerState(store)) !== 'planned') {
    const isOver = await Promise.race([ended, sleep(lookMs, false)])
    if (isOver) return undefined
  }
  if ((await bestWork(store)).length === 0) return undefined
  return (await lookAtQueue(store)).fingerprint
}

async function summary({ store }: Knowledge): Promise<string[]> {
  const flags = await listFlags(store)
  return flags.map((flag) => harmlessText(followingText(flag)))
}

/**
 * Reads the transactions among some seeds that the store does not have from the configured node.
 *
 * @throws KnownError `seed.not-found` where the node does not have one either
 */
export async function readAbsent(
  knowledge: Knowledge,
  seeds: readonly string[],
  rpcUrls: readonly string[],
): Promise<void> {
  if (rpcUrls.length === 0) return
  const { chains } = await knowledge.ledger()
  for (const seed of seeds) {
    const [hash] = /0x[0-9a-fA-F]{64}$/.exec(seed) ?? []
    if (hash === undefined) continue
    const tx = hash.toLowerCase()
    const rows = await Promise.all(
      chains.map((chain) => knowledge.store.transfersOfTransaction(chain, tx)),
    )
    if (rows.some((found) => found.length > 0)) continue
    nodeArguments({}, rpcUrls)
    const code = await runIngest(['worker', '--store', knowledge.location, '--transaction', tx])
    if (code !== 0) {
      throw new KnownError('seed.not-found', `neither the store nor the node has ${hash}`, {
        facts: { seed: seed.slice(0, 200) },
        hint: 'Check the hash, and that JEJAK_RPC_URLS names a node of its chain.',
      })
    }
  }
}
