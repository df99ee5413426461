import { KnownError } from '../src/ledger/errors.ts'
import type { WorkItem } from '../src/store/workQueue.ts'
import { ChainMoved, checkView } from './chainView.ts'
import { rememberPayments } from './payments.ts'
import type { ReadTransactions } from './rpc/chainReader.ts'
import type { Turn, Work } from './work.ts'

/**
 * Reads a single transaction by its hash, without a claim that anybody's history is known.
 *
 * @returns how many of its transfers were new
 * @throws KnownError `rpc.*`, `transfer.not-found`, `store.*`, and {@link ChainMoved}
 */
export async function readPayment(
  work: Pick<Work, 'store' | 'reader' | 'payments'>,
  item: Pick<WorkItem, 'transaction'>,
  turn: Pick<Turn, 'view' | 'fence'>,
): Promise<number> {
  const { store, reader } = work
  const { transfers, payments } = await transactionOf(work, item.transaction?.tx ?? '')
  const block = transfers[0]?.block ?? 0
  // What is above the view hangs on no anchor yet.
  if (block > turn.view.head.block) throw new ChainMoved()
  await checkView(turn.view, reader, block)
  await rememberPayments(work, turn, payments)
  const { added } = await store.append({
    transfers,
    source: reader.name,
    assurance: reader.assurance,
    coverage: [],
    fence: turn.fence,
  })
  return added
}

async function transactionOf(
  { reader }: Pick<Work, 'reader'>,
  tx: string,
): Promise<ReadTransactions> {
  if (!reader.readTransaction) {
    throw new KnownError('request.invalid', 'an explorer is not asked for single transactions', {
      facts: { tx },
      hint: 'Use a node, or flag the wallet.',
    })
  }
  const read = await reader.readTransaction(tx)
  if (read) return read
  throw new KnownError('transfer.not-found', `the node has no transaction ${tx}`, {
    facts: { tx },
    hint: 'Check the hash and its chain; one that is not mined yet can be asked for again later.',
  })
}
