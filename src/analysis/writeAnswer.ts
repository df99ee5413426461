import type { Graph } from '../graph/graph.ts'
import { type Account, formatAccount } from '../ledger/account.ts'
import { shareOf } from '../ledger/amount.ts'
import { type AssetId, formatAsset } from '../ledger/asset.ts'
import type { ChainId } from '../ledger/chain.ts'
import { compareText } from '../ledger/order.ts'
import { writtenAsOf } from './asOf.ts'
import type { CoverageView } from './coverageView.ts'
import type { Ending } from './endings.ts'
import type { WrappedCoin } from './netChanges.ts'
import type { PassConversion, PassResult, Resting } from './pass.ts'
import {
  type Outcome,
  outcomes,
  type TraceAnswer,
  type TraceConversion,
  type TraceMovement,
  type TraceOutcome,
  type TraceQuery,
} from './traceAnswer.ts'

/** What a trace found, before it is written down. */
export interface TraceParts {
  readonly graph: Graph
  readonly query: TraceQuery
  /** Transfers of the seeds, ascending. */
  readonly seeds: readonly number[]
  readonly seedTotal: bigint
  readonly coverage: CoverageView
  /** In order of the chains' names. */
  readonly asOf: ReadonlyMap<ChainId, number>
  readonly result: PassResult
  readonly halvings: number
  readonly passes: number
  readonly budget: 'addresses' | 'transactions' | null
  /** By number of the wrapped asset. */
  readonly wrappers: ReadonlyMap<number, WrappedCoin>
  readonly version: string
  readonly tags: string
  readonly trust: 'trusted' | 'opaque' | 'seed'
}

/** The answer of design section 15. Nothing is computed here but sums; the same parts give the same bytes. */
export function writeAnswer(parts: TraceParts): TraceAnswer {
  const { graph, query, seedTotal, result } = parts
  const rests = result.resting.map((rest) => restingEnding(parts, rest))
  const ends = result.endings.map((ending) => fromNowhere(parts, ending))
  const written = writeOutcomes(parts, [...ends, ...rests.map(({ ending }) => ending)])
  const movements = [...result.carried].sort(([a], [b]) => a - b)
  return {
    version: parts.version,
    method: `${query.method}/${query.sameTransaction}`,
    query: {
      ...query,
      continueThrough: query.continueThrough.map(formatAccount),
      neverFollow: query.neverFollow.map(formatAccount),
      resolve: query.resolve.map(({ tx, account, asset }) => ({
        tx,
        account: formatAccount(account),
        asset: formatAsset(asset),
      })),
      seeds: parts.seeds.map((seed) => graph.transfer(seed).id),
      asOf: Object.fromEntries(parts.asOf),
    },
    seeds: parts.seeds.map((seed) => {
      const { id, asset, amount } = graph.transfer(seed)
      return { transfer: id, asset: formatAsset(asset), amount: amount.toString() }
    }),
    seedTotal: seedTotal.toString(),
    outcomes: written,
    totals: totalsOf(written, seedTotal),
    movements: movements.map(([transfer, face]) => movementOf(graph, transfer, face)),
    conversions: result.conversions.map((conversion) => conversionOf(graph, conversion)),
    gaps: result.gaps.map(({ transfer, holding, missing }) => ({
      transfer: graph.transfer(transfer).id,
      account: formatAccount(graph.account(graph.addressOf(holding))),
      asset: assetText(graph, graph.assetOf(holding)),
      missing: missing.toString(),
    })),
    coverage: coverageOf(rests),
    asOf: writtenAsOf(graph, parts.asOf),
    dataset: graph.digest,
    tags: parts.tags,
    order: orderOf(graph, movements),
    cut: {
      followShare: query.minShare / 2 ** parts.halvings,
      passes: parts.passes,
      addresses: result.addresses,
      transactions: result.transactions,
      budget: parts.budget,
    },
    trust: { seedAsset: parts.trust },
    opening: 'assumed_zero',
  }
}

interface JudgedRest {
  readonly ending: Ending & { readonly account: Account }
  readonly through: { readonly block: number; readonly assurance: number } | undefined
}

/**
 * Reversed ledger: money that came from nowhere is a gap only where everything the address ever got is known; else it
 * came by a row that nobody read.
 */
function fromNowhere(parts: TraceParts, ending: Ending): Ending {
  if (parts.query.direction === 'forward' || ending.outcome !== 'ledger_gap') return ending
  const { graph, coverage } = parts
  const account = graph.account(ending.address)
  const asset = graph.assets[ending.asset] as AssetId
  const first = firstBlockOf(graph, ending.address)
  const through = coverage.through(account, asset, { fromBlock: first, side: 'in' })
  if (through && through.block >= (ending.block ?? first)) return ending
  const reason = through ? `coveredThrough ${through.block}` : `not covered from block ${first}`
  return { ...ending, outcome: 'not_ingested', reason }
}

