import { resolveSeeds } from '../analysis/seeds.ts'
import { existingFlag } from '../api/flagTrace.ts'
import { openKnowledge } from '../api/knowledge.ts'
import { mostSteps, readSteps } from '../follow/followLog.ts'
import { formatAccount, parseAccount } from '../ledger/account.ts'
import type { ChainId } from '../ledger/chain.ts'
import { KnownError } from '../ledger/errors.ts'
import {
  type Flagged,
  flagId,
  formatFlagId,
  listFlags,
  parseFlagId,
  parsePayment,
  putFlag,
  subjectOf,
} from '../store/flags.ts'
import { openStore } from '../store/open.ts'
import type { Store } from '../store/store.ts'
import { continueWork, listWork, type WorkItem } from '../store/workQueue.ts'
import { flagsTable, followingText, stepsTable, workTable } from './flagTable.ts'
import { type GlobalOptions, globals, type ProgramContext, wholeNumber } from './options.ts'
import { share } from './traceCommands.ts'

type Program = ProgramContext['program']

/** A plain address or hash is taken for Ethereum's. */
const usualChain = 'eip155:1' as ChainId

/** Commands about what is under investigation, and what is read for it. */
export function registerFlagCommands({ program }: ProgramContext): void {
  registerFlag(program)
  registerFlags(program)
  registerQueue(program)
}

interface FlagOptions {
  readonly reason: string
  readonly source: string
  readonly budgetAddresses?: number
  readonly budgetCalls?: number
  readonly budgetBlocks?: number
  readonly minShare?: number
}

const most = 1_000_000_000_000

function registerFlag(program: Program): void {
  program
    .command('flag')
    .argument(
      '<what>',
      'account, transfer id, or transaction hash (with <chain>: before it)',
      flagged,
    )
    .description('put a wallet, a payment or a transaction under investigation')
    .requiredOption('--reason <text>', 'why')
    .requiredOption('--source <text>', 'who says so')
    .option('--budget-addresses <n>', 'addresses that may be read for it', wholeNumber(1, most))
    .option('--budget-calls <n>', 'calls that may be made for it', wholeNumber(1, most))
    .option('--budget-blocks <n>', 'blocks that may be looked through for it', wholeNumber(1, most))
    .option('--min-share <share>', 'share of the money that need not be found', share)
    .action(async (what: Flagged, options: FlagOptions, command: Program) => {
      const { place, json } = globals(command)
      await refuseAmbiguous(place, what)
      await withStore(place, async (store) => {
        const { reason, source, minShare } = options
        const budget = Object.fromEntries(
          Object.entries({
            addresses: options.budgetAddresses,
            calls: options.budgetCalls,
            blocks: options.budgetBlocks,
          }).filter(([, value]) => value !== undefined),
        )
        const given = { ...what, reason, source, budget }
        const flag = await putFlag(
          store,
          minShare === undefined ? given : { ...given, minShare },
          new Date(),
        )
        const id = formatFlagId(flag)
        if (json) console.log(JSON.stringify({ ...flag, ...named(flag), id }))
        else console.log(`${id} is flagged; \`jejak ingest --rpc URL\` follows the money.`)
      })
    })
}

function flagged(text: string): Flagged {
  return (
    parsePayment(text, usualChain) ?? {
      account: parseAccount(text, text.includes(':') ? undefined : usualChain),
    }
  )
}

function named({ account }: { readonly account: Parameters<typeof formatAccount>[0] | null }): {
  readonly account: string | null
} {
  return { account: account && formatAccount(account) }
}

/** A transaction that is known already must have one transfer that can be meant; another is judged when it is read. */
async function refuseAmbiguous(place: GlobalOptions['place'], what: Flagged): Promise<void> {
  if ('account' in what) return
  const knowledge = await openKnowledge(place)
  try {
    const subject = subjectOf({ account: null, payment: null, transaction: null, ...what })
    if (!('transaction' in subject)) return
    const { chain, tx } = subject.transaction
    if ((await knowledge.store.transfersOfTransaction(chain, tx)).length === 0) return
    const { tokens } = await knowledge.context()
    const seeds = { transfers: [flagId(what)], accounts: [], side: 'received' } as const
    await knowledge.read((graph) => resolveSeeds(graph, tokens, seeds))
  } finally {
    await knowledge.close()
  }
}

function registerFlags(program: Program): void {
  program
    .command('flags')
    .argument('[what]', 'one flag, with the log of what was done for it')
    .option('--steps <n>', 'the newest steps of the log', wholeNumber(1, mostSteps), 50)
    .description('list what is flagged, and how far the money is followed')
    .action(
      async (what: string | undefined, options: { readonly steps: number }, command: Program) => {
        const { place, json } = globals(command)
        await withStore(place, async (store) => {
          if (what !== undefined) await showFlag(store, what, { ...options, json: json ?? false })
          else await showFlags(store, json ?? false)
        })
      },
    )
}

async function showFlags(store: Store, json: boolean): Promise<void> {
  const flags = await listFlags(store)
  if (json)
    console.log(
      JSON.stringify(flags.map((flag) => ({ ...flag, ...named(flag), id: formatFlagId(flag) }))),
    )
  else if (flags.length === 0) console.log('Nothing is flagged.')
  else console.log(flagsTable(flags))
}

async function showFlag(
  store: Store,
  what: string,
  { steps: count, json }: { readonly steps: number; readonly json: boolean },
): Promise<void> {
  const chain = what.includes(':') ? undefined : usualChain
  const flag = await existingFlag(store, parseFlagId(what, chain))
  const after = Math.max(0, (flag.following?.steps ?? 0) - count)
  const steps = await readSteps(store, flag.id, { after, limit: count })
  if (json) {
    console.log(JSON.stringify({ ...flag, ...named(flag), id: formatFlagId(flag), log: steps }))
    return
  }
  console.log(followingText(flag))
  if (steps.length > 0) console.log(`\n${stepsTable(steps)}`)
}

interface QueueOptions {
  readonly parked?: true
  readonly all?: true
  readonly continue?: string
}

function registerQueue(program: Program): void {
  program
    .command('queue')
    .description('what workers read next, best first, and what is parked')
    .option('--parked', 'only what needs a decision')
    .option('--all', 'also what was read')
    .option(
      '--continue <account>',
      'read a parked address whatever its size, and follow through it',
    )
    .action(async (options: QueueOptions, command: Program) => {
      const { place, json } = globals(command)
      await withStore(place, async (store) => {
        if (options.continue !== undefined) await continueThrough(store, options.continue)
        const isShown = ({ state }: WorkItem): boolean =>
          options.parked ? state === 'parked' : options.all === true || state !== 'done'
        const work = (await listWork(store)).filter(isShown)
        work.sort((a, b) => b.priority - a.priority)
        if (json) console.log(JSON.stringify(work))
        else if (work.length === 0) console.log('Nothing is in the queue.')
        else console.log(workTable(work))
      })
    })
}

async function continueThrough(store: Store, text: string): Promise<void> {
  const account = parseAccount(text, text.includes(':') ? undefined : usualChain)
  if (await continueWork(store, account)) return
  throw new KnownError('document.not-found', `${formatAccount(account)} is in no queue`, {
    hint: '`jejak queue --all` lists what is.',
  })
}

async function withStore(
  place: GlobalOptions['place'],
  work: (store: Store) => Promise<void>,
): Promise<void> {
  const store = await openStore(place)
  try {
    await work(store)
  } finally {
    await store.close()
  }
}
