/** Code that stands for another account's, by which a wallet stays one (EIP-7702). */
const delegated = /^0xef0100/i

/** Whether what `eth_getCode` gave is a contract's: wallets have none, or another's. */
export function isContractCode(code: unknown): boolean {
  return typeof code === 'string' && code.length > 2 && !delegated.test(code)
}
