import type { Comparison } from '../analysis/compare.ts'
import { formatDecimal } from '../ledger/amount.ts'
import { type AssetId, parseAsset } from '../ledger/asset.ts'
import type { TokenInfo } from '../ledger/knownTokens.ts'
import { harmlessText } from '../ledger/text.ts'
import { formatTable } from './table.ts'
import { meanings } from './traceTable.ts'

/** Places shown to a reader; `--json` has all. */
const mostPlaces = 15

/** All methods side by side for a reader at a terminal; each column of the first table adds up to the seeds. */
export function compareTable(
  { methods, seeds, seedTotal, table, places, cuts }: Comparison,
  info: (asset: AssetId) => TokenInfo | undefined,
): string {
  const [seed] = seeds
  const known = seed === undefined ? undefined : info(parseAsset(seed.asset))
  const money = (units: string | undefined): string =>
    known ? formatDecimal(BigInt(units ?? 0), known.decimals) : (units ?? '0')
  const columns = methods.map((_, i) => i + 1)
  const shown = places.slice(0, mostPlaces)
  const unit = known ? ` ${harmlessText(known.symbol)}` : ' base units'
  const gaps = methods.filter((method) => (cuts[method]?.gaps ?? 0) > 0)
  return [
    `${seeds.length} seed${seeds.length === 1 ? '' : 's'}, ${money(seedTotal)}${unit} in all, under ${methods.length} methods`,
    '',
    formatTable(
      ['outcome', ...methods],
      table.map(({ outcome, faces }) => [
        meanings[outcome],
        ...methods.map((method) => money(faces[method])),
      ]),
      columns,
    ),
    '',
    formatTable(
      ['outcome', 'account', 'label', ...methods],
      shown.map(({ outcome, account, label, faces }) => [
        outcome,
        account,
        harmlessText(label ?? ''),
        ...methods.map((method) => money(faces[method])),
      ]),
      columns.map((column) => column + 2),
    ),
    ...(places.length > shown.length ? [`and ${places.length - shown.length} more: --json`] : []),
    ...(gaps.length > 0
      ? [
          `Payments beyond the balance carried followed money under ${gaps.join(', ')}: data is missing.`,
        ]
      : []),
  ].join('\n')
}
