import { type Account, accountReference } from '../../src/ledger/account.ts'
import type { FirstAsked } from '../../src/store/workQueue.ts'
import { transferTopic } from '../decode/tokenLog.ts'
import { isContractCode } from './accountCode.ts'
import { type RpcNode, RpcRefusal } from './node.ts'
import { fields, hex, list, wholeNumber } from './values.ts'

/** Newest blocks whose token transfers are counted: some three hours on Ethereum. */
const pageBlocks = 1_000

/**
 * How busy an address is, in some five calls: what it signed, whether it has code, its token transfers in the newest
 * blocks, as a first page of an explorer shows them.
 *
 * @throws KnownError `rpc.*`
 */
export async function firstLook(node: RpcNode, wallet: Account): Promise<FirstAsked> {
  const address = accountReference(wallet)
  const head = wholeNumber(await node.call('eth_blockNumber', []), 'the head')
  const [transactions, code] = await Promise.all([
    node.call('eth_getTransactionCount', [address, 'latest']),
    node.call('eth_getCode', [address, 'latest']),
  ])
  return {
    transactions: wholeNumber(transactions, 'the transaction count'),
    hasCode: isContractCode(code),
    page: await newestPage(node, address, head),
  }
}

/** Half of it and again half where the node refuses so many. */
async function newestPage(
  node: RpcNode,
  address: string,
  head: number,
): Promise<FirstAsked['page']> {
  const padded = `0x${address.slice(2).padStart(64, '0')}`
  for (let blocks = pageBlocks; ; blocks >>= 1) {
    const fromBlock = Math.max(0, head - blocks + 1)
    const between = { fromBlock: hex(fromBlock), toBlock: hex(head) }
    try {
      const [sent, received] = await Promise.all(
        [
          [transferTopic, padded],
          [transferTopic, null, padded],
        ].map((topics) => node.call('eth_getLogs', [{ ...between, topics }])),
      )
      const logs = [...list(sent, 'the logs'), ...list(received, 'the logs')]
      const counterparties = new Set(logs.flatMap((log) => partiesOf(log)))
      counterparties.delete(padded)
      return { fromBlock, toBlock: head, logs: logs.length, counterparties: counterparties.size }
    } catch (error) {
      if (!(error instanceof RpcRefusal) || blocks <= 1) throw error
    }
  }
}

/** What a log says of who paid whom, as padded addresses in lower case. */
function partiesOf(log: unknown): string[] {
  const [, ...parties] = list(fields(log, 'a log')['topics'], 'the topics')
  return parties
    .slice(0, 2)
    .flatMap((party) => (typeof party === 'string' ? party.toLowerCase() : []))
}
