import { type Knowledge, openKnowledge } from '../api/knowledge.ts'
import { replayTrace } from '../api/pinnedTraces.ts'
import { diffTrace, type TraceDiff } from '../api/traceDiff.ts'
import { traceText } from '../api/traceId.ts'
import { globals, type ProgramContext } from './options.ts'
import { formatTable } from './table.ts'
import { traceTable } from './traceTable.ts'

type Program = ProgramContext['program']

/** `jejak replay` and `jejak diff`: traces that were pinned. */
export function registerPinCommands({ program }: ProgramContext): void {
  program
    .command('replay <id>')
    .description('give a pinned trace again, byte for byte, from the data of its time')
    .action(async (id: string, _: unknown, command: Program) => {
      await withKnowledge(command, async (knowledge) => {
        const answer = await replayTrace(knowledge, id)
        if (globals(command).json) process.stdout.write(traceText(answer))
        else console.log(traceTable(answer, (await knowledge.attribution()).tokens.info))
      })
    })
  program
    .command('diff <id>')
    .description('what moved since a trace was pinned')
    .action(async (id: string, _: unknown, command: Program) => {
      await withKnowledge(command, async (knowledge) => {
        const { diff } = await diffTrace(knowledge, id)
        console.log(globals(command).json ? JSON.stringify(diff) : diffTable(diff))
      })
    })
}

async function withKnowledge(
  command: Program,
  work: (knowledge: Knowledge) => Promise<void>,
): Promise<void> {
  const knowledge = await openKnowledge(globals(command).place)
  try {
    await work(knowledge)
  } finally {
    await knowledge.close()
  }
}

function diffTable({ now, moved }: TraceDiff): string {
  if (moved.length === 0) return 'Nothing moved.'
  const table = formatTable(
    ['outcome', 'account', 'asset', 'before', 'after', 'change'],
    moved.map((m) => [m.outcome, m.account, m.asset, m.before, m.after, m.change]),
    [3, 4, 5],
  )
  return `${table}\n\nAmounts are base units of the seeds' asset; --json has the seed of each. As it is now: ${now}`
}
