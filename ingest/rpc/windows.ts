import { KnownError } from '../../src/ledger/errors.ts'
import type { Clock } from './clock.ts'
import { AnswerTooLarge } from './exchange.ts'
import { inTurns } from './inTurns.ts'
import { RpcRefusal } from './node.ts'
import { type Smaller, smallerRange } from './refusals.ts'

/** Blocks from `from` to `to`, both included. */
export interface BlockRange {
  readonly from: number
  readonly to: number
}

/** What is known about the blocks that an endpoint takes at once, in a form that can be kept. */
export interface KnownWindow {
  /** To ask for next. */
  readonly blocks: number
  /** Most that the endpoint says it takes. */
  readonly told: number | null
  /** Most results that it says it gives. */
  readonly results: number | null
}

/** One question that is asked over ranges of blocks. */
export interface WindowQuestion<T> {
  /** Names the endpoint's method. */
  readonly method: string
  /** Tells questions of one method apart: what is learned about limits is shared, density is not. */
  readonly track: string
  /** @returns with the number of results, which decides how much is asked next */
  ask(window: BlockRange): Promise<{ readonly value: T; readonly results: number }>
}

/**
 * Cuts ranges of blocks to what one endpoint takes, learned per method: its own words first, else half; more again
 * after success. No range is too large, unless one block alone is refused.
 */
export interface Windows {
  /**
   * Asks over the whole range, several windows at once; answers in no order. The windows share no block and leave
   * none out.
   *
   * @throws whatever a window fails with that a smaller one cannot change
   */
  over<T>(range: BlockRange, question: WindowQuestion<T>): Promise<T[]>
  /** By method and track. */
  known(): Readonly<Record<string, KnownWindow>>
}

const startBlocks = 2_000
const mostBlocks = 1_000_000

/** A window that took so long is not made larger, and one of twice that is made smaller. */
const slowMs = 6_000

/** Of the results that an endpoint gives, so that a denser stretch is seldom refused. */
const wantedFill = 0.6

/** After so many answers at the told limit more is tried once: plans change. */
const answersBeforeDoubt = 2_000

interface Track {
  blocks: number
  told: number | null
  results: number | null
  /** Fewest blocks that were refused for what they hold. */
  refusedAt: number
  /** Results per block, of late. */
  density: number
  answers: number
  /** Most blocks that were taken of late; more than that is tried by one window at a time. */
  taken: number
  isTrying: boolean
}

export interface WindowsOptions {
  readonly clock: Clock
  readonly known?: Readonly<Record<string, KnownWindow>>
  /** Windows that may be under way at once. */
  readonly atOnce?: () => number
}

export function createWindows({ clock, known = {}, atOnce = () => 4 }: WindowsOptions): Windows {
  const tracks = new Map<string, Track>()
  /** By method: the first window of each question, one after another, so that what one learns spares the next. */
  const firsts = new Map<string, Promise<unknown>>()
  const trackOf = ({ method, track }: { method: string; track: string }): Track => {
    const name = `${method} ${track}`
    const found = tracks.get(name)
    if (found) return found
    const from = known[name]
    const made = {
      blocks: Math.min(from?.blocks ?? startBlocks, from?.told ?? mostBlocks),
      told: from?.told ?? null,
      results: from?.results ?? null,
      refusedAt: Number.POSITIVE_INFINITY,
      density: 0,
      answers: known[name] ? 1 : 0,
      taken: known[name]?.blocks ?? 0,
      isTrying: false,
    }
    tracks.set(name, made)
    return made
  }

  const siblings = ({ method }: { readonly method: string }): Track[] =>
    [...tracks].filter(([name]) => name.startsWith(`${method} `)).map(([, track]) => track)

  return {
    async over(range, question) {
      const track = trackOf(question)
      const waiting: BlockRange[] = [range]
      const values: Awaited<ReturnType<typeof question.ask>>['value'][] = []
      const next = (): BlockRange | undefined => {
        const first = waiting.shift()
        if (!first) return undefined
        const others = siblings(question)
        heed(track, others)
        const wanted = Math.min(sizeOf(track), first.to - first.from + 1)
        const mayTry = !others.some(({ isTrying }) => isTrying)
        const size = mayTry ? wanted : Math.min(wanted, Math.max(1, track.taken))
        track.isTrying ||= size > track.taken
        const to = first.from + size - 1
        if (to < first.to) waiting.unshift({ from: to + 1, to: first.to })
        return { from: first.from, to }
      }
      const askOne = async (window: BlockRange): Promise<void> => {
        const startedAt = clock.now()
        const blocks = window.to - window.from + 1
        const isTrial = blocks > track.taken
        try {
          const { value, results } = await question.ask(window)
          values.push(value)
          grow(track, { blocks, results, tookMs: clock.now() - startedAt })
        } catch (error) {
          const smaller = blocks === 1 ? undefined : smallerFor(error, blocks)
          if (!smaller) throw error
          shrink(track, blocks, smaller)
          waiting.unshift(window)
        } finally {
          if (isTrial) track.isTrying = false
        }
      }
      // Until the endpoint has taken a window, only one is risked.
      const first = (firsts.get(question.method) ?? Promise.resolve()).then(async () => {
        while (track.answers === 0 && waiting.length > 0) {
          const window = next()
          if (window) await askOne(window)
        }
      })
      firsts.set(
        question.method,
        first.catch(() => undefined),
      )
      await first
      await inTurns(atOnce, next, askOne)
      return values
    },
    known: () => ({
      ...known,
      ...Object.fromEntries(
        [...tracks].map(([name, { blocks, told, results }]) => [
          name,
          { blocks: Math.max(1, Math.floor(blocks)), told, results },
        ]),
      ),
    }),
  }
}

