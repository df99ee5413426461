import type { Graph } from '../graph/graph.ts'
import type { Account } from '../ledger/account.ts'
import type { AssetId } from '../ledger/asset.ts'
import { type ExchangeRules, exchangesIn, type Pair } from './crediblePairs.ts'
import { assetOf } from './netChanges.ts'

/** One asset became another at the end of a transaction; lots in what was given go on in what was got. */
export interface Conversion {
  readonly address: number
  readonly recipient: number
  readonly gives: number
  readonly gets: number
  readonly givesAmount: bigint
  readonly getsAmount: bigint
  readonly rule: Pair['rule'] | 'resolved' | 'split'
}

/** What an address exchanged in a transaction. */
export interface Exchanging {
  readonly conversions: readonly Conversion[]
  /** Where several pairs are credible and nothing decides. */
  readonly candidates: readonly Pair[]
}

/** All exchanges of one transaction that a trace takes part in. */
export interface TransactionConversions {
  readonly byGiver: ReadonlyMap<number, Exchanging>
  /** True when legs of this holding are X or Y legs of a conversion: they carry no lots of their own. */
  isConverting(address: number, asset: number): boolean
}

/** An analyst's word on which of several assets was got: by transaction hash and account. */
export interface Resolution {
  readonly tx: string
  readonly account: Account
  readonly asset: AssetId
}

const none: TransactionConversions = { byGiver: new Map(), isConverting: () => false }

/**
 * Decides what was converted (design 8.2): one credible pair converts; of several an analyst's word or a price set
 * decides, else they are ambiguous; stops convert nothing.
 */
export function conversionsIn(
  graph: Graph,
  transaction: number,
  given: {
    readonly rules: ExchangeRules
    readonly isStop: (address: number, time: number) => boolean
    readonly resolutions: readonly Resolution[]
  },
): TransactionConversions {
  const { pairs } = exchangesIn(graph, transaction, given.rules)
  if (pairs.size === 0) return none
  const { time } = graph.block(graph.blockOf(transaction))
  const open = new Map<number, readonly Pair[]>()
  for (const [address, found] of pairs) {
    const kept = found.filter(
      (pair) => pair.recipient === address || !given.isStop(pair.recipient, time),
    )
    if (kept.length > 0 && !given.isStop(address, time)) open.set(address, kept)
  }
  if (open.size === 0) return none
  const contested = contestedGets(open)
  const byGiver = new Map<number, Exchanging>()
  const holdings = new Set<string>()
  for (const [address, found] of open) {
    const decided = decide(graph, transaction, { ...given, pairs: found, contested, time })
    byGiver.set(address, decided)
    for (const pair of decided.conversions.length > 0 ? decided.conversions : found) {
      holdings.add(`${pair.address} ${pair.gives}`)
      holdings.add(`${pair.recipient} ${pair.gets}`)
    }
  }
  return { byGiver, isConverting: (address, asset) => holdings.has(`${address} ${asset}`) }
}

/** What a recipient got can be the proceeds of one giver only. */
function contestedGets(open: ReadonlyMap<number, readonly Pair[]>): ReadonlySet<string> {
  const givers = new Map<string, Set<number>>()
  for (const pairs of open.values()) {
    for (const { address, recipient, gets } of pairs) {
      const key = `${recipient} ${gets}`
      givers.set(key, (givers.get(key) ?? new Set<number>()).add(address))
    }
  }
  return new Set([...givers].filter(([, of]) => of.size > 1).map(([key]) => key))
}

function decide(
  graph: Graph,
  transaction: number,
  given: {
    readonly rules: ExchangeRules
    readonly resolutions: readonly Resolution[]
    readonly pairs: readonly Pair[]
    readonly contested: ReadonlySet<string>
    readonly time: number
  },
): Exchanging {
  const { pairs } = given
  const [only] = pairs
  const isContested = pairs.some(({ recipient, gets }) =>
    given.contested.has(`${recipient} ${gets}`),
  )
  if (only && pairs.length === 1 && !isContested) return { conversions: [only], candidates: [] }
  const chosen = resolved(graph, transaction, given)
  if (chosen) return { conversions: [chosen], candidates: [] }
  const split = isContested ? undefined : splitByValue(graph, given)
  if (split) return { conversions: split, candidates: [] }
  return { conversions: [], candidates: pairs }
}

