import type { Account } from '../../src/ledger/account.ts'
import { type AssetId, assetChain, tokenContract } from '../../src/ledger/asset.ts'
import type { ChainId } from '../../src/ledger/chain.ts'
import type { FreezeEvent, FreezeReading } from '../../src/ledger/freezes.ts'
import { destroyedTopic, freezeOfLog, issuerTopics } from '../decode/issuerLog.ts'
import { wordsOf } from '../decode/words.ts'
import { type Cells, hashCell } from './cells.ts'
import { type RowQuestion, readByBlocks } from './cursor.ts'
import { unbelievable } from './requests.ts'
import type { TokenRow } from './rows.ts'

/** Asks an explorer for logs: one contract, one first topic. */
export type AskLogs = (
  filter: { readonly address: string; readonly topic0: string },
  question: RowQuestion,
) => Promise<readonly Cells[]>

interface IssuerLog {
  readonly block: number
  readonly time: number
  readonly event: FreezeEvent
  /** What a contract that emits no Transfer with it destroyed. */
  readonly destroyed?: bigint
}

/** What issuers did, read once for all wallets: their events name no wallet that one could ask for. */
export interface IssuerLogs {
  /** @throws KnownError `rpc.*` */
  within(range: { readonly from: number; readonly to: number }): Promise<{
    readonly freezes: FreezeReading
    /** What was destroyed of a wallet's tokens without a Transfer. */
    destroyedOf(wallet: Account): readonly TokenRow[]
  }>
}

export function openIssuerLogs(
  chain: ChainId,
  freezable: ReadonlySet<AssetId>,
  ask: AskLogs,
): IssuerLogs {
  const assets = [...freezable].filter((asset) => assetChain(asset) === chain).sort()
  let known: { from: number; to: number; logs: readonly IssuerLog[] } | undefined

  async function read(from: number, to: number): Promise<IssuerLog[]> {
    const found: IssuerLog[] = []
    for (const asset of assets) {
      for (const topic0 of issuerTopics) {
        const filter = { address: tokenContract(asset) ?? '', topic0 }
        for (let next = from; next <= to; ) {
          const { rows, through } = await readByBlocks({ from: next, to }, async (question) =>
            (await ask(filter, question)).map((row) => logRow(row, asset)),
          )
          found.push(...rows)
          next = through + 1
        }
      }
    }
    return found.sort((a, b) => a.block - b.block || a.event.position - b.event.position)
  }

  return {
    async within({ from, to }) {
      if (assets.length > 0 && (known === undefined || from < known.from)) {
        known = { from, to, logs: await read(from, to) }
      } else if (known !== undefined && to > known.to) {
        known = { from: known.from, to, logs: [...known.logs, ...(await read(known.to + 1, to))] }
      }
      const logs = (known?.logs ?? []).filter(({ block }) => block >= from && block <= to)
      return {
        freezes: { assets, fromBlock: from, toBlock: to, events: logs.map(({ event }) => event) },
        destroyedOf: (wallet) => logs.flatMap((log) => destroyedRow(log, wallet)),
      }
    },
  }
}

function destroyedRow({ block, time, event, destroyed }: IssuerLog, wallet: Account): TokenRow[] {
  if (destroyed === undefined || event.account !== wallet) return []
  const contract = tokenContract(event.asset) ?? ''
  const { tx, position } = event
  const row = { tx, block, time, from: wallet, amount: destroyed, contract, position }
  return [{ ...row, flags: ['destroyed'] }]
}

function logRow(row: Cells, asset: AssetId): IssuerLog {
  const topics = row['topics']
  if (!Array.isArray(topics)) throw unbelievable('a log has no topics')
  const names = topics.filter((topic) => typeof topic === 'string').map((t) => t.toLowerCase())
  const data = typeof row['data'] === 'string' ? row['data'].toLowerCase() : ''
  const found = freezeOfLog(names, data, assetChain(asset))
  if (!found) throw unbelievable(`a log of ${asset} is none that was asked for`)
  const block = hexCell(row['blockNumber'], 'the block of a log')
  const position = hexCell(row['logIndex'], 'a log index')
  const tx = hashCell(row['transactionHash'], 'the transaction of a log')
  const amount = [...names.slice(1), ...wordsOf(data)][1]
  return {
    block,
    time: hexCell(row['timeStamp'], 'the time of a log'),
    event: { asset, ...found, block, tx, position },
    ...(names[0] === destroyedTopic && amount ? { destroyed: BigInt(amount) } : {}),
  }
}

/** Numbers of logs are hexadecimal here, and `0x` is 0. */
function hexCell(value: unknown, what: string): number {
  if (value === '0x') return 0
  if (typeof value === 'string' && /^0x[0-9a-f]{1,13}$/i.test(value)) return Number(value)
  throw unbelievable(`${what} is no number`)
}
