import { openKnowledge } from '../api/knowledge.ts'
import { runReach } from '../api/reach.ts'
import { parseAsset } from '../ledger/asset.ts'
import { collected, globals, type ProgramContext, wholeNumber } from './options.ts'
import { reachTable } from './reachTable.ts'
import { accountReader, asOfBlocks, oneOf } from './traceCommands.ts'

type Program = ProgramContext['program']

/** Options that `reach` and `paths` have in common. */
export interface SweepOptions {
  readonly asset?: string
  readonly direction?: string
  readonly since?: number
  readonly until?: number
  readonly asOf?: string[]
  readonly continueThrough?: string[]
  readonly neverFollow?: string[]
}

interface ReachOptions extends SweepOptions {
  readonly maxHops?: number
  readonly sources?: true
  readonly limit?: number
}

const latest = 10_000_000_000

export function addSweepOptions(command: Program): Program {
  return command
    .option('--asset <asset>', 'only transfers of this CAIP-19 asset')
    .option('--direction <direction>', 'forward or backward', 'forward')
    .option('--since <seconds>', 'only transfers at or after this time', wholeNumber(0, latest))
    .option('--until <seconds>', 'only transfers at or before this time', wholeNumber(0, latest))
    .option('--as-of <chain@block...>', 'last block to look at')
    .option('--continue-through <account...>', 'go through this stop', collected)
    .option('--never-follow <account...>', 'end here', collected)
}

/** `jejak reach`: where money can have come to. */
export function registerReachCommand({ program }: ProgramContext): void {
  const command = program
    .command('reach')
    .description('list the accounts that money can have come to, in time order; no amounts')
    .argument('<account...>', 'accounts it starts from')
    .option('--max-hops <n>', 'most transfers on the way', wholeNumber(1, 1_000_000))
    .option('--sources', 'say which of the accounts reach each')
    .option('--limit <n>', 'most accounts to list, nearest first', wholeNumber(1, 100_000))
  addSweepOptions(command).action(
    async (accounts: string[], options: ReachOptions, self: Program) => {
      const knowledge = await openKnowledge(globals(self).place)
      try {
        const account = await accountReader(knowledge)
        const answer = await runReach(knowledge, {
          ...sweepRequest(options, account),
          accounts: accounts.map(account),
          maxHops: options.maxHops,
          sources: options.sources,
          limit: options.limit,
        })
        if (globals(self).json) process.stdout.write(`${JSON.stringify(answer)}\n`)
        else console.log(reachTable(answer))
      } finally {
        await knowledge.close()
      }
    },
  )
}

export function sweepRequest(
  options: SweepOptions,
  account: Awaited<ReturnType<typeof accountReader>>,
) {
  return {
    direction: oneOf('--direction', options.direction, ['forward', 'backward']),
    asset: options.asset === undefined ? undefined : parseAsset(options.asset),
    since: options.since,
    until: options.until,
    asOf: asOfBlocks(options.asOf ?? []),
    continueThrough: options.continueThrough?.map(account),
    neverFollow: options.neverFollow?.map(account),
  }
}
