import type { ForwardMoves, Move } from './forwardMoves.ts'

/** Where the target of a bound lies among the ends that money can come to. */
export interface Target {
  readonly isEnd: (move: Move) => boolean
  /** True when money that rests in the holding to the end is at the target. */
  readonly isResting: (holding: number) => boolean
}

/** A step of the corridor, or one that leaves it: out of it no way leads to the target any more. */
export interface CorridorMove extends Move {
  readonly goes: 'on' | 'target' | 'elsewhere'
}

export interface Corridor {
  /** In ledger order; those that leave it too. */
  readonly moves: readonly CorridorMove[]
  /** Holdings in which money at rest to the end is at the target. */
  readonly restsAtTarget: (holding: number) => boolean
}

/**
 * What lies between seeds and target: moves from which a way in time order still leads to the target, and those by which
 * money leaves such ways for good (design 8.3). Everything behind a move that leaves ends elsewhere whatever happens
 * there, so it need not be looked at.
 */
export function corridorOf({ moves }: ForwardMoves, target: Target): Corridor {
  const useful = new Set<number>()
  const kept: CorridorMove[] = []
  for (const move of moves) if (move.to >= 0 && target.isResting(move.to)) useful.add(move.to)
  for (let end = moves.length; end > 0; ) {
    let start = end - 1
    while (start > 0 && moves[start - 1]?.slot === moves[end - 1]?.slot) start--
    const together = moves.slice(start, end)
    while (together.some((move) => widens(useful, move, target))) {
      // Moves at one moment may each be before or behind the others.
    }
    for (const move of together.toReversed()) {
      if (move.from >= 0 && !useful.has(move.from)) continue
      kept.push({ ...move, goes: goesOf(useful, move, target) })
    }
    end = start
  }
  return { moves: kept.reverse(), restsAtTarget: target.isResting }
}

function goesOf(useful: ReadonlySet<number>, move: Move, target: Target): CorridorMove['goes'] {
  if (move.to < 0) return target.isEnd(move) ? 'target' : 'elsewhere'
  return useful.has(move.to) ? 'on' : 'elsewhere'
}

function widens(useful: Set<number>, move: Move, target: Target): boolean {
  if (move.from < 0 || useful.has(move.from)) return false
  if (goesOf(useful, move, target) === 'elsewhere') return false
  useful.add(move.from)
  return true
}
