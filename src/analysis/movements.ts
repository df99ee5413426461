/** What is judged of a whole generation before anything is asked about accounts. */
import { addBit, emptyBits } from './bits.ts'
import { type Sliced, shortSlice } from './slices.ts'
import type { SweepRange } from './sweep.ts'

/**
 * Transfers that can be part of a path, as bits: positive amounts of an asset that is followed, from one address to
 * another, up to the as-of block.
 *
 * Cost: one pass over all transfers.
 *
 * @param isBeyond - true for transactions beyond the as-of block; absent: none is.
 */
export function* movements(
  { graph, follows }: Pick<SweepRange, 'graph' | 'follows'>,
  isBeyond?: (transaction: number) => boolean,
): Sliced<Int32Array> {
  const { from, to, amount, holdingAsset } = graph.columns
  const moves = emptyBits(from.length)
  for (let transfer = 0; transfer < from.length; transfer++) {
    if (transfer % shortSlice === 0) yield
    const payer = from[transfer] as number
    const receiver = to[transfer] as number
    if ((payer | receiver) < 0 || payer === receiver || isZero(amount, transfer)) continue
    if (follows[holdingAsset[payer] as number] !== true) continue
    if (isBeyond?.(graph.transactionOf(transfer)) !== true) addBit(moves, transfer)
  }
  return moves
}

/**
 * Holdings whose addresses are no stops and have no other that is followed, as bits: what arrives concerns them alone.
 *
 * Cost: one pass over all holdings.
 */
export function* plainHoldings({
  graph,
  follows,
  stops,
}: Pick<SweepRange, 'graph' | 'follows' | 'stops'>): Sliced<Int32Array> {
  const { addressFirst, holdingAddress, holdingAsset } = graph.columns
  const plain = emptyBits(holdingAddress.length)
  const { addressCount } = graph
  for (let address = 0; address < addressCount; address++) {
    if (address % shortSlice === 0) yield
    const last = addressFirst[address + 1] as number
    let followed = 0
    let only = 0
    for (let holding = addressFirst[address] as number; holding < last; holding++) {
      if (follows[holdingAsset[holding] as number] !== true) continue
      followed++
      only = holding
    }
    if (followed === 1 && stops.isQuiet(address)) addBit(plain, only)
  }
  return plain
}

function isZero(amount: Uint32Array, transfer: number): boolean {
  const at = transfer * 4
  return amount[at] === 0 && amount[at + 1] === 0 && amount[at + 2] === 0 && amount[at + 3] === 0
}
