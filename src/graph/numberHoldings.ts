import { firstNotBelow } from '../ledger/sortedSearch.ts'
import { beginningWith, type ColumnArrays, copied, shared } from './columns.ts'
import type { Kept } from './generation.ts'
import { createPairTable, mostSeconds } from './pairTable.ts'
import type { RawRows } from './rawRows.ts'

export interface NumberedHoldings {
  readonly holdingAddress: Uint32Array
  readonly holdingAsset: Uint32Array
  /** Per transfer: paying and receiving holding, −1 nobody. */
  readonly from: Int32Array
  readonly to: Int32Array
  /** Number that each holding of the generation before has now; meaningless for those that are gone. */
  readonly numberOfOld: Uint32Array
  /** Holdings of the generation before that are gone, ascending. */
  readonly gone: Uint32Array
}

/**
 * Numbers every (address, asset) that occurs, those of one address next to each other and by asset. Holdings of the
 * generation before keep their order; new ones stand between them, so that later ones move up.
 *
 * @param tail.order - rows in ledger order behind those that are kept; `tail.addressOf` - final number of each raw
 * address.
 */
export function numberHoldings(
  raw: RawRows,
  tail: { readonly order: Uint32Array; readonly addressOf: Int32Array },
  kept: Kept,
): NumberedHoldings {
  const before = kept.generation.columns.arrays
  if (raw.assets.length > mostSeconds) throw new RangeError('more assets than holdings can name')
  const { order, addressOf } = tail
  const pairs = createPairTable(1 << 10)
  // Kept holdings as they were numbered, new ones as −2 and below.
  const sides = { from: new Int32Array(order.length), to: new Int32Array(order.length) }
  const side = (address: number, asset: number): number => {
    const known = keptHolding(kept, address, asset)
    return known >= 0 ? known : -2 - pairs.number(address, asset)
  }
  for (let i = 0; i < order.length; i++) {
    const row = order[i] as number
    const asset = raw.asset[row] as number
    const [payer, receiver] = [raw.from[row] as number, raw.to[row] as number]
    sides.from[i] = payer < 0 ? -1 : side(addressOf[payer] as number, asset)
    sides.to[i] = receiver < 0 ? -1 : side(addressOf[receiver] as number, asset)
  }
  const news = pairs.sorted()
  const gone = goneHoldings(kept)
  const merged = mergeHoldings(before, { gone, news, keptAddresses: kept.addresses })
  const numberOfNew = merged.numberOfNew
  const newNumber = (pair: number): number => numberOfNew[news.placeOf[pair] as number] as number
  const renumber = { ...merged, newNumber, kept: kept.transfers }
  const { holdingAddress, holdingAsset, numberOfOld } = merged
  return {
    holdingAddress,
    holdingAsset,
    from: renumbered(before.from, sides.from, renumber),
    to: renumbered(before.to, sides.to, renumber),
    numberOfOld,
    gone,
  }
}

/** One side of all transfers with final numbers: those that are kept move up where holdings came before them. */
function renumbered(
  before: Int32Array,
  tail: Int32Array,
  given: {
    readonly kept: number
    readonly firstMoved: number
    readonly numberOfOld: Uint32Array
    readonly newNumber: (pair: number) => number
  },
): Int32Array {
  const { kept, firstMoved, numberOfOld } = given
  const length = kept + tail.length
  const moves = firstMoved < numberOfOld.length
  const side = moves ? copied(before, kept, length) : beginningWith(before, kept, length)
  if (moves) {
    for (let i = 0; i < kept; i++) {
      const holding = side[i] as number
      if (holding >= firstMoved) side[i] = numberOfOld[holding] as number
    }
  }
  for (let i = 0; i < tail.length; i++) {
    const holding = tail[i] as number
    if (holding < -1) side[kept + i] = given.newNumber(-2 - holding)
    else side[kept + i] = holding < 0 ? -1 : (numberOfOld[holding] as number)
  }
  return side
}

/** Number in the generation before of a holding that is kept, −1 for all others. */
function keptHolding(kept: Kept, address: number, asset: number): number {
  if (address >= kept.addresses) return -1
  const { addressFirst, holdingAsset, holdingFirst, events } = kept.generation.columns.arrays
  let low = addressFirst[address] as number
  let high = (addressFirst[address + 1] as number) - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    const found = holdingAsset[middle] as number
    if (found === asset)
      return (events[holdingFirst[middle] as number] as number) < kept.transfers ? middle : -1
    if (found < asset) low = middle + 1
    else high = middle - 1
  }
  return -1
}

/** Holdings whose first event is behind what is kept. */
function goneHoldings({ generation, transfers }: Kept): Uint32Array {
  const { from, to, holdingFirst, events } = generation.columns.arrays
  const gone = new Set<number>()
  for (let transfer = transfers; transfer < from.length; transfer++) {
    for (const holding of [from[transfer] as number, to[transfer] as number])
      if (holding >= 0 && (events[holdingFirst[holding] as number] as number) >= transfers)
        gone.add(holding)
  }
  return Uint32Array.from(gone).sort()
}

function mergeHoldings(
  before: ColumnArrays,
  given: {
    readonly gone: Uint32Array
    readonly news: { readonly first: Uint32Array; readonly second: Uint32Array }
    readonly keptAddresses: number
  },
) {
  const { gone, news } = given
  const { holdingAddress: oldAddress, holdingAsset: oldAsset } = before
  const count = oldAddress.length - gone.length + news.first.length
  const holdingAddress = shared(Uint32Array, count)
  const holdingAsset = shared(Uint32Array, count)
  const numberOfOld = new Uint32Array(oldAddress.length)
  const numberOfNew = new Uint32Array(news.first.length)
  let at = 0
  let old = 0
  let nextGone = 0
  let firstMoved = oldAddress.length
  const run = (end: number): void => {
    if (at !== old && old < firstMoved) firstMoved = old
    holdingAddress.set(oldAddress.subarray(old, end), at)
    holdingAsset.set(oldAsset.subarray(old, end), at)
    while (old < end) numberOfOld[old++] = at++
  }
  const until = (end: number): void => {
    while (nextGone < gone.length && (gone[nextGone] as number) < end) {
      run(gone[nextGone++] as number)
      old++
    }
    run(end)
  }
  for (let i = 0; i < numberOfNew.length; i++) {
    const address = news.first[i] as number
    const asset = news.second[i] as number
    until(placeAmong(before, { address, asset, known: given.keptAddresses }))
    holdingAddress[at] = address
    holdingAsset[at] = asset
    numberOfNew[i] = at++
  }
  until(oldAddress.length)
  return { holdingAddress, holdingAsset, numberOfOld, numberOfNew, firstMoved }
}

/** Where a new holding belongs among the holdings of the generation before. */
function placeAmong(
  { addressFirst, holdingAsset }: ColumnArrays,
  {
    address,
    asset,
    known,
  }: { readonly address: number; readonly asset: number; readonly known: number },
): number {
  if (address >= known) return addressFirst[known] as number
  const start = addressFirst[address] as number
  return start + firstNotBelow(holdingAsset.subarray(start, addressFirst[address + 1]), asset)
}
