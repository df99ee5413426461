import type { AssetId } from './asset.ts'
import type { ChainId } from './chain.ts'

interface KnownChain {
  readonly chain: string
  /** Names by which label files and explorers call it. */
  readonly names: readonly string[]
  /** SLIP-44 number of its native coin. */
  readonly slip44: number
  readonly symbol: string
  /** Blocks under the head that may still be replaced, taken where a node does not say what is final. */
  readonly finality: number
  /** A rollup whose transactions also pay for the layer below. */
  readonly layerBelow?: true
}

const chains: readonly KnownChain[] = [
  {
    chain: 'eip155:1',
    names: ['ethereum', 'eth', 'mainnet'],
    slip44: 60,
    symbol: 'ETH',
    finality: 65,
  },
  {
    chain: 'eip155:56',
    names: ['bsc', 'bnb', 'binance'],
    slip44: 714,
    symbol: 'BNB',
    finality: 20,
  },
  { chain: 'eip155:137', names: ['polygon', 'matic'], slip44: 966, symbol: 'POL', finality: 200 },
  {
    chain: 'eip155:42161',
    names: ['arbitrum', 'arbitrum-one', 'arb'],
    slip44: 60,
    symbol: 'ETH',
    finality: 240,
  },
  {
    chain: 'eip155:10',
    names: ['optimism', 'op'],
    slip44: 60,
    symbol: 'ETH',
    finality: 300,
    layerBelow: true,
  },
  {
    chain: 'eip155:8453',
    names: ['base'],
    slip44: 60,
    symbol: 'ETH',
    finality: 300,
    layerBelow: true,
  },
  {
    chain: 'eip155:43114',
    names: ['avalanche', 'avax', 'avalanche-c'],
    slip44: 9005,
    symbol: 'AVAX',
    finality: 12,
  },
  { chain: 'eip155:42220', names: ['celo'], slip44: 52752, symbol: 'CELO', finality: 30 },
  { chain: 'eip155:100', names: ['gnosis', 'xdai'], slip44: 700, symbol: 'xDAI', finality: 30 },
  { chain: 'eip155:250', names: ['fantom', 'ftm'], slip44: 1007, symbol: 'FTM', finality: 30 },
  { chain: 'eip155:59144', names: ['linea'], slip44: 60, symbol: 'ETH', finality: 240 },
  {
    chain: 'eip155:61',
    names: ['etc', 'ethereum-classic'],
    slip44: 61,
    symbol: 'ETC',
    finality: 5000,
  },
]

const byChain = new Map(chains.map((known) => [known.chain, known]))
const byName = new Map(chains.flatMap((known) => known.names.map((name) => [name, known.chain])))

/** The native coin of an EVM chain; of a chain that is not listed, SLIP-44's number for ether stands in. */
export function nativeAsset(chain: ChainId): AssetId {
  return `${chain}/slip44:${byChain.get(chain)?.slip44 ?? 60}` as AssetId
}

/** Symbol of a chain's native coin, for tables. All native coins of EVM chains have 18 decimals. */
export function nativeSymbol(chain: ChainId): string {
  return byChain.get(chain)?.symbol ?? 'native'
}

/** True for the chains of the shipped table. */
export function isShippedChain(chain: ChainId): boolean {
  return byChain.has(chain)
}

/** The shipped table, for readers. */
export function shippedChains(): readonly {
  readonly chain: ChainId
  readonly name: string
  readonly symbol: string
  readonly finality: number
}[] {
  return chains.map(({ chain, names, symbol, finality }) => ({
    chain: chain as ChainId,
    name: names[0] ?? chain,
    symbol,
    finality,
  }))
}

/** Blocks under the head that may still be replaced, taken where a source does not say what is final. */
export function finalityDepth(chain: ChainId): number {
  return byChain.get(chain)?.finality ?? 64
}

/** True for rollups whose transactions pay a fee for the layer below that their gas does not tell. */
export function hasLayerBelow(chain: ChainId): boolean {
  return byChain.get(chain)?.layerBelow ?? false
}

/** A chain by CAIP-2 id or by the name that label files give it; undefined when neither is known. */
export function chainByName(name: string): ChainId | undefined {
  const text = name.trim()
  if (/^[-a-z0-9]{3,8}:[-_a-zA-Z0-9]{1,32}$/.test(text)) return text as ChainId
  return byName.get(text.toLowerCase()) as ChainId | undefined
}
