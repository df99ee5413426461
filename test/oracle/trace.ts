/**
 * The definitions of design 8.1 and 8.2 as they are written: explicit parcels of every account over the whole ledger,
 * nothing indexed, nothing lazy. It shares no code with the engine beyond the ledger's types and order, and decides
 * every disagreement unless the design shows otherwise.
 *
 * What happens in a trace is told by its steps (steps.ts), backward by the same steps run from their end
 * (reversed.ts); one pass plays them (pass.ts) with the parcels of each account (accounts.ts, parcels.ts).
 */
import type { Account } from '../../src/ledger/account.ts'
import { ledgerOrder } from '../../src/ledger/order.ts'
import { transferId } from '../../src/ledger/transfer.ts'
import type { Rounding } from './parcels.ts'
import { type OracleAnswer, onePass, type PassInput } from './pass.ts'
import type { OracleQuestion } from './question.ts'
import { accountKey, reversed } from './reversed.ts'
import { type Step, type Steps, stepsOf } from './steps.ts'

export type { OracleAnswer, OracleQuestion }

/** A question with its steps in the order of the trace: all that passes over one ledger share. */
export type Prepared = Omit<PassInput, 'rounding' | 'decide' | 'halvings'>

const asDefined: Rounding = {
  face: (product, by) => product / by,
  units: (product, by) => product / by,
  divided: () => undefined,
}

export function oracleTrace(question: OracleQuestion): OracleAnswer {
  const prepared = prepare(question)
  return onePass({
    ...prepared,
    halvings: halvingsOf(prepared),
    rounding: asDefined,
    decide: (judge) => judge(),
  })
}

/**
 * "s starts at minShare and is halved, the pass repeated, until all dust together is ≤ minShare of the seed": how often.
 */
export function halvingsOf(prepared: Prepared): bigint {
  const { minShare } = prepared.question
  // Below 2^-400 of a seed there is no whole unit: by then every address with a lot is followed.
  for (let halvings = 0n; halvings < 400n; halvings++) {
    const { outcomes } = onePass({
      ...prepared,
      halvings,
      rounding: asDefined,
      decide: (judge) => judge(),
    })
    let dust = 0n
    for (const [key, face] of outcomes) if (key.startsWith('dust ')) dust += face
    if (dust * minShare.denominator <= prepared.seedTotal * minShare.numerator) return halvings
  }
  throw new Error('the dust does not become less')
}

export function prepare(question: OracleQuestion): Prepared {
  const { method = 'fifo', direction = 'forward' } = question
  if (direction === 'backward' && ['tainted-first', 'clean-first'].includes(method))
    throw new Error(`${method} depends on what is traced: it has no backward form`)
  const ledger = ledgerOrder(question.transfers)
  const seeds = ledger.filter((leg) => question.seeds.includes(transferId(leg)))
  const steps = stepsOf(ledger, question)
  const none = (account: Account, asset: string): bigint => question.opening?.(account, asset) ?? 0n
  const turned = direction === 'backward' ? reversed(steps, openingOf(steps, none)) : undefined
  const transactions = turned?.transactions ?? steps
  return {
    question,
    transactions,
    seeds: seeds.map(transferId),
    seedTotal: seeds.reduce((total, { amount }) => total + amount, 0n),
    opening: turned
      ? (account, asset) => turned.opening.get(accountKey(account, asset)) ?? none(account, asset)
      : none,
    bridges: provenCrossings(transactions.flat(), question),
  }
}

function openingOf(
  transactions: readonly Steps[],
  opening: (account: Account, asset: string) => bigint,
): Map<string, bigint> {
  const balances = new Map<string, bigint>()
  for (const { from, to, gives, gets } of transactions.flat()) {
    if ('holds' in from) balances.set(accountKey(from.holds, gives), opening(from.holds, gives))
    if ('holds' in to) balances.set(accountKey(to.holds, gets), opening(to.holds, gets))
  }
  return balances
}

/**
 * Legs that arrive at a bridge, or with nobody where the bridge burns, and go on with a later one: "each message is
 * used once, the arriving leg never earlier than the leaving one". Backward the arriving leg is the one that leaves.
 */
function provenCrossings(steps: readonly Step[], question: OracleQuestion): Map<string, Step> {
  const pairs = [...(question.bridges ?? [])].map(([leaving, arriving]) =>
    question.direction === 'backward' ? [arriving, leaving] : [leaving, arriving],
  )
  const crossings = new Map<string, Step>()
  const used = new Set<string>()
  for (const [i, step] of steps.entries()) {
    const bridged = 'ends' in step.to && ['bridge', 'burned', 'issued'].includes(step.to.ends)
    if (step.sort !== 'transfer' || !bridged) continue
    const far = pairs.find(([near]) => near === step.id)?.[1]
    const arriving = steps.find(
      (other, j) => j > i && other.sort === 'transfer' && other.id === far,
    )
    if (!arriving || used.has(arriving.id)) continue
    used.add(arriving.id)
    crossings.set(step.id, arriving)
  }
  return crossings
}
