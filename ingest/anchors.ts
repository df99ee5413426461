import type { ChainId } from '../src/ledger/chain.ts'
import { conflictIn } from '../src/store/conflict.ts'
import type { Fence, Store } from '../src/store/store.ts'

/** A block that was on the chain when something was read: if it no longer is, the chain was reorganised. */
export interface Anchor {
  readonly block: number
  readonly hash: string
}

/**
 * The anchors of a chain, which belong to the chain, not to a wallet: a reorganisation is everybody's. They are added
 * only at the top, by whoever has just seen the highest of them on the chain: so they lie on one chain, and where the
 * highest holds all of them do.
 */
export interface Anchors {
  /** Of the document; 0 when there is none. */
  readonly version: number
  /** Ascending. */
  readonly anchors: readonly Anchor[]
  /** The highest block known to be final. What contradicts it is on another chain. */
  readonly final: Anchor | undefined
}

const keptAnchors = 128

export async function readAnchors(store: Store, chain: ChainId): Promise<Anchors> {
  const document = await store.readDocument('anchor', chain)
  const version = document?.version ?? 0
  // Version 0.1 wrote the bare list, and knew nothing of what is final.
  if (Array.isArray(document?.value)) return { version, anchors: document.value, final: undefined }
  const value = document?.value as Partial<Anchors> | undefined
  return { version, anchors: value?.anchors ?? [], final: value?.final ?? undefined }
}

/**
 * Writes the anchors of a chain, unless somebody else did meanwhile. Those below the final block go, and the oldest.
 *
 * @returns false when somebody else was faster
 * @throws KnownError `document.conflict` when the fence does not hold
 */
export async function writeAnchors(
  store: Store,
  chain: ChainId,
  { version, anchors, final }: Anchors,
  fence: readonly Fence[],
): Promise<boolean> {
  const kept = anchors.filter(({ block }) => block > (final?.block ?? -1)).slice(-keptAnchors)
  try {
    await store.writeDocument(
      'anchor',
      chain,
      version,
      { anchors: kept, final: final ?? null },
      fence,
    )
    return true
  } catch (error) {
    if (conflictIn(error) !== 'anchor') throw error
    return false
  }
}

/**
 * Blocks to anchor below a head, closer together near it: where no old block can be asked for by its hash, a
 * reorganisation of depth d is undone from at most 2d blocks below.
 */
export function anchorBlocks(head: number, above: number): number[] {
  const depths = [0, 1, 2, 4, 8, 16, 32, 64, 128, 256]
  return depths.map((depth) => head - depth).filter((block) => block > above)
}
