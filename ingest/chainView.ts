import type { ChainId } from '../src/ledger/chain.ts'
import { KnownError } from '../src/ledger/errors.ts'
import { conflictIn } from '../src/store/conflict.ts'
import { changeFlag } from '../src/store/flags.ts'
import type { Fence, Store } from '../src/store/store.ts'
import { changeWork, listWork } from '../src/store/workQueue.ts'
import { type Anchor, type Anchors, anchorBlocks, readAnchors, writeAnchors } from './anchors.ts'
import type { ChainReader } from './rpc/chainReader.ts'

/**
 * Reorganisations, for any number of workers that see the chain from different nodes and may die or sleep anywhere.
 *
 * Everything above the final block hangs on anchors. Who finds the highest anchor off the chain announces in one
 * document from which block it rolls back, then orphans the rows, drops the anchors, reopens the wallets that had read
 * them, and takes the announcement back. Every step may be repeated, and whoever sees an announcement completes it. The
 * document changes with each announcement, and every row is written under the fence of its version as it was before
 * the row was read: so nothing of a chain that was left is written after its roll back, whoever read it.
 */
export interface ChainView {
  /** Blocks up to here may be read: they hang on an anchor or are final. */
  readonly head: Anchor
  /** Blocks up to here stay as they are. */
  readonly final: number
  /** What is read by this view is written under this fence. */
  readonly fence: Fence
}

/** Told of each roll back: rows that became orphans, wallets that are read again. */
export interface RolledBack {
  readonly chain: ChainId
  readonly fromBlock: number
  readonly orphans: number
  readonly reopened: number
}

export interface ViewOptions {
  readonly store: Store
  readonly reader: ChainReader
  readonly told: (event: RolledBack) => void
}

/** The chain is no longer the one that a view shows: what was read by it must not be written. */
export class ChainMoved extends KnownError {
  constructor() {
    super('rpc.unavailable', 'the chain was reorganised while it was read', {
      hint: 'It is read again.',
      retryable: true,
    })
  }
}

/** Where a node has neither tag. Deeper reorganisations than this have not been seen on a chain of any size. */
const usualFinality = 256

/** The final block is noted anew only when it has moved so far: it costs a call. */
const finalStep = 16

const mostAttempts = 50

interface Announcement {
  /** The block from which it is being rolled back; null when none is under way. */
  readonly fromBlock: number | null
  /** The block before it, on which the rows that stay hang from now on; null where that is an anchor already. */
  readonly common: Anchor | null
}

const nothingAnnounced: Announcement = { fromBlock: null, common: null }

/**
 * Looks at the chain through a node: undoes what was reorganised, completes what others began to undo, and anchors the
 * head.
 *
 * Cost: three calls where nothing is new.
 *
 * @throws KnownError `chain.contradicted` when the node shows another chain, `rpc.*`, `store.*`
 */
export async function viewChain(options: ViewOptions): Promise<ChainView> {
  for (let attempt = 0; attempt < mostAttempts; attempt++) {
    try {
      const view = await attemptView(options)
      if (view) return view
    } catch (error) {
      // Others are at the same: what they did is looked at anew.
      if (conflictIn(error) === undefined) throw error
    }
  }
  throw new ChainMoved()
}

/** @throws ChainMoved when blocks up to `through` may be others than those that the view shows */
export async function checkView(
  { head, final }: ChainView,
  reader: ChainReader,
  through: number,
): Promise<void> {
  if (through <= final) return
  if ((await reader.blockHash(head.block)) !== head.hash) throw new ChainMoved()
}

/**
 * The view of a source that is read only below what may still be replaced: nothing of it hangs on an anchor.
 *
 * @throws KnownError `rpc.*`, `store.*`
 */
export async function viewBelowFinality({
  store,
  reader,
}: Pick<ViewOptions, 'store' | 'reader'>): Promise<ChainView> {
  const { version } = await readAnnouncement(store, reader.chain)
  const block = await reader.head()
  const fence = { collection: 'reorganisation', id: reader.chain, version }
  return { head: { block, hash: '' }, final: block, fence }
}

