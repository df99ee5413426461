import type { Account } from '../../src/ledger/account.ts'
import { freezesThrough } from '../../src/ledger/freezes.ts'
import type { ReadTransactions } from '../rpc/chainReader.ts'
import type { BlockRange } from '../rpc/windows.ts'

/** Explorers are asked for one address at a time; together they are read as far as the one that got least far. */
export async function readEach(
  wallets: readonly Account[],
  range: BlockRange,
  read: (wallet: Account, range: BlockRange) => Promise<ReadTransactions>,
): Promise<ReadTransactions> {
  const all: ReadTransactions[] = []
  for (const wallet of wallets) all.push(await read(wallet, range))
  const through = Math.min(...all.map((one) => one.through ?? range.to))
  const freezes = all[0]?.freezes
  return {
    transfers: all.flatMap(({ transfers }) => transfers).filter(({ block }) => block <= through),
    payments: [],
    ...(freezes === undefined ? {} : { freezes: freezesThrough(freezes, through) }),
    ...(through === range.to ? {} : { through }),
  }
}
