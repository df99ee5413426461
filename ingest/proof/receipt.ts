import { type Fields, fields, list, quantity } from '../rpc/values.ts'
import { bytes, type Item, integer, rlp } from './bytes.ts'

/**
 * A receipt as it stands in the receipts trie (EIP-2718; before Byzantium with a state root for its status). The bloom
 * is the receipt's own, so that a node which invents one is found out by the root.
 */
export function encodeReceipt(receipt: Fields): Uint8Array {
  const body = rlp([
    outcome(receipt),
    integer(receipt['cumulativeGasUsed'], 'the gas used so far'),
    bytes(receipt['logsBloom'], 'a logs bloom', 256),
    list(receipt['logs'], 'the logs').map(encodeLog),
  ])
  const type = receipt['type']
  const number = type === undefined || type === null ? 0n : quantity(type, 'a receipt type')
  return number === 0n ? body : Buffer.concat([Uint8Array.of(Number(number)), body])
}

function outcome(receipt: Fields): Uint8Array {
  const root = receipt['root']
  return root !== undefined && root !== null && root !== '0x'
    ? bytes(root, 'a state root', 32)
    : integer(receipt['status'], 'the status')
}

function encodeLog(value: unknown): Item {
  const log = fields(value, 'a log')
  return [
    bytes(log['address'], 'the address of a log', 20),
    list(log['topics'], 'topics').map((topic) => bytes(topic, 'a topic', 32)),
    bytes(log['data'], 'the data of a log'),
  ]
}
