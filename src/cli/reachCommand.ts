import { openKnowledge } from '../api/knowledge.ts'
import { runReach } from '../api/reach.ts'
import { globals, type ProgramContext, wholeNumber } from './options.ts'
import { reachTable } from './reachTable.ts'
import { addSweepOptions, type SweepOptions, sweepRequest } from './sweepOptions.ts'
import { accountReader } from './traceCommands.ts'

type Program = ProgramContext['program']

interface ReachOptions extends SweepOptions {
  readonly maxHops?: number
  readonly sources?: true
  readonly limit?: number
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