async function attemptView(options: ViewOptions): Promise<ChainView | undefined> {
  const { store, reader } = options
  const { chain } = reader
  const announced = await readAnnouncement(store, chain)
  const fence = { collection: 'reorganisation', id: chain, version: announced.version }
  if (announced.fromBlock !== null) {
    await completeRollBack(options, fence, { ...announced, fromBlock: announced.fromBlock })
    return undefined
  }
  const known = await readAnchors(store, chain)
  const head = await reader.head()
  const judged = known.anchors.filter(({ block }) => block <= head)
  const held = await highestOnChain(reader, judged)
  if (held < judged.length - 1) {
    const left = await whatToLeave(reader, known, judged, held)
    await writeAnnouncement(store, chain, announced.version, left)
    return undefined
  }
  if (judged.length === 0) await checkFinal(reader, known.final, head)
  const top = judged.at(-1)
  const final = await finalBlock(reader, known, head)
  if (judged.length < known.anchors.length || head <= final.block) {
    // This node is behind others: what they have read beyond its head cannot be judged, and nothing be put below it.
    const seen = top ?? (await anchorAt(reader, Math.min(final.block, head)))
    if (!seen) throw notGiven(known.anchors[0]?.block ?? head)
    return { head: seen, final: final.block, fence }
  }
  if (top?.block === head && final.block === (known.final?.block ?? -1))
    return { head: top, final: final.block, fence }
  const fresh = await freshAnchors(reader, head, top ?? final.anchor)
  if (!fresh) return undefined
  const anchors = { ...known, final: final.anchor, anchors: [...known.anchors, ...fresh] }
  if (!(await writeAnchors(store, chain, anchors, [fence]))) return undefined
  const newest = fresh.at(-1) ?? (top as Anchor)
  return { head: newest, final: final.block, fence }
}

/** The first look at a chain makes the document, so that there is a version to hold on to. */
async function readAnnouncement(
  store: Store,
  chain: ChainId,
): Promise<Announcement & { readonly version: number }> {
  const document =
    (await store.readDocument('reorganisation', chain)) ??
    (await writeAnnouncement(store, chain, 0, nothingAnnounced))
  return { version: document.version, ...(document.value as Announcement) }
}

function writeAnnouncement(
  store: Store,
  chain: ChainId,
  version: number,
  value: Announcement,
): ReturnType<Store['writeDocument']> {
  return store.writeDocument('reorganisation', chain, version, value)
}

/** Index of the highest anchor that the node has; -1 for none. */
async function highestOnChain(reader: ChainReader, anchors: readonly Anchor[]): Promise<number> {
  let index = anchors.length - 1
  while (index >= 0) {
    const { block, hash } = anchors[index] as Anchor
    const found = await reader.blockHash(block)
    if (found === undefined) throw notGiven(block)
    if (found === hash) break
    index--
  }
  return index
}

/** A node that has no block below its own head says nothing about the chain. */
function notGiven(block: number): KnownError {
  return new KnownError('rpc.unavailable', `the node does not give block ${block}`, {
    facts: { block },
    hint: 'It may be behind: try again later, or use another endpoint.',
    retryable: true,
  })
}

/** From where to roll back: the first block of the old chain alone, by the parents of an old block if the node has it. */
async function whatToLeave(
  reader: ChainReader,
  { final }: Anchors,
  judged: readonly Anchor[],
  held: number,
): Promise<Announcement> {
  const lowest = judged[held + 1] as Anchor
  if (held < 0) await checkFinal(reader, final, lowest.block)
  const floor = judged[held]?.block ?? final?.block ?? -1
  let { block, hash } = lowest
  while (block - 1 > floor) {
    const parent = await reader.parentHash?.(hash)
    if (parent === undefined) break
    block--
    hash = parent
    if ((await reader.blockHash(block)) === hash)
      return { fromBlock: block + 1, common: { block, hash } }
  }
  return { fromBlock: floor + 1, common: null }
}

