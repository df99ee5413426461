import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CoverageAnswer, coverageAnswer } from '../api/coverage.ts'
import { runIngest } from '../api/ingestProcess.ts'
import { openKnowledge } from '../api/knowledge.ts'
import { replayTrace } from '../api/pinnedTraces.ts'
import { type Account, formatAccount } from '../ledger/account.ts'
import { KnownError } from '../ledger/errors.ts'
import { harmlessText } from '../ledger/text.ts'
import { parseTransferId } from '../ledger/transfer.ts'
import { openStore } from '../store/open.ts'
import { collected, globals, type ProgramContext } from './options.ts'
import { formatTable } from './table.ts'
import { accountArgument } from './walletCommands.ts'

type Program = ProgramContext['program']

/** What is covered of an account, and how to prove it. */
export function registerProofCommands({ program, config }: ProgramContext): void {
  registerCoverage(program)
  registerProve(program, config.rpcUrls)
}

function registerCoverage(program: Program): void {
  program
    .command('coverage')
    .argument('<account>', 'CAIP-10, or a plain Ethereum address', accountArgument)
    .description('for which blocks and kinds the store is complete for an account, and how proven')
    .action(async (account: Account, _: unknown, command: Program) => {
      const store = await openStore(globals(command).place)
      try {
        const answer = await coverageAnswer(store, account)
        if (globals(command).json) console.log(JSON.stringify(answer))
        else for (const line of coverageLines(answer)) console.log(line)
      } finally {
        await store.close()
      }
    })
}

const meanings = ['file or explorer', 'one node', 'two endpoints agree', 'proven from the blocks']

function coverageLines({ account, intervals, gaps, disputes, readings }: CoverageAnswer): string[] {
  if (intervals.length === 0)
    return [
      `${account}: nothing is covered. What is stored may be any part of its history.`,
      ...disputes.map(({ text }) => `Contradiction: ${harmlessText(text)}`),
    ]
  const rows = intervals.map((interval) => [
    interval.kind,
    String(interval.fromBlock),
    String(interval.toBlock),
    `A${interval.assurance}`,
    interval.disputed && interval.assurance === 0
      ? 'disputed'
      : (meanings[interval.assurance] ?? ''),
    harmlessText(interval.sources.join(' ')),
  ])
  const header = ['kind', 'from block', 'to block', 'assurance', 'meaning', 'source']
  const missing = gaps.map(({ kind, fromBlock, toBlock }) =>
    toBlock === null ? `${kind} from ${fromBlock} on` : `${kind} ${fromBlock}-${toBlock}`,
  )
  return [
    formatTable(header, rows, [1, 2]),
    `Not covered: ${missing.join(', ')}. That is a gap, not a zero.`,
    ...disputes.map(({ text }) => `Contradiction: ${harmlessText(text)}`),
    ...readings.map(
      (reading) =>
        `${reading.at}  ${reading.kinds.join(', ')} in blocks ${reading.fromBlock}-${reading.toBlock}, A${reading.assurance}, by ${harmlessText(reading.endpoints.join(' and '))}${reading.anchor ? `; block ${reading.anchor.block} vouched for by ${harmlessText(reading.anchor.by.join(' and '))}` : ''}`,
    ),
  ]
}

interface ProveOptions {
  readonly blocks?: string
  readonly tx?: string[]
  readonly trace?: string
  readonly rpc?: string[]
  readonly anchor?: string[]
  readonly token?: string[]
  readonly kinds?: string
  readonly ethereumForms?: true
  readonly yes?: true
}

function registerProve(program: Program, configured: readonly string[]): void {
  program
    .command('prove')
    .argument('[account]', 'CAIP-10, or a plain Ethereum address', accountArgument)
    .description(
      'prove from the blocks that an account has these transfers in a range and no others, or that transactions happened',
    )
    .option('--blocks <a-b>', 'the range; reads every block of it')
    .option('--tx <hash>', 'a transaction to prove instead, again and again', collected)
    .option('--trace <id>', 'every transaction that a pinned trace moves money by, instead')
    .option(
      '--rpc <url>',
      "node to read; given again: another operator's, which vouches for the hash and agrees on calls; default JEJAK_RPC_URLS",
      collected,
    )
    .option('--anchor <block=hash>', 'a block hash from a source of your own', collected)
    .option(
      '--kinds <list>',
      'token,native,fee,withdrawal,internal; tokens alone need only headers',
    )
    .option(
      '--token <asset>',
      'a token whose balance to compare, besides the known ones',
      collected,
    )
    .option('--ethereum-forms', 'the chain is a private one with the forms of Ethereum')
    .option('--yes', 'go on without being asked about the cost')
    .action(async (account: Account | undefined, options: ProveOptions, command: Program) => {
      const { store, json } = globals(command)
      const urls = options.rpc ?? configured
      if (urls.length === 0) {
        throw new KnownError('request.invalid', 'no node is named', {
          hint: 'Give --rpc URL, better twice with two operators, or set JEJAK_RPC_URLS.',
        })
      }
      // URLs may carry keys: they go by the environment, where other users of the machine do not see them.
      process.env['JEJAK_INGEST_RPC'] = urls.join('\n')
      const args = [
        'prove',
        '--store',
        store,
        ...(json ? ['--json'] : []),
        ...passedOptions(options),
        ...(account === undefined ? [] : ['--', formatAccount(account)]),
      ]
      process.exitCode =
        options.trace === undefined
          ? await runIngest(args)
          : await proveTrace(command, options.trace, args)
    })
}

/** The transactions go by a file: a trace may have more than a command line takes. */
async function proveTrace(command: Program, id: string, args: readonly string[]): Promise<number> {
  const transactions = await transactionsOfTrace(command, id)
  const folder = mkdtempSync(join(tmpdir(), 'jejak-prove-'))
  try {
    const file = join(folder, 'transactions.txt')
    writeFileSync(file, [...transactions].join('\n'))
    return await runIngest([...args, '--transactions', file])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function transactionsOfTrace(command: Program, id: string): Promise<ReadonlySet<string>> {
  const knowledge = await openKnowledge(globals(command).place)
  try {
    const { seeds, movements } = await replayTrace(knowledge, id)
    const ids = [...seeds, ...movements].map(({ transfer }) => parseTransferId(transfer))
    return new Set(ids.map(({ chain, tx }) => `${chain}:${tx}`))
  } finally {
    await knowledge.close()
  }
}

function passedOptions(options: ProveOptions): string[] {
  const many = (name: string, values: readonly string[] | undefined): string[] =>
    (values ?? []).flatMap((value) => [name, value])
  return [
    ...many('--blocks', options.blocks === undefined ? [] : [options.blocks]),
    ...many('--kinds', options.kinds === undefined ? [] : [options.kinds]),
    ...many('--tx', options.tx),
    ...many('--anchor', options.anchor),
    ...many('--token', options.token),
    ...(options.ethereumForms ? ['--ethereum-forms'] : []),
    ...(options.yes ? ['--yes'] : []),
  ]
}
