import { Balance } from './balance.ts'
import { type ColumnArrays, checkpointAt, checkpointStride, shared } from './columns.ts'
import type { Kept } from './generation.ts'
import type { NumberedHoldings } from './numberHoldings.ts'

type EventArrays = Pick<ColumnArrays, 'holdingFirst' | 'events' | 'checkpoints' | 'holdingWide'>

/** Which events of each holding were there before, and how many it has now. */
interface EventCounts {
  /** Holding of the generation before, −1 where it is new. */
  readonly old: Int32Array
  /** Events that are kept. */
  readonly kept: Uint32Array
  readonly holdingFirst: Uint32Array
}

/**
 * Lists the transfers of each holding with its balance before every 16th. What is kept is copied in runs; balances are
 * counted anew only for holdings with events behind it.
 *
 * Cost: linear in the holdings and the new events, and one copy of what is kept.
 *
 * @param amounts.wide - transfers beyond 128 bits.
 */
export function buildEvents(
  numbered: NumberedHoldings,
  amounts: { readonly amount: Uint32Array; readonly wide: ReadonlySet<number> },
  kept: Kept,
): EventArrays {
  const counts = countEvents(numbered, kept)
  const events = listEvents(numbered, counts, kept)
  return {
    holdingFirst: counts.holdingFirst,
    events,
    ...keepBalances({ ...numbered, ...amounts, events }, counts, kept),
  }
}

function countEvents(numbered: NumberedHoldings, kept: Kept): EventCounts {
  const { holdingAddress, numberOfOld, gone, from, to } = numbered
  const before = kept.generation.columns.arrays
  const old = new Int32Array(holdingAddress.length).fill(-1)
  const keptCount = new Uint32Array(holdingAddress.length)
  let nextGone = 0
  for (let holding = 0; holding < numberOfOld.length; holding++) {
    if (gone[nextGone] === holding) {
      nextGone++
      continue
    }
    const number = numberOfOld[holding] as number
    old[number] = holding
    keptCount[number] =
      (before.holdingFirst[holding + 1] as number) - (before.holdingFirst[holding] as number)
  }
  const goneSet = new Set(gone)
  eachEvent(before, kept.transfers, (holding) => {
    if (goneSet.has(holding)) return
    const number = numberOfOld[holding] as number
    keptCount[number] = (keptCount[number] as number) - 1
  })
  const holdingFirst = shared(Uint32Array, holdingAddress.length + 1)
  eachEvent({ from, to }, kept.transfers, (holding) => {
    holdingFirst[holding + 1] = (holdingFirst[holding + 1] as number) + 1
  })
  for (let i = 0; i < holdingAddress.length; i++)
    holdingFirst[i + 1] =
      (holdingFirst[i + 1] as number) + (holdingFirst[i] as number) + (keptCount[i] as number)
  return { old, kept: keptCount, holdingFirst }
}

/** Events of the transfers from one on; a transfer to oneself is one. */
function eachEvent(
  { from, to }: Pick<ColumnArrays, 'from' | 'to'>,
  start: number,
  visit: (holding: number, transfer: number) => void,
): void {
  for (let transfer = start; transfer < from.length; transfer++) {
    const payer = from[transfer] as number
    const receiver = to[transfer] as number
    if (payer >= 0) visit(payer, transfer)
    if (receiver >= 0 && receiver !== payer) visit(receiver, transfer)
  }
}

function listEvents(numbered: NumberedHoldings, counts: EventCounts, kept: Kept): Uint32Array {
  const before = kept.generation.columns.arrays
  const { old, holdingFirst } = counts
  const count = old.length
  const events = shared(Uint32Array, holdingFirst[count] as number)
  let [source, target, length] = [0, 0, 0]
  for (let holding = 0; holding < count; holding++) {
    const was = old[holding] as number
    if (was < 0) continue
    const first = before.holdingFirst[was] as number
    const place = holdingFirst[holding] as number
    if (first !== source + length || place !== target + length) {
      events.set(before.events.subarray(source, source + length), target)
      source = first
      target = place
      length = 0
    }
    length += counts.kept[holding] as number
  }
  events.set(before.events.subarray(source, source + length), target)
  const next = new Uint32Array(count)
  for (let holding = 0; holding < count; holding++)
    next[holding] = (holdingFirst[holding] as number) + (counts.kept[holding] as number)
  eachEvent(numbered, kept.transfers, (holding, transfer) => {
    events[next[holding] as number] = transfer
    next[holding] = (next[holding] as number) + 1
  })
  return events
}

interface Replayed extends Pick<ColumnArrays, 'from' | 'to' | 'amount' | 'events'> {
  readonly wide: ReadonlySet<number>
}

function keepBalances(
  replayed: Replayed,
  counts: EventCounts,
  kept: Kept,
): Pick<EventArrays, 'checkpoints' | 'holdingWide'> {
  const before = kept.generation.columns.arrays
  const { old, holdingFirst } = counts
  const total = replayed.events.length
  const checkpoints = shared(Uint32Array, (Math.floor(total / checkpointStride) + 1) * 4)
  const holdingWide = shared(Uint8Array, old.length)
  const replay = createReplay(replayed, checkpoints)
  for (let holding = 0; holding < old.length; holding++) {
    const was = old[holding] as number
    const first = holdingFirst[holding] as number
    const end = holdingFirst[holding + 1] as number
    const keptEvents = counts.kept[holding] as number
    const wasWide = was >= 0 && before.holdingWide[was] === 1
    const wasLength =
      was < 0 ? 0 : (before.holdingFirst[was + 1] as number) - (before.holdingFirst[was] as number)
    const isSame = was >= 0 && keptEvents === wasLength && first + keptEvents === end
    // Which event went beyond 128 bits is not kept: such a holding is counted from its beginning.
    const passed = wasWide && !isSame ? 0 : Math.floor(keptEvents / checkpointStride)
    if (passed > 0) {
      const source = checkpointAt(before.holdingFirst[was] as number, 1)
      copyLimbs(before.checkpoints, source, checkpoints, checkpointAt(first, 1), passed * 4)
    }
    const wide = isSame ? wasWide : replay(holding, { first, end, passed })
    if (wide) holdingWide[holding] = 1
  }
  return { checkpoints, holdingWide }
}

/** Counts a holding's balance from its last checkpoint that is right; true when it leaves 128 bits. */
function createReplay(
  { events, from, to, amount, wide }: Replayed,
  checkpoints: Uint32Array,
): (
  holding: number,
  part: { readonly first: number; readonly end: number; readonly passed: number },
) => boolean {
  const balance = new Balance()
  return (holding, { first, end, passed }) => {
    balance.clear()
    if (passed > 0) balance.load(checkpoints, checkpointAt(first, passed))
    for (let e = first + passed * checkpointStride; e < end; ) {
      const transfer = events[e] as number
      if (wide.has(transfer)) balance.overflowed = true
      if (from[transfer] !== to[transfer]) {
        if (from[transfer] === holding) balance.subtract(amount, transfer * 4)
        else balance.add(amount, transfer * 4)
      }
      e++
      const number = (e - first) / checkpointStride
      if (Number.isInteger(number)) balance.save(checkpoints, checkpointAt(first, number))
    }
    return balance.overflowed
  }
}

function copyLimbs(
  from: Uint32Array,
  source: number,
  into: Uint32Array,
  target: number,
  length: number,
): void {
  if (length > 64) into.set(from.subarray(source, source + length), target)
  else for (let i = 0; i < length; i++) into[target + i] = from[source + i] as number
}
