import type { BoundsAnswer, Interval } from '../analysis/boundsAnswer.ts'
import type { Certificate } from '../analysis/certificate.ts'
import { formatDecimal, shareOf } from '../ledger/amount.ts'
import { type AssetId, parseAsset } from '../ledger/asset.ts'
import type { TokenInfo } from '../ledger/knownTokens.ts'
import { harmlessText } from '../ledger/text.ts'
import { formatTable } from './table.ts'

type Money = (units: string) => string

/** Bounds for a reader at a terminal: the interval, and the sums that prove it. */
export function boundsTable(
  answer: BoundsAnswer,
  info: (asset: AssetId) => TokenInfo | undefined,
): string {
  const [seed] = answer.seeds
  const known = seed === undefined ? undefined : info(parseAsset(seed.asset))
  const money: Money = (units) =>
    known === undefined
      ? units
      : `${formatDecimal(BigInt(units), known.decimals)} ${harmlessText(known.symbol)}`
  const intervals = 'outcomes' in answer ? answer.outcomes : [answer]
  const count = answer.seeds.length
  return [
    `${count} seed${count === 1 ? '' : 's'}, ${money(answer.seedTotal)} in all`,
    '',
    intervalTable(intervals, answer.seedTotal, money),
    ...('outcomes' in answer ? [] : [answer].flatMap((one) => proofs(one, money))),
    '',
    ...footnotes(answer, intervals),
  ].join('\n')
}

function intervalTable(intervals: readonly Interval[], total: string, money: Money): string {
  const percent = (units: string): string =>
    `${(shareOf(BigInt(units), BigInt(total)) * 100).toFixed(2)} %`
  return formatTable(
    ['target', 'at least', 'share', 'at most', 'share'],
    intervals.map(({ target, min, max }) => [
      targetLabel(target),
      min === null ? 'not claimed' : money(min),
      min === null ? '' : percent(min),
      money(max),
      percent(max),
    ]),
    [1, 2, 3, 4],
  )
}

function targetLabel(target: Interval['target']): string {
  if (typeof target === 'string') return target
  if ('category' in target) return harmlessText(target.category)
  if ('actor' in target) return harmlessText(target.actor)
  const [first = '', ...more] = target.accounts
  return more.length === 0 ? first : `${first} and ${more.length} more`
}

const mostLines = 20

function proofs({ certificates }: Interval, money: Money): string[] {
  return certificates.flatMap((certificate) => {
    const lines = cutLines(certificate, money)
    const more = lines.length - mostLines
    return [
      '',
      certificate.bound === 'max'
        ? `No more than ${money(certificate.amount)}, since all ways to the target pass here:`
        : `No less than ${money(certificate.amount)}, since all ways elsewhere pass here:`,
      formatTable(['limit', 'amount'], lines.slice(0, mostLines), [1]),
      ...(more > 0 ? [`and ${more} more; --json has all`] : []),
    ]
  })
}

function cutLines({ cut }: Certificate, money: Money): string[][] {
  return [
    ...cut.transfers.map(({ kind, transfer, amount }) => [`${kind} ${transfer}`, money(amount)]),
    ...cut.balances.map(({ account, fromBlock, toBlock, held }) => [
      `balance of ${account}, blocks ${fromBlock} to ${toBlock}`,
      money(held),
    ]),
    ['together', money(cut.total)],
  ]
}

function footnotes(answer: BoundsAnswer, intervals: readonly Interval[]): string[] {
  const reasons = new Set(intervals.map(({ reason }) => reason).filter((r) => r !== undefined))
  const blocks = Object.entries(answer.asOf).map(([chain, { block }]) => `${chain}@${block}`)
  return [
    ...(reasons.size === 1 ? [...reasons].map((reason) => `${capital(reason)}.`) : []),
    ...(reasons.size > 1
      ? ['Where balances are not proven no minimum is claimed; --json names the accounts.']
      : []),
    'These hold under every accounting of one asset; what was exchanged for another asset ended there.',
    ...(answer.opening === 'assumed_zero'
      ? ['What accounts held before their first known transfer is taken for nothing (--opening).']
      : []),
    `Dataset ${answer.dataset.slice(0, 16)}…, as of ${blocks.join(', ')}.`,
  ]
}

const capital = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`
