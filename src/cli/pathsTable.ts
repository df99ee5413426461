import type { FoundPath, PathsAnswer } from '../analysis/paths.ts'
import { formatDecimal } from '../ledger/amount.ts'
import { type AssetId, parseAsset } from '../ledger/asset.ts'
import type { TokenInfo } from '../ledger/knownTokens.ts'
import { harmlessText } from '../ledger/text.ts'
import { dateOf, frameNote } from './reachTable.ts'
import { formatTable } from './table.ts'

type Info = (asset: AssetId) => TokenInfo | undefined

/** Paths for a reader at a terminal: each transfer on a line, best path first. */
export function pathsTable(answer: PathsAnswer, info: Info): string {
  const { paths, cut } = answer
  const lines = paths.flatMap((path, i) => [...pathLines(path, i + 1, info), ''])
  const found = `${paths.length} path${paths.length === 1 ? '' : 's'}`
  if (paths.length === 0) lines.push('No path in time order.')
  else if (cut.reason === null) lines.push(`${found}; there are no others.`)
  else if (cut.reason === 'paths') lines.push(`${found}; there may be more: -k sets how many.`)
  else lines.push(`${found}: the best ones, but the budget of transfers to look at was used up.`)
  lines.push('A path says that money can have come this way, not that it did.')
  lines.push(frameNote(answer))
  return lines.join('\n')
}

function pathLines(path: FoundPath, number: number, info: Info): string[] {
  const [first] = path.transfers
  const least =
    path.bottleneck === null || first === undefined
      ? 'several assets'
      : `smallest amount ${money(path.bottleneck, first.asset, info)}`
  const rows = path.transfers.map(({ from, to, amount, asset, time, transfer }) => [
    dateOf(time),
    from,
    to,
    money(amount, asset, info),
    transfer,
  ])
  return [
    `${number}. ${path.hops} transfer${path.hops === 1 ? '' : 's'}, ${least}`,
    formatTable(['time', 'from', 'to', 'amount', 'transfer'], rows, [3]),
  ]
}

function money(units: string, asset: string, info: Info): string {
  const known = info(parseAsset(asset))
  if (!known) return `${units} of ${asset}`
  return `${formatDecimal(BigInt(units), known.decimals)} ${harmlessText(known.symbol)}`
}
