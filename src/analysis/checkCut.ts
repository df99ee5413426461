import { movesValue, type Transfer, transferId } from '../ledger/transfer.ts'
import type { Certificate } from './certificate.ts'
import {
  type Arrival,
  becomes,
  type CertifiedLedger,
  keyOf,
  momentKey,
  momentsOf,
  placeKey,
  type Step,
} from './certifiedLedger.ts'

/**
 * Looks for a way in time order that the cut does not close: from the seeds to the target for a maximum, to any other end
 * for a minimum.
 *
 * @returns the ways found, at most ten; empty where the cut closes all.
 */
export function cutFindings(ledger: CertifiedLedger, { bound, cut }: Certificate): string[] {
  const taken = new Set(cut.transfers.map(({ kind, transfer }) => `${kind} ${transfer}`))
  const emptied = Map.groupBy(cut.balances, momentKey)
  const isLimited = (end: string): boolean => (end === ledger.premises.target) === (bound === 'max')
  const reached = new Set<string>()
  const found = new Set<string>()

  function go(name: string, arrival: Arrival): void {
    if (taken.has(name)) return
    if ('to' in arrival) reached.add(arrival.to)
    else if (isLimited(arrival.end)) found.add(`${name} leads to ${arrival.end}`)
  }

  function visit(row: Transfer): void {
    const id = transferId(row)
    const isSeed = ledger.seeds.has(id)
    const mayPay = reached.has(keyOf(row.from, row.asset)) && !ledger.isSilent(row, row.from)
    if (mayPay && movesValue(row))
      go(`transfer ${id}`, isSeed ? { end: 'reseeded' } : ledger.arrival(row))
    if (isSeed) go(`seed ${id}`, ledger.arrival(row))
  }

  function convert(step: Step): void {
    for (const given of step.conversions)
      if (reached.has(placeKey(given))) go(`conversion ${given.transfer}`, becomes(given))
  }

  for (const step of ledger.steps) {
    const empty = (moments: readonly string[]): void => {
      for (const moment of moments)
        for (const place of emptied.get(moment) ?? []) reached.delete(placeKey(place))
    }
    for (let known = -1; known < reached.size; ) {
      known = reached.size
      for (const row of step.rows) visit(row)
      if (!step.isUnordered) break
      convert(step)
    }
    const moments = momentsOf(step)
    if (!step.isUnordered) {
      empty(moments.filter((moment) => moment.endsWith(' transfer')))
      convert(step)
    }
    empty(moments)
  }
  for (const key of reached) if (isLimited(ledger.restsAs(key))) found.add(`rest at ${key}`)
  return [...found].slice(0, 10).map((way) => `the cut leaves a way open: ${way}`)
}
