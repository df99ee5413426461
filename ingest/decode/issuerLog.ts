import { type Account, isZero, parseAccount } from '../../src/ledger/account.ts'
import type { ChainId } from '../../src/ledger/chain.ts'
import type { FreezeEvent } from '../../src/ledger/freezes.ts'
import { wordsOf } from './words.ts'

/** keccak256 of `DestroyedBlackFunds(address,uint256)`: the first Tether contract emits no Transfer with it. */
export const destroyedTopic = '0x61e6e66b0d6339b2980aecc6ccc0039736791f0ccde9ed512e789a7fbdd698c6'

const changes: Readonly<Record<string, FreezeEvent['change']>> = {
  // Tether on Ethereum: AddedBlackList(address), RemovedBlackList(address).
  '0x42e160154868087d6bfdc0ca23d96a1c1cfa32f1b72ba9ba27b69b98a0d819dc': 'frozen',
  '0xd7e9ec6e6ecd65492dce6bf513cd6867560d49544421d0783ddf06e76c24470c': 'released',
  [destroyedTopic]: 'destroyed',
  // Tether elsewhere: BlockPlaced(address), BlockReleased(address), DestroyedBlockedFunds(address,uint256).
  '0x406bbf2d8d145125adf1198d2cf8a67c66cc4bb0ab01c37dccd4f7c0aae1e7c7': 'frozen',
  '0x665918c9e02eb2fd85acca3969cb054fc84c138e60ec4af22ab6ef2fd4c93c27': 'released',
  '0x6a2859ae7902313752498feb80a014e6e7275fe964c79aa965db815db1c7f1e9': 'destroyed',
  // Circle: Blacklisted(address), UnBlacklisted(address).
  '0xffa4e6181777692565cf28528fc88fd1516ea86b56da075235fa575af6a4b855': 'frozen',
  '0x117e3210bb9aa7d9baff172026820255c6f6c30ba8999d1c2fd88e2848137c4e': 'released',
}

/** What to ask a node for. */
export const issuerTopics: readonly string[] = Object.keys(changes)

/** Whom an issuer's log is about, whichever of its arguments are indexed; undefined for any other log. */
export function freezeOfLog(
  topics: readonly string[],
  data: string,
  chain: ChainId,
): Pick<FreezeEvent, 'account' | 'change'> | undefined {
  const [topic = ''] = topics
  const change = changes[topic]
  if (change === undefined) return undefined
  const words = [...topics.slice(1), ...wordsOf(data)]
  const account = accountIn(words[0], chain)
  if (account === undefined || words.length !== (change === 'destroyed' ? 2 : 1)) return undefined
  return { account, change }
}

function accountIn(word: string | undefined, chain: ChainId): Account | undefined {
  if (word === undefined || !/^0x[0-9a-f]{64}$/.test(word)) return undefined
  const account = parseAccount(`0x${word.slice(-40)}`, chain)
  return isZero(account) ? undefined : account
}
