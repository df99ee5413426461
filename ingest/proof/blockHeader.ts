import { type Fields, fields, hash, invalidAnswer, quantity, wholeNumber } from '../rpc/values.ts'
import { bytes, type Item, integer, keccak, rlp } from './bytes.ts'

/** What a block hash stands for: everything here is fixed by it. */
export interface BlockHeader {
  readonly number: number
  readonly hash: string
  readonly parentHash: string
  /** Seconds since 1970. */
  readonly time: number
  readonly transactionsRoot: string
  readonly receiptsRoot: string
  /** Absent before Shanghai: then there are no withdrawals. */
  readonly withdrawalsRoot?: string
  /** 256 bytes: what the logs of the block can contain. */
  readonly logsBloom: Uint8Array
  /** Absent before London. */
  readonly baseFee?: bigint
  /** Absent before Cancun. */
  readonly excessBlobGas?: bigint
}

/**
 * What forks added to the end of the header, in order: London, Shanghai, Cancun, Prague. A header has the first so many.
 */
const additions: readonly (readonly [string, (value: unknown, what: string) => Uint8Array])[] = [
  ['baseFeePerGas', integer],
  ['withdrawalsRoot', (value, what) => bytes(value, what, 32)],
  ['blobGasUsed', integer],
  ['excessBlobGas', integer],
  ['parentBeaconBlockRoot', (value, what) => bytes(value, what, 32)],
  ['requestsHash', (value, what) => bytes(value, what, 32)],
]

/** The header in RLP, whose hash is the block's (yellow paper 4.4; EIPs 1559, 4895, 4844, 4788, 7685). */
export function encodeHeader(block: Fields): Uint8Array {
  const whole = (name: string): Uint8Array => integer(block[name], name)
  const fixed = (name: string, length: number): Uint8Array => bytes(block[name], name, length)
  const items: Item[] = [
    fixed('parentHash', 32),
    fixed('sha3Uncles', 32),
    fixed('miner', 20),
    fixed('stateRoot', 32),
    fixed('transactionsRoot', 32),
    fixed('receiptsRoot', 32),
    fixed('logsBloom', 256),
    whole('difficulty'),
    whole('number'),
    whole('gasLimit'),
    whole('gasUsed'),
    whole('timestamp'),
    bytes(block['extraData'], 'extraData'),
    fixed('mixHash', 32),
    fixed('nonce', 8),
  ]
  const present = additions.filter(([name]) => block[name] !== undefined && block[name] !== null)
  for (const [name, encode] of present) items.push(encode(block[name], name))
  return rlp(items)
}

/**
 * Believes a block's header only when its hash, recomputed from the fields, is the one that is known to be right.
 *
 * @param expected - number and hash that the block must have.
 * @throws KnownError `rpc.invalid-answer` when the header is another one, or of a form that this version does not know
 */
export function proveHeader(
  answer: unknown,
  expected: { readonly number: number; readonly hash: string },
): BlockHeader {
  const what = `block ${expected.number}`
  const block = fields(answer, what)
  const computed = keccak(encodeHeader(block))
  if (computed !== expected.hash) {
    throw invalidAnswer(
      `${what} has the hash ${computed} by its header, and must have ${expected.hash}`,
    )
  }
  if (hash(block['hash'], 'a block hash') !== computed)
    throw invalidAnswer(`${what} names another hash than its header has`)
  if (wholeNumber(block['number'], 'a block number') !== expected.number)
    throw invalidAnswer(`${what} has another number`)
  const optional = <K extends string, V>(key: K, name: string, read: (value: unknown) => V) =>
    (block[name] === undefined || block[name] === null
      ? {}
      : { [key]: read(block[name]) }) as Partial<Record<K, V>>
  return {
    number: expected.number,
    hash: computed,
    parentHash: hash(block['parentHash'], 'a parent hash'),
    time: wholeNumber(block['timestamp'], 'a block time'),
    transactionsRoot: hash(block['transactionsRoot'], 'a transactions root'),
    receiptsRoot: hash(block['receiptsRoot'], 'a receipts root'),
    ...optional('withdrawalsRoot', 'withdrawalsRoot', (value) => hash(value, 'a withdrawals root')),
    logsBloom: bytes(block['logsBloom'], 'a logs bloom', 256),
    ...optional('baseFee', 'baseFeePerGas', (value) => quantity(value, 'a base fee')),
    ...optional('excessBlobGas', 'excessBlobGas', (value) => quantity(value, 'excess blob gas')),
  }
}
