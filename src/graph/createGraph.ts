import { type Account, accountChain, accountReference } from '../ledger/account.ts'
import type { AssetId } from '../ledger/asset.ts'
import { type ChainId, isEvm } from '../ledger/chain.ts'
import {
  type Kind,
  kinds,
  parseTransferId,
  type TransferId,
  transferId,
} from '../ledger/transfer.ts'
import { amountOfLimbs } from '../ledger/transferBatch.ts'
import { findAddress } from './addressTable.ts'
import { Balance } from './balance.ts'
import {
  bytesOf,
  type Columns,
  checkpointAt,
  checkpointStride,
  largestShortPosition,
} from './columns.ts'
import type { GraphTransfer, SweepColumns, WholeGraph } from './graph.ts'

/** The readable face of a generation's columns. Costs nothing to make: all data stays in the shared arrays. */
export function createGraph(columns: Columns): WholeGraph {
  return new ColumnGraph(columns)
}

class ColumnGraph implements WholeGraph {
  readonly #c: Columns['arrays']
  readonly #meta: Columns['meta']
  readonly #textAddresses: ReadonlyMap<number, string>
  readonly #addressOfText: ReadonlyMap<string, number>
  readonly #textTransactions: ReadonlyMap<number, string>
  readonly #wideAmounts: ReadonlyMap<number, bigint>
  readonly #widePositions: ReadonlyMap<number, number>
  readonly #ownerless: ReadonlyMap<number, number>
  readonly #assetNumbers: ReadonlyMap<AssetId, number>
  readonly bytes: number

