import { KnownError } from '../../src/ledger/errors.ts'
import { type Fields, fields, hash, invalidAnswer, list, text, wholeNumber } from './values.ts'
import type { BlockRange } from './windows.ts'

/** A block with its transactions, as far as the node's answer agrees with itself. */
export interface BlockHead {
  readonly number: number
  readonly hash: string
  /** Seconds. */
  readonly time: number
  readonly logsBloom: string | undefined
  readonly transactions: readonly Fields[]
  readonly withdrawals: readonly Fields[]
}

/** What a log, or a trace, says about where it stands. */
export interface Sighting {
  readonly block: number
  readonly blockHash: string | undefined
  readonly tx: string
  /** In the block; undefined for a trace. */
  readonly logIndex?: number
  readonly contract?: string
}

/**
 * Two answers of one node do not fit together: its backends differ, or the chain was reorganised in between. Asking
 * again may help; nothing of it is stored.
 */
export class Contradiction extends KnownError {
  constructor(what: string) {
    super('rpc.invalid-answer', `the node contradicts itself: ${what}`, {
      hint: 'Nothing of it was stored. Use another endpoint if this goes on.',
      retryable: true,
    })
  }
}

/** The endpoint, or the backend of it that answered, does not have the block that it should. */
export function isBehind(block: number): KnownError {
  return new KnownError('rpc.unavailable', `the node does not give block ${block}`, {
    facts: { block },
    hint: 'It may be behind: try again later, or use another endpoint.',
    retryable: true,
  })
}

/**
 * @param expected - number that was asked for.
 * @throws KnownError `rpc.invalid-answer`; `rpc.unavailable` when there is no such block
 */
export function checkedBlock(answer: unknown, expected: number): BlockHead {
  if (answer === null) throw isBehind(expected)
  const block = fields(answer, `block ${expected}`)
  const number = wholeNumber(block['number'], 'a block number')
  if (number !== expected) throw invalidAnswer(`block ${expected} came with another number`)
  const own = hash(block['hash'], 'a block hash')
  hash(block['parentHash'], 'the hash of a parent')
  const transactions = list(block['transactions'], 'the transactions').map((item) =>
    fields(item, 'a transaction'),
  )
  const seen = new Set<string>()
  for (const [i, transaction] of transactions.entries()) {
    const tx = hash(transaction['hash'], 'a transaction')
    if (seen.has(tx)) throw invalidAnswer(`block ${expected} has transaction ${tx} twice`)
    seen.add(tx)
    if (hash(transaction['blockHash'], 'the block of a transaction') !== own)
      throw invalidAnswer(`transaction ${tx} of block ${expected} says that it is in another`)
    if (wholeNumber(transaction['transactionIndex'], 'the transaction index') !== i)
      throw invalidAnswer(`transaction ${tx} of block ${expected} is not at its place`)
  }
  const { withdrawals } = block
  return {
    number,
    hash: own,
    time: wholeNumber(block['timestamp'], 'a block time'),
    logsBloom: typeof block['logsBloom'] === 'string' ? block['logsBloom'] : undefined,
    transactions,
    withdrawals:
      withdrawals === undefined || withdrawals === null
        ? []
        : list(withdrawals, 'withdrawals').map((item) => fields(item, 'a withdrawal')),
  }
}

/** A filter by topics as eth_getLogs takes it: per position one, any of several, or anything. */
export type TopicFilter = readonly (string | readonly string[] | null)[]

/**
 * Logs that are what was asked for, none removed, none twice, one block hash to a block.
 *
 * @throws KnownError `rpc.invalid-answer`
 */
export function checkedLogs(
  answer: unknown,
  { range, topics }: { readonly range: BlockRange; readonly topics: TopicFilter },
): Sighting[] {
  const hashes = new Map<number, string>()
  const places = new Set<string>()
  return list(answer, 'the logs').map((item) => {
    const log = fields(item, 'a log')
    const block = wholeNumber(log['blockNumber'], 'the block of a log')
    if (block < range.from || block > range.to)
      throw invalidAnswer(`a log of block ${block} was not asked for`)
    if (log['removed'] === true) throw new Contradiction(`a log of block ${block} was removed`)
    const blockHash = hash(log['blockHash'], 'the block hash of a log')
    if ((hashes.get(block) ?? blockHash) !== blockHash)
      throw new Contradiction(`block ${block} has two hashes`)
    hashes.set(block, blockHash)
    const logIndex = wholeNumber(log['logIndex'], 'a log index')
    wholeNumber(log['transactionIndex'], 'the transaction index of a log')
    if (places.has(`${block} ${logIndex}`))
      throw invalidAnswer(`log ${logIndex} of block ${block} came twice`)
    places.add(`${block} ${logIndex}`)
    const own = list(log['topics'], 'topics').map((topic) => text(topic, 'a topic').toLowerCase())
    if (!topics.every((wanted, i) => isWanted(own[i], wanted)))
      throw invalidAnswer(`a log of block ${block} does not match what was asked for`)
    return {
      block,
      blockHash,
      tx: hash(log['transactionHash'], 'the transaction of a log'),
      logIndex,
      contract: text(log['address'], 'the address of a log').toLowerCase(),
    }
  })
}

