/** Where lots end on arrival (design 8.2), decided once for the whole ledger. */
import type { Account } from '../../src/ledger/account.ts'
import { movesValue, type Transfer } from '../../src/ledger/transfer.ts'
import { crediblePairs, isPool, netChanges } from './conversions.ts'
import type { OracleQuestion } from './question.ts'

/** The outcome at an address, undefined where it is no stop. */
export type Stops = (account: Account) => string | undefined

export function stopsOf(
  transactions: readonly (readonly Transfer[])[],
  question: OracleQuestion,
): Stops {
  const exchangers = unexplainedExchangers(transactions, question)
  const spreaders = manyReceivers(transactions.flat(), question)
  return (account) => {
    if (question.continueThrough?.has(account)) return undefined
    const tagged = question.stops.get(account)
    if (tagged !== undefined) return tagged
    if (isPool(question, account)) return 'contract_custody'
    if (spreaders.has(account) && question.tagged?.(account) !== true) return 'high_degree'
    return exchangers.has(account) ? 'contract_custody' : undefined
  }
}

/**
 * "An address with code that by no credible exchange of its own goes up in one asset and down in another, in any
 * transaction up to the as-of block, is such a stop from its first transfer on."
 */
function unexplainedExchangers(
  transactions: readonly (readonly Transfer[])[],
  question: OracleQuestion,
): Set<Account> {
  const found = new Set<Account>()
  for (const legs of transactions) {
    const pairs = crediblePairs(legs, question)
    for (const [account, assets] of netChanges(legs, question)) {
      const nets = [...assets.values()]
      const exchanged = nets.some((net) => net > 0n) && nets.some((net) => net < 0n)
      const explained = pairs.some(({ payer }) => payer === account)
      if (exchanged && !explained && question.hasCode?.(account)) found.add(account)
    }
  }
  return found
}

/** "Itself sent value to more than 1,000 distinct receivers over all assets of its chain, burns and fees not counted." */
function manyReceivers(legs: readonly Transfer[], question: OracleQuestion): Set<Account> {
  const receivers = new Map<Account, Set<Account>>()
  for (const leg of legs) {
    const { from, to } = leg
    if (from === undefined || to === undefined || leg.kind === 'fee' || !movesValue(leg)) continue
    if (question.carriesValue?.(leg.asset) === false) continue
    receivers.set(from, (receivers.get(from) ?? new Set<Account>()).add(to))
  }
  const limit = question.receiverLimit ?? 1000
  return new Set([...receivers].filter(([, { size }]) => size > limit).map(([account]) => account))
}
