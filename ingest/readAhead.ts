import type { Account } from '../src/ledger/account.ts'
import type { Kind } from '../src/ledger/transfer.ts'
import type { ChainReader, ReadTransactions } from './rpc/chainReader.ts'
import { type Clock, wallClock } from './rpc/clock.ts'
import type { BlockRange } from './rpc/windows.ts'

/** One reading: what was found, in which blocks, by whom. */
export interface Reading {
  readonly read: ReadTransactions
  /** Blocks that were read: from the first that was asked for on. */
  readonly range: BlockRange
  /** Whose word it is. */
  readonly by: Pick<ChainReader, 'name' | 'assurance' | 'complete'>
}

/**
 * Reads a wallet's gaps piece by piece, so that what is read is stored every few seconds. While one piece is stored
 * the next is already being read: an endpoint that permits few calls is not left waiting.
 */
export interface ReadAhead {
  /** @returns the first piece of the gap. @throws KnownError `rpc.*` */
  read(gap: KindsGap): Promise<Reading>
}

/** Blocks that are not covered, and for which kinds; absent: all that the source can tell. */
interface KindsGap extends BlockRange {
  readonly kinds?: readonly Kind[]
}

/** Blocks of the first piece; further ones as many as take some seconds. */
const startBlocks = 256
const mostBlocks = 1_000_000
const quickMs = 6_000
const slowMs = 20_000

interface UnderWay {
  readonly range: KindsGap
  readonly reading: Promise<Reading>
}

export function createReadAhead(
  reader: ChainReader,
  wallet: Account,
  clock: Clock = wallClock,
): ReadAhead {
  let size = reader.blocksAtOnce ?? startBlocks
  let ahead: UnderWay | undefined

  async function readPiece(asked: KindsGap): Promise<Reading> {
    const askedAt = clock.now()
    const read = await reader.read([wallet], { from: asked.from, to: asked.to }, asked.kinds)
    const tookMs = clock.now() - askedAt
    const blocks = asked.to - asked.from + 1
    if (reader.blocksAtOnce !== undefined) size = reader.blocksAtOnce
    else if (read.through !== undefined) size = Math.max(1, read.through - asked.from + 1)
    else if (tookMs > slowMs) size = Math.max(1, Math.min(size, blocks >> 1))
    else if (tookMs < quickMs && blocks >= size) size = Math.min(blocks * 2, mostBlocks)
    const range = { from: asked.from, to: read.through ?? asked.to }
    return { read, range, by: read.by ?? reader }
  }

  function start(gap: KindsGap): UnderWay {
    const range = { ...gap, from: gap.from, to: Math.min(gap.from + size - 1, gap.to) }
    const reading = readPiece(range)
    // Whoever waits for it hears of a failure; until then it is not one that nobody handles.
    reading.catch(() => undefined)
    return { range, reading }
  }

  return {
    async read(gap) {
      const isAhead =
        ahead?.range.from === gap.from &&
        ahead.range.to <= gap.to &&
        String(ahead.range.kinds) === String(gap.kinds)
      const current = ahead && isAhead ? ahead : start(gap)
      const { to } = current.range
      ahead = to < gap.to ? start({ ...gap, from: to + 1 }) : undefined
      return current.reading
    },
  }
}
