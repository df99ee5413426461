/**
 * Which exchanges of a transaction are believed (design 8.2). An address that went down in X and up in Y has exchanged
 * them only if trusted pools stood between, or a dated price set finds the two worth the same; else paying 100 stolen
 * coins and getting one wei of another back would wash them.
 *
 * Where the design is silent: a pool counts by its own net change of each asset in the transaction, `took` is the sum of
 * what such pools gained of X, `paid` of what they lost of Y. Backward traces judge the same real ledger.
 */
import type { Graph } from '../graph/graph.ts'
import type { Account } from '../ledger/account.ts'
import type { AssetId } from '../ledger/asset.ts'
import type { ConversionKnowledge, Rational } from './conversionKnowledge.ts'
import { type Net, netChanges, type WrappedCoin } from './netChanges.ts'

/** X down at one address and Y up there, or, by a pool's record, at its recipient. */
export interface Pair {
  readonly address: number
  readonly recipient: number
  readonly gives: number
  readonly gets: number
  /** Net changes, both positive. */
  readonly givesAmount: bigint
  readonly getsAmount: bigint
  readonly rule: 'wrap' | 'pool' | 'price' | 'record'
}

export interface Exchanges {
  readonly nets: ReadonlyMap<number, Net>
  /** Credible pairs by the address that gives; in order of assets given and got. */
  readonly pairs: ReadonlyMap<number, readonly Pair[]>
}

export interface ExchangeRules {
  /** Value-carrying assets, by number. */
  readonly counts: readonly boolean[]
  /** By number of the wrapped asset. */
  readonly wrappers: ReadonlyMap<number, WrappedCoin>
  /** Addresses of all trusted wrapped coins, also of those that the ledger has no row of. */
  readonly wrapperContracts: ReadonlySet<number>
  /** True for accounts whose tag makes them a trusted pool, or a custody contract, at a time in seconds. */
  readonly isTaggedPool: (address: number, time: number) => boolean
  readonly isCustody: (address: number, time: number) => boolean
  readonly knowledge: ConversionKnowledge
}

const nothing: Exchanges = { nets: new Map(), pairs: new Map() }

export function exchangesIn(graph: Graph, transaction: number, rules: ExchangeRules): Exchanges {
  const nets = netChanges(graph, transaction, rules)
  if (!nets) return nothing
  const { time } = graph.block(graph.blockOf(transaction))
  const pools = poolFlows(graph, nets, { rules, time })
  const judge: Judge = { graph, rules, time, pools, custody: custodyOf(nets, rules, time) }
  const pairs = new Map<number, Pair[]>()
  for (const [address, net] of nets) {
    const found = pairsOf(judge, address, net)
    if (found.length > 0) pairs.set(address, found)
  }
  for (const pair of recordedPairs(judge, transaction, nets))
    pairs.set(pair.address, [...(pairs.get(pair.address) ?? []), pair])
  return { nets, pairs }
}

/**
 * True when an address went up in one asset and down in another by no credible exchange of its own: what a pool or a
 * router that keeps stock does.
 */
export function exchangesForOthers({ nets, pairs }: Exchanges, address: number): boolean {
  const net = nets.get(address)
  if (!net || pairs.has(address)) return false
  const amounts = [...net.values()]
  return amounts.some((amount) => amount > 0n) && amounts.some((amount) => amount < 0n)
}

interface PoolFlows {
  readonly addresses: ReadonlySet<number>
  readonly took: ReadonlyMap<number, bigint>
  readonly paid: ReadonlyMap<number, bigint>
}

interface Judge {
  readonly graph: Graph
  readonly rules: ExchangeRules
  readonly time: number
  readonly pools: PoolFlows
  /** Assets that a custody contract took: those were deposited, not exchanged. */
  readonly custody: ReadonlySet<number>
}

function poolFlows(
  graph: Graph,
  nets: ReadonlyMap<number, Net>,
  given: { readonly rules: ExchangeRules; readonly time: number },
): PoolFlows {
  const addresses = new Set<number>()
  const took = new Map<number, bigint>()
  const paid = new Map<number, bigint>()
  for (const [address, net] of nets) {
    if (!isTrustedPool(graph, { ...given, address, net })) continue
    addresses.add(address)
    for (const [asset, amount] of net) {
      if (amount > 0n) took.set(asset, (took.get(asset) ?? 0n) + amount)
      else paid.set(asset, (paid.get(asset) ?? 0n) - amount)
    }
  }
  return { addresses, took, paid }
}

/** Tagged so by a source that may set stops, a wrapped coin's contract, or made by a listed factory. */
function isTrustedPool(
  graph: Graph,
  given: {
    readonly address: number
    readonly net: Net
    readonly rules: ExchangeRules
    readonly time: number
  },
): boolean {
  const { address, net, rules, time } = given
  if (rules.wrapperContracts.has(address)) return true
  if (rules.isTaggedPool(address, time)) return true
  if (rules.knowledge.isKnownPool(graph.account(address))) return true
  if (net.size !== 2) return false
  const [first, second] = [...net.keys()].map((asset) => graph.assets[asset] as AssetId)
  return (
    first !== undefined &&
    second !== undefined &&
    rules.knowledge.isPool(graph.account(address), first, second)
  )
}

