import { isZero, parseAccount } from '../../src/ledger/account.ts'
import type { ChainId } from '../../src/ledger/chain.ts'
import type { ConversionRecord } from '../../src/ledger/conversionRecord.ts'
import type { Transfer } from '../../src/ledger/transfer.ts'

/** keccak256 of `Swap(address,uint256,uint256,uint256,uint256,address)`: pools of the type of Uniswap V2. */
export const pairSwapTopic = '0xd78ad95fa46c994b6551d0da85fc275fe613ce37657fb8d5e3d130840159d822'

/** keccak256 of `Swap(address,address,int256,int256,uint160,uint128,int24)`: of Uniswap V3. */
export const poolSwapTopic = '0xc42079f94a6350d7e6235f29174924f928cc2ac818eb64fed8004e115fbcca67'

/** The same with two more `uint128`: PancakeSwap V3. */
export const feePoolSwapTopic = '0x19b47279256b2a23a1665c810c8d55a1758940ee09377d4f8d26497a3577dc83'

export interface SwapLog {
  readonly chain: ChainId
  readonly tx: string
  /** Index in the block. */
  readonly position: number
  /** Lower case. */
  readonly contract: string
  readonly topics: readonly string[]
  readonly data: string
}

/**
 * Who got what a pool paid, by the event of its swap; undefined for any other log. The event names amounts and not
 * tokens: which asset was paid is read off what the pool sent to that recipient in the same transaction, if it sent
 * one asset alone, or one alone of that amount. Anybody can emit such an event: whether the contract is a pool is for
 * whoever uses the record to know.
 *
 * @param transfers - the transaction's.
 */
export function paymentOfSwap(
  log: SwapLog,
  transfers: readonly Transfer[],
): ConversionRecord | undefined {
  const paid = paidAmounts(log)
  const [, , to] = log.topics
  if (!paid || to === undefined || !/^0x[0-9a-f]{64}$/.test(to)) return undefined
  const pool = parseAccount(log.contract, log.chain)
  const recipient = parseAccount(`0x${to.slice(-40)}`, log.chain)
  if (isZero(recipient)) return undefined
  const sent = transfers.filter(
    (leg) => leg.kind === 'token' && leg.from === pool && leg.to === recipient && leg.amount > 0n,
  )
  const gets =
    onlyAsset(sent) ??
    onlyAsset(sent.filter(({ amount }) => paid.length === 1 && amount === paid[0]))
  const { chain, tx, position } = log
  return { chain, tx, position, pool, recipient, ...(gets === undefined ? {} : { gets }) }
}

function onlyAsset(legs: readonly Transfer[]): Transfer['asset'] | undefined {
  const [first] = legs
  return legs.every(({ asset }) => asset === first?.asset) ? first?.asset : undefined
}

/** The positive amounts that left the pool; undefined where the log is no swap. */
function paidAmounts({ topics, data }: SwapLog): readonly bigint[] | undefined {
  const [topic] = topics
  if (topics.length !== 3 || !/^0x(?:[0-9a-f]{64})*$/i.test(data)) return undefined
  const words = (data.slice(2).match(/.{64}/g) ?? []).map((word) => BigInt(`0x${word}`))
  const isPaid = (amount: bigint): boolean => amount > 0n
  if (topic === pairSwapTopic) return words.length === 4 ? words.slice(2).filter(isPaid) : undefined
  const isPool = topic === poolSwapTopic && words.length === 5
  const isFeePool = topic === feePoolSwapTopic && words.length === 7
  if (!isPool && !isFeePool) return undefined
  // Signed, from the pool's side: what left it is negative.
  return words
    .slice(0, 2)
    .map((word) => -BigInt.asIntN(256, word))
    .filter(isPaid)
}
