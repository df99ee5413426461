import { getCreateAddress } from 'ethers'
import { type Account, accountReference } from '../../src/ledger/account.ts'
import type { AssetId } from '../../src/ledger/asset.ts'
import type { ChainId } from '../../src/ledger/chain.ts'
import type { ConversionRecord } from '../../src/ledger/conversionRecord.ts'
import type { Kind, Transfer } from '../../src/ledger/transfer.ts'
import { depositTopic, transferTopic, withdrawalTopic } from '../decode/tokenLog.ts'
import { paymentsOfTransaction, transfersOfTransaction } from '../decode/transaction.ts'
import { withdrawalTransfer } from '../decode/withdrawal.ts'
import type { ReadTransactions } from '../rpc/chainReader.ts'
import { type Fields, list, quantity } from '../rpc/values.ts'
import type { BlockHeader } from './blockHeader.ts'
import { bloomBits, mayContain } from './logsBloom.ts'
import {
  completeReceipt,
  proveReceipts,
  proveTransactions,
  proveWithdrawals,
  withSigner,
} from './provenBlock.ts'

/** Kinds that can be proven; calls inside transactions are in no trie. */
export const provableKinds = ['fee', 'native', 'token', 'withdrawal'] as const
export type ProvableKind = (typeof provableKinds)[number] & Kind

/** Whom to look for in blocks, and what to read of them. */
export interface Look {
  readonly chain: ChainId
  /** Absent: only transactions named by their hashes are looked for. */
  readonly account?: Account
  readonly kinds: ReadonlySet<ProvableKind>
  readonly isWrapped: (asset: AssetId) => boolean
  /** Ethereum itself: its forks are known by time. */
  readonly isEthereum: boolean
  /** The block with its transactions, where only the header was read. */
  readonly wholeBlock: (number: number) => Promise<Fields>
  readonly receipts: (number: number, transactions: readonly Fields[]) => Promise<unknown>
}

/** What a block has of an account: all that the proven kinds can tell. */
export interface FoundInBlock {
  readonly transfers: readonly Transfer[]
  readonly payments: readonly ConversionRecord[]
  /** Of the transactions asked for, those that the block has. */
  readonly transactions: ReadonlySet<string>
  /** True when the receipts had to be read. */
  readonly wasRead: boolean
}

/**
 * Finds everything of an account in a block whose header is proven: by its signature and receiver in each transaction, by
 * the bloom and then the receipts in logs that index it, by its address in withdrawals. Nothing that the endpoint says
 * counts unless it gives the header's roots.
 *
 * A token whose Transfer log does not index its parties is found only in transactions named in `wanted`, or that touch the
 * account otherwise: no filter and no bloom tells it.
 *
 * @param wanted - transactions to prove whatever they have, by hash.
 * @throws KnownError `rpc.invalid-answer`, `proof.unsupported`
 */
export async function findInBlock(
  header: BlockHeader,
  answer: Fields,
  look: Look,
  wanted: ReadonlySet<string>,
): Promise<FoundInBlock> {
  const withdrawals = look.kinds.has('withdrawal') ? await withdrawalsTo(header, answer, look) : []
  const readsTransactions = look.kinds.has('native') || look.kinds.has('fee')
  const mayHaveLogs = look.kinds.has('token') && logsMayName(header, look)
  if (!readsTransactions && !mayHaveLogs && wanted.size === 0)
    return { transfers: withdrawals, payments: [], transactions: new Set(), wasRead: false }
  const whole = readsTransactions ? answer : await look.wholeBlock(header.number)
  const proven = await proveTransactions(header, whole)
  const transactions = readsTransactions ? proven.map(withSigner) : proven
  const asked = transactions.filter(({ hash }) => wanted.has(String(hash)))
  const touching = readsTransactions
    ? transactions.filter((transaction) => isParty(transaction, look))
    : []
  const found = new Set(asked.map(({ hash }) => String(hash)))
  if (!mayHaveLogs && asked.length === 0 && touching.length === 0)
    return { transfers: withdrawals, payments: [], transactions: found, wasRead: false }
  const told = await look.receipts(header.number, transactions)
  const receipts = await proveReceipts(header, told, transactions)
  const chosen = new Set([...asked, ...touching])
  const rows = transactions.flatMap((transaction, i) => {
    const receipt = receipts[i] as Fields
    const isChosen = chosen.has(transaction)
    if (!isChosen && !logsName(receipt, look)) return []
    const read = readTransaction(header, { transaction: withSigner(transaction), receipt }, look)
    return isChosen || read.transfers.some((row) => touches(row, look)) ? [read] : []
  })
  return {
    transfers: [...rows.flatMap(({ transfers }) => transfers), ...withdrawals],
    payments: rows.flatMap(({ payments }) => payments),
    transactions: found,
    wasRead: true,
  }
}

function readTransaction(
  header: BlockHeader,
  given: { readonly transaction: Fields; readonly receipt: Fields },
  look: Look,
): ReadTransactions {
  const { chain } = look
  const receipt = completeReceipt(header, given, look.isEthereum)
  const block = { number: header.number, hash: header.hash, time: header.time }
  const { transaction } = given
  const transfers = transfersOfTransaction({ block, transaction, receipt }, chain, look.isWrapped)
  return {
    transfers,
    payments: paymentsOfTransaction(receipt, chain, transfers),
  }
}

async function withdrawalsTo(header: BlockHeader, answer: Fields, look: Look): Promise<Transfer[]> {
  return (await proveWithdrawals(header, answer))
    .map((withdrawal) => withdrawalTransfer(withdrawal, header, look.chain))
    .filter((transfer) => touches(transfer, look))
}

function touches({ from, to }: Transfer, { account }: Look): boolean {
  return account !== undefined && (from === account || to === account)
}

/** False: no log of the block can move a token from or to the account, if the token indexes its parties. */
function logsMayName(header: BlockHeader, { account }: Look): boolean {
  if (account === undefined) return false
  const has = (value: string): boolean => mayContain(header.logsBloom, bloomBits(value))
  return has(padded(account)) && [transferTopic, depositTopic, withdrawalTopic].some(has)
}

function padded(account: Account): string {
  return `0x${accountReference(account).slice(2).padStart(64, '0')}`
}

/** Whether any log has the address in a topic or in its data, where old tokens put it. */
function logsName(receipt: Fields, { account }: Look): boolean {
  if (account === undefined) return false
  const word = padded(account).slice(2)
  return JSON.stringify(list(receipt['logs'], 'the logs')).toLowerCase().includes(word)
}

/** Whether the account signed the transaction, or is its receiver or the contract that it made. */
function isParty(transaction: Fields, { account }: Look): boolean {
  if (account === undefined) return false
  const reference = accountReference(account)
  const { from, to } = transaction
  if (from === reference) return true
  if (typeof to === 'string') return to.toLowerCase() === reference
  const nonce = quantity(transaction['nonce'], 'a nonce')
  return getCreateAddress({ from: String(from), nonce }).toLowerCase() === reference
}
