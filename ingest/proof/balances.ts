import { type Account, accountChain, accountReference } from '../../src/ledger/account.ts'
import { type AssetId, parseAsset, tokenContract } from '../../src/ledger/asset.ts'
import { type BlockInterval, gapsIn, joinIntervals } from '../../src/ledger/coverage.ts'
import { KnownError } from '../../src/ledger/errors.ts'
import { knownTokens } from '../../src/ledger/knownTokens.ts'
import { nativeAsset } from '../../src/ledger/nativeCoins.ts'
import type { Kind, Transfer } from '../../src/ledger/transfer.ts'
import { dispute, settleDisputes } from '../../src/store/proofs.ts'
import type { Store } from '../../src/store/store.ts'
import type { RpcNode } from '../rpc/node.ts'
import { quantity } from '../rpc/values.ts'
import { storedTransfers } from './storedTransfers.ts'

/** What an asset of an account did in an interval, by the stored transfers and by the chain. */
export interface BalanceCheck {
  readonly asset: AssetId
  readonly fromBlock: number
  readonly toBlock: number
  /** The chain's change less the stored one, base units; null where the node has no archive to tell it. */
  readonly difference: bigint | null
}

export interface BalancesToCheck {
  readonly store: Store
  readonly account: Account
  readonly node: Pick<RpcNode, 'call' | 'name'>
  /**
   * Tokens to check in any case, besides those that are known to carry value and were moved: anybody can deploy one that
   * lies about balances.
   */
  readonly tokens?: ReadonlySet<AssetId>
  /** False where calls inside transactions are not read: the coin's balance would never add up. Default true. */
  readonly checksCoin?: boolean
}

/** By what a native coin comes and goes. Rewards are told by no source yet: a miner's balance differs. */
const nativeKinds: readonly Kind[] = ['fee', 'native', 'internal', 'withdrawal', 'reward']

/** Known tokens whose balances change without a Transfer: that is told, and says nothing against the claims. */
const rebasing: ReadonlySet<AssetId> = new Set([
  parseAsset('eip155:1/erc20:0xae7ab96520DE3A18E5e111B5EaAb095312D7fE84'),
])

/** Watches the balances of an account over what one reading brings, without looking into the store. */
export interface BalanceWatch {
  /** What was added so far, touching ranges joined. */
  readonly intervals: readonly BlockInterval[]
  /** What a range brought; a range that does not follow the one before begins a new interval. */
  add(range: BlockInterval, transfers: readonly Transfer[]): void
  /** Compares what was added; as {@link checkBalances}. A node that does not answer leaves it unchecked. */
  close(): Promise<readonly BalanceCheck[]>
}

export function watchBalances(given: BalancesToCheck): BalanceWatch {
  const coin = nativeAsset(accountChain(given.account))
  const intervals: { whole: BlockInterval; transfers: Transfer[] }[] = []
  const isOwn = ({ from, to, asset }: Transfer): boolean =>
    (from === given.account || to === given.account) &&
    (asset === coin || knownTokens.has(asset) || given.tokens?.has(asset) === true)
  return {
    get intervals() {
      return intervals.map(({ whole }) => whole)
    },
    add(range, transfers) {
      const last = intervals.at(-1)
      const own = transfers.filter(isOwn)
      if (last?.whole.to === range.from - 1) {
        last.whole = { from: last.whole.from, to: range.to }
        last.transfers.push(...own)
      } else intervals.push({ whole: range, transfers: own })
    },
    async close() {
      const checks: BalanceCheck[] = []
      try {
        for (const { whole, transfers } of intervals) {
          const assets = new Set([
            coin,
            ...transfers.map(({ asset }) => asset),
            ...(given.tokens ?? []),
          ])
          if (given.checksCoin === false) assets.delete(coin)
          for (const asset of assets) {
            const checked = await compare(given, asset, whole, transfers)
            if (checked) checks.push(checked)
          }
        }
      } catch (error) {
        if (!(error instanceof KnownError && error.code.startsWith('rpc.'))) throw error
      }
      return checks
    },
  }
}

/**
 * Compares the stored transfers with the balances at the ends of every interval that is covered for them. A difference is
 * recorded with amount and interval, and lowers the claims of its kinds that are not proven, until a later check finds it
 * gone.
 *
 * Cost: a reading of the account's transfers, and two calls for each asset and interval.
 *
 * @throws KnownError `rpc.unavailable`, `rpc.invalid-answer`, `store.*`
 */
