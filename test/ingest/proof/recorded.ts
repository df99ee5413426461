import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { bloomOf } from '../../../ingest/proof/logsBloom.ts'
import type { Fields } from '../../../ingest/rpc/values.ts'
import { realData } from '../../realData.ts'

/** Results of recorded calls, from both collections of real answers. */
export function recordedResults(): readonly unknown[] {
  const conformance = realData('execution-apis-tests/tests')
  const fixtures = realData('ethereum-etl-fixtures/tests/resources')
  if (conformance === undefined || fixtures === undefined) return []
  const answers = filesBelow(conformance, '.io').flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('<< '))
      .map((line) => JSON.parse(line.slice(3)) as Fields),
  )
  const responses = filesBelow(fixtures, '.json')
    .filter((file) => file.includes('web3_response.eth_getBlock'))
    .map((file) => JSON.parse(readFileSync(file, 'utf8')) as Fields)
  return [...answers, ...responses].map(({ result }) => result)
}

function filesBelow(folder: string, ending: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(ending))
    .sort()
    .map((file) => join(folder, file))
}

/** A block of Ethereum with its receipts, as far as the fixtures have it: no signatures. */
export interface RecordedBlock {
  readonly header: {
    readonly number: number
    readonly hash: string
    readonly receiptsRoot: string
    readonly withdrawalsRoot: string
    readonly logsBloom: string
    readonly baseFee: bigint
  }
  readonly withdrawals: readonly Fields[]
  readonly receipts: readonly Fields[]
  /** What each transaction offered for its gas, and what it paid. */
  readonly prices: readonly { readonly transaction: Fields; readonly paid: bigint }[]
}

/** Ethereum's blocks 17173049 and 17173050: 116 and 182 transactions. */
export function recordedBlocks(): readonly RecordedBlock[] {
  const folder = realData(
    'ethereum-etl-fixtures/tests/resources/test_stream/blocks_17173049_17173050',
  )
  if (folder === undefined) return []
  const rows = (name: string): Fields[] =>
    readFileSync(join(folder, name), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Fields)
  const logs = rows('expected_logs.json')
  const transactions = rows('expected_transactions.json')
  return rows('expected_blocks.json').map((block) => ({
    header: {
      number: Number(block['number']),
      hash: String(block['hash']),
      receiptsRoot: String(block['receipts_root']),
      withdrawalsRoot: String(block['withdrawals_root']),
      logsBloom: String(block['logs_bloom']),
      baseFee: BigInt(String(block['base_fee_per_gas'])),
    },
    withdrawals: (block['withdrawals'] as Fields[]).map((withdrawal) => ({
      index: hex(withdrawal['index']),
      validatorIndex: hex(withdrawal['validator_index']),
      address: withdrawal['address'],
      amount: hex(withdrawal['amount']),
    })),
    receipts: transactions
      .filter((transaction) => transaction['block_number'] === block['number'])
      .map((transaction) => receiptOf(transaction, logs)),
    prices: transactions
      .filter((transaction) => transaction['block_number'] === block['number'])
      .map((transaction) => ({
        paid: BigInt(String(transaction['receipt_effective_gas_price'])),
        transaction: {
          type: hex(transaction['transaction_type']),
          gasPrice: hex(transaction['gas_price']),
          maxFeePerGas: hex(transaction['max_fee_per_gas']),
          maxPriorityFeePerGas: hex(transaction['max_priority_fee_per_gas']),
        },
      })),
  }))
}

function receiptOf(transaction: Fields, logs: readonly Fields[]): Fields {
  const own = logs
    .filter((log) => log['transaction_hash'] === transaction['hash'])
    .sort((a, b) => Number(a['log_index']) - Number(b['log_index']))
    .map(({ address, topics, data }) => ({
      address: String(address),
      topics: topics as string[],
      data,
    }))
  return {
    type: hex(transaction['transaction_type']),
    status: hex(transaction['receipt_status']),
    cumulativeGasUsed: hex(transaction['receipt_cumulative_gas_used']),
    logsBloom: `0x${Buffer.from(bloomOf(own)).toString('hex')}`,
    logs: own,
  }
}

function hex(value: unknown): string {
  return `0x${Number(value).toString(16)}`
}
