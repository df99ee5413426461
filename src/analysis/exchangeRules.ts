import type { Graph } from '../graph/graph.ts'
import type { AssetId } from '../ledger/asset.ts'
import type { ConversionKnowledge } from './conversionKnowledge.ts'
import type { ExchangeRules } from './crediblePairs.ts'
import type { WrappedCoin } from './netChanges.ts'
import { type StopTags, type ValueTokens, wrapperOf } from './stops.ts'

/** Stands for an asset of which the ledger has no row; no asset has this number. */
const unknownAsset = -2

/** By what exchanges of a trace of `seedAsset` are judged, in the numbers of a graph. */
export function exchangeRules(
  graph: Graph,
  context: {
    readonly tags: StopTags
    readonly tokens: ValueTokens
    readonly knowledge: ConversionKnowledge
  },
  seedAsset: AssetId,
): ExchangeRules {
  const { tags, tokens, knowledge } = context
  const wrappers = wrappersOf(graph, tokens)
  const contracts = [...tokens.wrappedOf.keys()].map((name) => graph.address(wrapperOf(name)))
  const outcomeOf = (address: number, time: number) =>
    address < 0 ? undefined : tags.stop(graph.account(address), time)?.outcome
  return {
    counts: graph.assets.map((asset) => tokens.carriesValue(asset, seedAsset) !== undefined),
    wrappers,
    wrapperContracts: new Set([
      ...[...wrappers.values()].map(({ wrapper }) => wrapper),
      ...contracts.filter((address) => address >= 0),
    ]),
    isTaggedPool: (address, time) => outcomeOf(address, time) === 'pool',
    isCustody: (address, time) => outcomeOf(address, time) === 'contract_custody',
    knowledge,
  }
}

/** Trusted wrapped coins of which the ledger has rows, by number. */
function wrappersOf(graph: Graph, tokens: ValueTokens): ReadonlyMap<number, WrappedCoin> {
  const found = new Map<number, WrappedCoin>()
  for (const [wrappedName, nativeName] of tokens.wrappedOf) {
    const wrapped = graph.asset(wrappedName)
    if (wrapped < 0) continue
    const native = graph.asset(nativeName)
    const contract = wrapperOf(wrappedName)
    const known = graph.address(contract)
    const wrapper = known < 0 ? -2 - wrapped : known
    found.set(wrapped, { wrapped, native: native < 0 ? unknownAsset : native, wrapper, contract })
  }
  return found
}
