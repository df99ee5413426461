import type { ChainId } from '../../src/ledger/chain.ts'
import { counterparty } from '../../src/ledger/transfer.ts'
import { type Fields, fields, list, optionalAccount, quantity, text } from '../rpc/values.ts'
import type { Frame } from './frames.ts'

/** Parity's flat traces of one transaction as frames. A self-destruct carries `balance`, not a value. */
export function parityFrames(traces: readonly unknown[], chain: ChainId): Frame[] {
  return traces.map((item) => {
    const trace = fields(item, 'a trace')
    const action = fields(trace['action'], 'the action of a trace')
    const type = text(trace['type'], 'the type of a trace')
    const address = list(trace['traceAddress'], 'traceAddress').map(Number)
    const failed = trace['error'] !== undefined && trace['error'] !== null
    const suicide = type === 'suicide' || type === 'selfdestruct'
    const created =
      type === 'create' && !failed
        ? fields(trace['result'], 'the result of a create')['address']
        : undefined
    const from = suicide ? action['address'] : action['from']
    const to = suicide ? action['refundAddress'] : (created ?? action['to'])
    const amount = suicide ? action['balance'] : action['value']
    const kind = type === 'call' ? String(action['callType'] ?? 'call') : type
    return frame({ address, type: kind, failed, from, to, amount }, chain)
  })
}

/** How geth is asked for call trees: with their logs, which must be those of the receipt. */
export const callTracer = { tracer: 'callTracer', tracerConfig: { withLog: true } } as const

/** Geth's call tree of one transaction as frames, in the same order and numbering as parity's. */
export function callTracerFrames(tree: unknown, chain: ChainId): Frame[] {
  const frames: Frame[] = []
  const visit = (node: Fields, address: readonly number[]): void => {
    const failed = node['error'] !== undefined && node['error'] !== null
    const { from, to, value: amount } = node
    frames.push(
      frame(
        {
          address,
          type: text(node['type'], 'the type of a frame').toLowerCase(),
          failed,
          from,
          to,
          amount,
          ...(node['logs'] === undefined
            ? {}
            : { logs: list(node['logs'], 'the logs of a frame').length }),
        },
        chain,
      ),
    )
    const calls = node['calls'] === undefined ? [] : list(node['calls'], 'the calls of a frame')
    for (const [i, call] of calls.entries()) visit(fields(call, 'a frame'), [...address, i])
  }
  visit(fields(tree, 'a call tree'), [])
  return frames
}

function frame(
  raw: {
    address: readonly number[]
    type: string
    failed: boolean
    from: unknown
    to: unknown
    amount: unknown
    logs?: number
  },
  chain: ChainId,
): Frame {
  const from = optionalAccount(raw.from, chain, 'the sender of a frame')
  const to = optionalAccount(raw.to, chain, 'the receiver of a frame')
  const payer = from && counterparty(from)
  const receiver = to && counterparty(to)
  return {
    address: raw.address,
    type: raw.type,
    failed: raw.failed,
    ...(raw.logs === undefined ? {} : { logs: raw.logs }),
    ...(payer === undefined ? {} : { from: payer }),
    ...(receiver === undefined ? {} : { to: receiver }),
    amount:
      raw.amount === undefined || raw.amount === null
        ? 0n
        : quantity(raw.amount, 'the value of a frame'),
  }
}
