import { orders } from '../analysis/bestPath.ts'
import { openKnowledge } from '../api/knowledge.ts'
import { runPaths } from '../api/paths.ts'
import { globals, type ProgramContext, wholeNumber } from './options.ts'
import { pathsTable } from './pathsTable.ts'
import { addSweepOptions, type SweepOptions, sweepRequest } from './sweepOptions.ts'
import { accountReader, oneOf } from './traceCommands.ts'

type Program = ProgramContext['program']

interface PathsOptions extends SweepOptions {
  readonly from: string[]
  readonly to: string[]
  readonly by?: string
  readonly k?: number
}

/** `jejak paths`: by which transfers money can have come from here to there. */
export function registerPathsCommand({ program }: ProgramContext): void {
  const command = program
    .command('paths')
    .description('find the best paths in time order from some accounts to others')
    .requiredOption('--from <account...>', 'accounts where paths begin')
    .requiredOption('--to <account...>', 'accounts where paths end')
    .option('--by <order>', `${orders.join(', ')} (of the smallest amount)`, 'hops')
    .option('-k <n>', 'most paths', wholeNumber(1, 100), 1)
  addSweepOptions(command).action(async (options: PathsOptions, self: Program) => {
    const knowledge = await openKnowledge(globals(self).place)
    try {
      const account = await accountReader(knowledge)
      const answer = await runPaths(knowledge, {
        ...sweepRequest(options, account),
        from: options.from.map(account),
        to: options.to.map(account),
        by: oneOf('--by', options.by, orders),
        k: options.k,
      })
      if (globals(self).json) process.stdout.write(`${JSON.stringify(answer)}\n`)
      else console.log(pathsTable(answer, (await knowledge.attribution()).tokens.info))
    } finally {
      await knowledge.close()
    }
  })
}
