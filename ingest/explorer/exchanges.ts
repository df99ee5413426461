import type { Account } from '../../src/ledger/account.ts'
import { movesValue, type Transfer } from '../../src/ledger/transfer.ts'
import type { ExplorerRows, InternalRow, TokenRow } from './rows.ts'

/** All that one transaction moved, as far as the explorer shows it. */
export interface WholeTransaction {
  readonly internals: readonly InternalRow[]
  readonly tokens: readonly TokenRow[]
}

/** Exchanges of one reading; further ones are left to the next, so that what was read is stored now and then. */
const mostExchanges = 200

/**
 * An address's lists show its own legs, which is not enough to see who exchanged what: of each transaction in which the
 * wallet gave one asset and got another everything is asked for.
 *
 * Cost: what `ask` costs, for each exchange.
 *
 * @param transfers - what the rows say so far.
 */
export async function withWholeExchanges(
  wallet: Account,
  read: {
    readonly rows: ExplorerRows
    readonly transfers: readonly Transfer[]
    readonly through: number
  },
  ask: (exchange: Pick<Transfer, 'tx' | 'block' | 'time'>) => Promise<WholeTransaction>,
): Promise<{ readonly rows: ExplorerRows; readonly through: number }> {
  const exchanges = exchangesOf(wallet, read.transfers)
  const later = exchanges[mostExchanges]
  const through = later && later.block > 0 ? Math.min(read.through, later.block - 1) : read.through
  const now = exchanges.filter(({ block }) => block <= through)
  const whole: WholeTransaction[] = []
  for (const exchange of now) whole.push(await ask(exchange))
  const replaced = new Set(now.map(({ tx }) => tx))
  const rest = <Row extends { readonly tx: string; readonly block: number }>(
    rows: readonly Row[],
  ) => rows.filter(({ tx, block }) => block <= through && !replaced.has(tx))
  const { transactions, internals, tokens } = read.rows
  return {
    through,
    rows: {
      transactions: transactions.filter(({ block }) => block <= through),
      internals: [...rest(internals), ...whole.flatMap((one) => one.internals)],
      tokens: [...rest(tokens), ...whole.flatMap((one) => one.tokens)],
    },
  }
}

/** In order of blocks. */
function exchangesOf(wallet: Account, transfers: readonly Transfer[]): Transfer[] {
  const moved = transfers.filter((leg) => leg.kind !== 'fee' && movesValue(leg))
  return [...Map.groupBy(moved, ({ tx }) => tx).values()]
    .filter((legs) => {
      // To wrap one's own coins is no exchange with anybody.
      if (!legs.some(({ kind, flags }) => kind === 'token' && !flags.includes('wrap'))) return false
      const gave = new Set(legs.filter(({ from }) => from === wallet).map(({ asset }) => asset))
      const got = legs.filter(({ to }) => to === wallet).map(({ asset }) => asset)
      return gave.size > 0 && got.some((asset) => !gave.has(asset) || gave.size > 1)
    })
    .flatMap(([first]) => first ?? [])
    .sort((a, b) => a.block - b.block)
}
