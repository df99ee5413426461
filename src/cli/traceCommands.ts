import { readFileSync } from 'node:fs'
import { InvalidArgumentError } from 'commander'
import type { Resolution } from '../analysis/conversions.ts'
import { methodNames } from '../analysis/methods.ts'
import { existingFlag, flagTraceRequest } from '../api/flagTrace.ts'
import { type Knowledge, openKnowledge } from '../api/knowledge.ts'
import { pinTrace } from '../api/pinnedTraces.ts'
import { runComparison, type TraceRequest, traceMoment } from '../api/runTrace.ts'
import { traceText } from '../api/traceId.ts'
import { type Account, parseAccount } from '../ledger/account.ts'
import { parseAsset } from '../ledger/asset.ts'
import { type ChainId, parseChain } from '../ledger/chain.ts'
import { KnownError } from '../ledger/errors.ts'
import { parseFlagId } from '../store/flags.ts'
import { compareTable } from './compareTable.ts'
import { readAbsent } from './ingestCommand.ts'
import { globals, type ProgramContext, wholeNumber } from './options.ts'
import { traceTable } from './traceTable.ts'

type Program = ProgramContext['program']

export interface TraceOptions {
  readonly seed?: string[]
  readonly seedAddress?: string[]
  readonly seedsFrom?: string
  readonly side?: string
  readonly asset?: string
  readonly direction?: string
  readonly method?: string
  readonly minShare?: number
  readonly maxHops?: number
  readonly sameTransaction?: string
  readonly resolve?: string[]
  readonly maxIdle?: number
  readonly asOf?: string[]
  readonly continueThrough?: string[]
  readonly neverFollow?: string[]
  readonly pin?: true
  readonly flag?: string
}

/** `jejak trace`: where the money of the seeds went. */
export function registerTraceCommands({ program, config }: ProgramContext): void {
  withQuestion(
    program
      .command('trace')
      .description('follow money from its seeds to where it ended, every unit accounted for'),
  )
    .option('--method <method>', methodNames.join(', '), 'fifo')
    .option('--flag <what>', 'the trace of a flag as far as it is known, instead of seeds')
    .option('--pin', 'keep what `jejak replay` needs to give the same answer for ever')
    .action((options: TraceOptions, command: Program) =>
      answered(command, async (knowledge) => {
        const request = { ...(await askedOf(knowledge, options, config)), ...budgets(config) }
        const moment = await traceMoment(knowledge, request)
        const { answer } = moment
        if (options.pin) await pinTrace(knowledge.store, moment)
        const { tokens } = await knowledge.attribution()
        const pinned = options.pin
          ? `

Pinned: jejak replay ${answer.id}`
          : ''
        return { text: traceText(answer), table: `${traceTable(answer, tokens.info)}${pinned}` }
      }),
    )
  withQuestion(
    program.command('compare').description('the same trace under every method, side by side'),
  ).action((options: TraceOptions, command: Program) =>
    answered(command, async (knowledge) => {
      const request = { ...(await askedOf(knowledge, options, config)), ...budgets(config) }
      const answer = await runComparison(knowledge, request)
      const { tokens } = await knowledge.attribution()
      return { text: `${JSON.stringify(answer)}\n`, table: compareTable(answer, tokens.info) }
    }),
  )
}

/** The question of a flag, or the one that the options ask; a transaction that the store does not have is read first. */
async function askedOf(
  knowledge: Knowledge,
  options: TraceOptions,
  config: ProgramContext['config'],
): Promise<TraceRequest> {
  if (options.flag === undefined) {
    await readAbsent(knowledge, options.seed ?? [], config.rpcUrls)
    return requestOf(knowledge, options)
  }
  const chain = await onlyChain(knowledge)
  const flag = await existingFlag(knowledge.store, parseFlagId(options.flag, chain))
  const asset = options.asset === undefined ? undefined : parseAsset(options.asset)
  return flagTraceRequest(knowledge.store, flag, asset)
}

interface Printed {
  /** For programs. */
  readonly text: string
  readonly table: string
  /** What is done when the answer is out, and what a reader is told of it. */
  readonly behind?: () => Promise<string>
}

/** Prints the answer for programs with `--json`, else its table. */
async function answered(
  command: Program,
  ask: (knowledge: Knowledge) => Promise<Printed>,
): Promise<void> {
  const knowledge = await openKnowledge(globals(command).place)
  try {
    const { text, table, behind } = await ask(knowledge)
    if (globals(command).json) process.stdout.write(text)
    else console.log(table)
    const told = await behind?.()
    if (told !== undefined && !globals(command).json) console.log(told)
  } finally {
    await knowledge.close()
  }
}

