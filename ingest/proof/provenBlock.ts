import { getCreateAddress } from 'ethers'
import { KnownError } from '../../src/ledger/errors.ts'
import { type Fields, fields, hash, hex, invalidAnswer, list, quantity } from '../rpc/values.ts'
import type { BlockHeader } from './blockHeader.ts'
import { bytes, integer, keccak, rlp } from './bytes.ts'
import { blobGas, blobGasPrice, effectiveGasPrice } from './gasPrices.ts'
import { encodeReceipt } from './receipt.ts'
import { encodeTransaction, signerOf } from './signedTransaction.ts'
import { listRoot } from './trie.ts'

/**
 * The transactions of a block in their order, none left out and none changed: they give the header's root. What is not
 * in the trie is put in its place: hash and index, and the signer where {@link withSigner} does.
 *
 * @param answer - the block with its transactions whole.
 * @throws KnownError `rpc.invalid-answer`
 */
export async function proveTransactions(header: BlockHeader, answer: Fields): Promise<Fields[]> {
  const given = list(answer['transactions'], 'the transactions').map((item) =>
    fields(item, 'a transaction'),
  )
  const encoded = given.map(encodeTransaction)
  if ((await listRoot(encoded)) !== header.transactionsRoot)
    throw invalidAnswer(`the transactions of block ${header.number} are not those of its header`)
  return given.map((transaction, i) => ({
    ...transaction,
    hash: keccak(encoded[i] as Uint8Array),
    transactionIndex: hex(BigInt(i)),
    blockNumber: hex(BigInt(header.number)),
    blockHash: header.hash,
  }))
}

/**
 * Puts the signer that the signature names in the place of what the node says.
 *
 * @throws KnownError `rpc.invalid-answer` when they differ
 */
export function withSigner(transaction: Fields): Fields {
  const from = signerOf(transaction)
  const told = transaction['from']
  if (typeof told === 'string' && told.toLowerCase() !== from) {
    throw invalidAnswer(
      `${hash(transaction['hash'], 'a transaction hash')} is signed by ${from}, not by ${told.slice(0, 42)}`,
    )
  }
  return { ...transaction, from }
}

/**
 * The withdrawals of a block, which give the header's root; before Shanghai there are none.
 *
 * @throws KnownError `rpc.invalid-answer`
 */
export async function proveWithdrawals(
  header: BlockHeader,
  answer: Fields,
): Promise<readonly Fields[]> {
  if (header.withdrawalsRoot === undefined) return []
  const given = list(answer['withdrawals'], 'the withdrawals').map((item) =>
    fields(item, 'a withdrawal'),
  )
  const encoded = given.map((withdrawal) =>
    rlp([
      integer(withdrawal['index'], 'an index'),
      integer(withdrawal['validatorIndex'], 'a validator'),
      bytes(withdrawal['address'], 'a receiver', 20),
      integer(withdrawal['amount'], 'an amount'),
    ]),
  )
  if ((await listRoot(encoded)) !== header.withdrawalsRoot)
    throw invalidAnswer(`the withdrawals of block ${header.number} are not those of its header`)
  return given
}

/**
 * The receipts of a block in their order, which give the header's root. What is not in the trie is computed: gas used,
 * price, created contract, log index.
 *
 * Cost: 35 ms for 182 receipts with 450 logs.
 *
 * @param answer - a receipt for each transaction.
 * @param transactions - as {@link proveTransactions} gives them.
 * @throws KnownError `rpc.invalid-answer`
 */
export async function proveReceipts(
  header: BlockHeader,
  answer: unknown,
  transactions: readonly Fields[],
): Promise<Fields[]> {
  const given = list(answer, 'the receipts').map((item) => fields(item, 'a receipt'))
  if (given.length !== transactions.length) {
    throw invalidAnswer(
      `block ${header.number} has ${transactions.length} transactions, but ${given.length} receipts`,
    )
  }
  if ((await listRoot(given.map(encodeReceipt))) !== header.receiptsRoot)
    throw invalidAnswer(`the receipts of block ${header.number} are not those of its header`)
  let usedBefore = 0n
  let nextLog = 0
  return given.map((receipt, i) => {
    const transaction = transactions[i] as Fields
    const used = quantity(receipt['cumulativeGasUsed'], 'the gas used so far')
    const logs = list(receipt['logs'], 'the logs').map((log) => ({
      ...fields(log, 'a log'),
      logIndex: hex(BigInt(nextLog++)),
    }))
    const proven = {
      ...receipt,
      transactionHash: transaction['hash'],
      transactionIndex: transaction['transactionIndex'],
      blockNumber: hex(BigInt(header.number)),
      blockHash: header.hash,
      gasUsed: hex(used - usedBefore),
      logs,
    }
    usedBefore = used
    return proven
  })
}

/**
 * A proven receipt with what only the transaction and the header tell: the price of its gas and the contract it made.
 *
 * @param transaction - proven, with its signer.
 * @throws KnownError `proof.unsupported` where the chain's form leaves it open
 */
export function completeReceipt(
  header: BlockHeader,
  given: { readonly transaction: Fields; readonly receipt: Fields },
  isEthereum: boolean,
): Fields {
  const { transaction, receipt } = given
  const gas = blobGas(transaction)
  const isCreation = transaction['to'] === null || transaction['to'] === undefined
  const { l1Fee: _, ...own } = receipt
  return {
    ...own,
    status: statusOf(header, transaction, receipt),
    effectiveGasPrice: hex(effectiveGasPrice(transaction, header)),
    contractAddress: isCreation
      ? getCreateAddress({
          from: String(transaction['from']),
          nonce: quantity(transaction['nonce'], 'a nonce'),
        }).toLowerCase()
      : null,
    blobGasUsed: gas === 0n ? null : hex(gas),
    blobGasPrice:
      gas === 0n
        ? null
        : hex(
            blobGasPrice(header, quantity(receipt['blobGasPrice'], 'a blob gas price'), isEthereum),
          ),
  }
}

/**
 * Before Byzantium a receipt does not say whether its transaction failed. One that left gas over, or logs, did not: all
 * failures used up everything then.
 */
function statusOf(header: BlockHeader, transaction: Fields, receipt: Fields): unknown {
  const { status, root } = receipt
  if (root === undefined || root === null || root === '0x') return status
  const left = quantity(receipt['gasUsed'], 'gas used') < quantity(transaction['gas'], 'gas')
  if (left || list(receipt['logs'], 'the logs').length > 0) return '0x1'
  throw new KnownError(
    'proof.unsupported',
    `block ${header.number} is older than Byzantium: its receipts do not prove whether ${String(transaction['hash'])} failed`,
    { hint: 'Prove blocks from 4370000 on.' },
  )
}
