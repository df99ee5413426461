import type { BoundsTarget } from '../analysis/boundsAnswer.ts'
import { type Knowledge, openKnowledge } from '../api/knowledge.ts'
import { runBounds } from '../api/runBounds.ts'
import { parseAccount } from '../ledger/account.ts'
import { KnownError } from '../ledger/errors.ts'
import { boundsTable } from './boundsTable.ts'
import { readAbsent } from './ingestCommand.ts'
import { globals, type ProgramContext, wholeNumber } from './options.ts'
import { oneOf, onlyChain, requestOf, type TraceOptions } from './traceCommands.ts'

type Program = ProgramContext['program']

interface BoundsOptions extends TraceOptions {
  readonly to?: string[]
  readonly toCategory?: string
  readonly toActor?: string
  readonly byOutcome?: true
  readonly opening?: string
  readonly maxCorridor?: number
}

/** `jejak bounds`: what must, and at most can, have reached a target under any accounting. */
export function registerBoundsCommand({ program, config }: ProgramContext): void {
  program
    .command('bounds')
    .description('how much of the seeds must, and at most can, have reached a target')
    .option('--seed <transfer...>', 'transfer ids or transaction hashes')
    .option('--seed-address <account...>', 'all transfers that these accounts received (or sent)')
    .option('--seeds-from <file>', 'one transfer id or account a line')
    .option('--side <side>', 'received or sent', 'received')
    .option('--asset <asset>', 'CAIP-19 asset of the seeds')
    .option('--to <account...>', 'accounts, or still-held')
    .option('--to-category <category>', 'all accounts with a tag of this category')
    .option('--to-actor <label>', 'all accounts with a tag of this label')
    .option('--by-outcome', 'every end that the money can have come to, each by itself')
    .option(
      '--opening <rule>',
      'what accounts held before their first known transfer: assumed_zero or unknown',
      'assumed_zero',
    )
    .option(
      '--max-corridor <n>',
      'largest number of transfers that is solved',
      wholeNumber(1, 100_000_000),
    )
    .option('--resolve <choice...>', 'TX:ACCOUNT=ASSET where a conversion is ambiguous')
    .option('--as-of <chain@block...>', 'last block to look at')
    .option('--continue-through <account...>', 'follow through this stop')
    .option('--never-follow <account...>', 'end here')
    .action(async (options: BoundsOptions, command: Program) => {
      const knowledge = await openKnowledge(globals(command).place)
      try {
        await readAbsent(knowledge, options.seed ?? [], config.rpcUrls)
        const answer = await runBounds(knowledge, {
          ...(await requestOf(knowledge, options)),
          to: await targetOf(knowledge, options),
          opening: oneOf('--opening', options.opening, ['assumed_zero', 'unknown']),
          maxCorridor: options.maxCorridor,
        })
        if (globals(command).json) process.stdout.write(`${JSON.stringify(answer)}\n`)
        else console.log(boundsTable(answer, (await knowledge.attribution()).tokens.info))
      } finally {
        await knowledge.close()
      }
    })
}

async function targetOf(knowledge: Knowledge, options: BoundsOptions): Promise<BoundsTarget> {
  const { to = [], toCategory, toActor, byOutcome } = options
  const chain = await onlyChain(knowledge)
  const given: BoundsTarget[] = [
    ...(to.length > 0 ? [accountsOf(to, chain)] : []),
    ...(toCategory === undefined ? [] : [{ category: toCategory }]),
    ...(toActor === undefined ? [] : [{ actor: toActor }]),
    ...(byOutcome ? (['by_outcome'] as const) : []),
  ]
  const [only] = given
  if (only !== undefined && given.length === 1) return only
  throw new KnownError('request.invalid', `bounds need one target, not ${given.length}`, {
    hint: 'Give one of --to, --to-category, --to-actor and --by-outcome.',
  })
}

function accountsOf(
  texts: readonly string[],
  chain: Parameters<typeof parseAccount>[1],
): BoundsTarget {
  if (texts.length === 1 && /^still[-_]held$/.test(texts[0] ?? '')) return 'still_held'
  const accounts = texts.map((text) => parseAccount(text, text.includes(':') ? undefined : chain))
  return { accounts }
}
