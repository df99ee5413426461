import type { ChainId } from '../src/ledger/chain.ts'
import { KnownError } from '../src/ledger/errors.ts'
import type { Store } from '../src/store/store.ts'

/** A block that was on the chain when something was read: if it no longer is, the chain was reorganised. */
export interface Anchor {
  readonly block: number
  readonly hash: string
}

const keptAnchors = 64

/** Anchors of a chain, ascending. They belong to the chain, not to a wallet: a reorganisation is everybody's. */
export async function readAnchors(store: Store, chain: ChainId): Promise<readonly Anchor[]> {
  const document = await store.readDocument('anchor', chain)
  return (document?.value as readonly Anchor[] | undefined) ?? []
}

/** Adds anchors; of the old ones those that agree stay, the highest {@link keptAnchors}. */
export async function addAnchors(
  store: Store,
  chain: ChainId,
  fresh: readonly Anchor[],
): Promise<void> {
  await changeAnchors(store, chain, (known) => {
    const blocks = new Map([...known, ...fresh].map((anchor) => [anchor.block, anchor]))
    return [...blocks.values()].sort((a, b) => a.block - b.block).slice(-keptAnchors)
  })
}

export async function dropAnchorsFrom(store: Store, chain: ChainId, block: number): Promise<void> {
  await changeAnchors(store, chain, (known) => known.filter((anchor) => anchor.block < block))
}

async function changeAnchors(
  store: Store,
  chain: ChainId,
  change: (known: readonly Anchor[]) => readonly Anchor[],
): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const document = await store.readDocument('anchor', chain)
    const known = (document?.value as readonly Anchor[] | undefined) ?? []
    try {
      await store.writeDocument('anchor', chain, document?.version ?? 0, change(known))
      return
    } catch (error) {
      if (!(error instanceof KnownError && error.code === 'document.conflict') || attempt === 20)
        throw error
    }
  }
}

/**
 * Blocks to anchor below a head, closer together near it: a reorganisation of depth d is then undone from at most
 * 2d blocks below.
 */
export function anchorBlocks(head: number): number[] {
  const depths = [0, 1, 2, 4, 8, 16, 32, 64, 128, 256]
  return depths.map((depth) => head - depth).filter((block) => block >= 0)
}