function withQuestion(command: Program): Program {
  return command
    .option('--seed <transfer...>', 'transfer ids or transaction hashes')
    .option('--seed-address <account...>', 'all transfers that these accounts received (or sent)')
    .option('--seeds-from <file>', 'one transfer id or account a line')
    .option('--side <side>', 'received or sent; by default received, backward sent')
    .option('--asset <asset>', 'CAIP-19 asset of the seeds')
    .option('--direction <direction>', 'forward or backward', 'forward')
    .option('--min-share <share>', 'least share of the seeds that is followed', share, 0.001)
    .option('--max-hops <n>', 'transfers after the seed', wholeNumber(1, 64), 32)
    .option('--same-transaction <rule>', 'matched or ordered', 'matched')
    .option('--resolve <choice...>', 'TX:ACCOUNT=ASSET where a conversion is ambiguous')
    .option(
      '--max-idle <seconds>',
      'money that rests longer ends as idle',
      wholeNumber(0, 10_000_000_000),
    )
    .option('--as-of <chain@block...>', 'last block to look at')
    .option('--continue-through <account...>', 'follow through this stop')
    .option('--never-follow <account...>', 'end here')
}

function budgets(config: ProgramContext['config']): {
  maxAddresses: number
  maxTransactions: number
} {
  return { maxAddresses: config.maxAddresses, maxTransactions: config.maxTransactions }
}

export function share(text: string): number {
  const value = /^\d*\.?\d+(e-\d+)?$/i.test(text) ? Number(text) : Number.NaN
  if (value >= 0 && value <= 1) return value
  throw new InvalidArgumentError('give a share from 0 to 1, for example 0.001')
}

export async function requestOf(
  knowledge: Knowledge,
  options: TraceOptions,
): Promise<TraceRequest> {
  const account = await accountReader(knowledge)
  const listed = options.seedsFrom === undefined ? [] : seedLines(options.seedsFrom)
  const isTransfer = (line: string): boolean =>
    /^0x[0-9a-f]{64}$/i.test(line) ||
    /:(fee|native|internal|token|reward|withdrawal):\d+$/.test(line)
  return {
    seeds: [...(options.seed ?? []), ...listed.filter(isTransfer)],
    seedAddresses: [
      ...(options.seedAddress ?? []),
      ...listed.filter((line) => !isTransfer(line)),
    ].map(account),
    side: oneOf('--side', options.side, ['received', 'sent']),
    asset: options.asset === undefined ? undefined : parseAsset(options.asset),
    direction: oneOf('--direction', options.direction, ['forward', 'backward']),
    method: oneOf('--method', options.method, methodNames),
    sameTransaction: oneOf('--same-transaction', options.sameTransaction, ['matched', 'ordered']),
    minShare: options.minShare,
    maxHops: options.maxHops,
    maxIdle: options.maxIdle,
    asOf: asOfBlocks(options.asOf ?? []),
    continueThrough: options.continueThrough?.map(account),
    neverFollow: options.neverFollow?.map(account),
    resolve: options.resolve?.map((text) => resolutionOf(text, account)),
  }
}

function resolutionOf(text: string, account: (text: string) => Account): Resolution {
  const [, tx, owner, asset] = /^([^:=]+):([^=]+)=(.+)$/.exec(text) ?? []
  if (tx !== undefined && owner !== undefined && asset !== undefined)
    return { tx, account: account(owner), asset: parseAsset(asset) }
  throw new KnownError(
    'request.invalid',
    `--resolve "${text.slice(0, 200)}" is not TX:ACCOUNT=ASSET`,
    {
      facts: { field: '--resolve', value: text.slice(0, 200) },
      hint: 'Write the transaction hash, a colon, the account, an equals sign and the CAIP-19 asset it got.',
    },
  )
}

/** Reads accounts as people write them at a terminal. */
export async function accountReader(knowledge: Knowledge): Promise<(text: string) => Account> {
  const chain = await onlyChain(knowledge)
  return (text) => parseAccount(text, text.includes(':') ? undefined : chain)
}

/** A plain address belongs to the only chain of the store, or to Ethereum while it is empty. */
export async function onlyChain(knowledge: Knowledge): Promise<ChainId | undefined> {
  const { chains } = await knowledge.ledger()
  if (chains.length === 0) return 'eip155:1' as ChainId
  return chains.length === 1 ? chains[0] : undefined
}

function seedLines(file: string): string[] {
  try {
    const lines = readFileSync(file, 'utf8')
      .split(/\r?\n/)
      .map((line) => line.trim())
    return lines.filter((line) => line !== '' && !line.startsWith('#'))
  } catch (error) {
    throw new KnownError('file.unreadable', `${file} cannot be read`, {
      facts: { file },
      hint: 'Check --seeds-from.',
      cause: error,
    })
  }
}

export function oneOf<T extends string>(
  name: string,
  value: string | undefined,
  allowed: readonly T[],
): T | undefined {
  const found = allowed.find((candidate) => candidate === value)
  if (value === undefined || found !== undefined) return found
  throw new KnownError(
    'request.invalid',
    `${name} "${value.slice(0, 40)}" is not one of ${allowed.join(', ')}`,
    {
      facts: { field: name, value: value.slice(0, 40) },
      hint: `Give ${allowed.join(' or ')}.`,
    },
  )
}

export function asOfBlocks(texts: readonly string[]): Record<string, number> {
  return Object.fromEntries(
    texts.map((text) => {
      const [chain = '', block = ''] = text.split('@')
      if (!/^\d{1,15}$/.test(block)) {
        throw new KnownError('request.invalid', `--as-of "${text.slice(0, 80)}" names no block`, {
          hint: 'Write eip155:1@17000000.',
        })
      }
      return [parseChain(chain), Number(block)]
    }),
  )
}
