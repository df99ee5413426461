import type { Graph } from '../graph/graph.ts'
import { type Account, accountChain, formatAccount } from '../ledger/account.ts'
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
  type FreezeKnowledge,
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
  readonly freezes?: FreezeKnowledge
  readonly version: string
  readonly tags: string
  readonly trust: 'trusted' | 'opaque' | 'seed'
}

/** The answer of design section 15. Nothing is computed here but sums; the same parts give the same bytes. */
export function writeAnswer(parts: TraceParts): TraceAnswer {
  const { graph, query, seedTotal, result } = parts
  const judge = createRestJudge(parts)
  const rests = result.resting.map((rest) => judge(rest))
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
      seeds: parts.seeds.map((seed) => graph.idOf(seed)),
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
      transfer: graph.idOf(transfer),
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

/**
 * Of several reasons the first counts: dust, not_ingested, frozen, still_held. Several lots rest at one address, often
 * from one block on, and are judged alike.
 */
function createRestJudge(parts: TraceParts): (rest: Resting) => JudgedRest {
  const { graph, asOf, query } = parts
  const backward = query.direction === 'backward'
  let [lastAddress, account]: [number, Account | undefined] = [-1, undefined]

  function accountOf(address: number): Account {
    if (address !== lastAddress || account === undefined) account = graph.account(address)
    lastAddress = address
    return account
  }

  const blockAsOf = (of: Account): number => asOf.get(accountChain(of)) ?? 0

  return (rest) => {
    const { address, asset, units } = rest
    const { face, hop, seed, block } = rest.lot
    const of = accountOf(address)
    const through = coveredThrough(parts, rest, of)
    const until = backward ? block : blockAsOf(of)
    const covered = through !== undefined && through.block >= until
    const frozen = parts.freezes?.frozenBy(of, graph.assets[asset] as AssetId, blockAsOf(of))
    const outcome = outcomeOfRest(rest, { covered, backward, isFrozen: frozen !== undefined })
    const ending = { outcome, address, asset, units, face, hop, seed, account: of }
    if (outcome === 'not_ingested') {
      const reason = `coveredThrough ${through?.block ?? 'nothing'}`
      return { ending: { ...ending, reason }, through }
    }
    if (outcome === 'frozen') {
      const reason = `blacklisted in block ${frozen?.block} by ${frozen?.tx}`
      return { ending: { ...ending, reason }, through }
    }
    const late = outcome === 'budget' ? { reason: 'deadline' } : {}
    return { ending: { ...ending, ...late }, through }
  }
}

/** Backward it matters what the address was ever sent until then, else what it paid from then to the as-of block. */
function coveredThrough(
  { graph, coverage, query }: TraceParts,
  { address, asset, lot }: Resting,
  account: Account,
): JudgedRest['through'] {
  const name = graph.assets[asset] as AssetId
  if (query.direction === 'forward')
    return coverage.through(account, name, { fromBlock: lot.block, side: 'out' })
  return coverage.through(account, name, { fromBlock: firstBlockOf(graph, address), side: 'in' })
}

function outcomeOfRest(
  { followed, unfinished }: Resting,
  {
    covered,
    backward,
    isFrozen,
  }: { readonly covered: boolean; readonly backward: boolean; readonly isFrozen: boolean },
): Outcome {
  if (unfinished) return 'budget'
  if (!followed) return 'dust'
  if (!covered) return 'not_ingested'
  if (backward) return 'opening_balance'
  return isFrozen ? 'frozen' : 'still_held'
}

function writeOutcomes(parts: TraceParts, endings: readonly Ending[]): TraceOutcome[] {
  const texts = createTexts(parts)
  const rank = new Map(outcomes.map((name, i) => [name, i]))
  const entries = merged(parts, endings)
    .filter(({ units, face }) => units > 0n || face > 0n)
    .map((entry) => ({
      ...entry,
      account: texts.place(entry.ending),
      rank: rank.get(entry.outcome) ?? 0,
    }))
  // Texts are compared once each, not once for every pair of entries that has them.
  const accounts = placesOf(entries.map(({ account }) => account))
  // A graph numbers assets by arrival in the log, so they are compared by name; as stored, since checksums cost.
  const assets = placesOf(parts.graph.assets)
  const assetAt = ({ asset }: Ending): number => assets.get(parts.graph.assets[asset] ?? '') ?? -1
  return entries
    .map((entry) => ({
      ...entry,
      accountAt: accounts.get(entry.account) ?? 0,
      assetAt: assetAt(entry.ending),
    }))
    .sort(
      (a, b) =>
        a.rank - b.rank ||
        a.accountAt - b.accountAt ||
        a.assetAt - b.assetAt ||
        a.ending.seed - b.ending.seed ||
        a.ending.hop - b.ending.hop ||
        compareText(a.ending.reason ?? '', b.ending.reason ?? '') ||
        compareText(moreOf(parts.graph, a.ending), moreOf(parts.graph, b.ending)),
    )
    .map((entry) => outcomeOf(parts, texts, entry))
}

/** Endings of one outcome, place, seed, hop and reason. */
interface Entry {
  /** The first of them. */
  readonly ending: Ending
  readonly outcome: Outcome
  units: bigint
  face: bigint
}

function merged(parts: TraceParts, endings: readonly Ending[]): Entry[] {
  const entries: Entry[] = []
  const near = new Map<number, Entry[]>()
  for (const ending of endings) {
    const outcome = parts.budget !== null && ending.outcome === 'dust' ? 'budget' : ending.outcome
    const place =
      outcome === 'contract_custody' && ending.stop === undefined
        ? unresolved(parts, ending)
        : ending
    // Apart by address, hop and, where they are few, seed; what else differs does so in few ways.
    const key = ((place.address + 1) * 128 + place.hop) * 64 + (place.seed % 64)
    const others = near.get(key) ?? []
    if (others.length === 0) near.set(key, others)
    const known = others.find((entry) => entry.outcome === outcome && isAlike(entry.ending, place))
    if (known) {
      known.units += ending.units
      known.face += ending.face
      continue
    }
    const { units, face } = ending
    const entry = { ending: place, outcome, units, face }
    entries.push(entry)
    others.push(entry)
  }
  return entries
}

function isAlike(a: Ending, b: Ending): boolean {
  return (
    a.address === b.address &&
    a.asset === b.asset &&
    a.seed === b.seed &&
    a.hop === b.hop &&
    (a.reason ?? '') === (b.reason ?? '') &&
    a.receipt === b.receipt &&
    (a.candidates?.join() ?? '') === (b.candidates?.join() ?? '')
  )
}

/** Where each text stands among all, in order. */
function placesOf(texts: readonly string[]): ReadonlyMap<string, number> {
  return new Map([...new Set(texts)].sort(compareText).map((text, i) => [text, i]))
}

/** Names as an answer writes them, each made once: an answer has ten thousands of them. */
interface Texts {
  place(ending: Ending): string
  asset(asset: number): string
  seed(number: number): TraceOutcome['seed']
}

function createTexts(parts: TraceParts): Texts {
  const places = new Map<number, string>()
  const assets = new Map<number, string>()
  const seeds = parts.seeds.map((seed) => parts.graph.transfer(seed).id)
  return {
    place(ending) {
      if (ending.address < 0) return placeText(parts, ending)
      const known = places.get(ending.address) ?? placeText(parts, ending)
      places.set(ending.address, known)
      return known
    },
    asset(asset) {
      const known = assets.get(asset) ?? assetText(parts.graph, asset)
      assets.set(asset, known)
      return known
    },
    seed: (number) => seeds[number] as TraceOutcome['seed'],
  }
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
  texts: Texts,
  entry: Entry & { readonly account: string },
): TraceOutcome {
  const { ending } = entry
  const { stop } = ending
  const written: Writable<TraceOutcome> = {
    outcome: entry.outcome,
    account: entry.account,
    asset: texts.asset(ending.asset),
    amount: entry.units.toString(),
    face: entry.face.toString(),
    share: shareOf(entry.face, parts.seedTotal),
    hop: ending.hop,
    seed: texts.seed(ending.seed),
  }
  if (stop?.category !== undefined) written.category = stop.category
  if (stop?.label !== undefined) written.label = stop.label
  if (ending.reason !== undefined) written.reason = ending.reason
  if (ending.receipt !== undefined) written.receipt = texts.asset(ending.receipt)
  if (ending.candidates) written.candidates = ending.candidates.map(texts.asset).sort()
  return written
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }

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
