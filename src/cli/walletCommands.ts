import { accountCard } from '../api/accountCard.ts'
import { runIngest } from '../api/ingestProcess.ts'
import { openKnowledge } from '../api/knowledge.ts'
import { type Account, formatAccount, parseAccount } from '../ledger/account.ts'
import { formatDecimal } from '../ledger/amount.ts'
import { parseAsset } from '../ledger/asset.ts'
import { type ChainId, parseChain } from '../ledger/chain.ts'
import { joinIntervals } from '../ledger/coverage.ts'
import { KnownError } from '../ledger/errors.ts'
import { harmlessText } from '../ledger/text.ts'
import { kinds } from '../ledger/transfer.ts'
import { listFlags, putFlag } from '../store/flags.ts'
import { openStore } from '../store/open.ts'
import { collected, globals, type ProgramContext } from './options.ts'
import { formatTable } from './table.ts'

type Program = ProgramContext['program']

/** A plain address is taken for Ethereum's. */
export function accountArgument(text: string): Account {
  return parseAccount(text, text.includes(':') ? undefined : ('eip155:1' as ChainId))
}

/** Commands about single wallets: flag them, read them, look at them. */
export function registerWalletCommands({ program, config }: ProgramContext): void {
  registerFlag(program)
  registerIngest(program, config.rpcUrls)
  registerCoverage(program)
  registerAccount(program)
}

function registerFlag(program: Program): void {
  program
    .command('flag')
    .argument('<account>', 'CAIP-10, or a plain Ethereum address', accountArgument)
    .description('put an address under investigation')
    .requiredOption('--reason <text>', 'why')
    .requiredOption('--source <text>', 'who says so')
    .action(
      async (
        account: Account,
        options: { readonly reason: string; readonly source: string },
        command: Program,
      ) => {
        const store = await openStore(globals(command).place)
        try {
          const flag = await putFlag(store, { account, ...options }, new Date())
          if (globals(command).json)
            console.log(JSON.stringify({ ...flag, account: formatAccount(account) }))
          else
            console.log(
              `${formatAccount(account)} is flagged; \`jejak ingest --rpc URL\` reads its history.`,
            )
        } finally {
          await store.close()
        }
      },
    )
  program
    .command('flags')
    .description('list what is flagged')
    .action(async (_: unknown, command: Program) => {
      const store = await openStore(globals(command).place)
      try {
        const flags = await listFlags(store)
        if (globals(command).json)
          console.log(
            JSON.stringify(
              flags.map((flag) => ({ ...flag, account: formatAccount(flag.account) })),
            ),
          )
        else if (flags.length === 0) console.log('Nothing is flagged.')
        else {
          const rows = flags.map((flag) => [
            formatAccount(flag.account),
            flag.state,
            flag.progress ? `${flag.progress.throughBlock}/${flag.progress.headBlock}` : '',
            harmlessText(flag.source),
            harmlessText(flag.error ? `${flag.reason} [${flag.error.message}]` : flag.reason),
          ])
          console.log(formatTable(['account', 'state', 'block', 'source', 'reason'], rows))
        }
      } finally {
        await store.close()
      }
    })
}

interface IngestOptions {
  readonly rpc?: string[]
  readonly explorer?: string
  readonly url?: string
  readonly chain?: ChainId
  readonly behind?: string
  readonly rate?: string
  readonly watch?: true
  readonly allowPrivate?: true
}

function registerIngest(program: Program, configured: readonly string[]): void {
  program
    .command('ingest')
    .description('read flagged wallets from a JSON-RPC node or an explorer until none is waiting')
    .option(
      '--rpc <url>',
      'http(s) URL of a node; again for more of the same chain, best first; default JEJAK_RPC_URLS',
      collected,
    )
    .option('--allow-private', 'take a node by a name that stands for a private address')
    .option(
      '--explorer <name>',
      'etherscan or blockscout instead of a node; key in JEJAK_EXPLORER_KEY',
    )
    .option('--url <url>', "the explorer's API; default Etherscan's version 2")
    .option(
      '--chain <chain>',
      'chain that the explorer is asked for (default eip155:1)',
      parseChain,
    )
    .option(
      '--behind <blocks>',
      "leave out the newest blocks (default: the chain's depth of finality)",
    )
    .option('--rate <calls>', 'calls a second to the explorer (default 3)')
    .option('--watch', 'go on waiting for new flags')
    .action(async (options: IngestOptions, command: Program) => {
      const { store, json } = globals(command)
      process.exitCode = await runIngest([
        'worker',
        '--store',
        store,
        ...(options.explorer === undefined
          ? nodeArgument(options, configured)
          : explorerArguments(options.explorer, options)),
        ...(json ? ['--json'] : []),
        ...(options.watch ? [] : ['--once']),
      ])
    })
}

