import { createHash } from 'node:crypto'
import type { Account } from '../ledger/account.ts'
import type { ConversionKnowledge } from '../ledger/conversionKnowledge.ts'
import type { ConversionRecord } from '../ledger/conversionRecord.ts'
import { createFreezes, type FreezeReading, type Freezes } from '../ledger/freezes.ts'
import { compareText } from '../ledger/order.ts'
import type { Price } from '../ledger/price.ts'
import { documentsAfter } from '../store/documentLog.ts'
import type { Store, StoredDocument } from '../store/store.ts'
import { createBridgeRegistry } from './bridgeMatches.ts'
import { createConversionRecords } from './conversionRecords.ts'
import { createDerivedPools, createPoolRegistry } from './createdPools.ts'
import { storedMatches } from './importBridges.ts'
import type { Attribution } from './load.ts'
import { createPriceSet } from './prices.ts'

/** What is known of exchanges besides ledger and tags, at one moment. */
export interface Registries extends ConversionKnowledge {
  /** What issuers froze. */
  readonly freezes: Freezes
  /** Documents read of each collection: since they only grow, what was known then can be read again. */
  readonly counts: RegistryCounts
}

export type RegistryCounts = Readonly<Record<RegistryName, number>>

type RegistryName = 'price' | 'bridge' | 'conversion' | 'code' | 'freeze'

/**
 * The registries of a store, for the tags and tokens in force. Prices, bridgings, conversion records and code are
 * collections that only grow (`price`, `bridge`, `conversion`, `code`, `freeze`): each question reads what was added, and what
 * did not change is not made again.
 *
 * @param until - so many documents of each, to know what was known then.
 */
export function openRegistries(
  store: Pick<Store, 'listDocuments'>,
  until?: Partial<RegistryCounts>,
): (attribution: Attribution) => Promise<Registries> {
  const counts: Record<keyof RegistryCounts, number> = {
    price: 0,
    bridge: 0,
    conversion: 0,
    code: 0,
    freeze: 0,
  }
  const source = (collection: keyof RegistryCounts) => ({
    async after(last: number): Promise<readonly StoredDocument[]> {
      // What a pin of an older version does not count was not known then.
      const most = until ? (until[collection] ?? 0) : Number.POSITIVE_INFINITY
      if (last >= most) return []
      const added = (await documentsAfter(store, collection, last)).slice(0, most - last)
      counts[collection] = last + added.length
      return added
    },
  })
  const prices = growing<Price>(source('price'), ({ value }) => (value as StoredPrices).prices)
  const bridges = growing(source('bridge'), storedMatches)
  const accounts = growing<Account>(source('code'), ({ value }) => (value as StoredCode).accounts)
  const records = createConversionRecords()
  const payments = growing<never>(source('conversion'), ({ value }) => {
    records.add((value as StoredRecords).records)
    return []
  })
  const freezes = growing(source('freeze'), ({ value }) => [value as FreezeReading])
  const withTokens = made(createPriceSetOf)
  const derived = createDerivedPools()
  const pools = made(({ wrappedOf }: Attribution['tokens']) =>
    createPoolRegistry(wrappedOf, derived),
  )
  const bridgings = made(createBridgeRegistry)
  const code = made(codeOf)
  const frozen = made(freezesOf)

  return async ({ tags, tokens }) => {
    const [priced, matched, coded, , read] = await Promise.all([
      prices(),
      bridges(),
      accounts(),
      payments(),
      freezes(),
    ])
    const pool = pools(tokens)
    const priceSet = withTokens(priced, tokens)
    const bridge = bridgings(matched)
    const recorded = code(coded)
    return {
      isPool: pool.isPool,
      isKnownPool: pool.isKnownPool,
      value: priceSet.value,
      hasRecords: counts.conversion > 0,
      recordsOf: records.of,
      leaving: bridge.leaving,
      arriving: bridge.arriving,
      freezes: frozen(read),
      hasCode: (account) => recorded.has(account) || tags.hasContractTag(account),
      digest: sha256(
        [pool, priceSet, bridge, recorded].map(({ digest }) => digest).concat(records.digest()),
      ),
      counts: { ...counts },
    }
  }
}

/** One import, one reading of the chain: a document each. */
interface StoredPrices {
  readonly prices: readonly Price[]
}
interface StoredRecords {
  readonly records: readonly ConversionRecord[]
}
interface StoredCode {
  readonly accounts: readonly Account[]
}

function createPriceSetOf(prices: readonly Price[], tokens: Attribution['tokens']) {
  return createPriceSet(prices, (asset) => tokens.info(asset)?.decimals)
}

/** Rows of a collection that only grows; the same array while nothing is added. */
function growing<Row>(
  source: { after(last: number): Promise<readonly StoredDocument[]> },
  rowsOf: (document: StoredDocument) => readonly Row[],
): () => Promise<readonly Row[]> {
  let rows: readonly Row[] = []
  let last = 0
  let reading: Promise<unknown> = Promise.resolve()

  async function readOn(): Promise<readonly Row[]> {
    const added = await source.after(last)
    if (added.length > 0) rows = rows.concat(added.flatMap(rowsOf))
    last += added.length
    return rows
  }

  return () => {
    // One after the other: two at once would both take in what was added.
    const next = reading.then(readOn, readOn)
    reading = next
    return next
  }
}

/** Remembers what was made of the latest arguments. */
function made<Given extends readonly unknown[], Value>(
  make: (...given: Given) => Value,
): (...given: Given) => Value {
  let known: { readonly given: Given; readonly value: Value } | undefined
  return (...given) => {
    if (!known || known.given.some((one, i) => one !== given[i]))
      known = { given, value: make(...given) }
    return known.value
  }
}

/** Accounts of which ingest saw the code. */
function codeOf(accounts: readonly Account[]): {
  readonly has: (account: Account) => boolean
  readonly digest: string
} {
  const known = new Set(accounts)
  return { has: (account) => known.has(account), digest: sha256([...known].sort(compareText)) }
}

function freezesOf(readings: readonly FreezeReading[]): Freezes {
  const freezes = createFreezes()
  for (const reading of readings) freezes.add(reading)
  return freezes
}

function sha256(lines: readonly string[]): string {
  return createHash('sha256').update(lines.join('\n')).digest('hex')
}
