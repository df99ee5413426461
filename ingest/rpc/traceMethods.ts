import type { ChainId } from '../../src/ledger/chain.ts'
import { KnownError } from '../../src/ledger/errors.ts'
import type { Frame } from '../decode/frames.ts'
import { callTracer, callTracerFrames, parityFrames } from '../decode/traces.ts'
import { type BlockHead, Contradiction, isBehind } from './checkedAnswers.ts'
import type { RpcCall, RpcNode } from './node.ts'
import { fields, hash, invalidAnswer, list } from './values.ts'

/** Which way the node can tell the calls inside transactions, best first. */
export type TraceMethod = 'trace_filter' | 'trace_block' | 'debug_traceBlock' | 'none'

const attempts: readonly (readonly [TraceMethod, RpcCall])[] = [
  [
    'trace_filter',
    ['trace_filter', [{ fromBlock: '0x0', toBlock: '0x0', fromAddress: [`0x${'0'.repeat(39)}1`] }]],
  ],
  ['trace_block', ['trace_block', ['0x0']]],
  ['debug_traceBlock', ['debug_traceBlockByNumber', ['0x1', { tracer: 'callTracer' }]]],
]

/**
 * A method that the node does not have is refused at once; a list means that it is there.
 *
 * @throws KnownError when the node does not answer at all
 */
export async function probeTraces(node: RpcNode): Promise<TraceMethod> {
  for (const [name, [method, params]] of attempts) {
    try {
      if (Array.isArray(await node.call(method, params))) return name
    } catch (error) {
      if (!(error instanceof KnownError) || isSilent(error)) throw error
    }
  }
  return 'none'
}

/** Asks for the calls inside one transaction; undefined where the node cannot tell. */
export function callsOfTransaction(method: TraceMethod): ((tx: string) => RpcCall) | undefined {
  if (method === 'none') return undefined
  return method === 'debug_traceBlock'
    ? (tx) => ['debug_traceTransaction', [tx, callTracer]]
    : (tx) => ['trace_transaction', [tx]]
}

function isSilent({ code }: KnownError): boolean {
  return code === 'rpc.unavailable' || code === 'rpc.parked' || code === 'rpc.forbidden-address'
}

/**
 * Parity's traces of a whole block, by transaction.
 *
 * @throws KnownError `rpc.invalid-answer` when a transaction has no trace, or a trace is of another block
 */
export function parityBlockFrames(
  answer: unknown,
  block: BlockHead,
  chain: ChainId,
): Map<string, Frame[]> {
  if (answer === null) throw isBehind(block.number)
  const grouped = new Map<string, unknown[]>()
  for (const item of list(answer, 'the traces')) {
    const trace = fields(item, 'a trace')
    checkPlace(trace['blockHash'], block)
    const tx = trace['transactionHash']
    if (typeof tx === 'string') grouped.set(tx, [...(grouped.get(tx) ?? []), item])
  }
  for (const transaction of block.transactions) {
    const tx = hash(transaction['hash'], 'a transaction')
    if (!grouped.has(tx)) throw new Contradiction(`transaction ${tx} has no trace`)
  }
  return new Map([...grouped].map(([tx, traces]) => [tx, parityFrames(traces, chain)]))
}

/**
 * Geth's call trees of a whole block, by transaction.
 *
 * @throws KnownError `rpc.invalid-answer` when there are more or fewer than transactions, or of others
 */
export function callTracerBlockFrames(
  answer: unknown,
  block: BlockHead,
  chain: ChainId,
): Map<string, Frame[]> {
  if (answer === null) throw isBehind(block.number)
  const results = list(answer, 'the traces')
  if (results.length !== block.transactions.length)
    throw invalidAnswer(`block ${block.number} has another number of traces than transactions`)
  return new Map(
    results.map((item, i) => {
      const trace = fields(item, 'a trace')
      const tx = hash(block.transactions[i]?.['hash'], 'a transaction')
      const told = trace['txHash']
      if (told !== undefined && hash(told, 'the transaction of a trace') !== tx)
        throw new Contradiction(`the traces of block ${block.number} are of other transactions`)
      return [tx, callTracerFrames(trace['result'], chain)]
    }),
  )
}

/** @throws KnownError `rpc.invalid-answer` when a trace is of another transaction or block, or there is none */
export function parityTransactionFrames(
  answer: unknown,
  place: { readonly block: BlockHead; readonly tx: string; readonly chain: ChainId },
): Frame[] {
  const { block, tx, chain } = place
  const traces = list(answer, 'the traces')
  if (traces.length === 0) throw new Contradiction(`transaction ${tx} has no trace`)
  for (const item of traces) {
    const trace = fields(item, 'a trace')
    checkPlace(trace['blockHash'], block)
    if (hash(trace['transactionHash'], 'the transaction of a trace') !== tx)
      throw invalidAnswer(`a trace of ${tx} is of another transaction`)
  }
  return parityFrames(traces, chain)
}

function checkPlace(blockHash: unknown, block: BlockHead): void {
  if (typeof blockHash === 'string' && blockHash.toLowerCase() !== block.hash)
    throw new Contradiction(`a trace of block ${block.number} is of another block`)
}
