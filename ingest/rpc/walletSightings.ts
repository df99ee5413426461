import { type Account, accountReference } from '../../src/ledger/account.ts'
import { depositTopic, transferTopic, withdrawalTopic } from '../decode/tokenLog.ts'
import {
  checkedLogs,
  checkedTraces,
  isBehind,
  type Sighting,
  type TopicFilter,
} from './checkedAnswers.ts'
import { AnswerTooLarge } from './exchange.ts'
import { callAll, type RpcNode, RpcRefusal } from './node.ts'
import { hex } from './values.ts'
import type { BlockRange, Windows } from './windows.ts'

/** Wallets that go into one list until an endpoint takes fewer. */
const startWallets = 500

/** Finds the transactions that touch wallets, by filters of the node. */
export interface Sightings {
  /** Token movements, wraps included. No filter matches a wallet in either position: two questions. */
  byLogs(wallets: readonly Account[], range: BlockRange): Promise<Sighting[]>
  /** Calls that pay or are paid, where the node has `trace_filter`. */
  byTraces(wallets: readonly Account[], range: BlockRange): Promise<Sighting[]>
  /** The answer to a question over a window, from a backend that has all of its blocks. */
  answerOver(method: string, window: BlockRange, filter: object): Promise<unknown>
}

export interface SightingsOptions {
  readonly node: RpcNode
  readonly windows: Windows
  /** Blocks above it are asked for together with the last of the window, so that a backend that lags is noticed. */
  readonly settled: () => number
}

export function createSightings({ node, windows, settled }: SightingsOptions): Sightings {
  const lists = { wallets: startWallets }

  /** Last blocks of windows that were asked for in this reading, where they cannot be asked for together. */
  const ends = new Map<number, Promise<unknown>>()
  const endOf = (block: number): Promise<unknown> => {
    const asked = ends.get(block) ?? node.call('eth_getBlockByNumber', [hex(block), false])
    ends.set(block, asked)
    return asked
  }

  async function answerOver(method: string, window: BlockRange, filter: object): Promise<unknown> {
    const asked = { fromBlock: hex(window.from), toBlock: hex(window.to), ...filter }
    if (window.to <= settled()) return node.call(method, [asked])
    const [last, answer] =
      node.batches === true
        ? await callAll(node, [
            ['eth_getBlockByNumber', [hex(window.to), false]],
            [method, [asked]],
          ])
        : await Promise.all([endOf(window.to), node.call(method, [asked])])
    if (last === null) throw isBehind(window.to)
    return answer
  }

  /** Over all wallets, in lists that the endpoint takes. */
  async function inLists(
    wallets: readonly string[],
    window: BlockRange,
    ask: (some: readonly string[]) => Promise<Sighting[]>,
  ): Promise<Sighting[]> {
    const found: Sighting[] = []
    for (let start = 0; start < wallets.length; ) {
      const some = wallets.slice(start, start + lists.wallets)
      try {
        found.push(...(await ask(some)))
        start += some.length
      } catch (error) {
        if (some.length === 1 || !fewerWalletsHelp(error, window)) throw error
        lists.wallets = some.length >> 1
      }
    }
    return found
  }

  function over(
    range: BlockRange,
    question: { readonly method: string; readonly track: string },
    ask: (window: BlockRange) => Promise<Sighting[]>,
  ): Promise<Sighting[]> {
    return windows
      .over(range, {
        ...question,
        ask: async (window) => {
          const value = await ask(window)
          return { value, results: value.length }
        },
      })
      .then((found) => found.flat())
  }

  return {
    answerOver,
    async byLogs(wallets, range) {
      ends.clear()
      const padded = wallets.map(
        (wallet) => `0x${accountReference(wallet).slice(2).padStart(64, '0')}`,
      )
      const filters: readonly (readonly [string, (some: readonly string[]) => TopicFilter])[] = [
        ['from', (some) => [[transferTopic, depositTopic, withdrawalTopic], some]],
        ['to', (some) => [transferTopic, null, some]],
      ]
      const found = await Promise.all(
        filters.map(([track, topicsOf]) =>
          over(range, { method: 'eth_getLogs', track }, (window) =>
            inLists(padded, window, async (some) => {
              const topics = topicsOf(some)
              const answer = await answerOver('eth_getLogs', window, { topics })
              return checkedLogs(answer, { range: window, topics })
            }),
          ),
        ),
      )
      return found.flat()
    },
    async byTraces(wallets, range) {
      const references = wallets.map(accountReference)
      const found = await Promise.all(
        ['fromAddress', 'toAddress'].map((side) =>
          over(range, { method: 'trace_filter', track: side }, (window) =>
            inLists(references, window, async (some) => {
              const answer = await answerOver('trace_filter', window, { [side]: some })
              return checkedTraces(answer, { range: window, wallets: new Set(some) })
            }),
          ),
        ),
      )
      return found.flat()
    },
  }
}

/** One block that is refused for what it holds can still be asked about for fewer wallets. */
function fewerWalletsHelp(error: unknown, window: BlockRange): boolean {
  if (error instanceof AnswerTooLarge) return window.from === window.to
  if (!(error instanceof RpcRefusal)) return false
  return error.kind === 'wallets' || (error.kind === 'range' && window.from === window.to)
}
