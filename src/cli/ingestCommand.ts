import { runIngest } from '../api/ingestProcess.ts'
import { type Knowledge, openKnowledge } from '../api/knowledge.ts'
import { keepPlanning } from '../follow/keepPlanning.ts'
import { createPlanner } from '../follow/plan.ts'
import { KnownError } from '../ledger/errors.ts'
import { harmlessText } from '../ledger/text.ts'
import { listFlags } from '../store/flags.ts'
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
          process.exitCode = await planned(knowledge, () => runIngest(args))
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

/** Plans for as long as the work goes on. */
async function planned(knowledge: Knowledge, work: () => Promise<number>): Promise<number> {
  const planner = createPlanner(knowledge)
  const stop = new AbortController()
  const { promise: begun, resolve: began } = Promise.withResolvers<void>()
  const planning = keepPlanning(knowledge.store, {
    round: () => planner.round(new Date()),
    signal: stop.signal,
    began,
    failed: (error) => console.error(`jejak: ${harmlessText(error.message)}; planning goes on`),
  })
  // A plan that fails ends the planning; what is in the queue is read all the same, and the fault told at the end.
  await Promise.race([begun, planning.catch(() => undefined)])
  const code = await work()
  stop.abort()
  await planning
  return code
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
