import type { AssetId } from '../../src/ledger/asset.ts'
import type { ChainId } from '../../src/ledger/chain.ts'
import type { Transfer } from '../../src/ledger/transfer.ts'
import type { Store } from '../../src/store/store.ts'
import type { RpcNode } from '../rpc/node.ts'
import { type Fields, fields, wholeNumber } from '../rpc/values.ts'
import { findInBlock } from './accountInBlock.ts'
import { agreedBlock, type GivenAnchor } from './anchorage.ts'
import { proveHeader } from './blockHeader.ts'
import { createBlockReader } from './blockReader.ts'
import { proofSource } from './proveRange.ts'

export interface TransactionsToProve {
  readonly store: Store
  readonly chain: ChainId
  /** Hashes in lower case. */
  readonly transactions: readonly string[]
  readonly endpoints: readonly [RpcNode, ...RpcNode[]]
  readonly anchors: readonly GivenAnchor[]
  readonly isWrapped: (asset: AssetId) => boolean
  readonly isEthereum: boolean
  readonly signal: AbortSignal
  readonly tell: (event: InclusionEvent) => void
}

export type InclusionEvent =
  | {
      readonly event: 'included'
      readonly block: number
      readonly transactions: readonly string[]
      readonly left: number
    }
  | { readonly event: 'finding'; readonly text: string }

/**
 * Proves that transactions happened as told (assurance 3), without a claim that nothing else did: block by block, each
 * block's hash given by two endpoints or the operator.
 *
 * Cost: for each transaction one call, for each of their blocks one and one for its receipts, and one for each endpoint.
 *
 * @returns transfers proven, and the transactions that are in no block.
 * @throws KnownError as `proveRange`
 */
export async function proveTransactionsIncluded(
  given: TransactionsToProve,
): Promise<{ readonly transfers: number; readonly missing: readonly string[] }> {
  const [node] = given.endpoints
  const reader = createBlockReader(node)
  const places = new Map<number, Set<string>>()
  const missing: string[] = []
  for (const tx of new Set(given.transactions)) {
    given.signal.throwIfAborted()
    const block = await blockOf(node, tx)
    if (block === undefined) missing.push(tx)
    else places.set(block, (places.get(block) ?? new Set<string>()).add(tx))
  }
  let left = places.size
  let transfers = 0
  for (const [block, wanted] of [...places].sort(([a], [b]) => a - b)) {
    given.signal.throwIfAborted()
    const hash = await hashOf(given, block)
    const [answer = {}] = await reader.blocks({ from: block, to: block }, true)
    const header = proveHeader(answer, { number: block, hash })
    const look = {
      chain: given.chain,
      kinds: new Set<never>(),
      isWrapped: given.isWrapped,
      isEthereum: given.isEthereum,
      wholeBlock: async (): Promise<Fields> => answer,
      receipts: reader.receipts,
    }
    const found = await findInBlock(header, answer, look, wanted)
    missing.push(...[...wanted].filter((tx) => !found.transactions.has(tx)))
    transfers += await store(given, found.transfers)
    given.tell({ event: 'included', block, transactions: [...found.transactions], left: --left })
  }
  return { transfers, missing }
}

async function store(
  { store: into, tell }: TransactionsToProve,
  transfers: readonly Transfer[],
): Promise<number> {
  const { findings } = await into.append({
    transfers,
    source: proofSource,
    assurance: 3,
    coverage: [],
  })
  for (const { text } of findings) tell({ event: 'finding', text })
  return transfers.length
}

async function blockOf(node: RpcNode, tx: string): Promise<number | undefined> {
  const answer = await node.call('eth_getTransactionByHash', [tx])
  if (answer === null) return undefined
  const block = fields(answer, 'a transaction')['blockNumber']
  return block === null || block === undefined
    ? undefined
    : wholeNumber(block, 'the block of a transaction')
}

async function hashOf({ anchors, endpoints }: TransactionsToProve, block: number): Promise<string> {
  const own = anchors.find((anchor) => anchor.block === block)
  return own ? own.hash : (await agreedBlock(block, endpoints)).hash
}
