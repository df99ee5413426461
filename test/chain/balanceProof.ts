import { type Account, accountReference } from '../../src/ledger/account.ts'
import type { AssetId } from '../../src/ledger/asset.ts'
import type { Transfer } from '../../src/ledger/transfer.ts'
import { transfersOf } from '../../src/ledger/transferBatch.ts'
import type { Store } from '../../src/store/store.ts'
import type { Anvil } from './anvil.ts'
import type { Deployed } from './scene.ts'

/** Every canonical transfer of a store. */
export async function canonicalTransfers(store: Store): Promise<Transfer[]> {
  const rows = new Map<number, Transfer>()
  for await (const entry of store.readLog(0)) {
    if (entry.type === 'tombstones') for (const dead of entry.dead) rows.delete(dead)
    else {
      let sequence = entry.firstSequence
      for (const transfer of transfersOf(entry.batch)) rows.set(sequence++, transfer)
    }
  }
  return [...rows.values()]
}

/** Net change per account and asset that transfers replay to. */
export function replay(transfers: readonly Transfer[]): Map<string, bigint> {
  const balances = new Map<string, bigint>()
  const change = (account: Account | undefined, asset: AssetId, amount: bigint): void => {
    if (account === undefined) return
    const key = `${accountReference(account)} ${asset}`
    balances.set(key, (balances.get(key) ?? 0n) + amount)
  }
  for (const { from, to, asset, amount } of transfers) {
    change(from, asset, -amount)
    change(to, asset, amount)
  }
  return balances
}

export async function nativeBalance(
  anvil: Anvil,
  address: string,
  block = 'latest',
): Promise<bigint> {
  return BigInt((await anvil.call('eth_getBalance', [address, block])) as string)
}

export async function tokenBalance(
  anvil: Anvil,
  token: Deployed,
  address: string,
): Promise<bigint> {
  const data = token.abi.encodeFunctionData('balanceOf', [address])
  return BigInt((await anvil.call('eth_call', [{ to: token.address, data }, 'latest'])) as string)
}
