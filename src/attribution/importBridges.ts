import { isZero, parseAccount } from '../ledger/account.ts'
import { parseAmount } from '../ledger/amount.ts'
import { type AssetId, assetChain, parseAsset } from '../ledger/asset.ts'
import type { BridgeMatch } from '../ledger/bridgeMatch.ts'
import type { ChainId } from '../ledger/chain.ts'
import { KnownError } from '../ledger/errors.ts'
import { chainByName } from '../ledger/nativeCoins.ts'
import { harmlessText } from '../ledger/text.ts'
import { parseTx } from '../ledger/transfer.ts'
import { appendDocument, documentsAfter } from '../store/documentLog.ts'
import type { Store, StoredDocument } from '../store/store.ts'
import { claimsOf } from './bridgeMatches.ts'
import { type BadRow, type CsvForm, type CsvPlace, readStrictCsv } from './strictCsv.ts'

export interface BridgeImportReport {
  readonly rows: number
  readonly added: number
  /** Rows that were known to the letter. */
  readonly repeated: number
}

interface ReadMatch {
  readonly match: BridgeMatch
  /** Undefined for matches of the store. */
  readonly place?: CsvPlace
}

const columns = [
  'message',
  'fromChain',
  'fromTx',
  'fromAsset',
  'fromAmount',
  'toChain',
  'toTx',
  'toAsset',
  'toAmount',
  'receiver',
] as const

const form: CsvForm<(typeof columns)[number], ReadMatch> = {
  columns,
  code: 'bridge.invalid',
  row(take, place) {
    const fromChain = take('fromChain', chainOf)
    const toChain = take('toChain', chainOf)
    const match: BridgeMatch = {
      message: take('message', messageOf),
      fromChain,
      fromTx: take('fromTx', (text) => parseTx(text, fromChain)),
      fromAsset: take('fromAsset', assetOn(fromChain)),
      fromAmount: take('fromAmount', positive),
      toChain,
      toTx: take('toTx', (text) => parseTx(text, toChain)),
      toAsset: take('toAsset', assetOn(toChain)),
      toAmount: take('toAmount', positive),
      receiver: take('receiver', (text) => {
        const receiver = parseAccount(text, toChain)
        if (isZero(receiver)) throw invalid('the zero address receives nothing')
        return receiver
      }),
    }
    return { match, place }
  },
}

/**
 * Adds matched legs of bridgings from CSV, all of the files or none. Each message stands once, and so does each leg:
 * thieves have replayed messages with other receivers. What is stored already to the letter is passed over.
 *
 * @throws KnownError `bridge.invalid` naming the first bad rows, `file.*`
 */
export async function importBridges(
  store: Pick<Store, 'readDocument' | 'writeDocument' | 'listDocuments'>,
  files: readonly string[],
): Promise<BridgeImportReport> {
  const stored = (await documentsAfter(store, 'bridge', 0)).flatMap(storedMatches)
  const before = stored.map((match) => ({ match }))
  const known = new Set(stored.map((match) => claimsOf(match).join('\n')))
  const isNew = ({ match }: ReadMatch): boolean => !known.has(claimsOf(match).join('\n'))
  const rows = readStrictCsv(files, form, (read) => usedTwice([...before, ...read.filter(isNew)]))
  const added = rows.filter(isNew).map(({ match }) => match)
  if (added.length > 0) await appendDocument(store, 'bridge', { matches: added.map(writtenMatch) })
  return { rows: rows.length, added: added.length, repeated: rows.length - added.length }
}

const claimed = ['message', 'fromTx', 'toTx'] as const

function usedTwice(rows: readonly ReadMatch[]): readonly BadRow[] {
  const first = new Map<string, ReadMatch>()
  const bad: BadRow[] = []
  for (const row of rows) {
    for (const [i, claim] of claimsOf(row.match).entries()) {
      const user = first.get(claim)
      if (!user) first.set(claim, row)
      else if (row.place) {
        const field = claimed[i] ?? 'row'
        const by = user.place ? `${user.place.file}:${user.place.line}` : 'a stored match'
        const what = field === 'message' ? 'message' : 'leg'
        const message = `${by} has the same ${what}, and each is used once`
        bad.push({
          ...row.place,
          field,
          value: harmlessText(row.match[claimed[i] ?? 'message']),
          message,
        })
        break
      }
    }
  }
  return bad
}

/** Amounts as text: JSON has no whole numbers of that size. */
function writtenMatch({ fromAmount, toAmount, ...match }: BridgeMatch): unknown {
  return { ...match, fromAmount: String(fromAmount), toAmount: String(toAmount) }
}

/** Matches of a stored import. */
export function storedMatches({ value }: StoredDocument): readonly BridgeMatch[] {
  const { matches } = value as {
    readonly matches: readonly (Omit<BridgeMatch, 'fromAmount' | 'toAmount'> & {
      readonly fromAmount: string
      readonly toAmount: string
    })[]
  }
  return matches.map((match) => ({
    ...match,
    fromAmount: BigInt(match.fromAmount),
    toAmount: BigInt(match.toAmount),
  }))
}

/** Hex in one case, so that nobody passes one message for two. */
function messageOf(text: string): string {
  if (/^0x[0-9a-fA-F]+$/.test(text)) return text.toLowerCase()
  if (/^[\x21-\x7e]{1,200}$/.test(text)) return text
  throw invalid('give 1 to 200 visible characters without spaces')
}

function chainOf(text: string): ChainId {
  const chain = chainByName(text)
  if (chain === undefined)
    throw invalid('give a CAIP-2 chain such as eip155:1, or a known name such as ethereum')
  return chain
}

function assetOn(chain: ChainId): (text: string) => AssetId {
  return (text) => {
    const asset = parseAsset(text)
    if (assetChain(asset) !== chain) throw invalid(`this asset is not on ${chain}`)
    return asset
  }
}

function positive(text: string): bigint {
  const amount = parseAmount(text)
  if (amount === 0n) throw invalid('a leg moves something')
  return amount
}

function invalid(message: string): KnownError {
  return new KnownError('bridge.invalid', message)
}
