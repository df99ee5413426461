import type { Graph } from '../graph/graph.ts'
import type { ChainId } from '../ledger/chain.ts'
import { KnownError } from '../ledger/errors.ts'
import type { TransferId } from '../ledger/transfer.ts'

/**
 * Numbers of transfers, ascending, each once.
 *
 * @throws KnownError `seed.not-found`
 */
export function findSeeds(graph: Graph, ids: readonly TransferId[]): number[] {
  const found = ids.map((id) => {
    const transfer = graph.find(id)
    if (transfer >= 0) return transfer
    throw new KnownError('seed.not-found', `the store has no transfer ${id}`, {
      facts: { seed: id },
      hint: 'Import or ingest it first; `jejak check` says what the store holds.',
    })
  })
  if (found.length === 0) {
    throw new KnownError('seed.not-found', 'at least one seed is needed', {
      hint: 'Name a transfer with --seed or an address with --seed-address.',
    })
  }
  return [...new Set(found)].sort((a, b) => a - b)
}

/**
 * A seed that has not happened yet at the as-of block would be money without an outcome.
 *
 * @throws KnownError `seed.not-found`
 */
export function refuseLaterSeeds(
  graph: Graph,
  seeds: readonly number[],
  asOf: ReadonlyMap<ChainId, number>,
): void {
  for (const seed of seeds) {
    const { id, block, chain } = graph.transfer(seed)
    const last = asOf.get(chain)
    if (last === undefined || block <= last) continue
    throw new KnownError(
      'seed.not-found',
      `the seed ${id} is in block ${block}, beyond the as-of block ${last}`,
      {
        facts: { seed: id, block, asOf: last },
        hint: 'Choose a later as-of block, or leave the seed out.',
      },
    )
  }
}

/**
 * The one asset of all seeds.
 *
 * @throws KnownError `seed.mixed-assets`, `seed.worthless`
 */
export function seedAssetOf(graph: Graph, seeds: readonly number[]): number {
  const assets = new Map<number, number>()
  for (const seed of seeds) {
    const holding = graph.from(seed) >= 0 ? graph.from(seed) : graph.to(seed)
    const { id } = graph.transfer(seed)
    if (holding < 0 || graph.amount(seed) === 0n || graph.from(seed) === graph.to(seed)) {
      throw new KnownError('seed.worthless', `the seed ${id} moves nothing`, {
        facts: { seed: id },
        hint: 'A seed is a positive transfer between two addresses: not a zero amount, not one to itself.',
      })
    }
    assets.set(graph.assetOf(holding), seed)
  }
  if (assets.size > 1) {
    const names = [...assets.keys()].map((asset) => graph.assets[asset]).join(', ')
    throw new KnownError('seed.mixed-assets', `the seeds are of ${assets.size} assets: ${names}`, {
      facts: { assets: names },
      hint: 'Amounts of two assets are never added: trace each asset on its own, or choose one with --asset.',
    })
  }
  return assets.keys().next().value ?? -1
}
