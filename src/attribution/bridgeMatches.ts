import { createHash } from 'node:crypto'
import type { BridgeMatch } from '../ledger/bridgeMatch.ts'
import type { ChainId } from '../ledger/chain.ts'
import { compareText } from '../ledger/order.ts'

/** Proven bridgings by their transactions. */
export interface BridgeRegistry {
  leaving(chain: ChainId, tx: string): readonly BridgeMatch[]
  arriving(chain: ChainId, tx: string): readonly BridgeMatch[]
  readonly digest: string
}

/**
 * Matches whose message and legs are claimed once. What is claimed twice proves nothing, so none of it is served:
 * import refuses it, and here it could come only from two imports at the same moment.
 */
export function createBridgeRegistry(matches: readonly BridgeMatch[]): BridgeRegistry {
  const claims = new Map<string, number>()
  for (const match of matches)
    for (const claim of claimsOf(match)) claims.set(claim, (claims.get(claim) ?? 0) + 1)
  const leaving = new Map<string, BridgeMatch[]>()
  const arriving = new Map<string, BridgeMatch[]>()
  const usable = matches
    .filter((match) => claimsOf(match).every((claim) => claims.get(claim) === 1))
    .toSorted((a, b) => compareText(a.message, b.message))
  for (const match of usable) {
    add(leaving, `${match.fromChain} ${match.fromTx}`, match)
    add(arriving, `${match.toChain} ${match.toTx}`, match)
  }
  return {
    leaving: (chain, tx) => leaving.get(`${chain} ${tx}`) ?? [],
    arriving: (chain, tx) => arriving.get(`${chain} ${tx}`) ?? [],
    digest: digestOf(usable),
  }
}

/** What no two matches may have in common: a message, the leg that leaves, the leg that arrives. */
export function claimsOf(match: BridgeMatch): readonly [string, string, string] {
  const { fromChain, fromTx, fromAsset, fromAmount } = match
  const { toChain, toTx, toAsset, toAmount, receiver } = match
  return [
    `message ${match.message}`,
    `from ${fromChain} ${fromTx} ${fromAsset} ${fromAmount}`,
    `to ${toChain} ${toTx} ${toAsset} ${toAmount} ${receiver}`,
  ]
}

function add(index: Map<string, BridgeMatch[]>, key: string, match: BridgeMatch): void {
  const known = index.get(key)
  if (known) known.push(match)
  else index.set(key, [match])
}

function digestOf(matches: readonly BridgeMatch[]): string {
  const hash = createHash('sha256')
  for (const match of matches) hash.update(`${JSON.stringify(claimsOf(match))}\n`)
  return hash.digest('hex')
}