function resolved(
  graph: Graph,
  transaction: number,
  given: { readonly resolutions: readonly Resolution[]; readonly pairs: readonly Pair[] },
): Conversion | undefined {
  if (given.resolutions.length === 0) return undefined
  const { tx } = graph.transfer(graph.legs(transaction).start)
  for (const { tx: wanted, account, asset } of given.resolutions) {
    if (wanted !== tx) continue
    const address = graph.address(account)
    const found = given.pairs.filter(
      (pair) => pair.address === address && graph.assets[pair.gets] === asset,
    )
    const [only] = found
    if (only && found.length === 1) return { ...only, rule: 'resolved' }
  }
  return undefined
}

/**
 * Each asset given buys its part of each asset got, by value. Whole units, the last part takes the remainder.
 */
function splitByValue(
  graph: Graph,
  given: {
    readonly rules: ExchangeRules
    readonly pairs: readonly Pair[]
    readonly time: number
  },
): readonly Conversion[] | undefined {
  const { pairs, rules, time } = given
  const gives = new Map(pairs.map((pair) => [pair.gives, pair.givesAmount]))
  const gets = new Map(pairs.map((pair) => [pair.gets, pair.getsAmount]))
  const recipients = new Set(pairs.map(({ recipient }) => recipient))
  if (pairs.length !== gives.size * gets.size || recipients.size !== 1) return undefined
  const giveWeights = weightsOf(graph, gives, { rules, time })
  const getWeights = weightsOf(graph, gets, { rules, time })
  if (!giveWeights || !getWeights) return undefined
  const [first] = pairs as readonly [Pair, ...Pair[]]
  const conversions: Conversion[] = []
  for (const [i, [give, givesAmount]] of [...gives].entries()) {
    for (const [j, [get, getsAmount]] of [...gets].entries()) {
      conversions.push({
        address: first.address,
        recipient: first.recipient,
        gives: give,
        gets: get,
        givesAmount: partOf(givesAmount, getWeights, j),
        getsAmount: partOf(getsAmount, giveWeights, i),
        rule: 'split',
      })
    }
  }
  return conversions.filter(({ givesAmount }) => givesAmount > 0n)
}

function partOf(amount: bigint, weights: readonly bigint[], index: number): bigint {
  const total = weights.reduce((sum, weight) => sum + weight, 0n)
  let before = 0n
  for (let i = 0; i < index; i++) before += weights[i] as bigint
  return (amount * (before + (weights[index] as bigint))) / total - (amount * before) / total
}

/** Values brought to one denominator; undefined where an asset has no price. */
function weightsOf(
  graph: Graph,
  amounts: ReadonlyMap<number, bigint>,
  given: { readonly rules: ExchangeRules; readonly time: number },
): readonly bigint[] | undefined {
  const values = [...amounts].map(([asset, amount]) => {
    const name = graph.assets[asset]
    return name === undefined ? undefined : given.rules.knowledge.value(name, amount, given.time)
  })
  const known = values.filter((value) => value !== undefined)
  if (known.length !== values.length) return undefined
  const common = known.reduce((product, { denominator }) => product * denominator, 1n)
  const weights = known.map(({ numerator, denominator }) => (numerator * common) / denominator)
  return weights.some((weight) => weight > 0n) ? weights : undefined
}

/** First leg by which an address paid an asset: where a gap of a conversion is shown. */
export function firstPaid(
  graph: Graph,
  transaction: number,
  { address, gives }: { readonly address: number; readonly gives: number },
): number {
  const { start, end } = graph.legs(transaction)
  for (let leg = start; leg < end; leg++) {
    const from = graph.from(leg)
    if (from < 0 || graph.kind(leg) === 'fee' || assetOf(graph, leg) !== gives) continue
    if (graph.addressOf(from) === address && graph.amount(leg) > 0n) return leg
  }
  return start
}
