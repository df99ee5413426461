import { type AssetId, assetChain, tokenAsset, tokenContract } from '../../src/ledger/asset.ts'
import type { ChainId } from '../../src/ledger/chain.ts'
import type { FreezeEvent, FreezeReading } from '../../src/ledger/freezes.ts'
import { freezeOfLog, issuerTopics } from '../decode/issuerLog.ts'
import { fields, hash, invalidAnswer, list, text, wholeNumber } from './values.ts'
import type { BlockRange, Windows } from './windows.ts'

export interface IssuerQuestion {
  readonly chain: ChainId
  readonly freezable: ReadonlySet<AssetId>
  readonly windows: Windows
  readonly ask: (method: string, window: BlockRange, filter: object) => Promise<unknown>
}

/**
 * What the issuers of freezable tokens did in some blocks, to anybody: Tether's events index no address, so they
 * cannot be asked for by wallet. There are some thousand of them in all.
 *
 * Cost: one call a window, or none where the chain has no such token.
 */
export function issuerReader(
  question: IssuerQuestion,
): (range: BlockRange) => Promise<FreezeReading> {
  const { chain, freezable, windows, ask } = question
  const assets = [...freezable].filter((asset) => assetChain(asset) === chain).sort()
  const filter = { address: assets.map(tokenContract), topics: [issuerTopics] }
  return async (range) => {
    const reading = { assets, fromBlock: range.from, toBlock: range.to }
    if (assets.length === 0) return { ...reading, events: [] }
    const found = await windows.over(range, {
      method: 'eth_getLogs',
      track: 'issuers',
      ask: async (window) => {
        const value = eventsIn(await ask('eth_getLogs', window, filter), question, window)
        return { value, results: value.length }
      },
    })
    const events = found.flat().sort((a, b) => a.block - b.block || a.position - b.position)
    return { ...reading, events }
  }
}

function eventsIn(
  answer: unknown,
  { chain, freezable }: IssuerQuestion,
  range: BlockRange,
): FreezeEvent[] {
  return list(answer, 'the logs').flatMap((item): FreezeEvent[] => {
    const log = fields(item, 'a log')
    const asset = tokenAsset(chain, text(log['address'], 'the address of a log'))
    const block = wholeNumber(log['blockNumber'], 'the block of a log')
    if (!freezable.has(asset) || block < range.from || block > range.to)
      throw invalidAnswer(`a log of ${asset} in block ${block} was not asked for`)
    const topics = list(log['topics'], 'topics').map((one) => text(one, 'a topic').toLowerCase())
    const found = freezeOfLog(topics, text(log['data'], 'the data of a log').toLowerCase(), chain)
    if (!found) return []
    const tx = hash(log['transactionHash'], 'the transaction of a log')
    return [{ asset, ...found, block, tx, position: wholeNumber(log['logIndex'], 'a log index') }]
  })
}
