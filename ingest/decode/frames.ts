import type { Account } from '../../src/ledger/account.ts'

/** One frame of a transaction's call tree, in the form that both trace dialects are brought to. */
export interface Frame {
  /** Path from the top call: [] is the top, [0, 2] the third call of its first call. */
  readonly address: readonly number[]
  /** `call`, `create`, `create2`, `suicide`, `delegatecall`, `staticcall`, `callcode`. */
  readonly type: string
  readonly failed: boolean
  readonly from?: Account
  readonly to?: Account
  /** Value; of a self-destruct the balance that it moved. */
  readonly amount: bigint
  /** Logs that the frame itself emitted, where the trace tells them. */
  readonly logs?: number
  /** Whatever the reader wants back. */
  readonly origin?: unknown
}

/**
 * How many logs the frames say that the transaction has; undefined where they tell of none, since not every node tells
 * logs in traces. What a failed frame or one below it emitted is undone.
 */
export function loggedBy(frames: readonly Frame[]): number | undefined {
  let failed: readonly number[] | undefined
  let [logs, told] = [0, false]
  for (const frame of [...frames].sort((a, b) => compareAddresses(a.address, b.address))) {
    if (frame.logs !== undefined) told = true
    if (failed && startsWith(frame.address, failed)) continue
    failed = frame.failed ? frame.address : undefined
    if (!frame.failed) logs += frame.logs ?? 0
  }
  return told ? logs : undefined
}

const moving = new Set(['call', 'create', 'create2', 'suicide', 'selfdestruct'])

/**
 * Frames that moved value, in trace order, with their positions: every frame counts one, the top frame is 0, so
 * that parity's flat traces and geth's call trees number alike. A failed frame moves nothing, nor does anything
 * below it; what a delegatecall carries is not a transfer.
 */
export function movingFrames(
  frames: readonly Frame[],
): { readonly frame: Frame; readonly position: number }[] {
  const ordered = [...frames].sort((a, b) => compareAddresses(a.address, b.address))
  const found: { frame: Frame; position: number }[] = []
  let failed: readonly number[] | undefined
  for (const [position, frame] of ordered.entries()) {
    if (failed && startsWith(frame.address, failed)) continue
    failed = frame.failed ? frame.address : undefined
    if (frame.failed || !moving.has(frame.type)) continue
    if (frame.amount > 0n || position === 0) found.push({ frame, position })
  }
  return found
}

function compareAddresses(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < a.length && i < b.length; i++) {
    const difference = (a[i] as number) - (b[i] as number)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

function startsWith(address: readonly number[], prefix: readonly number[]): boolean {
  return prefix.every((step, i) => address[i] === step)
}
