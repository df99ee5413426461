import { parseAsset } from '../ledger/asset.ts'
import { KnownError } from '../ledger/errors.ts'
import type { Price } from '../ledger/price.ts'
import { appendDocument } from '../store/documentLog.ts'
import type { Store } from '../store/store.ts'
import { importedTokens } from './importTokens.ts'
import { secondsOfIso } from './isoTime.ts'
import { type BadRow, type CsvForm, type CsvPlace, readStrictCsv } from './strictCsv.ts'
import { createTokenTrust } from './trustedTokens.ts'

export interface PriceImportReport {
  readonly rows: number
  readonly assets: number
  /** Assets of which no token list knows the decimals: their prices say nothing until one does. */
  readonly withoutDecimals: readonly string[]
}

type ReadPrice = Price & { readonly place: CsvPlace }

const form: CsvForm<'asset' | 'time' | 'currency' | 'price' | 'source', ReadPrice> = {
  columns: ['asset', 'time', 'currency', 'price', 'source'],
  code: 'price.invalid',
  row: (take, place) => ({
    asset: take('asset', parseAsset),
    time: take('time', timeOf),
    currency: take('currency', currencyOf),
    price: take('price', priceOf),
    source: take('source', sourceOf),
    place,
  }),
}

/**
 * Adds dated prices from CSV (`asset,time,currency,price,source`), all of the files or none. A price for an asset,
 * time and currency that has one already takes its place.
 *
 * @throws KnownError `price.invalid` naming the first bad rows, `file.*`
 */
export async function importPrices(
  store: Pick<Store, 'readDocument' | 'writeDocument' | 'listDocuments'>,
  files: readonly string[],
): Promise<PriceImportReport> {
  const rows = readStrictCsv(files, form, contradictions)
  const prices = rows.map(({ place: _, ...price }) => price)
  if (prices.length > 0) await appendDocument(store, 'price', { prices })
  const tokens = createTokenTrust(await importedTokens(store))
  const assets = [...new Set(prices.map(({ asset }) => asset))]
  return {
    rows: prices.length,
    assets: assets.length,
    withoutDecimals: assets.filter((asset) => tokens.info(asset) === undefined),
  }
}

/** Two prices for one asset, time and currency: nobody can say which was meant. */
function contradictions(rows: readonly ReadPrice[]): readonly BadRow[] {
  const known = new Map<string, ReadPrice>()
  const bad: BadRow[] = []
  for (const row of rows) {
    const key = `${row.asset} ${row.time} ${row.currency}`
    const first = known.get(key)
    if (!first) known.set(key, row)
    else if (first.price !== row.price) {
      const message = `${first.place.file}:${first.place.line} gives ${first.price} for the same asset, time and currency`
      bad.push({ ...row.place, field: 'price', value: row.price, message })
    }
  }
  return bad
}

function timeOf(text: string): number {
  if (/^(?:0|[1-9]\d{0,10})$/.test(text)) return Number(text)
  const time = secondsOfIso(text)
  if (!Number.isNaN(time)) return time
  throw invalid('give seconds since 1970, a date such as 2024-01-31, or a time with its zone')
}

function currencyOf(text: string): string {
  if (/^[A-Za-z][A-Za-z0-9]{1,9}$/.test(text)) return text.toUpperCase()
  throw invalid('give a currency, such as USD')
}

function priceOf(text: string): string {
  if (/^(?:0|[1-9]\d{0,29})(?:\.\d{1,30})?$/.test(text) && /[1-9]/.test(text)) return text
  throw invalid('give a plain decimal number above 0, at most 30 digits before and after the point')
}

function sourceOf(text: string): string {
  if (text.trim() !== '') return text
  throw invalid('every price needs a source')
}

function invalid(message: string): KnownError {
  return new KnownError('price.invalid', message)
}