/** First block in which the ledger knows the address. */
function firstBlockOf(graph: Graph, address: number): number {
  const { start, end } = graph.holdingsOf(address)
  let first = Number.POSITIVE_INFINITY
  for (let holding = start; holding < end; holding++) {
    const [event] = graph.events(holding)
    if (event !== undefined && event < first) first = event
  }
  return graph.block(graph.blockOf(graph.transactionOf(first))).number
}

/** Of several reasons the first counts: dust, not_ingested, (frozen,) still_held. */
function restingEnding(parts: TraceParts, rest: Resting): JudgedRest {
  const { graph, coverage, asOf, query } = parts
  const account = graph.account(rest.address)
  const asset = graph.assets[rest.asset] as AssetId
  const chain = account.slice(0, account.lastIndexOf(':')) as ChainId
  const backward = query.direction === 'backward'
  // Backward it matters what the address was ever sent until then, else what it paid from then to the as-of block.
  const through = backward
    ? coverage.through(account, asset, { fromBlock: firstBlockOf(graph, rest.address), side: 'in' })
    : coverage.through(account, asset, { fromBlock: rest.lot.block, side: 'out' })
  const until = backward ? rest.lot.block : (asOf.get(chain) ?? 0)
  const covered = through !== undefined && through.block >= until
  const outcome = outcomeOfRest(rest, { covered, backward })
  const reason =
    outcome === 'not_ingested'
      ? { reason: `coveredThrough ${through?.block ?? 'nothing'}` }
      : outcome === 'budget'
        ? { reason: 'deadline' }
        : {}
  const { face, hop, seed } = rest.lot
  const ending = {
    outcome,
    address: rest.address,
    asset: rest.asset,
    units: rest.units,
    face,
    hop,
    seed,
    account,
  }
  return { ending: { ...ending, ...reason }, through }
}

function outcomeOfRest(
  { followed, unfinished }: Resting,
  { covered, backward }: { readonly covered: boolean; readonly backward: boolean },
): Outcome {
  if (unfinished) return 'budget'
  if (!followed) return 'dust'
  if (!covered) return 'not_ingested'
  return backward ? 'opening_balance' : 'still_held'
}

function writeOutcomes(parts: TraceParts, endings: readonly Ending[]): TraceOutcome[] {
  const merged = new Map<
    string,
    { ending: Ending; outcome: Outcome; units: bigint; face: bigint }
  >()
  for (const ending of endings) {
    const outcome = parts.budget !== null && ending.outcome === 'dust' ? 'budget' : ending.outcome
    const place =
      outcome === 'contract_custody' && ending.stop === undefined
        ? unresolved(parts, ending)
        : ending
    const key = [
      outcome,
      place.address,
      place.asset,
      place.seed,
      place.hop,
      place.reason ?? '',
      place.receipt ?? '',
      place.candidates?.join() ?? '',
    ].join(' ')
    const known = merged.get(key) ?? { ending: place, outcome, units: 0n, face: 0n }
    merged.set(key, { ...known, units: known.units + ending.units, face: known.face + ending.face })
  }
  const rank = new Map(outcomes.map((name, i) => [name, i]))
  // A graph numbers assets by arrival in the log, so they are compared by name; as stored, since checksums cost.
  const assetName = ({ asset }: Ending): string => parts.graph.assets[asset] ?? ''
  return [...merged.values()]
    .filter(({ units, face }) => units > 0n || face > 0n)
    .map((entry) => ({ entry, account: placeText(parts, entry.ending) }))
    .sort(
      (a, b) =>
        (rank.get(a.entry.outcome) ?? 0) - (rank.get(b.entry.outcome) ?? 0) ||
        compareText(a.account, b.account) ||
        compareText(assetName(a.entry.ending), assetName(b.entry.ending)) ||
        a.entry.ending.seed - b.entry.ending.seed ||
        a.entry.ending.hop - b.entry.ending.hop ||
        compareText(a.entry.ending.reason ?? '', b.entry.ending.reason ?? '') ||
        compareText(moreOf(parts.graph, a.entry.ending), moreOf(parts.graph, b.entry.ending)),
    )
    .map(({ entry, account }) => outcomeOf(parts, entry, account))
}

function moreOf(graph: Graph, { receipt, candidates = [] }: Ending): string {
  return [receipt ?? -1, ...candidates].map((asset) => assetText(graph, asset)).join()
}

