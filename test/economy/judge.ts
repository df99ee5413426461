import type { TraceAnswer } from '../../src/analysis/traceAnswer.ts'
import type { Truth } from './launderers.ts'

/** How much of the stolen money an answer puts where it truly ended. */
export function rightShare(
  answer: Pick<TraceAnswer, 'outcomes' | 'seedTotal'>,
  truth: Truth,
): number {
  const wanted = new Map<string, bigint>()
  for (const { account, outcome, face } of truth.ends) {
    const key = `${account.toLowerCase()} ${outcome}`
    wanted.set(key, (wanted.get(key) ?? 0n) + face)
  }
  const found = new Map<string, bigint>()
  for (const { account, outcome, face } of answer.outcomes) {
    const key = `${account.slice(account.lastIndexOf(':') + 1).toLowerCase()} ${outcome}`
    found.set(key, (found.get(key) ?? 0n) + BigInt(face))
  }
  let right = 0n
  for (const [key, face] of wanted) {
    const told = found.get(key) ?? 0n
    right += told < face ? told : face
  }
  return Number((right * 1_000_000n) / truth.stolen) / 1_000_000
}
