import { accountCard } from '../api/accountCard.ts'
import { openKnowledge } from '../api/knowledge.ts'
import { type Account, parseAccount } from '../ledger/account.ts'
import { formatDecimal } from '../ledger/amount.ts'
import { parseAsset } from '../ledger/asset.ts'
import type { ChainId } from '../ledger/chain.ts'
import { harmlessText } from '../ledger/text.ts'
import { globals, type ProgramContext } from './options.ts'
import { formatTable } from './table.ts'

type Program = ProgramContext['program']

/** A plain address is taken for Ethereum's. */
export function accountArgument(text: string): Account {
  return parseAccount(text, text.includes(':') ? undefined : ('eip155:1' as ChainId))
}

/** Commands that look at single wallets. */
export function registerWalletCommands({ program }: ProgramContext): void {
  registerAccount(program)
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
