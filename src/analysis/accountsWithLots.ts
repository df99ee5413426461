import { type Account, parseAccount } from '../ledger/account.ts'
import type { Outcome, TraceAnswer } from './traceAnswer.ts'

/** What ends a lot where it arrives: it stays there as clean money, and never becomes a lot again. */
const onArrival: ReadonlySet<Outcome> = new Set([
  'service',
  'mixer',
  'bridge',
  'contract_custody',
  'high_degree',
])

/**
 * Accounts in which lots of a trace came to rest, if only for a moment: those whose history its answer depends on. An
 * account is left out only where nothing left it again and all that arrived ended on arrival.
 */
export function accountsWithLots(answer: TraceAnswer): Set<Account> {
  const [giver, taker] =
    answer.query.direction === 'backward' ? (['to', 'from'] as const) : (['from', 'to'] as const)
  const resting = new Map<string, bigint>()
  const certain = new Set<string>()
  const arrive = (account: string, face: bigint): void => {
    resting.set(account, (resting.get(account) ?? 0n) + face)
  }
  for (const movement of answer.movements) {
    const [from, to] = [movement[giver], movement[taker]]
    if (from !== null) certain.add(from)
    if (to !== null) arrive(to, BigInt(movement.face))
  }
  for (const { account } of [...answer.conversions, ...answer.gaps]) certain.add(account)
  for (const { recipient } of answer.conversions)
    if (recipient !== undefined) certain.add(recipient)
  for (const { account, outcome, face } of answer.outcomes) {
    if (account === '') continue
    arrive(account, onArrival.has(outcome) ? -BigInt(face) : 0n)
  }
  const kept = [...resting].filter(([, face]) => face > 0n).map(([account]) => account)
  return new Set([...certain, ...kept].map((account) => parseAccount(account)))
}
