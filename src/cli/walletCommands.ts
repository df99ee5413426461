import { accountCard } from '../api/accountCard.ts'
import { runIngest } from '../api/ingestProcess.ts'
import { openKnowledge } from '../api/knowledge.ts'
import { type Account, formatAccount, parseAccount } from '../ledger/account.ts'
import { formatDecimal } from '../ledger/amount.ts'
import { parseAsset } from '../ledger/asset.ts'
import type { ChainId } from '../ledger/chain.ts'
import { KnownError } from '../ledger/errors.ts'
import { harmlessText } from '../ledger/text.ts'
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

function registerIngest(program: Program, configured: readonly string[]): void {
  program
    .command('ingest')
    .description('read flagged wallets from a JSON-RPC node until none is waiting')
    .option('--rpc <url>', 'http(s) URL of the node; default JEJAK_RPC_URLS', collected)
    .option('--watch', 'go on waiting for new flags')
    .action(
      async (options: { readonly rpc?: string[]; readonly watch?: true }, command: Program) => {
        const { store, json } = globals(command)
        const [url] = options.rpc ?? configured
        if (url === undefined) {
          throw new KnownError('request.invalid', 'no node is named', {
            hint: 'Give --rpc URL or set JEJAK_RPC_URLS.',
          })
        }
        // The URL may carry a key: it goes by the environment, where other users of the machine do not see it.
        process.env['JEJAK_INGEST_RPC'] = url
        const args = [
          'worker',
          '--store',
          store,
          ...(json ? ['--json'] : []),
          ...(options.watch ? [] : ['--once']),
        ]
        process.exitCode = await runIngest(args)
      },
    )
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
            harmlessText(info?.symbol ?? b.asset),
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