/** URLs may carry a key: they go by the environment, where other users of the machine do not see them. */
function nodeArgument(options: IngestOptions, configured: readonly string[]): readonly string[] {
  const urls = options.rpc ?? configured
  if (urls.length === 0) {
    throw new KnownError('request.invalid', 'no node is named', {
      hint: 'Give --rpc URL, set JEJAK_RPC_URLS, or name an --explorer.',
    })
  }
  process.env['JEJAK_INGEST_RPC'] = urls.join(',')
  return options.allowPrivate ? ['--allow-private'] : []
}

function explorerArguments(explorer: string, options: IngestOptions): readonly string[] {
  if (options.rpc !== undefined) {
    throw new KnownError('request.invalid', '--rpc and --explorer exclude each other', {
      hint: 'Run one after the other: what both tell is stored once.',
    })
  }
  if (options.url !== undefined) process.env['JEJAK_INGEST_EXPLORER'] = options.url
  const given = { chain: options.chain, behind: options.behind, rate: options.rate }
  return [
    '--explorer',
    explorer,
    ...Object.entries(given).flatMap(([name, value]) =>
      value === undefined ? [] : [`--${name}`, value],
    ),
  ]
}

function registerCoverage(program: Program): void {
  program
    .command('coverage')
    .argument('<account>', 'CAIP-10, or a plain Ethereum address', accountArgument)
    .description('for which blocks and kinds the store is complete for an account')
    .action(async (account: Account, _: unknown, command: Program) => {
      const store = await openStore(globals(command).place)
      try {
        const claims = await store.coverage(new Set([account]))
        if (globals(command).json)
          console.log(
            JSON.stringify(claims.map((claim) => ({ ...claim, account: formatAccount(account) }))),
          )
        else if (claims.length === 0)
          console.log(
            `${formatAccount(account)}: nothing is covered. What is stored may be any part of its history.`,
          )
        else {
          const rows = claims.map((c) => [
            c.kind,
            String(c.fromBlock),
            String(c.toBlock),
            `A${c.assurance}`,
            harmlessText(c.source),
          ])
          console.log(
            formatTable(['kind', 'from block', 'to block', 'assurance', 'source'], rows, [1, 2]),
          )
          const missing = kinds.filter(
            (kind) =>
              joinIntervals(
                claims
                  .filter((c) => c.kind === kind)
                  .map((c) => ({ from: c.fromBlock, to: c.toBlock })),
              ).length === 0,
          )
          if (missing.length > 0)
            console.log(`Not covered at all: ${missing.join(', ')}. That is a gap, not a zero.`)
        }
      } finally {
        await store.close()
      }
    })
}

function registerAccount(program: Program): void {
  program
    .command('account')
    .argument('<account>', 'CAIP-10, or a plain Ethereum address', accountArgument)
    .description('what the store knows of an account')
    .action(async (account: Account, _: unknown, command: Program) => {
      const knowledge = await openKnowledge(globals(command).place)
      try {
        const card = await accountCard(knowledge, account)
        if (globals(command).json) {
          console.log(JSON.stringify(card))
          return
        }
        const { tokens } = await knowledge.attribution()
        console.log(`${card.account}${card.flagged ? '  FLAGGED' : ''}`)
        for (const tag of card.tags)
          console.log(
            `  ${harmlessText(tag.label)} (${harmlessText(tag.category)}; ${harmlessText(tag.source)}, confidence ${tag.confidence})`,
          )
        const rows = card.balances.map((b) => {
          const info = tokens.info(parseAsset(b.asset))
          const amount = info ? formatDecimal(BigInt(b.balance), info.decimals) : b.balance
          return [
            harmlessText(
              info?.symbol ??
                (b.claims?.symbol ? `${b.asset} calls itself ${b.claims.symbol}` : b.asset),
            ),
            amount,
            String(b.received),
            String(b.sent),
            b.carriesValue ?? 'none',
          ]
        })
        console.log(
          formatTable(['asset', 'balance by the store', 'in', 'out', 'trust'], rows, [1, 2, 3]),
        )
        console.log(`First seen ${time(card.firstSeen)}, last ${time(card.lastSeen)}`)
      } finally {
        await knowledge.close()
      }
    })
}

function time(seconds: number | null): string {
  return seconds === null ? 'never' : new Date(seconds * 1000).toISOString()
}