export async function checkBalances(given: BalancesToCheck): Promise<BalanceCheck[]> {
  const { store, account } = given
  const claims = (await store.coverage(new Set([account]))).filter((c) => c.assurance > 0)
  const covered = (kinds: readonly Kind[]): BlockInterval[] =>
    kinds
      .map((kind) =>
        joinIntervals(
          claims
            .filter((claim) => claim.kind === kind)
            .map(({ fromBlock: from, toBlock: to }) => ({ from, to })),
        ),
      )
      .reduce(intersection)
  const coin = nativeAsset(accountChain(account))
  const transfers: Transfer[] = []
  for await (const transfer of storedTransfers(store, account)) transfers.push(transfer)
  const touched = transfers.map(({ asset }) => asset).filter((asset) => knownTokens.has(asset))
  const tokens = new Set([...touched, ...(given.tokens ?? [])])
  const checks: BalanceCheck[] = []
  const check = async (asset: AssetId, intervals: readonly BlockInterval[]): Promise<void> => {
    for (const interval of intervals) {
      const checked = await compare(given, asset, interval, transfers)
      if (checked) checks.push(checked)
    }
  }
  await check(coin, covered(['fee', 'native', 'internal']))
  for (const asset of [...tokens].sort()) await check(asset, covered(['token']))
  return checks
}

function intersection(one: BlockInterval[], other: BlockInterval[]): BlockInterval[] {
  return one.flatMap((whole) => {
    const gaps = gapsIn(whole, other)
    return gapsIn(whole, gaps)
  })
}

/** Undefined where there is nothing to compare: block 0 alone. */
async function compare(
  given: BalancesToCheck,
  asset: AssetId,
  interval: BlockInterval,
  transfers: readonly Transfer[],
): Promise<BalanceCheck | undefined> {
  // The state of block 0 was there before all transfers.
  const before = Math.max(0, interval.from - 1)
  if (before >= interval.to) return undefined
  const at = { asset, fromBlock: before + 1, toBlock: interval.to }
  const opening = await balanceAt(given, asset, before)
  const closing = opening === undefined ? undefined : await balanceAt(given, asset, interval.to)
  if (opening === undefined || closing === undefined) return { ...at, difference: null }
  const changes = {
    chain: closing - opening,
    stored: changeOf(given.account, asset, transfers, at),
  }
  await record(given, at, changes)
  return { ...at, difference: changes.chain - changes.stored }
}

async function record(
  { store, account, node }: BalancesToCheck,
  { asset, fromBlock, toBlock }: Omit<BalanceCheck, 'difference'>,
  changes: { readonly chain: bigint; readonly stored: bigint },
): Promise<void> {
  await settleDisputes(
    store,
    account,
    (known) =>
      known.what === 'balance' &&
      known.asset === asset &&
      known.fromBlock >= fromBlock &&
      known.toBlock <= toBlock,
  )
  const { chain, stored } = changes
  if (chain === stored) return
  await dispute(store, {
    account,
    kinds: disputedKinds(asset, account),
    fromBlock,
    toBlock,
    what: 'balance',
    asset,
    amount: (chain - stored).toString(),
    text: `in blocks ${fromBlock}-${toBlock} the balance of ${asset} changed by ${chain}, the stored transfers by ${stored}: ${chain - stored} is not explained`,
    endpoints: [node.name],
    at: new Date().toISOString(),
  })
}

function disputedKinds(asset: AssetId, account: Account): readonly Kind[] {
  if (isCoin(asset, account)) return nativeKinds
  return rebasing.has(asset) ? [] : ['token']
}

function isCoin(asset: AssetId, account: Account): boolean {
  return asset === nativeAsset(accountChain(account))
}

function changeOf(
  account: Account,
  asset: AssetId,
  transfers: readonly Transfer[],
  { fromBlock, toBlock }: { readonly fromBlock: number; readonly toBlock: number },
): bigint {
  let change = 0n
  for (const transfer of transfers) {
    if (transfer.asset !== asset || transfer.block < fromBlock || transfer.block > toBlock) continue
    if (transfer.to === account) change += transfer.amount
    if (transfer.from === account) change -= transfer.amount
  }
  return change
}

/** Undefined where the node has no state of that block. */
async function balanceAt(
  { node, account }: BalancesToCheck,
  asset: AssetId,
  block: number,
): Promise<bigint | undefined> {
  const address = accountReference(account)
  const at = `0x${block.toString(16)}`
  try {
    if (isCoin(asset, account))
      return quantity(await node.call('eth_getBalance', [address, at]), 'a balance')
    const to = tokenContract(asset)
    const data = `0x70a08231${address.slice(2).padStart(64, '0')}`
    const answer = await node.call('eth_call', [{ to, data }, at])
    // A contract that is not there yet holds nothing.
    if (answer === '0x') return 0n
    return quantity(String(answer).slice(0, 66), 'a token balance')
  } catch (error) {
    if (error instanceof KnownError && error.code === 'rpc.refused') return undefined
    throw error
  }
}
