import { type Account, accountReference } from '../../src/ledger/account.ts'
import { KnownError } from '../../src/ledger/errors.ts'
import { isContractCode } from './accountCode.ts'
import type { RpcNode } from './node.ts'
import { hex, quantity, wholeNumber } from './values.ts'

/**
 * The last block after which the state of the chain still shows an untouched wallet: it signed nothing and has no
 * ether. Until then no native coin can have come to it or left it, since a wallet's nonce never falls, and its ether
 * leaves only by what it signs. What tokens were sent to it the state does not show.
 *
 * That holds for wallets alone, which is what has signed by now: a contract that was made, paid out and destroyed inside
 * one transaction leaves a state as if it had never been.
 *
 * Cost: two calls for each halving, some fifty on a chain of twenty million blocks, instead of reading them.
 *
 * @returns −1 where it was touched from the beginning; undefined where the node does not keep old states, or it is no
 * wallet that has signed.
 * @throws KnownError `rpc.*` when the node is away
 */
export async function untouchedThrough(
  node: RpcNode,
  wallet: Account,
  head: number,
): Promise<number | undefined> {
  try {
    if (!(await hasSigned(node, wallet, head))) return undefined
    let untouched = -1
    let touched = head
    while (touched - untouched > 1) {
      const middle = untouched + Math.floor((touched - untouched) / 2)
      if (await isUntouched(node, wallet, middle)) untouched = middle
      else touched = middle
    }
    return untouched
  } catch (error) {
    if (!(error instanceof KnownError) || error.code === 'rpc.unavailable') throw error
    return undefined
  }
}

/** No contract has a key, so whoever signed was never one. */
async function hasSigned(node: RpcNode, wallet: Account, head: number): Promise<boolean> {
  const at = [accountReference(wallet), hex(head)]
  const [nonce, code] = await Promise.all([
    node.call('eth_getTransactionCount', at),
    node.call('eth_getCode', at),
  ])
  return (
    typeof code === 'string' &&
    !isContractCode(code) &&
    wholeNumber(nonce, 'a transaction count') > 0
  )
}

async function isUntouched(node: RpcNode, wallet: Account, block: number): Promise<boolean> {
  const at = [accountReference(wallet), hex(block)]
  const [nonce, balance] = await Promise.all([
    node.call('eth_getTransactionCount', at),
    node.call('eth_getBalance', at),
  ])
  return wholeNumber(nonce, 'a transaction count') === 0 && quantity(balance, 'a balance') === 0n
}
