import { type Account, parseAccount } from '../../src/ledger/account.ts'
import { parseAmount } from '../../src/ledger/amount.ts'
import { type AssetId, tokenAsset } from '../../src/ledger/asset.ts'
import type { ChainId } from '../../src/ledger/chain.ts'
import { nativeAsset } from '../../src/ledger/nativeCoins.ts'
import { counterparty, type Transfer } from '../../src/ledger/transfer.ts'
import { wrappedCoins } from '../../src/ledger/wrappedCoins.ts'
import { type Frame, movingFrames } from '../decode/frames.ts'
import { tokenLegOfLog } from '../decode/tokenLog.ts'
import type { FileFormat } from './detect.ts'
import { type RecordCells, readRecords } from './etlRecords.ts'
import type { Refusals } from './refusals.ts'
import type { RowSink } from './rowSink.ts'
import type { SwapLogs } from './swapLogs.ts'
import { readTokenTransfersCsv } from './tokenTransfersCsv.ts'

/**
 * Exports of ethereum-etl, CSV or NDJSON. The files of one command are one source: blocks give times and hashes,
 * receipts the fate and fee of transactions, logs (or token_transfers) the token legs, traces the inner calls.
 * What would move value but cannot be told is marked and counted, never guessed away.
 */

export interface EtlContext {
  readonly sink: RowSink
  readonly refusals: Refusals
  readonly chain: ChainId
  readonly raw: (bytes: number) => void
  readonly notes: string[]
  readonly swaps: SwapLogs
}

export interface BlockInfo {
  readonly time: number
  readonly hash?: string
}

/** What other files know of a transaction. */
interface TransactionInfo {
  readonly failed?: boolean
  readonly gasUsed?: bigint
  readonly gasPrice?: bigint
  readonly index?: number
  readonly signer?: Account
}

interface Given {
  readonly file: string
  readonly format: FileFormat
}

class Etl {
  readonly context: EtlContext
  readonly blocks = new Map<number, BlockInfo>()
  readonly transactions = new Map<string, TransactionInfo>()
  /** Logs that are read as logs: token_transfers need not tell them again. */
  readonly logs = new Set<string>()
  readonly traced = new Set<string>()
  unknownStatus = 0
  #frames: Frame[] = []
  #framesOf = ''

  constructor(context: EtlContext) {
    this.context = context
  }

