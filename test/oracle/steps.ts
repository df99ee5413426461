/**
 * A ledger as the steps that a trace plays: each moves money of one asset from one place to another, or exchanges it.
 * Time reversed, a step runs from its end to its beginning.
 */
import type { Account } from '../../src/ledger/account.ts'
import { movesValue, type Transfer, transferId } from '../../src/ledger/transfer.ts'
import { type Conversions, conversionsOf } from './conversions.ts'
import type { OracleQuestion } from './question.ts'
import { type Stops, stopsOf } from './stops.ts'

/** An account that keeps parcels, or a place that keeps none: lots end there, and what leaves it is clean. */
export type Place =
  | { readonly holds: Account }
  | { readonly ends: string; readonly account: Account | '' }

export interface Step {
  /** `exchange`: a conversion. `unclear`: net change of several credible pairs. `gap`: what no row explains. */
  readonly sort: 'transfer' | 'exchange' | 'unclear' | 'gap'
  /** The transfer; of a conversion the payer's first leg in what it gave. */
  readonly id: string
  readonly tx: string
  readonly time: number
  readonly from: Place
  readonly gives: string
  readonly given: bigint
  readonly to: Place
  readonly gets: string
  readonly got: bigint
}

/** Whose place it is; nobody's where money is issued. */
export function accountOf(place: Place): Account | '' {
  return 'holds' in place ? place.holds : place.account
}

/** Steps of one transaction. */
export type Steps = readonly Step[]

/** Legs of each transaction of a ledger in ledger order. */
export function transactionsOf(ledger: readonly Transfer[]): Transfer[][] {
  const transactions: Transfer[][] = []
  for (const leg of ledger) {
    const last = transactions.at(-1)
    const same =
      last?.[0]?.tx === leg.tx && last[0].block === leg.block && last[0].chain === leg.chain
    if (last && same) last.push(leg)
    else transactions.push([leg])
  }
  return transactions
}

export function stepsOf(ledger: readonly Transfer[], question: OracleQuestion): Steps[] {
  const transactions = transactionsOf(ledger)
  const stops = stopsOf(transactions, question)
  return transactions.map((legs) => {
    const conversions = conversionsOf(legs, question, (account) => stops(account) !== undefined)
    return [
      ...transferSteps(legs, conversions, { question, stops }),
      ...conversionSteps(legs, conversions, stops),
    ]
  })
}

function transferSteps(
  legs: readonly Transfer[],
  { exchanges, unclear }: Conversions,
  { question, stops }: { readonly question: OracleQuestion; readonly stops: Stops },
): Step[] {
  const netted = new Set([
    ...exchanges.map(({ payer, gives }) => `${payer} ${gives}`),
    ...exchanges.map(({ receiver, gets }) => `${receiver} ${gets}`),
    ...[...unclear.down, ...unclear.up].map(({ account, asset }) => `${account} ${asset}`),
  ])
  const at = (account: Account, leg: Transfer): Place => {
    const stop = stops(account)
    if (stop !== undefined) return { ends: stop, account }
    // "Its legs in X and Y carry no lots of their own; lots of others arriving in them are ambiguous there."
    return leg.kind !== 'fee' && netted.has(`${account} ${leg.asset}`)
      ? { ends: 'ambiguous', account }
      : { holds: account }
  }
  const nobody = (leg: Transfer, outcome: string, whose: Account | undefined): Place => {
    if (leg.kind === 'fee') return { ends: 'fees', account: whose ?? '' }
    const { wrap } = question
    if (wrap?.wrapped === leg.asset)
      return { ends: stops(wrap.wrapper) ?? 'contract_custody', account: wrap.wrapper }
    return { ends: outcome, account: whose ?? '' }
  }
  return legs
    .filter((leg) => movesValue(leg) && question.carriesValue?.(leg.asset) !== false)
    .map((leg) => ({
      ...momentOf(leg),
      sort: 'transfer',
      from: leg.from === undefined ? nobody(leg, 'issued', leg.to) : at(leg.from, leg),
      gives: leg.asset,
      given: leg.amount,
      to: leg.to === undefined ? nobody(leg, 'burned', leg.from) : at(leg.to, leg),
      gets: leg.asset,
      got: leg.amount,
    }))
}

function momentOf(leg: Transfer): Pick<Step, 'id' | 'tx' | 'time'> {
  return { id: transferId(leg), tx: leg.tx, time: leg.time }
}

/** "It converts at the transaction's end." */
function conversionSteps(
  legs: readonly Transfer[],
  { exchanges, unclear }: Conversions,
  stops: Stops,
): Step[] {
  const first = (account: Account, asset: string): Pick<Step, 'id' | 'tx' | 'time'> => {
    const leg = legs.find(
      (l) => movesValue(l) && l.from === account && l.asset === asset && l.kind !== 'fee',
    )
    return momentOf(leg ?? (legs[0] as Transfer))
  }
  const place = (account: Account): Place => {
    const stop = stops(account)
    return stop === undefined ? { holds: account } : { ends: stop, account }
  }
  return [
    ...exchanges.map(
      ({ payer, gives, given, receiver, gets, got }): Step => ({
        ...first(payer, gives),
        sort: 'exchange',
        from: place(payer),
        gives,
        given,
        to: place(receiver),
        gets,
        got,
      }),
    ),
    ...unclear.down.map(
      ({ account, asset, amount }): Step => ({
        ...first(account, asset),
        sort: 'unclear',
        from: place(account),
        gives: asset,
        given: amount,
        to: { ends: 'ambiguous', account },
        gets: asset,
        got: amount,
      }),
    ),
    ...unclear.up.map(
      ({ account, asset, amount }): Step => ({
        ...momentOf(legs[0] as Transfer),
        sort: 'unclear',
        from: { ends: 'ambiguous', account },
        gives: asset,
        given: amount,
        to: place(account),
        gets: asset,
        got: amount,
      }),
    ),
  ]
}
