import type { Graph } from '../graph/graph.ts'
import type { Account } from '../ledger/account.ts'
import type { AssetId } from '../ledger/asset.ts'
import { compareText } from '../ledger/order.ts'
import type { Rational } from './conversionKnowledge.ts'
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
  isConverting(holding: number): boolean
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
 *
 * @param given.backward - an analyst names what the money was before, else what it became.
 */
export function conversionsIn(
  graph: Graph,
  transaction: number,
  given: {
    readonly rules: ExchangeRules
    readonly isStop: (address: number, time: number) => boolean
    readonly resolutions: readonly Resolution[]
    readonly backward: boolean
  },
): TransactionConversions {
  const { pairs } = exchangesIn(graph, transaction, given.rules)
  if (pairs.size === 0) return none
  const { time } = graph.block(graph.blockOf(transaction))
  const open = [...pairs.values()].flat().filter(({ address }) => !given.isStop(address, time))
  if (open.length === 0) return none
  const chosen = chosenBy(graph, transaction, open, given)
  const contested = contestedGets(chosen)
  const byGiver = new Map<number, Exchanging>()
  const holdings = new Set<number>()
  for (const address of new Set(chosen.map((pair) => pair.address))) {
    const own = chosen.filter((pair) => pair.address === address)
    const isResolved = own.length < open.filter((pair) => pair.address === address).length
    byGiver.set(address, decide(graph, own, { ...given, contested, isResolved, time }))
    for (const { gives, recipient, gets } of own) {
      holdings.add(graph.holding(address, gives))
      holdings.add(graph.holding(recipient, gets))
    }
  }
  return { byGiver, isConverting: (holding) => holdings.has(holding) }
}

/** What an analyst names must be a candidate; where she names one, the others of that account are out. */
function chosenBy(
  graph: Graph,
  transaction: number,
  pairs: readonly Pair[],
  given: { readonly resolutions: readonly Resolution[]; readonly backward: boolean },
): readonly Pair[] {
  if (given.resolutions.length === 0) return pairs
  const { tx } = graph.transfer(graph.legs(transaction).start)
  const wanted = new Map(
    given.resolutions
      .filter((resolution) => resolution.tx === tx)
      .map(({ account, asset }) => [graph.address(account), graph.asset(asset)]),
  )
  const at = (pair: Pair): number => (given.backward ? pair.recipient : pair.address)
  const isNamed = (pair: Pair): boolean =>
    wanted.get(at(pair)) === (given.backward ? pair.gives : pair.gets)
  const decided = new Set(pairs.filter(isNamed).map(at))
  return pairs.filter((pair) => isNamed(pair) || !decided.has(at(pair)))
}

/** What a recipient got can be the proceeds of one giver only. */
function contestedGets(pairs: readonly Pair[]): ReadonlySet<string> {
  const givers = new Map<string, Set<number>>()
  for (const { address, recipient, gets } of pairs) {
    const key = `${recipient} ${gets}`
    givers.set(key, (givers.get(key) ?? new Set<number>()).add(address))
  }
  return new Set([...givers].filter(([, of]) => of.size > 1).map(([key]) => key))
}

function decide(
  graph: Graph,
  pairs: readonly Pair[],
  given: {
    readonly rules: ExchangeRules
    readonly contested: ReadonlySet<string>
    readonly isResolved: boolean
    readonly time: number
  },
): Exchanging {
  const isContested = pairs.some(({ recipient, gets }) =>
    given.contested.has(`${recipient} ${gets}`),
  )
  if (isContested) return { conversions: [], candidates: pairs }
  const [only] = pairs
  if (only && pairs.length === 1) {
    const rule = given.isResolved ? 'resolved' : only.rule
    return { conversions: [{ ...only, rule }], candidates: [] }
  }
  const split = splitByValue(graph, pairs, given)
  return split ? { conversions: split, candidates: [] } : { conversions: [], candidates: pairs }
}

/** One asset for several: the one is divided by what each of the several was worth, in order of their names. */
function splitByValue(
  graph: Graph,
  pairs: readonly Pair[],
  given: { readonly rules: ExchangeRules; readonly time: number },
): readonly Conversion[] | undefined {
  if (pairs.some(({ address, recipient }) => address !== recipient)) return undefined
  const isOneGiven = new Set(pairs.map(({ gives }) => gives)).size === 1
  if (!isOneGiven && new Set(pairs.map(({ gets }) => gets)).size > 1) return undefined
  const name = (asset: number): string => graph.assets[asset] ?? ''
  const several = ({ gives, gets }: Pair): number => (isOneGiven ? gets : gives)
  const sorted = pairs.toSorted((a, b) => compareText(name(several(a)), name(several(b))))
  const [first] = sorted
  if (!first) return undefined
  const weights = weightsOf(
    sorted.map((pair) => {
      const asset = graph.assets[several(pair)]
      const amount = isOneGiven ? pair.getsAmount : pair.givesAmount
      return asset === undefined
        ? undefined
        : given.rules.knowledge.value(asset, amount, given.time)
    }),
  )
  if (!weights) return undefined
  const parts = divided(isOneGiven ? first.givesAmount : first.getsAmount, weights)
  if (parts.some((part) => part === 0n)) return undefined
  return sorted.map((pair, i) => ({
    ...pair,
    ...(isOneGiven ? { givesAmount: parts[i] ?? 0n } : { getsAmount: parts[i] ?? 0n }),
    rule: 'split',
  }))
}

/** Whole units in proportion to weights, by running sums: they add up to the amount. */
function divided(amount: bigint, weights: readonly bigint[]): readonly bigint[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0n)
  let running = 0n
  return weights.map((weight) => {
    const before = (amount * running) / total
    running += weight
    return (amount * running) / total - before
  })
}

/** Values brought to one denominator; undefined where one is unknown or all are nothing. */
function weightsOf(values: readonly (Rational | undefined)[]): readonly bigint[] | undefined {
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
    if (graph.addressOf(from) !== address || graph.to(leg) === from) continue
    if (graph.amount(leg) > 0n) return leg
  }
  return start
}
