import type { WholeGraph } from '../graph/graph.ts'
import type { Account } from '../ledger/account.ts'
import type { ExchangeRules } from './crediblePairs.ts'
import { createStops, type Stop, type StopTags } from './stops.ts'

/** Tags that can be listed: a sweep over the whole ledger cannot ask about every address by name. */
export interface ListedTags extends StopTags {
  accounts(): Iterable<Account>
}

/** Whether what comes to an address goes further: always, never, or by the time of the transfer. */
export type Verdict = typeof always | typeof never | typeof byTime

/** Where a sweep goes no further. */
export interface SweepStops {
  /** True where what a transfer brings to an address, or by which it is left backward, is followed further. */
  continues(address: number, transfer: number): boolean
  /** The same for all transfers to the address, or that it differs. */
  verdict(address: number): Verdict
  /** True where that is `always` and known at a glance. */
  isQuiet(address: number): boolean
  /** Why not, undefined where it is. */
  at(address: number, transfer: number): Stop | undefined
}

/** An address with no more events than this cannot have paid enough receivers to be a stop; see `createStops`. */
const quietEvents = 1000

const unknown = 0
export const always = 1
export const never = 2
export const byTime = 3

/**
 * The stops of `createStops`, prepared for sweeps that reach millions of addresses: it is asked only about addresses
 * that have any of its reasons, and where no tag depends on time, once. Whoever adds a reason there adds it here; a
 * test compares the two.
 *
 * Cost: O(tags), then O(1) for most addresses; see `createStops` for those with two value-carrying assets or
 * more than a thousand events.
 */
export function createSweepStops(
  graph: WholeGraph,
  context: { readonly tags: ListedTags; readonly rules: ExchangeRules },
  query: Parameters<typeof createStops>[2],
): SweepStops {
  const stop = createStops(graph, context, query)
  const { addressFirst, holdingFirst, holdingAsset } = graph.columns
  const { counts, wrappers } = context.rules
  const verdicts = new Uint8Array(graph.addressCount)
  const mark = (accounts: Iterable<Account>, as: number): void => {
    for (const account of accounts) {
      const address = graph.address(account)
      if (address >= 0) verdicts[address] = as
    }
  }
  for (const { wrapper } of wrappers.values()) if (wrapper >= 0) verdicts[wrapper] = never
  mark(query.neverFollow, never)
  mark(context.tags.accounts(), byTime)
  mark(query.continueThrough, always)

  /** An address of one asset cannot exchange, one of few events cannot have paid many. */
  function canStop(address: number): boolean {
    let assets = 0
    let events = 0
    const end = addressFirst[address + 1] as number
    for (let holding = addressFirst[address] as number; holding < end; holding++) {
      if (counts[holdingAsset[holding] as number] !== true) continue
      assets++
      events += (holdingFirst[holding + 1] as number) - (holdingFirst[holding] as number)
    }
    return assets > 1 || events > quietEvents
  }

  function judged(address: number): Verdict {
    const verdict = canStop(address) && stop(address, 0) !== undefined ? never : always
    verdicts[address] = verdict
    return verdict
  }

  const at = (address: number, transfer: number): Stop | undefined =>
    stop(address, graph.block(graph.blockOf(graph.transactionOf(transfer))).time)

  function verdict(address: number): Verdict {
    const known = verdicts[address] as Verdict | typeof unknown
    return known === unknown ? judged(address) : known
  }

  return {
    continues(address, transfer) {
      const known = verdict(address)
      return known === byTime ? at(address, transfer) === undefined : known === always
    },
    verdict,
    isQuiet(address) {
      const known = verdicts[address]
      return known === always || (known === unknown && !canStop(address))
    },
    at,
  }
}
