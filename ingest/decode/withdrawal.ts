import type { ChainId } from '../../src/ledger/chain.ts'
import { nativeAsset } from '../../src/ledger/nativeCoins.ts'
import { counterparty, type Transfer } from '../../src/ledger/transfer.ts'
import { account, type Fields, quantity } from '../rpc/values.ts'

const weiPerGwei = 1_000_000_000n

/**
 * What a validator's withdrawal pays (EIP-4895): told in gwei, issued by nobody.
 *
 * @throws KnownError `rpc.invalid-answer`
 */
export function withdrawalTransfer(
  withdrawal: Fields,
  block: { readonly number: number; readonly hash: string; readonly time: number },
  chain: ChainId,
): Transfer {
  const to = counterparty(account(withdrawal['address'], chain, 'the receiver of a withdrawal'))
  return {
    chain,
    block: block.number,
    blockHash: block.hash,
    time: block.time,
    tx: `withdrawal:${quantity(withdrawal['index'], 'the index of a withdrawal')}`,
    kind: 'withdrawal',
    position: 0,
    asset: nativeAsset(chain),
    ...(to === undefined ? {} : { to }),
    amount: quantity(withdrawal['amount'], 'the amount of a withdrawal') * weiPerGwei,
    flags: [],
  }
}
