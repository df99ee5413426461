import { setTimeout as sleep } from 'node:timers/promises'
import { runIngest } from '../api/ingestProcess.ts'
import { type Knowledge, openKnowledge } from '../api/knowledge.ts'
import { keepPlanning } from '../follow/keepPlanning.ts'
import { createPlanner } from '../follow/plan.ts'
import { KnownError } from '../ledger/errors.ts'
import { harmlessText } from '../ledger/text.ts'
import { listFlags } from '../store/flags.ts'
import type { Store } from '../store/store.ts'
import { bestWork, lookAtQueue, plannerState } from '../store/workQueue.ts'
import { followingText } from './flagTable.ts'
import { collected, globals, type ProgramContext } from './options.ts'

type Program = ProgramContext['program']

/** `jejak ingest`: a worker that reads in a process of its own, and beside it the planner that says what. */
export function registerIngestCommand({ program, config }: ProgramContext): void {
  program
    .command('ingest')
    .description(
      'follow what is flagged: read wallets from a JSON-RPC node, best first, until done',
    )
    .option('--rpc <url>', 'http(s) URL of the node; default JEJAK_RPC_URLS', collected)
    .option('--watch', 'go on waiting for new flags')
    .action(
      async (options: { readonly rpc?: string[]; readonly watch?: true }, command: Program) => {
        const { store, json, place } = globals(command)
        nameNode((options.rpc ?? config.rpcUrls)[0])
        const args = [
          'worker',
          '--store',
          store,
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
      },
    )
}

/** The URL may carry a key: it goes by the environment, where other users of the machine do not see it. */
function nameNode(url: string | undefined): void {
  if (url === undefined) {
    throw new KnownError('request.invalid', 'no node is named', {
      hint: 'Give --rpc URL or set JEJAK_RPC_URLS.',
    })
  }
  process.env['JEJAK_INGEST_RPC'] = url
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
    nameNode(rpcUrls[0])
    const code = await runIngest(['worker', '--store', knowledge.location, '--transaction', tx])
    if (code !== 0) {
      throw new KnownError('seed.not-found', `neither the store nor the node has ${hash}`, {
        facts: { seed: seed.slice(0, 200) },
        hint: 'Check the hash, and that JEJAK_RPC_URLS names a node of its chain.',
      })
    }
  }
}