/** @throws KnownError `chain.contradicted` */
async function checkFinal(
  reader: ChainReader,
  final: Anchor | undefined,
  head: number,
): Promise<void> {
  if (!final || final.block > head) return
  const found = await reader.blockHash(final.block)
  if (found === undefined) throw notGiven(final.block)
  if (found === final.hash) return
  throw new KnownError(
    'chain.contradicted',
    `the node shows another block ${final.block} than the final one that was read`,
    {
      facts: { block: final.block, known: final.hash, found },
      hint: 'Use a node of the same chain. If the chain itself was begun anew, start with a new store.',
    },
  )
}

/** The final block that counts, with its anchor where one is known or due. Never goes back. */
async function finalBlock(
  reader: ChainReader,
  known: Anchors,
  head: number,
): Promise<{ readonly block: number; readonly anchor: Anchor | undefined }> {
  const told = (await reader.finalized()) ?? head - usualFinality
  const before = known.final?.block ?? -1
  if (told < before + finalStep || told > head) return { block: before, anchor: known.final }
  const anchor = await anchorAt(reader, told)
  return anchor ? { block: told, anchor } : { block: before, anchor: known.final }
}

async function anchorAt(reader: ChainReader, block: number): Promise<Anchor | undefined> {
  const hash = block < 0 ? undefined : await reader.blockHash(block)
  return hash === undefined ? undefined : { block, hash }
}

/**
 * Anchors from above a known one up to the head.
 *
 * @returns undefined when the chain moved meanwhile, so that they may not lie on one
 */
async function freshAnchors(
  reader: ChainReader,
  head: number,
  above: Anchor | undefined,
): Promise<Anchor[] | undefined> {
  const fresh: Anchor[] = []
  for (const block of anchorBlocks(head, above?.block ?? -1)) {
    const anchor = await anchorAt(reader, block)
    if (!anchor) throw notGiven(block)
    fresh.unshift(anchor)
  }
  if (above && (await reader.blockHash(above.block)) !== above.hash) return undefined
  const top = fresh.at(-1)
  if (top && (await reader.blockHash(top.block)) !== top.hash) return undefined
  return fresh
}

async function completeRollBack(
  { store, reader, told }: ViewOptions,
  fence: Fence,
  { fromBlock, common }: Announcement & { readonly fromBlock: number },
): Promise<void> {
  const { chain } = reader
  const orphans = await store.rollBack(chain, fromBlock, [fence])
  for (;;) {
    const known = await readAnchors(store, chain)
    const below = known.anchors.filter(({ block }) => block < (common?.block ?? fromBlock))
    const anchors = common ? [...below, common] : below
    if (await writeAnchors(store, chain, { ...known, anchors }, [fence])) break
  }
  const reopened = await reopen(store, chain, fence, fromBlock)
  await writeAnnouncement(store, chain, fence.version, nothingAnnounced)
  told({ chain, fromBlock, orphans, reopened })
}

/** What was read beyond the block waits again. */
async function reopen(
  store: Store,
  chain: ChainId,
  fence: Fence,
  fromBlock: number,
): Promise<number> {
  let reopened = 0
  for (const item of await listWork(store)) {
    const reached = item.throughBlock === null || item.throughBlock >= fromBlock
    if (!item.id.startsWith(`${chain}:`) || !reached) continue
    const again = <T extends { readonly state: string }>(known: T): T =>
      known.state === 'done' ? { ...known, state: 'waiting' } : known
    await changeWork(store, item.id, (known) => known && again(known), [fence])
    for (const id of item.own)
      await changeFlag(store, id, (known) => known && again(known), [fence])
    if (item.state === 'done') reopened++
  }
  return reopened
}
