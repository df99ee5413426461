import { type AssetId, assetChain, tokenAsset, tokenContract } from '../../src/ledger/asset.ts'
import type { ChainId } from '../../src/ledger/chain.ts'
import type { FreezeEvent, FreezeReading } from '../../src/ledger/freezes.ts'
import { freezeOfLog, issuerTopics } from '../decode/issuerLog.ts'
import type { RpcNode } from './node.ts'
import { fields, hash, invalidAnswer, list, text, wholeNumber } from './values.ts'

/**
 * What the issuers of freezable tokens did in some blocks, to anybody: Tether's events index no address, so they
 * cannot be asked for by wallet. There are some thousand of them in all.
 *
 * Cost: one call, or none where the chain has no such token.
 *
 * @throws RpcRefusal when the range is too large for the node
 */
export async function readIssuers(
  node: Pick<RpcNode, 'call'>,
  chain: ChainId,
  freezable: ReadonlySet<AssetId>,
  range: { readonly from: number; readonly to: number },
): Promise<FreezeReading> {
  const assets = [...freezable].filter((asset) => assetChain(asset) === chain).sort()
  const reading = { assets, fromBlock: range.from, toBlock: range.to }
  if (assets.length === 0) return { ...reading, events: [] }
  const filter = {
    fromBlock: `0x${range.from.toString(16)}`,
    toBlock: `0x${range.to.toString(16)}`,
    address: assets.map((asset) => tokenContract(asset)),
    topics: [issuerTopics],
  }
  const logs = list(await node.call('eth_getLogs', [filter]), 'the logs')
  const events = logs.flatMap((item): FreezeEvent[] => {
    const log = fields(item, 'a log')
    const asset = tokenAsset(chain, text(log['address'], 'the address of a log'))
    const block = wholeNumber(log['blockNumber'], 'the block of a log')
    if (!freezable.has(asset) || block < range.from || block > range.to)
      throw invalidAnswer(`a log of ${asset} in block ${block} was not asked for`)
    const topics = list(log['topics'], 'topics').map((topic) =>
      text(topic, 'a topic').toLowerCase(),
    )
    const found = freezeOfLog(topics, text(log['data'], 'the data of a log').toLowerCase(), chain)
    if (!found) return []
    const tx = hash(log['transactionHash'], 'the transaction of a log')
    return [{ asset, ...found, block, tx, position: wholeNumber(log['logIndex'], 'a log index') }]
  })
  return {
    ...reading,
    events: events.sort((a, b) => a.block - b.block || a.position - b.position),
  }
}
