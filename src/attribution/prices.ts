import { createHash } from 'node:crypto'
import type { AssetId } from '../ledger/asset.ts'
import { compareText } from '../ledger/order.ts'
import type { Price } from '../ledger/price.ts'
import type { Rational } from '../ledger/rational.ts'

/** A price is believed for a day. */
const longestSeconds = 86_400

/** Dated prices at one moment. */
export interface PriceSet {
  /** Number of prices, of all currencies. */
  readonly size: number
  /** The currency of every value; undefined for an empty set. */
  readonly currency: string | undefined
  /**
   * What an amount in base units was worth, by the newest price at or before a time in seconds that is at most a day
   * old; exact. Undefined where there is none or the asset's decimals are unknown.
   */
  value(asset: AssetId, amount: bigint, time: number): Rational | undefined
  readonly digest: string
}

/**
 * Values are comparable, so all are in one currency: the one in which the most assets have a price, of equals the
 * first by name. Prices in others stay unused. Of two prices for one asset, time and currency the later row holds.
 *
 * @param decimalsOf - places of an asset; undefined where nobody says.
 */
export function createPriceSet(
  rows: readonly Price[],
  decimalsOf: (asset: AssetId) => number | undefined,
): PriceSet {
  const held = new Map(rows.map((row) => [`${row.currency} ${row.asset} ${row.time}`, row]))
  const currency = commonCurrency([...held.values()])
  const byAsset = new Map<AssetId, Price[]>()
  for (const row of held.values()) {
    if (row.currency !== currency) continue
    const known = byAsset.get(row.asset)
    if (known) known.push(row)
    else byAsset.set(row.asset, [row])
  }
  for (const list of byAsset.values()) list.sort((a, b) => a.time - b.time)
  return {
    size: held.size,
    currency,
    value(asset, amount, time) {
      const row = newest(byAsset.get(asset) ?? [], time)
      const decimals = row && decimalsOf(asset)
      if (!row || decimals === undefined || time - row.time > longestSeconds) return undefined
      const [whole = '', places = ''] = row.price.split('.')
      return {
        numerator: amount * BigInt(whole + places),
        denominator: 10n ** BigInt(decimals + places.length),
      }
    },
    digest: digestOf([...held.values()]),
  }
}

function commonCurrency(rows: readonly Price[]): string | undefined {
  const assets = new Map<string, Set<AssetId>>()
  for (const { currency, asset } of rows)
    assets.set(currency, (assets.get(currency) ?? new Set<AssetId>()).add(asset))
  const [first] = [...assets].sort(([a, ofA], [b, ofB]) => ofB.size - ofA.size || compareText(a, b))
  return first?.[0]
}

function newest(rows: readonly Price[], time: number): Price | undefined {
  let low = 0
  let high = rows.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((rows[middle] as Price).time <= time) low = middle + 1
    else high = middle
  }
  return rows[low - 1]
}

function digestOf(rows: readonly Price[]): string {
  const lines = rows.map(({ asset, time, currency, price, source }) =>
    JSON.stringify([asset, time, currency, price, source]),
  )
  return createHash('sha256').update(lines.sort(compareText).join('\n')).digest('hex')
}
