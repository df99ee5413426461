import type { ChainId } from '../ledger/chain.ts'
import type { Store } from './store.ts'

/** An EVM chain that the program has no table for, as an operator describes it. */
export interface OwnChain {
  readonly chain: ChainId
  readonly name: string
  /** Its coin has 18 decimals, as on every EVM chain. */
  readonly native: { readonly symbol: string; readonly name: string }
  /** Blocks under the head after which nothing is expected to change, where a node does not say what is final. */
  readonly finality: number
}

/** Collection of the documents that are own chains, under their CAIP-2 ids. */
export const ownChains = 'chain'

export async function readOwnChain(
  store: Pick<Store, 'readDocument'>,
  chain: ChainId,
): Promise<OwnChain | undefined> {
  return (await store.readDocument(ownChains, chain))?.value as OwnChain | undefined
}

export async function listOwnChains(store: Pick<Store, 'listDocuments'>): Promise<OwnChain[]> {
  return (await store.listDocuments(ownChains)).map(({ value }) => value as OwnChain)
}
