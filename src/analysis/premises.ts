import type { Graph } from '../graph/graph.ts'
import { formatAccount } from '../ledger/account.ts'
import { formatAsset } from '../ledger/asset.ts'
import type { ChainId } from '../ledger/chain.ts'
import type { EndPlace, GivenUp, Place, Premises } from './certificate.ts'
import { momentOf, placeOf } from './certify.ts'
import type { Extremes } from './extremes.ts'
import type { ForwardMoves, Move } from './forwardMoves.ts'
import type { Balances } from './provenBalances.ts'

/** What the certificates of one target rest on besides the ledger. */
export function premisesOf(
  forward: ForwardMoves,
  { network }: Pick<Extremes, 'network'>,
  given: {
    readonly graph: Graph
    readonly balances: Balances
    readonly asOf: ReadonlyMap<ChainId, number>
    readonly twins: ReadonlyMap<number, number>
    /** Name of the end that counts. */
    readonly target: string
    readonly notCovered: readonly number[]
  },
): Premises {
  const { graph, balances, asOf } = given
  const { moves } = forward
  const proven = network.holds.filter(
    ({ holding, isLast }) => isLast && balances.state(holding) === 'proven',
  )
  return {
    seeds: moves.filter(({ kind }) => kind === 'seed').map((m) => graph.idOf(m.transfer)),
    target: given.target,
    ends: endPlaces(graph, moves),
    conversions: moves
      .filter(({ kind }) => kind === 'conversion')
      .map((move) => givenUp(graph, move)),
    silent: silentLegs(graph, forward),
    wrapped: [...given.twins.keys()].flatMap((asset) => {
      const name = graph.assets[asset]
      return name === undefined ? [] : [formatAsset(name)]
    }),
    balances: proven.map(({ holding, after }) => ({
      ...placeOf(graph, holding),
      ...momentOf(graph, after),
    })),
    notCovered: given.notCovered.map((holding) => placeOf(graph, holding)),
    asOf: Object.fromEntries(asOf),
  }
}

/** Where money ended on arrival; by its arrivals where it did not always, since tags hold for a time. */
function endPlaces(graph: Graph, moves: readonly Move[]): EndPlace[] {
  const arrivals = moves.filter(({ kind, transfer, end }) => {
    const isPayment = kind !== 'conversion' && end !== 'reseeded' && end !== 'ambiguous'
    return isPayment && graph.to(transfer) >= 0
  })
  const byAddress = Map.groupBy(arrivals, ({ transfer }) => graph.addressOf(graph.to(transfer)))
  return [...byAddress].flatMap(([address, own]) => {
    const account = formatAccount(graph.account(address))
    const byEnd = [...Map.groupBy(own, ({ end }) => end)]
    return byEnd.flatMap(([end, of]): EndPlace[] => {
      if (end === undefined) return []
      if (byEnd.length === 1) return [{ end, account }]
      return [{ end, account, arrivals: of.map(({ transfer }) => graph.idOf(transfer)) }]
    })
  })
}

function givenUp(graph: Graph, { transfer, from, to, amount, end }: Move): GivenUp {
  const place = { transfer: graph.idOf(transfer), ...placeOf(graph, from) }
  const becomes = to < 0 ? {} : { becomes: placeOf(graph, to).asset }
  return {
    ...place,
    amount: amount.toString(),
    ...becomes,
    ...(end === undefined ? {} : { end }),
  }
}

function silentLegs(
  graph: Graph,
  { converted }: ForwardMoves,
): (Place & { readonly transaction: string })[] {
  const found = new Map<string, Place & { readonly transaction: string }>()
  for (const [number, { byGiver }] of converted) {
    const { chain, tx } = graph.transfer(graph.legs(number).start)
    const transaction = `${chain}:${tx}`
    for (const { conversions, candidates } of byGiver.values()) {
      for (const { address, gives, recipient, gets } of [...conversions, ...candidates]) {
        for (const holding of [graph.holding(address, gives), graph.holding(recipient, gets)])
          found.set(`${transaction} ${holding}`, { transaction, ...placeOf(graph, holding) })
      }
    }
  }
  return [...found.values()]
}
