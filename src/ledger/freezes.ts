import { createHash } from 'node:crypto'
import type { Account } from './account.ts'
import type { AssetId } from './asset.ts'
import { compareText } from './order.ts'

/** What an issuer did to what an account holds of its token. */
export interface FreezeEvent {
  readonly asset: AssetId
  readonly account: Account
  readonly change: 'frozen' | 'released' | 'destroyed'
  readonly block: number
  readonly tx: string
  /** Log index. */
  readonly position: number
}

/** Everything that the issuers of some tokens did in some blocks, both included, as it was read last. */
export interface FreezeReading {
  readonly assets: readonly AssetId[]
  readonly fromBlock: number
  readonly toBlock: number
  readonly events: readonly FreezeEvent[]
}

/** What is frozen where, as far as issuers' events were read. */
export interface Freezes {
  /** Takes the place of what was read of these tokens in these blocks before: they may be on another chain now. */
  add(reading: FreezeReading): void
  /** The event by which the account's holding is frozen after a block; undefined where none says so. */
  frozenBy(account: Account, asset: AssetId, throughBlock: number): FreezeEvent | undefined
  /** In order of asset, block and log. */
  within(reading: Omit<FreezeReading, 'events'>): readonly FreezeEvent[]
  /** The same for the same events, however they came; empty without any. */
  digest(): string
}

/**
 * Cost: of a question, the events of one account and asset, which are few; of a digest, all events, once after each
 * change.
 */
export function createFreezes(): Freezes {
  const byAsset = new Map<AssetId, FreezeEvent[]>()
  let byHolding: Map<string, FreezeEvent[]> | undefined
  let digest: string | undefined

  function holdings(): Map<string, FreezeEvent[]> {
    byHolding ??= Map.groupBy(
      [...byAsset.values()].flat(),
      ({ account, asset }) => `${account} ${asset}`,
    )
    return byHolding
  }

  return {
    add({ assets, fromBlock, toBlock, events }) {
      for (const asset of assets) {
        const rest = (byAsset.get(asset) ?? []).filter(
          ({ block }) => block < fromBlock || block > toBlock,
        )
        const fresh = events.filter((event) => event.asset === asset)
        byAsset.set(asset, [...rest, ...fresh].sort(inOrder))
      }
      byHolding = undefined
      digest = undefined
    },
    frozenBy(account, asset, throughBlock) {
      const events = holdings().get(`${account} ${asset}`) ?? []
      const last = events.findLast(({ block }) => block <= throughBlock)
      if (last === undefined || last.change === 'released') return undefined
      // What was destroyed stays frozen; who froze it said so before.
      return events.findLast(({ block, change }) => block <= throughBlock && change === 'frozen')
    },
    within: ({ assets, fromBlock, toBlock }) =>
      [...assets]
        .sort(compareText)
        .flatMap((asset) => byAsset.get(asset) ?? [])
        .filter(({ block }) => block >= fromBlock && block <= toBlock),
    digest() {
      digest ??= digestOf(byAsset)
      return digest
    },
  }
}

/** The part of a reading up to a block, where the rest of the range is read later. */
export function freezesThrough(reading: FreezeReading, through: number): FreezeReading {
  const events = reading.events.filter(({ block }) => block <= through)
  return { ...reading, toBlock: Math.min(reading.toBlock, through), events }
}

function inOrder(a: FreezeEvent, b: FreezeEvent): number {
  return a.block - b.block || a.position - b.position || compareText(a.tx, b.tx)
}

function digestOf(byAsset: ReadonlyMap<AssetId, readonly FreezeEvent[]>): string {
  const lines = [...byAsset]
    .sort(([a], [b]) => compareText(a, b))
    .flatMap(([, events]) => events)
    .map(({ asset, account, change, block, tx, position }) =>
      JSON.stringify([asset, account, change, block, tx, position]),
    )
  return lines.length === 0 ? '' : createHash('sha256').update(lines.join('\n')).digest('hex')
}