  constructor({ meta, arrays }: Columns) {
    this.#c = arrays
    this.#meta = meta
    this.bytes = bytesOf(arrays)
    this.#textAddresses = new Map(meta.textAddresses)
    this.#addressOfText = new Map(
      meta.textAddresses.map(([address, text]) => [
        `${meta.chains[arrays.addressChain[address] as number]}:${text}`,
        address,
      ]),
    )
    this.#textTransactions = new Map(meta.textTransactions)
    this.#wideAmounts = new Map(
      meta.wideAmounts.map(([transfer, amount]) => [transfer, BigInt(amount)]),
    )
    this.#widePositions = new Map(meta.widePositions)
    this.#ownerless = new Map(meta.ownerless)
    this.#assetNumbers = new Map(meta.assets.map((asset, number) => [asset, number]))
  }

  get storeId(): string {
    return this.#meta.storeId
  }

  get sequence(): number {
    return this.#meta.sequence
  }

  get digest(): string {
    return this.#meta.digest
  }

  get chains(): readonly ChainId[] {
    return this.#meta.chains
  }

  get assets(): readonly AssetId[] {
    return this.#meta.assets
  }

  get transferCount(): number {
    return this.#c.from.length
  }

  get transactionCount(): number {
    return this.#c.txBlock.length
  }

  get addressCount(): number {
    return this.#c.addressChain.length
  }

  get columns(): SweepColumns {
    return this.#c
  }

  address(account: Account): number {
    const name = accountChain(account)
    if (!isEvm(name)) return this.#addressOfText.get(account) ?? -1
    const chain = this.#meta.chains.indexOf(name)
    if (chain < 0) return -1
    const wanted = Buffer.from(accountReference(account).slice(2), 'hex')
    const table = {
      slots: this.#c.addressSlots,
      key: this.#c.addressKey,
      chain: this.#c.addressChain,
    }
    return findAddress(table, wanted, chain)
  }

  account(address: number): Account {
    const chain = this.#meta.chains[this.#c.addressChain[address] as number] as ChainId
    const text = this.#textAddresses.get(address)
    if (text !== undefined) return `${chain}:${text}` as Account
    return `${chain}:0x${hexOf(this.#c.addressKey, address * 20, 20)}` as Account
  }

  asset(asset: AssetId): number {
    return this.#assetNumbers.get(asset) ?? -1
  }

  holding(address: number, asset: number): number {
    if (address < 0 || asset < 0) return -1
    let low = this.#c.addressFirst[address] as number
    let high = (this.#c.addressFirst[address + 1] as number) - 1
    while (low <= high) {
      const middle = (low + high) >> 1
      const found = this.#c.holdingAsset[middle] as number
      if (found === asset) return middle
      if (found < asset) low = middle + 1
      else high = middle - 1
    }
    return -1
  }

  holdingsOf(address: number): { readonly start: number; readonly end: number } {
    return {
      start: this.#c.addressFirst[address] as number,
      end: this.#c.addressFirst[address + 1] as number,
    }
  }

  addressOf(holding: number): number {
    return this.#c.holdingAddress[holding] as number
  }

  assetOf(holding: number): number {
    return this.#c.holdingAsset[holding] as number
  }

  events(holding: number): Uint32Array {
    return this.#c.events.subarray(this.#c.holdingFirst[holding], this.#c.holdingFirst[holding + 1])
  }

  balanceBefore(holding: number, index: number): bigint {
    const start = this.#c.holdingFirst[holding] as number
    if (this.#c.holdingWide[holding]) return this.#wideBalance(holding, start + index)
    const end = start + index
    const passed = Math.floor(index / checkpointStride)
    const balance = new Balance()
    if (passed > 0) balance.load(this.#c.checkpoints, checkpointAt(start, passed))
    const base = start + passed * checkpointStride
    for (let e = base; e < end; e++) {
      const transfer = this.#c.events[e] as number
      if (this.#c.from[transfer] === this.#c.to[transfer]) continue
      if (this.#c.from[transfer] === holding) balance.subtract(this.#c.amount, transfer * 4)
      else balance.add(this.#c.amount, transfer * 4)
    }
    return balance.toBigInt()
  }

  shortfalls(holding: number): number[] {
    const found: number[] = []
    const wide = this.#c.holdingWide[holding] ? { balance: 0n } : undefined
    const balance = new Balance()
    for (const transfer of this.events(holding)) {
      if (this.#c.from[transfer] === this.#c.to[transfer]) continue
      const pays = this.#c.from[transfer] === holding
      if (wide) {
        const sum = wide.balance + (pays ? -this.amount(transfer) : this.amount(transfer))
        if (sum < 0n) found.push(transfer)
        wide.balance = sum < 0n ? 0n : sum
      } else if (!pays) balance.add(this.#c.amount, transfer * 4)
      else if (balance.subtract(this.#c.amount, transfer * 4)) found.push(transfer)
    }
    return found
  }

  #wideBalance(holding: number, end: number): bigint {
    let balance = 0n
    for (let e = this.#c.holdingFirst[holding] as number; e < end; e++) {
      const transfer = this.#c.events[e] as number
      if (this.#c.from[transfer] === this.#c.to[transfer]) continue
      const amount = this.amount(transfer)
      if (this.#c.from[transfer] !== holding) balance += amount
      else balance = balance > amount ? balance - amount : 0n
    }
    return balance
  }

  from(transfer: number): number {
    return this.#c.from[transfer] as number
  }

  to(transfer: number): number {
    return this.#c.to[transfer] as number
  }

  amount(transfer: number): bigint {
    return this.#wideAmounts.get(transfer) ?? amountOfLimbs(this.#c.amount, transfer)
  }

  kind(transfer: number): Kind {
    return kinds[(this.#c.leg[transfer] as number) & 7] as Kind
  }

  transactionOf(transfer: number): number {
    return this.#c.transaction[transfer] as number
  }

  legs(transaction: number): { readonly start: number; readonly end: number } {
    return {
      start: this.#c.txFirst[transaction] as number,
      end: this.#c.txFirst[transaction + 1] as number,
    }
  }

  blockOf(transaction: number): number {
    return this.#c.txBlock[transaction] as number
  }

  block(ordinal: number): { chain: ChainId; number: number; time: number; assumedOrder: boolean } {
    return {
      chain: this.#meta.chains[this.#c.blockChain[ordinal] as number] as ChainId,
      number: this.#c.blockNumber[ordinal] as number,
      time: this.#c.blockTime[ordinal] as number,
      assumedOrder: this.#c.blockAssumed[ordinal] === 1,
    }
  }

  sequenceOf(transfer: number): number {
    return this.#c.sequence[transfer] as number
  }

  transfer(transfer: number): GraphTransfer {
    const transaction = this.transactionOf(transfer)
    const { chain, number, time } = this.block(this.blockOf(transaction))
    const tx = this.#transactionText(transaction)
    const kind = this.kind(transfer)
    const position = this.#position(transfer)
    const from = this.from(transfer)
    const to = this.to(transfer)
    return {
      id: transferId({ chain, tx, kind, position }),
      chain,
      block: number,
      time,
      tx,
      kind,
      position,
      asset: this.#meta.assets[this.#assetOfTransfer(transfer)] as AssetId,
      ...(from < 0 ? {} : { from: this.account(this.addressOf(from)) }),
      ...(to < 0 ? {} : { to: this.account(this.addressOf(to)) }),
      amount: this.amount(transfer),
    }
  }

  idOf(transfer: number): TransferId {
    const transaction = this.transactionOf(transfer)
    const block = this.#c.txBlock[transaction] as number
    return transferId({
      chain: this.#meta.chains[this.#c.blockChain[block] as number] as ChainId,
      tx: this.#transactionText(transaction),
      kind: this.kind(transfer),
      position: this.#position(transfer),
    })
  }

  find(id: TransferId): number {
    const { chain, tx, kind, position } = parseTransferId(id)
    const legs = this.findTransaction(chain, tx)
    return legs.find((leg) => this.kind(leg) === kind && this.#position(leg) === position) ?? -1
  }

  findTransaction(chain: ChainId, tx: string): number[] {
    const legs: number[] = []
    for (const transaction of this.#transactionsNamed(tx)) {
      if (this.block(this.blockOf(transaction)).chain !== chain) continue
      const { start, end } = this.legs(transaction)
      for (let leg = start; leg < end; leg++) legs.push(leg)
    }
    return legs
  }

  firstAt(time: number): number {
    let low = 0
    let high = this.#c.blockTime.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#c.blockTime[middle] as number) < time) low = middle + 1
      else high = middle
    }
    // The first transaction of that block, found in the ascending column of blocks.
    let first = 0
    let last = this.transactionCount
    while (first < last) {
      const middle = (first + last) >> 1
      if ((this.#c.txBlock[middle] as number) < low) first = middle + 1
      else last = middle
    }
    return this.#c.txFirst[first] as number
  }

  highest(chain: ChainId): { readonly block: number; readonly hash: string | null } | undefined {
    const found = this.#meta.highest.find(([name]) => name === chain)
    return found && { block: found[1], hash: found[2] }
  }

  receivers(
    address: number,
    options: {
      readonly counts: (asset: number) => boolean
      readonly isBeyond: (transaction: number) => boolean
      readonly cap: number
    },
  ): number {
    const seen = new Set<number>()
    const { start, end } = this.holdingsOf(address)
    for (let holding = start; holding < end; holding++) {
      if (!options.counts(this.assetOf(holding))) continue
      for (const transfer of this.events(holding)) {
        if (this.from(transfer) !== holding || this.to(transfer) < 0 || this.#isZero(transfer))
          continue
        if (options.isBeyond(this.transactionOf(transfer))) break
        const receiver = this.addressOf(this.to(transfer))
        if (receiver !== address) seen.add(receiver)
        if (seen.size >= options.cap) return seen.size
      }
    }
    return seen.size
  }

  #isZero(transfer: number): boolean {
    const at = transfer * 4
    const { amount } = this.#c
    return amount[at] === 0 && amount[at + 1] === 0 && amount[at + 2] === 0 && amount[at + 3] === 0
  }

  #assetOfTransfer(transfer: number): number {
    const holding = this.from(transfer) >= 0 ? this.from(transfer) : this.to(transfer)
    return holding >= 0 ? this.assetOf(holding) : (this.#ownerless.get(transfer) ?? -1)
  }

  #position(transfer: number): number {
    const short = (this.#c.leg[transfer] as number) >>> 3
    return short === largestShortPosition ? (this.#widePositions.get(transfer) ?? short) : short
  }

  #transactionText(transaction: number): string {
    return (
      this.#textTransactions.get(transaction) ?? `0x${hexOf(this.#c.txHash, transaction * 32, 32)}`
    )
  }

  #transactionsNamed(tx: string): number[] {
    if (!/^0x[0-9a-f]{64}$/.test(tx)) {
      return [...this.#textTransactions]
        .filter(([, text]) => text === tx)
        .map(([transaction]) => transaction)
    }
    const wanted = Buffer.from(tx.slice(2), 'hex')
    const { txByHash, txHash } = this.#c
    const prefix = (at: number): number => new DataView(txHash.buffer, at * 32, 4).getUint32(0)
    const first = wanted.readUInt32BE(0)
    let low = 0
    let high = txByHash.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (prefix(txByHash[middle] as number) < first) low = middle + 1
      else high = middle
    }
    const found: number[] = []
    for (; low < txByHash.length && prefix(txByHash[low] as number) === first; low++) {
      const transaction = txByHash[low] as number
      if (
        hexOf(txHash, transaction * 32, 32) === tx.slice(2) &&
        !this.#textTransactions.has(transaction)
      ) {
        found.push(transaction)
      }
    }
    return found
  }
}

function hexOf(bytes: Uint8Array, start: number, length: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, length).toString('hex')
}
