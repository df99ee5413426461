import { KnownError } from '../../src/ledger/errors.ts'
import { type RpcNode, RpcRefusal } from '../rpc/node.ts'
import { type Fields, fields, hex, list } from '../rpc/values.ts'

/** How many calls are under way at once. */
const together = 8

/** Blocks and receipts as an endpoint tells them: nothing of it is believed yet. */
export interface BlockReader {
  /** Blocks of a range, ascending; with their transactions where asked. */
  blocks(range: { readonly from: number; readonly to: number }, whole: boolean): Promise<Fields[]>
  /** Receipts of a block, in the order of its transactions. */
  receipts(block: number, transactions: readonly Fields[]): Promise<readonly unknown[]>
}

/** Reads blocks of one endpoint, several at once; receipts by block, or one by one where it has no such method. */
export function createBlockReader(node: RpcNode): BlockReader {
  let byBlock = true

  async function block(number: number, whole: boolean): Promise<Fields> {
    const answer = await node.call('eth_getBlockByNumber', [hex(number), whole])
    if (answer !== null) return fields(answer, `block ${number}`)
    throw new KnownError('rpc.unavailable', `${node.name} does not give block ${number}`, {
      facts: { block: number },
      hint: 'It may be behind: try again later, or use another endpoint.',
      retryable: true,
    })
  }

  return {
    async blocks({ from, to }, whole) {
      const numbers = Array.from({ length: to - from + 1 }, (_, i) => from + i)
      return inParallel(numbers, (number) => block(number, whole))
    },
    async receipts(number, transactions) {
      if (transactions.length === 0) return []
      if (byBlock) {
        try {
          const answer = await node.call('eth_getBlockReceipts', [hex(number)])
          if (answer !== null) return list(answer, 'the receipts')
        } catch (error) {
          if (!(error instanceof RpcRefusal)) throw error
          byBlock = false
        }
      }
      return inParallel(transactions, ({ hash }) => node.call('eth_getTransactionReceipt', [hash]))
    },
  }
}

async function inParallel<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (let start = 0; start < items.length; start += together)
    results.push(...(await Promise.all(items.slice(start, start + together).map(work))))
  return results
}
