/**
 * The ledger with time reversed: every step runs backwards, the last of a transaction first. What the forward replay
 * had to assume before an outflow beyond the balance is made explicit: reversed, it is an outflow that follows.
 */
import type { Account } from '../../src/ledger/account.ts'
import type { Step, Steps } from './steps.ts'

export type Balances = ReadonlyMap<string, bigint>

export interface Reversed {
  readonly transactions: readonly Steps[]
  /** Closing balances of the ledger, by `<account> <asset>`: opening ones here. */
  readonly opening: Balances
}

export function accountKey(account: Account, asset: string): string {
  return `${account} ${asset}`
}

/**
 * @param opening - balance before the first transfer, by {@link accountKey}.
 */
export function reversed(transactions: readonly Steps[], opening: Balances): Reversed {
  const balances = new Map(opening)
  const turned = transactions.map((steps) => {
    const missing = steps.map((step) => replayed(step, balances))
    return steps.flatMap((step, i) => backwards(step, missing[i] ?? 0n)).reverse()
  })
  return { transactions: turned.reverse(), opening: balances }
}

/** Plays one step with balances alone; returns by how much it went beyond its payer's. */
function replayed(step: Step, balances: Map<string, bigint>): bigint {
  let missing = 0n
  if ('holds' in step.from) {
    const key = accountKey(step.from.holds, step.gives)
    const held = balances.get(key) ?? 0n
    missing = step.given > held ? step.given - held : 0n
    balances.set(key, held + missing - step.given)
  }
  if ('holds' in step.to) {
    const key = accountKey(step.to.holds, step.gets)
    balances.set(key, (balances.get(key) ?? 0n) + step.got)
  }
  return missing
}

/** The step run backwards, to be read from its end: the gap stands before it, as it did in time. */
function backwards(step: Step, missing: bigint): Step[] {
  const { from, gives, given, to, gets, got } = step
  const turned = { ...step, from: to, gives: gets, given: got, to: from, gets: gives, got: given }
  if (missing === 0n || !('holds' in from)) return [turned]
  const gap: Step = {
    ...step,
    sort: 'gap',
    from,
    given: missing,
    to: { ends: 'ledger_gap', account: from.holds },
    gets: gives,
    got: missing,
  }
  return [gap, turned]
}