  note(cells: RecordCells): void {
    if (cells.table === 'blocks') this.#noteBlock(cells)
    if (cells.table === 'transactions') this.#noteTransaction(cells)
    if (cells.table === 'receipts') this.#noteReceipt(cells)
    if (cells.table === 'traces') this.traced.add(cells.text('transaction_hash'))
    if (cells.has('block_timestamp') && cells.has('block_number')) {
      this.#time(
        cells.whole('block_number'),
        cells.seconds('block_timestamp'),
        cells.text('block_hash'),
      )
    }
  }

  #noteBlock(cells: RecordCells): void {
    this.#time(cells.whole('number'), cells.seconds('timestamp'), cells.text('hash'))
    for (const leg of this.#withdrawals(cells)) this.#emit(leg, cells)
  }

  #time(block: number, time: number, hash: string): void {
    if (!this.blocks.has(block)) this.blocks.set(block, { time, ...(hash === '' ? {} : { hash }) })
  }

  #noteTransaction(cells: RecordCells): void {
    const status = cells.text('receipt_status')
    const gas = cells.text('receipt_gas_used')
    const price = cells.text('receipt_effective_gas_price') || cells.text('gas_price')
    this.#learn(cells.text('hash'), {
      ...(status === '' ? {} : { failed: status === '0' }),
      ...(gas === '' ? {} : { gasUsed: cells.amount('receipt_gas_used') }),
      ...(price === '' ? {} : { gasPrice: parseAmount(price) }),
      ...(cells.has('transaction_index') ? { index: cells.whole('transaction_index') } : {}),
      ...(cells.has('from_address') ? { signer: this.#account(cells, 'from_address') } : {}),
    })
  }

  #noteReceipt(cells: RecordCells): void {
    const status = cells.text('status')
    this.#learn(cells.text('transaction_hash'), {
      ...(status === '' ? {} : { failed: status === '0' }),
      gasUsed: cells.amount('gas_used'),
      ...(cells.has('effective_gas_price')
        ? { gasPrice: cells.amount('effective_gas_price') }
        : {}),
      ...(cells.has('transaction_index') ? { index: cells.whole('transaction_index') } : {}),
    })
  }

  #learn(tx: string, info: { [K in keyof TransactionInfo]: TransactionInfo[K] | undefined }): void {
    const known = Object.entries(info).filter(([, value]) => value !== undefined)
    this.transactions.set(tx, { ...this.transactions.get(tx), ...Object.fromEntries(known) })
  }

  emit(cells: RecordCells): void {
    if (cells.table === 'transactions') this.#emitTransaction(cells)
    if (cells.table === 'logs') this.#emitLog(cells)
    if (cells.table === 'token_transfers') this.#emitTokenTransfer(cells)
    if (cells.table === 'traces') this.#takeFrame(cells)
  }

  #emitTransaction(cells: RecordCells): void {
    const tx = cells.transaction('hash')
    const info = this.transactions.get(tx) ?? {}
    const shared = this.#place(cells, tx)
    const asset = nativeAsset(this.context.chain)
    const from = this.#account(cells, 'from_address')
    const payer = from === undefined ? {} : { from }
    if (info.gasUsed !== undefined && info.gasPrice !== undefined) {
      const amount = info.gasUsed * info.gasPrice
      this.#emit({ ...shared, kind: 'fee', position: 0, asset, ...payer, amount, flags: [] }, cells)
    }
    if (info.failed === true || this.traced.has(tx)) return
    const to =
      this.#account(cells, 'to_address') ?? this.#account(cells, 'receipt_contract_address')
    const unknown = info.failed === undefined
    if (unknown) this.unknownStatus++
    const flags = unknown ? ['status_unknown'] : []
    const receiver = to === undefined ? {} : { to }
    this.#emit(
      {
        ...shared,
        kind: 'native',
        position: 0,
        asset,
        ...payer,
        ...receiver,
        amount: cells.amount('value'),
        flags,
      },
      cells,
    )
  }

  #emitLog(cells: RecordCells): void {
    const tx = cells.transaction('transaction_hash')
    const position = cells.whole('log_index')
    this.logs.add(`${tx}:${position}`)
    const { chain } = this.context
    const contract = cells.text('address').toLowerCase()
    const log = { chain, contract, topics: cells.list('topics'), data: cells.text('data') }
    const leg = tokenLegOfLog({
      ...log,
      isWrapped: (asset: AssetId) => wrappedCoins.has(asset),
    })
    const transfer = leg && {
      ...this.#place(cells, tx),
      kind: 'token' as const,
      position,
      ...leg,
    }
    if (transfer) this.#emit(transfer, cells)
    this.context.swaps.take({ ...log, tx, position }, transfer)
  }

  #emitTokenTransfer(cells: RecordCells): void {
    const tx = cells.transaction('transaction_hash')
    const position = cells.whole('log_index')
    if (this.logs.has(`${tx}:${position}`)) return
    const asset = tokenAsset(this.context.chain, this.#required(cells, 'token_address'))
    const from = this.#account(cells, 'from_address')
    const to = this.#account(cells, 'to_address')
    const sides = { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }
    const shared = { ...this.#place(cells, tx), kind: 'token' as const, position, asset }
    this.#emit({ ...shared, ...sides, amount: cells.amount('value'), flags: [] }, cells)
  }

  #required(cells: RecordCells, field: string): string {
    const account = cells.parsed(field, (text) => parseAccount(text, this.context.chain))
    return account.slice(account.lastIndexOf(':') + 1)
  }

  /** Frames of a transaction come together; an error in one silences all below it. */
  #takeFrame(cells: RecordCells): void {
    const type = cells.text('trace_type')
    if (type === 'reward') return this.#emitReward(cells)
    const tx = cells.text('transaction_hash')
    if (tx === '') return this.#emitGenesis(cells)
    if (tx !== this.#framesOf) this.endFrames(cells)
    this.#framesOf = tx
    const from = this.#account(cells, 'from_address')
    const to = this.#account(cells, 'to_address')
    this.#frames.push({
      address: cells.list('trace_address').map(Number),
      type: type === 'call' ? cells.text('call_type') || 'call' : type,
      failed: cells.text('error') !== '' || cells.text('status') === '0',
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
      amount: cells.text('value') === '' ? 0n : cells.amount('value'),
      origin: cells,
    })
  }

  endFrames(cells: RecordCells | undefined): void {
    const frames = this.#frames
    this.#frames = []
    if (frames.length === 0 || !cells) return
    const failed = this.transactions.get(this.#framesOf)?.failed === true
    if (failed) return
    for (const { frame, position } of movingFrames(frames)) {
      const origin = frame.origin as RecordCells
      const { from, to, amount } = frame
      const sides = { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }
      const kind =
        frame.address.length === 0 && frame.type !== 'suicide'
          ? ('native' as const)
          : ('internal' as const)
      const shared = this.#place(origin, origin.transaction('transaction_hash'))
      this.#emit(
        {
          ...shared,
          kind,
          position,
          asset: nativeAsset(this.context.chain),
          ...sides,
          amount,
          flags: [],
        },
        origin,
      )
    }
  }

  #emitReward(cells: RecordCells): void {
    const block = cells.whole('block_number')
    const to = this.#account(cells, 'to_address')
    const position = cells.text('reward_type') === 'uncle' ? 1 + cells.line : 0
    const shared = {
      chain: this.context.chain,
      block,
      ...this.#when(block, cells),
      tx: `reward:${block}`,
    }
    const asset = nativeAsset(this.context.chain)
    const receiver = to === undefined ? {} : { to }
    this.#emit(
      {
        ...shared,
        kind: 'reward',
        position,
        asset,
        ...receiver,
        amount: cells.amount('value'),
        flags: [],
      },
      cells,
    )
  }

  #emitGenesis(cells: RecordCells): void {
    const block = cells.whole('block_number')
    const from = this.#account(cells, 'from_address')
    const to = this.#account(cells, 'to_address')
    const sides = { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }
    const shared = {
      chain: this.context.chain,
      block,
      ...this.#when(block, cells),
      tx: `${cells.text('trace_type')}:${block}:${cells.line}`,
    }
    const asset = nativeAsset(this.context.chain)
    this.#emit(
      {
        ...shared,
        kind: 'reward',
        position: 0,
        asset,
        ...sides,
        amount: cells.amount('value'),
        flags: [],
      },
      cells,
    )
  }

  /** Withdrawals of the beacon chain, in gwei. */
  #withdrawals(cells: RecordCells): Transfer[] {
    const list = cells.text('withdrawals')
    if (!list.startsWith('[') || list === '[]') return []
    const withdrawals = cells.parsed(
      'withdrawals',
      (text) =>
        JSON.parse(text.replaceAll("'", '"')) as readonly Readonly<Record<string, unknown>>[],
    )
    const block = cells.whole('number')
    return withdrawals.map((withdrawal) => ({
      chain: this.context.chain,
      block,
      ...this.#when(block, cells),
      tx: `withdrawal:${String(withdrawal['index'])}`,
      kind: 'withdrawal' as const,
      position: 0,
      asset: nativeAsset(this.context.chain),
      to: parseAccount(String(withdrawal['address']), this.context.chain),
      amount: BigInt(String(withdrawal['amount'])) * 1_000_000_000n,
      flags: [],
    }))
  }

  #place(
    cells: RecordCells,
    tx: string,
  ): Omit<Transfer, 'kind' | 'position' | 'asset' | 'amount' | 'flags'> {
    const block = cells.whole('block_number')
    const info = this.transactions.get(tx)
    const index = cells.has('transaction_index') ? cells.whole('transaction_index') : info?.index
    const signer = info?.signer
    return {
      chain: this.context.chain,
      block,
      ...this.#when(block, cells),
      tx,
      ...(index === undefined ? {} : { txIndex: index }),
      ...(signer === undefined ? {} : { signer }),
    }
  }

  #when(block: number, cells: RecordCells): { time: number; blockHash?: string } {
    const info = this.blocks.get(block)
    if (!info) {
      cells.fault(
        'block_number',
        `the time of block ${block} is not known: add the blocks file (blocks.csv) to the same command`,
      )
    }
    return { time: info.time, ...(info.hash === undefined ? {} : { blockHash: info.hash }) }
  }

  #account(cells: RecordCells, field: string): Account | undefined {
    if (!cells.has(field)) return undefined
    return cells.parsed(field, (text) => counterparty(parseAccount(text, this.context.chain)))
  }

  #emit(transfer: Transfer, cells: RecordCells): void {
    this.context.sink.add(transfer, cells.file, cells.line)
  }
}

