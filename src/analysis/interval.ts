import type { Graph } from '../graph/graph.ts'
import { formatAccount } from '../ledger/account.ts'
import type { ChainId } from '../ledger/chain.ts'
import type { Interval, RestName } from './boundsAnswer.ts'
import { certificatesOf } from './certify.ts'
import { type Extremes, extremesOf } from './extremes.ts'
import { type Corridor, corridorOf, type Target } from './flowCorridor.ts'
import type { EndName, ForwardMoves } from './forwardMoves.ts'
import { premisesOf } from './premises.ts'
import type { Balances } from './provenBalances.ts'

/** One question for bounds, ready to be answered for any end. */
export interface Asking {
  readonly graph: Graph
  readonly forward: ForwardMoves
  readonly balances: Balances
  readonly asOf: ReadonlyMap<ChainId, number>
  readonly twins: ReadonlyMap<number, number>
  readonly isBeyond: (transaction: number) => boolean
  readonly seedTotal: bigint
  readonly restsAs: (holding: number) => Exclude<RestName, 'elsewhere'>
  readonly maxCorridor: number
}

/** The interval of what can have come to an end of this name, with its certificates. */
export function intervalOf(asking: Asking, name: EndName): Interval {
  const isRest = name === 'still_held' || name === 'not_ingested'
  const target: Target = {
    isEnd: ({ end }) => end === name,
    isResting: (holding) => isRest && asking.restsAs(holding) === name,
  }
  const corridor = corridorOf(asking.forward, target)
  const size = sizeOf(corridor)
  if (corridor.moves.length > asking.maxCorridor)
    return outerInterval(asking, { corridor, name, isRest })
  const extremes = extremesOf(corridor, asking)
  const { max, min, unproven } = extremes
  return {
    target: name,
    min: unproven.length === 0 ? min.amount.toString() : null,
    ...(unproven.length === 0 ? {} : { reason: reasonOf(asking, unproven) }),
    max: max.amount.toString(),
    budget: null,
    corridor: size,
    certificates: certificatesOf(extremes, {
      ...asking,
      restsAs: isRest ? asking.restsAs : () => 'elsewhere',
    }),
    premises: premises(asking, { extremes, name, isRest }),
  }
}

interface Naming {
  readonly name: EndName
  readonly isRest: boolean
}

function premises(
  asking: Asking,
  given: Naming & { readonly extremes: Pick<Extremes, 'network'> },
): Interval['premises'] {
  const { forward } = asking
  const reached = given.isRest ? [...forward.reached.keys()] : []
  return premisesOf(forward, given.extremes, {
    ...asking,
    target: given.name,
    notCovered: reached.filter((holding) => asking.restsAs(holding) === 'not_ingested'),
  })
}

function sizeOf({ moves }: Corridor): Interval['corridor'] {
  const holdings = new Set<number>()
  let leaving = 0
  for (const { goes, from } of moves) {
    if (goes === 'elsewhere') leaving++
    if (from >= 0) holdings.add(from)
  }
  return { transfers: moves.length - leaving, leaving, accounts: holdings.size }
}

/**
 * What holds without solving anything: no more than all that came in can have reached the target, no less than the seeds
 * that went straight there.
 */
function outerInterval(asking: Asking, given: Naming & { readonly corridor: Corridor }): Interval {
  const { corridor, isRest } = given
  const into = corridor.moves.filter(({ goes }) => goes === 'target')
  const sum = (moves: typeof into): bigint => moves.reduce((all, { amount }) => all + amount, 0n)
  const inflow = sum(into)
  const straight = sum(into.filter(({ kind }) => kind === 'seed'))
  const max = isRest || inflow > asking.seedTotal ? asking.seedTotal : inflow
  const limit = asking.maxCorridor.toLocaleString('en')
  return {
    target: given.name,
    min: straight.toString(),
    reason: `the corridor has ${corridor.moves.length.toLocaleString('en')} transfers, more than the ${limit} of maxCorridor: the interval is proven, but not the narrowest`,
    max: max.toString(),
    budget: 'corridor',
    corridor: sizeOf(corridor),
    certificates: [],
    premises: premises(asking, { ...given, extremes: { network: emptyNetwork } }),
  }
}

const emptyNetwork = { nodeCount: 3, from: [], to: [], capacity: [], holds: [] }

const mostNamed = 3

/** An unknown opening balance or a missing payment would make a "must" false. */
function reasonOf({ graph, balances }: Asking, unproven: readonly number[]): string {
  const named = (state: string): string[] => {
    const found = unproven.filter((holding) => balances.state(holding) === state)
    const addresses = [...new Set(found.map((holding) => graph.addressOf(holding)))]
    const names = addresses.slice(0, mostNamed).map((a) => formatAccount(graph.account(a)))
    if (names.length === 0) return []
    const more = addresses.length - names.length
    return [`${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`]
  }
  return [
    ...named('not_covered').map(
      (who) =>
        `transfers may be missing: not covered from the first known to the as-of block are ${who}`,
    ),
    ...named('overdrawn').map(
      (who) =>
        `more was paid than is known to have been there, so something was held before, by ${who}`,
    ),
    ...named('opening_unknown').map((who) => `what they held before is not known of ${who}`),
  ].join('; ')
}
