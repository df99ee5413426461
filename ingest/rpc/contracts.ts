import { type Account, accountReference } from '../../src/ledger/account.ts'
import { type AssetId, tokenContract } from '../../src/ledger/asset.ts'
import { decimalsOf, tokenText } from '../decode/tokenText.ts'
import { isContractCode } from './accountCode.ts'
import { type RpcNode, RpcRefusal } from './node.ts'
import { hex, invalidAnswer, text } from './values.ts'

/** What a token's contract says of itself: claims of a stranger, as given. Null where it says nothing sensible. */
export interface TokenClaims {
  readonly name: string | null
  readonly symbol: string | null
  readonly decimals: number | null
}

/** Questions to contracts, at a block. */
export interface ContractReader {
  /** Three calls. */
  claims(asset: AssetId, block: number): Promise<TokenClaims>
  /** True when a contract stands there. A wallet that lends itself the code of another (EIP-7702) is none. One call. */
  hasCode(account: Account, block: number): Promise<boolean>
}

/** First four bytes of keccak256 of `name()`, `symbol()`, `decimals()`. */
const selectors = { name: '0x06fdde03', symbol: '0x95d89b41', decimals: '0x313ce567' } as const

export function createContractReader(node: Pick<RpcNode, 'call'>): ContractReader {
  async function ask(asset: AssetId, data: string, block: number): Promise<string | undefined> {
    try {
      const call = { to: tokenContract(asset), data }
      return text(await node.call('eth_call', [call, hex(block)]), 'the answer of a contract')
    } catch (error) {
      if (isContractFault(error)) return undefined
      throw error
    }
  }

  return {
    async claims(asset, block) {
      const [name, symbol, decimals] = await Promise.all([
        ask(asset, selectors.name, block),
        ask(asset, selectors.symbol, block),
        ask(asset, selectors.decimals, block),
      ])
      return {
        name: name === undefined ? null : tokenText(name),
        symbol: symbol === undefined ? null : tokenText(symbol),
        decimals: decimals === undefined ? null : decimalsOf(decimals),
      }
    },
    async hasCode(account, block) {
      const params = [accountReference(account), hex(block)]
      const code = text(await node.call('eth_getCode', params), 'code')
      if (!/^0x(?:[0-9a-f]{2})*$/i.test(code)) throw invalidAnswer('code is no hexadecimal')
      return isContractCode(code)
    },
  }
}

/** The contract's own fault, which asking another node would not change. */
function isContractFault(error: unknown): boolean {
  return (
    error instanceof RpcRefusal &&
    (error.rpcCode === 3 ||
      /revert|out of gas|invalid opcode|invalid jump|stack (?:under|over)flow|execution/i.test(
        error.message,
      ))
  )
}