/**
 * Reads all ethereum-etl files of a command.
 *
 * Memory: one small entry per block, and one per transaction where transactions, receipts or traces are given.
 */
export async function readEthereumEtl(files: readonly Given[], context: EtlContext): Promise<void> {
  if (files.length === 0) return
  const etl = new Etl(context)
  const each = async (
    wanted: readonly string[],
    visit: (cells: RecordCells) => void,
  ): Promise<void> => {
    for (const { file, format } of files) {
      if (format.family !== 'ethereum-etl') continue
      const mixed = format.table === 'mixed'
      if (!mixed && !wanted.includes(format.table)) continue
      await readRecords(file, format, {
        ...context,
        visit: (cells) => wanted.includes(cells.table) && visit(cells),
      })
    }
  }
  const notes = ['blocks', 'transactions', 'receipts', ...(files.some(isTraces) ? ['traces'] : [])]
  await each(notes, (cells) => etl.note(cells))
  if (files.some(({ format }) => format.family === 'ethereum-etl' && format.form === 'ndjson')) {
    const dated = (cells: RecordCells): unknown => cells.has('block_timestamp') && etl.note(cells)
    await each(['logs', 'token_transfers'], dated)
  }
  await each(['transactions'], (cells) => etl.emit(cells))
  let last: RecordCells | undefined
  await each(['traces'], (cells) => {
    etl.emit(cells)
    last = cells
  })
  etl.endFrames(last)
  await each(['logs'], (cells) => etl.emit(cells))
  await emitTokenTransfers(files, etl)
  if (etl.unknownStatus > 0) {
    context.notes.push(
      `${etl.unknownStatus} transactions have no status: their value is taken as moved and flagged status_unknown; add the receipts file`,
    )
  }
}

function isTraces({ format }: Given): boolean {
  return format.family === 'ethereum-etl' && (format.table === 'traces' || format.table === 'mixed')
}

/** token_transfers.csv alone with blocks is the large case: it is read in columns, without an object per row. */
async function emitTokenTransfers(files: readonly Given[], etl: Etl): Promise<void> {
  const { context } = etl
  for (const { file, format } of files) {
    if (format.family !== 'ethereum-etl') continue
    const plain = format.table === 'token_transfers' && format.form === 'csv'
    if (plain && etl.transactions.size === 0 && etl.logs.size === 0) {
      await readTokenTransfersCsv(file, { ...context, blocks: etl.blocks })
    } else if (format.table === 'token_transfers' || format.table === 'mixed') {
      await readRecords(file, format, {
        ...context,
        visit: (cells) => cells.table === 'token_transfers' && etl.emit(cells),
      })
    }
  }
}