function isWanted(topic: string | undefined, wanted: string | readonly string[] | null): boolean {
  if (wanted === null) return true
  if (topic === undefined) return false
  return typeof wanted === 'string' ? topic === wanted : wanted.includes(topic)
}

/**
 * Traces that touch the wallets that were asked about, in the blocks that were.
 *
 * @throws KnownError `rpc.invalid-answer`
 */
export function checkedTraces(
  answer: unknown,
  { range, wallets }: { readonly range: BlockRange; readonly wallets: ReadonlySet<string> },
): Sighting[] {
  return list(answer, 'the traces').flatMap((item) => {
    const trace = fields(item, 'a trace')
    // Rewards of blocks belong to no transaction.
    if (trace['transactionHash'] === null || trace['transactionHash'] === undefined) return []
    const given = trace['blockNumber']
    const block = typeof given === 'number' ? given : wholeNumber(given, 'the block of a trace')
    if (block < range.from || block > range.to)
      throw invalidAnswer(`a trace of block ${block} was not asked for`)
    if (!partiesOf(trace).some((party) => wallets.has(party)))
      throw invalidAnswer(`a trace of block ${block} does not match what was asked for`)
    const tx = hash(trace['transactionHash'], 'the transaction of a trace')
    const blockHash =
      typeof trace['blockHash'] === 'string'
        ? hash(trace['blockHash'], 'the block hash of a trace')
        : undefined
    return [{ block, blockHash, tx }]
  })
}

function partiesOf(trace: Fields): string[] {
  const action = fields(trace['action'], 'the action of a trace')
  const { result } = trace
  const made = typeof result === 'object' && result !== null ? fields(result, 'a result') : {}
  return [action['from'], action['to'], action['address'], action['refundAddress'], made['address']]
    .filter((party) => typeof party === 'string')
    .map((party) => party.toLowerCase())
}

/**
 * A receipt that belongs to its transaction and block, with every log that was seen before, and no log twice.
 *
 * @throws KnownError `rpc.invalid-answer`; `rpc.unavailable` when there is none
 */
export function checkedReceipt(
  answer: unknown,
  place: { readonly block: BlockHead; readonly tx: string; readonly seen: readonly Sighting[] },
): Fields {
  const { block, tx, seen } = place
  if (answer === null) throw isBehind(block.number)
  const receipt = fields(answer, `the receipt of ${tx}`)
  if (hash(receipt['transactionHash'], "the receipt's transaction") !== tx)
    throw invalidAnswer('a receipt is of another transaction')
  if (hash(receipt['blockHash'], "the receipt's block hash") !== block.hash)
    throw new Contradiction(`the receipt of ${tx} is of another block`)
  const contracts = new Map<number, string>()
  let last = -1
  for (const item of list(receipt['logs'], 'the logs')) {
    const log = fields(item, 'a log')
    const index = wholeNumber(log['logIndex'], 'a log index')
    if (index <= last) throw invalidAnswer(`the logs of ${tx} are not in order`)
    last = index
    if (hash(log['transactionHash'], 'the transaction of a log') !== tx)
      throw invalidAnswer(`the receipt of ${tx} holds a log of another transaction`)
    if (hash(log['blockHash'], 'the block hash of a log') !== block.hash)
      throw invalidAnswer(`the receipt of ${tx} holds a log of another block`)
    contracts.set(index, text(log['address'], 'the address of a log').toLowerCase())
  }
  for (const { logIndex, contract } of seen) {
    if (logIndex !== undefined && contracts.get(logIndex) !== contract)
      throw new Contradiction(`log ${logIndex} of block ${block.number} is not in its receipt`)
  }
  checkBlooms(receipt, block, contracts.size)
  return receipt
}

/** A bloom says for certain what is not there; one that is all zero beside logs is a chain that fills none. */
function checkBlooms(receipt: Fields, block: BlockHead, logs: number): void {
  const own = bitsOf(receipt['logsBloom'])
  if (own === undefined) return
  if (own !== 0n && logs === 0)
    throw invalidAnswer(`a receipt of block ${block.number} has a bloom and no log`)
  const whole = bitsOf(block.logsBloom)
  if (whole !== undefined && whole !== 0n && (own & ~whole) !== 0n)
    throw new Contradiction(`the bloom of block ${block.number} does not hold its logs`)
}

function bitsOf(bloom: unknown): bigint | undefined {
  return typeof bloom === 'string' && /^0x[0-9a-f]{512}$/i.test(bloom) ? BigInt(bloom) : undefined
}