/** A wrapped coin handed in without its native coin in sight: it is with the wrapper. */
function unresolved(parts: TraceParts, ending: Ending): Ending {
  const address = parts.wrappers.get(ending.asset)?.wrapper ?? ending.address
  return { ...ending, address, reason: 'conversion_unresolved' }
}

/** The wrapper holds what was handed in to it, also where the ledger has no row of its own. */
function placeText({ graph, wrappers }: TraceParts, { address, asset, outcome }: Ending): string {
  const contract = wrappers.get(asset)?.contract
  if (address < 0 && outcome === 'contract_custody' && contract) return formatAccount(contract)
  return accountText(graph, address)
}

function outcomeOf(
  parts: TraceParts,
  entry: {
    readonly ending: Ending
    readonly outcome: Outcome
    readonly units: bigint
    readonly face: bigint
  },
  account: string,
): TraceOutcome {
  const { ending } = entry
  const { stop } = ending
  return {
    outcome: entry.outcome,
    account,
    asset: assetText(parts.graph, ending.asset),
    amount: entry.units.toString(),
    face: entry.face.toString(),
    share: shareOf(entry.face, parts.seedTotal),
    hop: ending.hop,
    seed: parts.graph.transfer(parts.seeds[ending.seed] as number).id,
    ...(stop?.category === undefined ? {} : { category: stop.category }),
    ...(stop?.label === undefined ? {} : { label: stop.label }),
    ...(ending.reason === undefined ? {} : { reason: ending.reason }),
    ...(ending.receipt === undefined ? {} : { receipt: assetText(parts.graph, ending.receipt) }),
    ...(ending.candidates === undefined
      ? {}
      : { candidates: ending.candidates.map((asset) => assetText(parts.graph, asset)).sort() }),
  }
}

function totalsOf(written: readonly TraceOutcome[], seedTotal: bigint): TraceAnswer['totals'] {
  const sums = new Map<Outcome, bigint>()
  for (const { outcome, face } of written)
    sums.set(outcome, (sums.get(outcome) ?? 0n) + BigInt(face))
  return [...sums].map(([outcome, face]) => ({
    outcome,
    face: face.toString(),
    share: shareOf(face, seedTotal),
  }))
}

function conversionOf(graph: Graph, conversion: PassConversion): TraceConversion {
  const { address, recipient, match } = conversion
  return {
    transaction: graph.transfer(graph.legs(conversion.transaction).start).tx,
    account: formatAccount(graph.account(address)),
    ...(recipient === address ? {} : { recipient: formatAccount(graph.account(recipient)) }),
    gives: {
      asset: assetText(graph, conversion.gives),
      amount: conversion.givesAmount.toString(),
    },
    gets: { asset: assetText(graph, conversion.gets), amount: conversion.getsAmount.toString() },
    rule: conversion.rule,
    ...(match ? { message: match.message, arrivedBy: match.toTx } : {}),
    face: conversion.face.toString(),
  }
}

function movementOf(graph: Graph, transfer: number, face: bigint): TraceMovement {
  const { id, from, to, asset, amount, time, block } = graph.transfer(transfer)
  return {
    transfer: id,
    from: from === undefined ? null : formatAccount(from),
    to: to === undefined ? null : formatAccount(to),
    asset: formatAsset(asset),
    amount: amount.toString(),
    face: face.toString(),
    time,
    block,
  }
}

function coverageOf(rests: readonly JudgedRest[]): TraceAnswer['coverage'] {
  const worst = new Map<Account, { through: number | null; assurance: number | null }>()
  for (const { ending, through } of rests) {
    const known = worst.get(ending.account)
    const next = { through: through?.block ?? null, assurance: through?.assurance ?? null }
    if (!known || (next.through ?? -1) < (known.through ?? -1)) worst.set(ending.account, next)
  }
  return [...worst]
    .sort(([a], [b]) => compareText(a, b))
    .map(([account, { through, assurance }]) => ({
      account: formatAccount(account),
      coveredThrough: through,
      assurance,
    }))
}

function orderOf(
  graph: Graph,
  movements: readonly (readonly [number, bigint])[],
): TraceAnswer['order'] {
  const assumed = new Set<number>()
  let face = 0n
  for (const [transfer, carried] of movements) {
    const block = graph.blockOf(graph.transactionOf(transfer))
    if (!graph.block(block).assumedOrder) continue
    assumed.add(block)
    face += carried
  }
  return {
    rule: assumed.size > 0 ? 'causal' : 'known',
    assumedBlocks: assumed.size,
    assumedFace: face.toString(),
  }
}

function accountText(graph: Graph, address: number): string {
  return address < 0 ? '' : formatAccount(graph.account(address))
}

function assetText(graph: Graph, asset: number): string {
  return asset < 0 ? '' : formatAsset(graph.assets[asset] as AssetId)
}
