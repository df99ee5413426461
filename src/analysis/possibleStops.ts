import type { Graph } from '../graph/graph.ts'
import type { Account } from '../ledger/account.ts'
import { createStops, type Stop, type StopTags, type ValueTokens, wrapperOf } from './stops.ts'

/** Tags that can be listed: a sweep over the whole ledger cannot ask about every address by name. */
export interface ListedTags extends StopTags {
  accounts(): Iterable<Account>
}

/** Where a sweep ends on arrival. */
export interface SweepStops {
  /** 0 for addresses that are never a stop: the only thing a sweep needs to ask about most of them. */
  readonly possible: Uint8Array
  /** Why a transfer that arrives at the address goes no further, undefined where it does. */
  at(address: number, transfer: number): Stop | undefined
}

type StopQuery = Parameters<typeof createStops>[2]

/** An address with fewer events cannot have paid enough receivers to be a stop for that; see `createStops`. */
const fewestEvents = 1000

const never = 0
const sameAlways = 1
const byTime = 2

/**
 * The stops of `createStops`, prepared for sweeps that reach millions of addresses: asked in full only about
 * addresses that have any of its reasons. Whoever adds a reason there adds it here; a test compares the two.
 *
 * Cost: O(addresses + tags), a few milliseconds for millions; then O(1) for an address without tags.
 */
export function createSweepStops(
  graph: Graph,
  context: { readonly tags: ListedTags; readonly tokens: ValueTokens },
  query: StopQuery,
): SweepStops {
  const stop = createStops(graph, context, query)
  const possible = possibleStops(graph, context, query)
  const verdicts = new Map<number, Stop | undefined>()

  function always(address: number): Stop | undefined {
    if (verdicts.has(address)) return verdicts.get(address)
    const verdict = stop(address, 0)
    verdicts.set(address, verdict)
    return verdict
  }

  return {
    possible,
    at(address, transfer) {
      if (possible[address] === never) return undefined
      if (possible[address] === sameAlways) return always(address)
      return stop(address, graph.block(graph.blockOf(graph.transactionOf(transfer))).time)
    },
  }
}

function possibleStops(
  graph: Graph,
  { tags, tokens }: { readonly tags: ListedTags; readonly tokens: ValueTokens },
  query: Pick<StopQuery, 'continueThrough' | 'neverFollow'>,
): Uint8Array {
  const { addressFirst, holdingFirst } = graph.columns
  const possible = new Uint8Array(graph.addressCount)
  for (let address = 0; address < possible.length; address++) {
    const first = holdingFirst[addressFirst[address] as number] as number
    const end = holdingFirst[addressFirst[address + 1] as number] as number
    if (end - first > fewestEvents) possible[address] = sameAlways
  }
  const mark = (accounts: Iterable<Account>, as: number): void => {
    for (const account of accounts) {
      const address = graph.address(account)
      if (address >= 0) possible[address] = as
    }
  }
  mark(query.neverFollow, sameAlways)
  mark([...tokens.wrappedOf.keys()].map(wrapperOf), sameAlways)
  mark(tags.accounts(), byTime)
  mark(query.continueThrough, never)
  return possible
}