function custodyOf(
  nets: ReadonlyMap<number, Net>,
  rules: ExchangeRules,
  time: number,
): ReadonlySet<number> {
  const assets = new Set<number>()
  for (const [address, net] of nets) {
    if (!rules.isCustody(address, time)) continue
    for (const [asset, amount] of net) if (amount > 0n) assets.add(asset)
  }
  return assets
}

function pairsOf(judge: Judge, address: number, net: Net): Pair[] {
  const pairs: Pair[] = []
  for (const [gives, lost] of byAsset(net)) {
    if (lost > 0n) continue
    for (const [gets, gained] of byAsset(net)) {
      if (gained < 0n) continue
      const exchanged = { gives, gets, givesAmount: -lost, getsAmount: gained }
      const rule = ruleOf(judge, exchanged)
      if (rule) pairs.push({ address, recipient: address, ...exchanged, rule })
    }
  }
  return pairs
}

const byAsset = (net: Net): readonly (readonly [number, bigint])[] =>
  [...net].sort(([a], [b]) => a - b)

type Exchanged = Pick<Pair, 'gives' | 'gets' | 'givesAmount' | 'getsAmount'>

function ruleOf(judge: Judge, exchanged: Exchanged): Pair['rule'] | undefined {
  if (isWrap(judge.rules, exchanged)) return 'wrap'
  if (byPools(judge.pools, exchanged)) return 'pool'
  return byPrice(judge, exchanged) ? 'price' : undefined
}

function isWrap(
  rules: ExchangeRules,
  { gives, gets, givesAmount, getsAmount }: Exchanged,
): boolean {
  if (givesAmount !== getsAmount) return false
  return rules.wrappers.get(gives)?.native === gets || rules.wrappers.get(gets)?.native === gives
}

/**
 * Pools took at least 90 % of the X, paid at least 90 % of the Y, and the share of their Y that came is at least 90 %
 * of the share that the X had of what they took.
 */
function byPools({ took, paid }: PoolFlows, exchanged: Exchanged): boolean {
  const { givesAmount, getsAmount } = exchanged
  const tookX = took.get(exchanged.gives) ?? 0n
  const paidY = paid.get(exchanged.gets) ?? 0n
  return (
    10n * tookX >= 9n * givesAmount &&
    10n * getsAmount * tookX >= 9n * givesAmount * paidY &&
    10n * paidY >= 9n * getsAmount
  )
}

/** Worth the same within a tenth of the larger. What a custody contract took was deposited there. */
function byPrice(judge: Judge, exchanged: Exchanged): boolean {
  if (judge.custody.has(exchanged.gives)) return false
  const given = worthOf(judge, exchanged.gives, exchanged.givesAmount)
  const got = worthOf(judge, exchanged.gets, exchanged.getsAmount)
  if (!given || !got) return false
  const a = given.numerator * got.denominator
  const b = got.numerator * given.denominator
  const [larger, smaller] = a > b ? [a, b] : [b, a]
  return larger > 0n && (larger - smaller) * 10n <= larger
}

function worthOf(judge: Judge, asset: number, amount: bigint): Rational | undefined {
  const name = judge.graph.assets[asset]
  return name === undefined ? undefined : judge.rules.knowledge.value(name, amount, judge.time)
}

/** Where a trusted pool's event names another recipient than who paid. */
function recordedPairs(
  judge: Judge,
  transaction: number,
  nets: ReadonlyMap<number, Net>,
): readonly Pair[] {
  const { graph, rules, pools } = judge
  const { chain, tx } = graph.transfer(graph.legs(transaction).start)
  const records = rules.knowledge.recordsOf(chain, tx)
  const recipients = new Map<number, readonly (AssetId | undefined)[]>()
  for (const { pool, recipient, gets } of records) {
    const found = graph.address(recipient as Account)
    const isPool = pools.addresses.has(graph.address(pool as Account))
    if (isPool && found >= 0 && !pools.addresses.has(found))
      recipients.set(found, [...(recipients.get(found) ?? []), gets])
  }
  const pairs: Pair[] = []
  for (const [recipient, told] of [...recipients].sort(([a], [b]) => a - b)) {
    const got = [...(nets.get(recipient) ?? [])].filter(
      ([asset]) => told.includes(undefined) || told.includes(graph.assets[asset]),
    )
    for (const [address, net] of nets) {
      if (address === recipient || pools.addresses.has(address)) continue
      pairs.push(...pairsBetween(judge, { address, net }, { recipient, got: new Map(got) }))
    }
  }
  return pairs
}

function pairsBetween(
  judge: Judge,
  { address, net }: { readonly address: number; readonly net: Net },
  { recipient, got }: { readonly recipient: number; readonly got: Net },
): Pair[] {
  const pairs: Pair[] = []
  for (const [gives, lost] of byAsset(net)) {
    for (const [gets, gained] of byAsset(got)) {
      if (lost > 0n || gained < 0n || gives === gets) continue
      const exchanged = { gives, gets, givesAmount: -lost, getsAmount: gained }
      if (byPools(judge.pools, exchanged))
        pairs.push({ address, recipient, ...exchanged, rule: 'record' })
    }
  }
  return pairs
}
