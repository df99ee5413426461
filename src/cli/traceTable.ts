import type { Outcome, TraceAnswer, TraceOutcome } from '../analysis/traceAnswer.ts'
import { formatDecimal } from '../ledger/amount.ts'
import { type AssetId, parseAsset } from '../ledger/asset.ts'
import type { TokenInfo } from '../ledger/knownTokens.ts'
import { harmlessText } from '../ledger/text.ts'
import { formatTable } from './table.ts'

/** What each outcome means, in a few words. */
export const meanings: Readonly<Record<Outcome, string>> = {
  still_held: 'still held',
  service: 'at a service',
  mixer: 'in a mixer',
  bridge: 'into a bridge',
  contract_custody: 'in a contract',
  burned: 'burned',
  frozen: 'frozen',
  fees: 'spent on fees',
  high_degree: 'at a busy unnamed address',
  dust: 'dust below the share',
  hop_limit: 'beyond the hop limit',
  budget: 'beyond the budget',
  not_ingested: 'not ingested yet',
  ledger_gap: 'missing data',
  ambiguous: 'ambiguous',
  reseeded: 'in a later seed',
  idle: 'idle too long',
  issued: 'issued',
  opening_balance: 'held from the beginning',
}

/** A trace for a reader at a terminal: totals that add up, then the places that matter. */
export function traceTable(
  answer: TraceAnswer,
  info: (asset: AssetId) => TokenInfo | undefined,
): string {
  const [seed] = answer.seeds
  const asset = seed === undefined ? undefined : parseAsset(seed.asset)
  const known = asset === undefined ? undefined : info(asset)
  const money = (units: string): string => {
    const amount = known ? formatDecimal(BigInt(units), known.decimals) : units
    return `${grouped(amount)}${known ? ` ${harmlessText(known.symbol)}` : ''}`
  }
  const totals = formatTable(
    ['outcome', 'amount', 'share'],
    answer.totals.map(({ outcome, face, share }) => [
      meanings[outcome],
      money(face),
      percent(share),
    ]),
    [1, 2],
  )
  const places = mergedByPlace(answer.outcomes).slice(0, 15)
  const sum = answer.totals.reduce((all, { face }) => all + BigInt(face), 0n)
  const whole =
    sum === BigInt(answer.seedTotal)
      ? '100 % accounted for'
      : 'NOT ALL ACCOUNTED FOR — this is a bug'
  const lines = [
    `${answer.seeds.length} seed${answer.seeds.length === 1 ? '' : 's'}, ${money(answer.seedTotal)} in all`,
    '',
    totals,
    `${money(sum.toString())} = ${whole}`,
    '',
    formatTable(
      ['outcome', 'account', 'label', 'amount', 'share', 'hops'],
      places.map((p) => [
        p.outcome,
        p.account,
        harmlessText(p.label ?? p.reason ?? ''),
        money(p.face),
        percent(p.share),
        p.hops,
      ]),
      [3, 4],
    ),
    '',
    ...footnotes(answer, places.length),
  ]
  return lines.join('\n')
}

interface Place {
  readonly outcome: Outcome
  readonly account: string
  readonly label: string | undefined
  readonly reason: string | undefined
  readonly face: string
  readonly share: number
  readonly hops: string
}

/** One line per outcome and account, the largest first. */
function mergedByPlace(outcomes: readonly TraceOutcome[]): Place[] {
  const groups = new Map<string, TraceOutcome[]>()
  for (const outcome of outcomes) {
    const key = `${outcome.outcome} ${outcome.account}`
    groups.set(key, [...(groups.get(key) ?? []), outcome])
  }
  const places = [...groups.values()].map((group) => {
    const hops = group.map(({ hop }) => hop)
    const [low, high] = [Math.min(...hops), Math.max(...hops)]
    const [first] = group
    return {
      outcome: first?.outcome ?? 'dust',
      account: first?.account ?? '',
      label: first?.label,
      reason: first?.reason,
      face: group.reduce((sum, { face }) => sum + BigInt(face), 0n).toString(),
      share: group.reduce((sum, { share }) => sum + share, 0),
      hops: low === high ? String(low) : `${low}–${high}`,
    }
  })
  return places.sort((a, b) =>
    BigInt(a.face) < BigInt(b.face) ? 1 : BigInt(a.face) > BigInt(b.face) ? -1 : 0,
  )
}

function footnotes(answer: TraceAnswer, shown: number): string[] {
  const places = new Set(answer.outcomes.map(({ outcome, account }) => `${outcome} ${account}`))
    .size
  const notes = [
    `Method ${answer.query.method}/${answer.query.sameTransaction}; ${answer.movements.length} movements; followed from a share of ${answer.cut.followShare}.`,
  ]
  notes.push('Balances from before the first known transfer are not known and count as nothing.')
  if (places > shown) notes.push(`${places - shown} smaller ends are not shown; --json has all.`)
  if (answer.order.rule === 'causal') {
    notes.push(
      `The order inside ${answer.order.assumedBlocks} blocks is assumed (causal order): their sources do not know it.`,
    )
  }
  if (answer.gaps.length > 0)
    notes.push(`${answer.gaps.length} payments exceed what the store knows of their payers (gaps).`)
  if (answer.cut.budget)
    notes.push(
      `The budget of ${answer.cut.budget} was reached: what is below the share is "budget".`,
    )
  notes.push(
    `Dataset ${answer.dataset.slice(0, 16)}…, as of ${Object.entries(answer.asOf)
      .map(([chain, { block }]) => `${chain}@${block}`)
      .join(', ')}.`,
  )
  return notes
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`
}

/** Thousands in groups, at most six decimals for the eye; --json has every digit. */
function grouped(decimal: string): string {
  const [whole = '0', places = ''] = decimal.split('.')
  const shown = places.slice(0, 6)
  const more = places.length > 6 ? '…' : ''
  return `${BigInt(whole).toLocaleString('en')}${shown === '' ? '' : `.${shown}${more}`}`
}
