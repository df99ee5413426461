import { type Account, evmAccount } from '../../src/ledger/account.ts'
import { type AssetId, tokenAsset } from '../../src/ledger/asset.ts'
import type { ChainId } from '../../src/ledger/chain.ts'
import { freezableTokens } from '../../src/ledger/issuers.ts'
import { counterparty, type Transfer } from '../../src/ledger/transfer.ts'
import { destroyedTopic } from './issuerLog.ts'
import { wordsOf } from './words.ts'

/** keccak256 of `Transfer(address,address,uint256)`, `Deposit(address,uint256)`, `Withdrawal(address,uint256)`. */
export const transferTopic = '0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef'
export const depositTopic = '0xe1fffcc4923d04b559f4d29a8bfc6cda04eb5b0d3c460751c2402c5c5cc9109c'
export const withdrawalTopic = '0x7fcf532c15f0a6db0bd6d0e038bea71d30d808c7d98cb3bf7268a95bf5081b65'

export interface RawLog {
  readonly chain: ChainId
  /** Lower case. */
  readonly contract: string
  readonly topics: readonly string[]
  readonly data: string
  /** Whether a token is a wrapped coin, whose deposits and withdrawals emit no Transfer. */
  readonly isWrapped: (asset: AssetId) => boolean
  /** Tokens whose issuer can destroy what somebody holds; default those of the shipped table. */
  readonly freezable?: ReadonlySet<AssetId>
}

type TokenLeg = Pick<Transfer, 'asset' | 'from' | 'to' | 'amount' | 'flags'>

/**
 * The movement that a log claims, decoded by hand: three topics and 32 data bytes are ERC-20; four topics are
 * ERC-721 and move no amount; old contracts index less. Anything else is not a movement of value.
 *
 * A deposit to or withdrawal from a listed wrapped coin is an issue or a burn at the log's place; what a listed issuer
 * destroys without a Transfer is a burn.
 */
export function tokenLegOfLog(log: RawLog): TokenLeg | undefined {
  const [topic] = log.topics
  if (topic === transferTopic) return transferLeg(log)
  if (topic === destroyedTopic) return destroyedLeg(log)
  if (topic !== depositTopic && topic !== withdrawalTopic) return undefined
  const asset = tokenAsset(log.chain, log.contract)
  if (!log.isWrapped(asset)) return undefined
  const words = [...log.topics.slice(1), ...wordsOf(log.data)]
  const [holder, amount] = words
  if (words.length !== 2 || holder === undefined || amount === undefined) return undefined
  const account = accountOf(holder, log.chain)
  const side = topic === depositTopic ? { to: account } : { from: account }
  return { asset, ...withoutNobody(side), amount: BigInt(amount), flags: ['wrap'] }
}

function destroyedLeg(log: RawLog): TokenLeg | undefined {
  const asset = tokenAsset(log.chain, log.contract)
  if (!(log.freezable ?? freezableTokens).has(asset)) return undefined
  const words = [...log.topics.slice(1), ...wordsOf(log.data)]
  const [holder, amount] = words
  if (words.length !== 2 || holder === undefined || amount === undefined) return undefined
  const from = accountOf(holder, log.chain)
  return { asset, ...withoutNobody({ from }), amount: BigInt(amount), flags: ['destroyed'] }
}

function transferLeg(log: RawLog): TokenLeg | undefined {
  const { topics, data, chain, contract } = log
  if (topics.length === 4) return undefined
  // Nearly every transfer has this form.
  const isUsual = topics.length === 3 && data.length === 66 && data.startsWith('0x')
  const words = isUsual ? [topics[1], topics[2], data] : [...topics.slice(1), ...wordsOf(data)]
  const [from, to, amount] = words
  if (words.length !== 3 || from === undefined || to === undefined || amount === undefined)
    return undefined
  if (isUsual && !wholeWord.test(amount)) return undefined
  const payer = accountOf(from, chain)
  const payee = accountOf(to, chain)
  const moved = { asset: tokenAsset(chain, contract), amount: BigInt(amount), flags: [] }
  if (payer === undefined) return payee === undefined ? moved : { ...moved, to: payee }
  return payee === undefined ? { ...moved, from: payer } : { ...moved, from: payer, to: payee }
}

const wholeWord = /^0x[0-9a-f]{64}$/i

/** The low 20 bytes: contracts have been seen to leave dirt above them. */
function accountOf(word: string, chain: ChainId): Account | undefined {
  return counterparty(evmAccount(chain, `0x${word.slice(-40).toLowerCase()}`))
}

function withoutNobody(sides: {
  from?: Account | undefined
  to?: Account | undefined
}): Pick<Transfer, 'from' | 'to'> {
  return {
    ...(sides.from === undefined ? {} : { from: sides.from }),
    ...(sides.to === undefined ? {} : { to: sides.to }),
  }
}