/** What to ask instead, where fewer blocks can help. */
function smallerFor(error: unknown, blocks: number): Smaller | undefined {
  if (error instanceof AnswerTooLarge) return { kind: 'half' }
  if (error instanceof RpcRefusal) {
    // Words that nobody knows yet may be about the range as well.
    if (error.kind !== 'range' && error.kind !== 'refused') return undefined
    return smallerRange(error.words, blocks)
  }
  return error instanceof KnownError && error.facts['timedOut'] === 1 ? { kind: 'half' } : undefined
}

/** What another question taught about the method's limits holds for this one too. */
function heed(track: Track, siblings: readonly Track[]): void {
  for (const { told, results } of siblings) {
    track.told ??= told
    track.results ??= results
  }
  if (track.told !== null) track.blocks = Math.min(track.blocks, track.told)
}

function sizeOf({ blocks }: Track): number {
  return Math.max(1, Math.floor(blocks))
}

function shrink(track: Track, blocks: number, smaller: Smaller): void {
  track.taken = Math.min(track.taken, blocks - 1)
  if (smaller.kind === 'blocks') {
    track.told = smaller.blocks
    track.answers = 0
    track.blocks = Math.min(track.blocks, smaller.blocks)
    return
  }
  if (smaller.kind === 'part') {
    track.refusedAt = blocks
    track.blocks = Math.min(track.blocks, smaller.blocks)
    return
  }
  if (smaller.results !== undefined) {
    track.results = smaller.results
    track.density = Math.max(track.density, smaller.results / blocks)
  }
  track.refusedAt = Math.min(track.refusedAt, blocks)
  // Where results are the limit a stretch is often several times denser than the one before.
  track.blocks = Math.max(1, Math.min(track.blocks, blocks / (track.results === null ? 2 : 3)))
}

function grow(
  track: Track,
  { blocks, results, tookMs }: { blocks: number; results: number; tookMs: number },
): void {
  track.answers++
  track.taken = Math.max(track.taken, blocks)
  const density = results / blocks
  // A dense stretch is believed at once, a thin one slowly.
  track.density = density > track.density ? density : track.density * 0.9 + density * 0.1
  if (track.told !== null && track.answers > answersBeforeDoubt && blocks >= track.told) {
    track.answers = 0
    track.told *= 2
  }
  if (tookMs > 2 * slowMs) track.blocks = Math.max(1, Math.min(track.blocks, blocks / 2))
  if (tookMs > slowMs || blocks < sizeOf(track)) return
  const isNearRefused = track.blocks * 1.25 > track.refusedAt * 0.9
  const factor = track.refusedAt === Number.POSITIVE_INFINITY ? 2 : isNearRefused ? 1.02 : 1.25
  // Where the chain is thinner again, what was refused once may be taken.
  track.refusedAt *= 1.01
  const dense =
    track.results === null || track.density === 0
      ? Number.POSITIVE_INFINITY
      : (track.results * wantedFill) / track.density
  track.blocks = Math.max(
    1,
    Math.min(track.blocks * factor, track.told ?? mostBlocks, dense, mostBlocks),
  )
}
