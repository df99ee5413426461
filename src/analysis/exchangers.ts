import type { Graph } from '../graph/graph.ts'
import type { Account } from '../ledger/account.ts'
import type { AssetId } from '../ledger/asset.ts'
import { type ExchangeRules, exchangesForOthers, exchangesIn } from './crediblePairs.ts'

/** Assets without value that are looked at per address, the most moved first. */
const mostUsed = 4

/**
 * Contracts that keep stock and exchange it: pools and routers nobody has named. An address with code that, by no
 * credible exchange of its own, goes up in one asset and down in another, in any transaction up to the as-of block, is
 * one from its first transfer on. Safes and other contract wallets that swap are not.
 *
 * Cost: once per address, its history in all value-carrying assets but the largest; addresses of one asset cost nothing.
 */
export function createExchangers(
  graph: Graph,
  rules: ExchangeRules,
  isBeyond: (transaction: number) => boolean,
): (address: number) => boolean {
  const known = new Map<number, boolean>()
  const contracts = tokenContracts(graph)

  function judge(address: number): boolean {
    const holdings = valueHoldings(graph, rules, address)
    if (isListedPool(address, holdings)) return true
    if (holdings.length < 2 || !hasCode(address)) return false
    return suspects(graph, holdings).some(
      (transaction) =>
        !isBeyond(transaction) &&
        exchangesForOthers(exchangesIn(graph, transaction, rules), address),
    )
  }

  /**
   * Made by a listed factory for two of the assets that it holds. What a pool sells may carry no value itself: it is
   * then among what the address moved most, and whoever sends it anything else cannot make that many.
   */
  function isListedPool(address: number, holdings: readonly number[]): boolean {
    const account = graph.account(address)
    const { start, end } = graph.holdingsOf(address)
    const all = Array.from({ length: end - start }, (_, i) => start + i)
    const busiest = all
      .map((holding) => ({ holding, events: graph.events(holding).length }))
      .sort((a, b) => b.events - a.events)
      .slice(0, mostUsed)
      .map(({ holding }) => holding)
    const name = (holding: number): AssetId => graph.assets[graph.assetOf(holding)] as AssetId
    const mayBe = new Set([...holdings, ...busiest])
    return holdings.some((a) =>
      [...mayBe].some((b) => a !== b && rules.knowledge.isPool(account, name(a), name(b))),
    )
  }

  /** Sent an internal transfer, is the contract of an asset, or is known to have code. */
  function hasCode(address: number): boolean {
    if (contracts.has(address) || rules.knowledge.hasCode(graph.account(address))) return true
    const { start, end } = graph.holdingsOf(address)
    for (let holding = start; holding < end; holding++) {
      for (const transfer of graph.events(holding))
        if (graph.from(transfer) === holding && graph.kind(transfer) === 'internal') return true
    }
    return false
  }

  return (address) => {
    const found = known.get(address) ?? judge(address)
    known.set(address, found)
    return found
  }
}

function tokenContracts(graph: Graph): ReadonlySet<number> {
  const contracts = graph.assets
    .filter((asset) => asset.includes('/erc20:'))
    .map((asset) => graph.address(asset.replace('/erc20:', ':') as Account))
  return new Set(contracts.filter((address) => address >= 0))
}

function valueHoldings(graph: Graph, rules: ExchangeRules, address: number): number[] {
  const { start, end } = graph.holdingsOf(address)
  const found: number[] = []
  for (let holding = start; holding < end; holding++)
    if (rules.counts[graph.assetOf(holding)] === true) found.push(holding)
  return found
}

/** Transactions in which more than one asset of the address can have moved: each touches one that is not the largest. */
function suspects(graph: Graph, holdings: readonly number[]): readonly number[] {
  const sizes = holdings.map((holding) => graph.events(holding).length)
  const largest = sizes.indexOf(Math.max(...sizes))
  const found = new Set<number>()
  for (const [i, holding] of holdings.entries()) {
    if (i === largest) continue
    for (const transfer of graph.events(holding)) found.add(graph.transactionOf(transfer))
  }
  return [...found].sort((a, b) => a - b)
}
