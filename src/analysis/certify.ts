import type { Graph } from '../graph/graph.ts'
import { formatAccount } from '../ledger/account.ts'
import { formatAsset } from '../ledger/asset.ts'
import type { ChainId } from '../ledger/chain.ts'
import type { TransferId } from '../ledger/transfer.ts'
import type { RestName } from './boundsAnswer.ts'
import type {
  Certificate,
  CutBalance,
  CutTransfer,
  FlowEnd,
  FlowPart,
  Moment,
  Place,
} from './certificate.ts'
import type { Extreme, Extremes } from './extremes.ts'
import type { CorridorMove } from './flowCorridor.ts'
import type { Hold } from './flowNetwork.ts'
import type { Move } from './forwardMoves.ts'
import { lastLegAt } from './provenBalances.ts'

/** What certificates are written from. */
export interface Certifying {
  readonly graph: Graph
  readonly isBeyond: (transaction: number) => boolean
  readonly asOf: ReadonlyMap<ChainId, number>
  /** What it is called when money rests in a holding to the end. */
  readonly restsAs: (holding: number) => RestName
}

/** Both bounds as certificates; one of a minimum that is not claimed is left out. */
export function certificatesOf(bounds: Extremes, given: Certifying): readonly Certificate[] {
  // Both name mostly the same transfers, and writing out a name takes time.
  const ids = new Map<number, TransferId>()
  const idOf = (transfer: number): TransferId => {
    const id = ids.get(transfer) ?? given.graph.idOf(transfer)
    ids.set(transfer, id)
    return id
  }
  const max = certify(bounds, bounds.max, { ...given, idOf, bound: 'max' })
  if (bounds.unproven.length > 0) return [max]
  return [max, certify(bounds, bounds.min, { ...given, idOf, bound: 'min' })]
}

const statements = {
  max: 'Without these transfers and balances no way in time order leads from the seeds to the target, so no more than their sum can have reached it. The flow is one accounting in which so much did.',
  min: 'Without these transfers and balances no way in time order leads from the seeds to anywhere but the target, so no more than their sum can have gone elsewhere: the rest must have reached it. The flow is one accounting in which no more did.',
} as const

function certify(
  { corridor, network }: Extremes,
  extreme: Extreme,
  given: Certifying & {
    readonly bound: 'max' | 'min'
    readonly idOf: (transfer: number) => TransferId
  },
): Certificate {
  const { bound, idOf } = given
  const { moves } = corridor
  const total = extreme.cut.reduce((sum, edge) => sum + (network.capacity[edge] as bigint), 0n)
  const transfers: CutTransfer[] = []
  const balances: CutBalance[] = []
  for (const edge of extreme.cut) {
    const move = moves[edge]
    if (move) transfers.push(cutTransfer(move, idOf))
    else balances.push(cutBalance(network.holds[edge - moves.length] as Hold, given))
  }
  const flow: FlowPart[] = []
  for (let edge = 0; edge < moves.length; edge++) {
    const { kind, transfer } = moves[edge] as CorridorMove
    const amount = extreme.flow[edge] as bigint
    if (kind !== 'seed' && amount > 0n)
      flow.push({ kind, transfer: idOf(transfer), amount: amount.toString() })
  }
  return {
    bound,
    amount: extreme.amount.toString(),
    statement: statements[bound],
    cut: { transfers, balances, total: total.toString() },
    flow,
    ends: endsOf({ corridor, network }, extreme, given),
  }
}

function cutTransfer(
  { kind, transfer, amount }: Move,
  idOf: (transfer: number) => TransferId,
): CutTransfer {
  return { kind, transfer: idOf(transfer), amount: amount.toString() }
}

function cutBalance(hold: Hold, { graph, isBeyond, asOf }: Certifying): CutBalance {
  const last = lastLegAt(graph, hold.after)
  const { block, chain } = graph.transfer(last)
  const next = graph
    .events(hold.holding)
    .find(
      (leg) => leg > last && pays(graph, leg, hold.holding) && !isBeyond(graph.transactionOf(leg)),
    )
  return {
    ...placeOf(graph, hold.holding),
    ...momentOf(graph, hold.after),
    fromBlock: block,
    toBlock: next === undefined ? (asOf.get(chain) ?? block) : graph.transfer(next).block,
    held: (hold.balance ?? 0n).toString(),
  }
}

function pays(graph: Graph, leg: number, holding: number): boolean {
  return graph.from(leg) === holding && graph.to(leg) !== holding && graph.amount(leg) > 0n
}

/** Moment of a slot of `Move`, in words of the ledger. */
export function momentOf(graph: Graph, slot: number): Moment {
  const after = graph.idOf(lastLegAt(graph, slot))
  return { after, behind: slot % 2 === 0 ? 'transfer' : 'transaction' }
}

export function placeOf(graph: Graph, holding: number): Place {
  const asset = graph.assets[graph.assetOf(holding)]
  return {
    account: formatAccount(graph.account(graph.addressOf(holding))),
    asset: asset === undefined ? '' : formatAsset(asset),
  }
}

function endsOf(
  { corridor: { moves }, network }: Pick<Extremes, 'corridor' | 'network'>,
  { flow }: Extreme,
  { graph, restsAs }: Certifying,
): FlowEnd[] {
  const found = new Map<string, { end: string; holding: number; amount: bigint }>()
  const add = (end: string, holding: number, amount: bigint | undefined): void => {
    if (amount === undefined || amount === 0n) return
    const key = `${end} ${holding}`
    found.set(key, { end, holding, amount: (found.get(key)?.amount ?? 0n) + amount })
  }
  for (let edge = 0; edge < moves.length; edge++) {
    const move = moves[edge] as CorridorMove
    if (move.goes === 'on') continue
    if (move.to >= 0) add(restsAs(move.to), move.to, flow[edge])
    else add(move.end ?? 'elsewhere', endPlace(graph, move), flow[edge])
  }
  for (const [i, { holding, isLast }] of network.holds.entries())
    if (isLast) add(restsAs(holding), holding, flow[moves.length + i])
  return [...found.values()].map(({ end, holding, amount }) => ({
    end,
    ...placeOf(graph, holding),
    amount: amount.toString(),
  }))
}

/** Who received, or who paid where nobody did or the payer himself ended it. */
function endPlace(graph: Graph, { kind, transfer, from, end }: CorridorMove): number {
  const to = graph.to(transfer)
  if (kind === 'conversion' || end === 'reseeded' || to < 0)
    return from >= 0 ? from : graph.from(transfer)
  return to
}
