import { firstNotBelow } from '../ledger/sortedSearch.ts'

/**
 * The times of the blocks of one chain, for the law that one block has one time and that time never decreases
 * with block. Sorted in pieces, so that blocks may come in any order at little cost.
 */
export interface BlockTimes {
  /**
   * Notes a block, unless it breaks the law.
   *
   * @returns undefined when it is fine; else the known block that it contradicts.
   */
  note(block: number, time: number): { readonly block: number; readonly time: number } | undefined
  /** Forgets blocks from here up. */
  cut(fromBlock: number): void
}

const pieceSize = 512

interface Piece {
  readonly blocks: number[]
  readonly times: number[]
}

export function createBlockTimes(): BlockTimes {
  let pieces: Piece[] = []
  let last: { piece: number; block: number; time: number } | undefined

  function note(block: number, time: number): { block: number; time: number } | undefined {
    if (last && last.block === block && last.time === time) return undefined
    const at = pieceOf(pieces, block)
    const piece = pieces[at]
    if (!piece) {
      pieces.push({ blocks: [block], times: [time] })
      return undefined
    }
    const place = firstNotBelow(piece.blocks, block)
    if (piece.blocks[place] === block) {
      const known = piece.times[place] as number
      if (known !== time) return { block, time: known }
      last = { piece: at, block, time }
      return undefined
    }
    const before = place > 0 ? entry(piece, place - 1) : undefined
    const after = place < piece.blocks.length ? entry(piece, place) : firstOf(pieces[at + 1])
    if (before && before.time > time) return before
    if (after && after.time < time) return after
    piece.blocks.splice(place, 0, block)
    piece.times.splice(place, 0, time)
    if (piece.blocks.length > pieceSize * 2) pieces.splice(at + 1, 0, split(piece))
    last = { piece: at, block, time }
    return undefined
  }

  return {
    note,
    cut(fromBlock) {
      last = undefined
      pieces = pieces.flatMap((piece) => {
        const keep = firstNotBelow(piece.blocks, fromBlock)
        if (keep === 0) return []
        return [{ blocks: piece.blocks.slice(0, keep), times: piece.times.slice(0, keep) }]
      })
    },
  }
}

function entry(piece: Piece, place: number): { block: number; time: number } {
  return { block: piece.blocks[place] as number, time: piece.times[place] as number }
}

function firstOf(piece: Piece | undefined): { block: number; time: number } | undefined {
  return piece && entry(piece, 0)
}

function split(piece: Piece): Piece {
  return { blocks: piece.blocks.splice(pieceSize), times: piece.times.splice(pieceSize) }
}

/** The last piece that begins at or below the block; the first when none does. */
function pieceOf(pieces: readonly Piece[], block: number): number {
  let low = 0
  let high = pieces.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((pieces[middle]?.blocks[0] as number) <= block) low = middle
    else high = middle - 1
  }
  return low
}
