import { KnownError } from '../../src/ledger/errors.ts'
import { type Fields, invalidAnswer, list, quantity } from '../rpc/values.ts'
import type { BlockHeader } from './blockHeader.ts'

/**
 * What a unit of gas cost, from the transaction and the header alone: no trie holds `effectiveGasPrice`.
 *
 * @returns wei per gas.
 */
export function effectiveGasPrice(transaction: Fields, header: BlockHeader): bigint {
  const most = transaction['maxFeePerGas']
  const type = transaction['type'] ?? '0x0'
  if (quantity(type, 'a transaction type') < 2n)
    return quantity(transaction['gasPrice'], 'a gas price')
  if (header.baseFee === undefined)
    throw invalidAnswer(`block ${header.number} has no base fee, but transactions that need one`)
  const wanted = header.baseFee + quantity(transaction['maxPriorityFeePerGas'], 'a priority fee')
  const limit = quantity(most, 'a highest fee')
  if (wanted < limit) return wanted
  return limit
}

const gasPerBlob = 131_072n

/** Blob gas of a transaction; 0 without blobs. */
export function blobGas(transaction: Fields): bigint {
  const hashes = transaction['blobVersionedHashes']
  return hashes === undefined || hashes === null
    ? 0n
    : gasPerBlob * BigInt(list(hashes, 'blob hashes').length)
}

/**
 * How fast the blob price follows demand: Ethereum's own changes by time (EIP-4844, EIP-7691, EIP-7892's two steps).
 */
const updateFractions: readonly (readonly [fromTime: number, fraction: bigint])[] = [
  [1_710_338_135, 3_338_477n],
  [1_746_612_311, 5_007_716n],
  [1_765_290_071, 8_346_193n],
  [1_767_747_671, 11_684_671n],
]

/**
 * The price of blob gas in a block. The header has the excess; how it becomes a price is the fork's.
 *
 * @param told - what the node says; on another chain than Ethereum it must be the price under a known fork.
 * @throws KnownError `proof.unsupported` when no known fork gives that price
 */
export function blobGasPrice(header: BlockHeader, told: bigint, isEthereum: boolean): bigint {
  const excess = header.excessBlobGas ?? 0n
  const passed = updateFractions.filter(([from]) => !isEthereum || from <= header.time)
  const possible = isEthereum ? passed.slice(-1) : passed
  if (possible.some(([, fraction]) => exponential(excess, fraction) === told)) return told
  throw new KnownError(
    'proof.unsupported',
    `the blob gas price ${told} of block ${header.number} is of no fork that this version knows`,
    { hint: 'Prove the blocks before it, or use a newer version.' },
  )
}

/** Approximates `e ** (numerator / denominator)`, as EIP-4844 writes it. */
function exponential(numerator: bigint, denominator: bigint): bigint {
  let output = 0n
  let part = denominator
  for (let i = 1n; part > 0n; i++) {
    output += part
    part = (part * numerator) / (denominator * i)
  }
  return output / denominator
}
