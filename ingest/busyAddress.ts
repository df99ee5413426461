import { appendDocument } from '../src/store/documentLog.ts'
import type { Store } from '../src/store/store.ts'
import type { FirstAsked, WorkItem } from '../src/store/workQueue.ts'
import type { ChainReader } from './rpc/chainReader.ts'

/**
 * An address that nobody has named may be an exchange: to read all of it would cost more than the rest of the case, and
 * money inside it cannot be followed anyway. So it is asked first; what looks so busy is left to the operator, with the
 * numbers. The limits are far above what launderers' wallets do, and what counts most is with how many others an address
 * deals: whoever pays himself a thousand crumbs shall not look like a service.
 */
const mostSigned = 10_000
const mostCounterparties = 1_000
const mostLogs = 20_000

/**
 * Asks about an address, and writes down that it has code, which tells wallets from contracts (design 8.2).
 *
 * @returns undefined where the source cannot tell.
 * @throws KnownError `rpc.*`, `store.*`
 */
export async function askedFirst(
  store: Store,
  reader: ChainReader,
  { account }: WorkItem,
): Promise<FirstAsked | undefined> {
  if (!account) return undefined
  const asked = await reader.look?.(account)
  if (asked?.hasCode) await appendDocument(store, 'code', { accounts: [account] })
  return asked
}

export function isTooBusy({ transactions, page }: FirstAsked): boolean {
  return (
    transactions > mostSigned || page.counterparties > mostCounterparties || page.logs > mostLogs
  )
}

/** The numbers, for people. */
export function whyTooBusy({ transactions, hasCode, page }: FirstAsked): string {
  const blocks = page.toBlock - page.fromBlock + 1
  return `it ${hasCode ? 'is a contract, ' : ''}signed ${transactions} transactions and had ${page.logs} token transfers with ${page.counterparties} others in the newest ${blocks} blocks; it may be a service that nobody has named`
}
