import type { Account } from '../../src/ledger/account.ts'
import type { AssetId } from '../../src/ledger/asset.ts'
import type { ChainId } from '../../src/ledger/chain.ts'
import type { ConversionRecord } from '../../src/ledger/conversionRecord.ts'
import { nativeAsset } from '../../src/ledger/nativeCoins.ts'
import { counterparty, type Transfer } from '../../src/ledger/transfer.ts'
import {
  account,
  type Fields,
  fields,
  hash,
  invalidAnswer,
  list,
  optionalAccount,
  quantity,
  text,
  wholeNumber,
} from '../rpc/values.ts'
import { type Frame, loggedBy, movingFrames } from './frames.ts'
import { paymentOfSwap } from './poolSwap.ts'
import { type RawLog, tokenLegOfLog } from './tokenLog.ts'

/** A transaction as a node tells it, with what belongs to it. */
export interface NodeTransaction {
  readonly block: { readonly number: number; readonly hash: string; readonly time: number }
  readonly transaction: Fields
  readonly receipt: Fields
  /** Absent where the node has no traces: then only the transaction's own value is known. */
  readonly frames?: readonly Frame[]
}

/**
 * Every transfer of one transaction: the fee, also of a failed one; its value and the calls inside it; its token
 * logs. A failed transaction moves nothing else.
 *
 * @throws KnownError `rpc.invalid-answer` when transaction, receipt and block do not belong together
 */
export function transfersOfTransaction(
  given: NodeTransaction,
  chain: ChainId,
  isWrapped: (asset: AssetId) => boolean,
  freezable?: ReadonlySet<AssetId>,
): Transfer[] {
  const { block, transaction, receipt } = given
  const tx = hash(transaction['hash'], 'the transaction hash')
  if (hash(receipt['transactionHash'], "the receipt's transaction") !== tx)
    throw invalidAnswer('a receipt is of another transaction')
  if (hash(receipt['blockHash'], "the receipt's block hash") !== block.hash)
    throw invalidAnswer(`the receipt of ${tx} is of another block`)
  const signer = account(transaction['from'], chain, 'the signer')
  const shared = {
    chain,
    block: block.number,
    blockHash: block.hash,
    time: block.time,
    tx,
    txIndex: wholeNumber(transaction['transactionIndex'], 'the transaction index'),
    signer,
  }
  const fee = feeLeg({ ...shared, from: signer }, transaction, receipt)
  if (quantity(receipt['status'] ?? '0x1', 'the status') === 0n) return [fee]
  refuseOtherLogs(tx, receipt, given.frames)
  const coins = given.frames
    ? frameLegs(given.frames, shared)
    : [valueLeg(transaction, receipt, shared)]
  return [
    fee,
    ...coins,
    ...tokenLegs(receipt, shared, { isWrapped, ...(freezable && { freezable }) }),
  ]
}

/** A trace that tells logs tells as many as the receipt: a node that leaves some out would hide payments. */
function refuseOtherLogs(tx: string, receipt: Fields, frames: readonly Frame[] | undefined): void {
  const traced = frames && loggedBy(frames)
  const received = list(receipt['logs'], 'the logs').length
  if (traced !== undefined && traced !== received)
    throw invalidAnswer(`${tx} has ${received} logs by its receipt and ${traced} by its trace`)
}

/**
 * What pools paid to whom in one transaction, as their swap events tell; none of a failed one.
 *
 * @param transfers - of the same transaction.
 * @throws KnownError `rpc.invalid-answer`
 */
export function paymentsOfTransaction(
  receipt: Fields,
  chain: ChainId,
  transfers: readonly Transfer[],
): ConversionRecord[] {
  if (quantity(receipt['status'] ?? '0x1', 'the status') === 0n) return []
  const tx = hash(receipt['transactionHash'], "the receipt's transaction")
  return list(receipt['logs'], 'the logs').flatMap((item) => {
    const log = logOf(item)
    const position = wholeNumber(log.item['logIndex'], 'a log index')
    return paymentOfSwap({ chain, tx, position, ...log }, transfers) ?? []
  })
}

/** Contract and topics in lower case. */
function logOf(value: unknown): {
  readonly item: Fields
  readonly contract: string
  readonly topics: readonly string[]
  readonly data: string
} {
  const item = fields(value, 'a log')
  return {
    item,
    contract: text(item['address'], 'the address of a log').toLowerCase(),
    topics: list(item['topics'], 'topics').map((topic) => text(topic, 'a topic').toLowerCase()),
    data: text(item['data'], 'the data of a log'),
  }
}

type Shared = Omit<Transfer, 'kind' | 'position' | 'asset' | 'amount' | 'flags' | 'from' | 'to'>

function feeLeg(
  shared: Shared & { readonly from: Account },
  transaction: Fields,
  receipt: Fields,
): Transfer {
  const price = quantity(receipt['effectiveGasPrice'] ?? transaction['gasPrice'], 'the gas price')
  const l1 =
    receipt['l1Fee'] === undefined || receipt['l1Fee'] === null
      ? 0n
      : quantity(receipt['l1Fee'], 'the L1 fee')
  const blob = blobFee(receipt)
  const amount = quantity(receipt['gasUsed'], 'gas used') * price + l1 + blob
  return {
    ...shared,
    kind: 'fee',
    position: 0,
    asset: nativeAsset(shared.chain),
    amount,
    flags: [],
  }
}

function blobFee(receipt: Fields): bigint {
  if (!receipt['blobGasUsed'] || !receipt['blobGasPrice']) return 0n
  return (
    quantity(receipt['blobGasUsed'], 'blob gas used') *
    quantity(receipt['blobGasPrice'], 'the blob gas price')
  )
}

function valueLeg(transaction: Fields, receipt: Fields, shared: Shared): Transfer {
  const { chain } = shared
  const to =
    optionalAccount(transaction['to'], chain, 'the receiver') ??
    optionalAccount(receipt['contractAddress'], chain, 'the created contract')
  const receiver = to && counterparty(to)
  const payer = shared.signer === undefined ? {} : { from: shared.signer }
  return {
    ...shared,
    kind: 'native',
    position: 0,
    asset: nativeAsset(chain),
    ...payer,
    ...(receiver === undefined ? {} : { to: receiver }),
    amount: quantity(transaction['value'], 'the value'),
    flags: [],
  }
}

function frameLegs(frames: readonly Frame[], shared: Shared): Transfer[] {
  return movingFrames(frames).map(({ frame, position }) => ({
    ...shared,
    kind: position === 0 ? 'native' : 'internal',
    position,
    asset: nativeAsset(shared.chain),
    ...(frame.from === undefined ? {} : { from: frame.from }),
    ...(frame.to === undefined ? {} : { to: frame.to }),
    amount: frame.amount,
    flags: [],
  }))
}

function tokenLegs(
  receipt: Fields,
  shared: Shared,
  roles: Pick<RawLog, 'isWrapped' | 'freezable'>,
): Transfer[] {
  return list(receipt['logs'], 'the logs').flatMap((item) => {
    const log = logOf(item)
    const leg = tokenLegOfLog({ chain: shared.chain, ...log, ...roles })
    return leg
      ? [
          {
            ...shared,
            kind: 'token' as const,
            position: wholeNumber(log.item['logIndex'], 'a log index'),
            ...leg,
          },
        ]
      : []
  })
}
