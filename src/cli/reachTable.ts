import type { ReachAnswer, Reached } from '../analysis/reach.ts'
import type { SweepFrame } from '../analysis/sweepQuestion.ts'
import { harmlessText } from '../ledger/text.ts'
import { formatTable } from './table.ts'

/** Rows of a table for the eye; `--json` has all that are listed. */
const shown = 50

/** Reached accounts for a reader at a terminal, nearest first. */
export function reachTable(answer: ReachAnswer): string {
  const { reached, cut } = answer
  const withSources = reached.some(({ sources }) => sources !== undefined)
  const rows = reached
    .slice(0, shown)
    .map((each) => [
      String(each.hop),
      each.account,
      dateOf(each.time),
      stopText(each),
      ...(withSources ? [(each.sources ?? []).join(' ')] : []),
    ])
  const head = ['hops', 'account', 'time', 'goes no further', ...(withSources ? ['from'] : [])]
  const lines = [
    `${cut.reached.toLocaleString('en')} account${cut.reached === 1 ? '' : 's'} reached`,
    '',
    ...(rows.length === 0 ? [] : [formatTable(head, rows, [0]), '']),
  ]
  if (cut.reached > rows.length)
    lines.push(
      `The ${rows.length} nearest are shown; --json lists ${cut.listed.toLocaleString('en')}, --limit sets how many.`,
    )
  lines.push('Reach says that money can have come there in time, not that it did, nor how much.')
  lines.push(frameNote(answer))
  return lines.join('\n')
}

function stopText({ stop }: Reached): string {
  if (!stop) return ''
  return harmlessText([stop.outcome, stop.label ?? stop.reason].filter(Boolean).join(': '))
}

export function dateOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ')
}

export function frameNote({ follows, dataset, asOf }: SweepFrame): string {
  const rule =
    follows === 'one_asset' ? 'Transfers of the asset' : 'Transfers of all assets that carry value'
  const blocks = Object.entries(asOf).map(([chain, { block }]) => `${chain}@${block}`)
  return `${rule}; times are UTC. Dataset ${dataset.slice(0, 16)}…, as of ${blocks.join(', ')}.`
}
