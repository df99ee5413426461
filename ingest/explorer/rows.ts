import type { Account } from '../../src/ledger/account.ts'
import { type AssetId, tokenAsset } from '../../src/ledger/asset.ts'
import type { ChainId } from '../../src/ledger/chain.ts'
import { nativeAsset } from '../../src/ledger/nativeCoins.ts'
import { counterparty, type Transfer } from '../../src/ledger/transfer.ts'
import { contentPosition, rowContent } from '../decode/contentPosition.ts'

/** Where a row of an explorer stands. */
interface RowPlace {
  readonly tx: string
  readonly block: number
  readonly blockHash?: string
  /** Seconds. */
  readonly time: number
  readonly txIndex?: number
  readonly from?: Account
  readonly to?: Account
  readonly amount: bigint
}

export interface TransactionRow extends RowPlace {
  readonly fee: bigint
  readonly failed: boolean
}

export interface InternalRow extends RowPlace {
  /** `call`, `create`, `suicide`, `delegatecall`… */
  readonly type: string
  readonly failed: boolean
  /** Place in trace order, where the explorer tells it. */
  readonly position?: number
}

export interface TokenRow extends RowPlace {
  /** Lower case. */
  readonly contract: string
  /** Log index, where the explorer tells it. */
  readonly position?: number
  readonly flags?: readonly string[]
}

export interface ExplorerRows {
  readonly transactions: readonly TransactionRow[]
  readonly internals: readonly InternalRow[]
  readonly tokens: readonly TokenRow[]
}

const moving = new Set(['call', 'create', 'create2', 'suicide', 'selfdestruct'])

type Unplaced = Omit<Transfer, 'position'> & { readonly position?: number }

/**
 * One address's rows as transfers, the same that a node's transactions give as far as they move this address's money.
 *
 * Order: a row without its log index or place in the trace does not know where in its transaction it stands, so it has
 * no transaction index either (see `Transfer.txIndex`); a transaction's fee and own value always come first.
 *
 * Wrapping emits no Transfer, so explorers list none: what a listed wrapped coin's contract was paid or paid out is
 * issued or burned, unless the explorer has that as a token row.
 */
export function transfersOfRows(
  rows: ExplorerRows,
  chain: ChainId,
  isWrapped: (asset: AssetId) => boolean,
): Transfer[] {
  const failed = new Set(rows.transactions.filter((row) => row.failed).map(({ tx }) => tx))
  const indexes = new Map<string, number>()
  for (const { tx, txIndex } of [...rows.transactions, ...rows.internals, ...rows.tokens])
    if (txIndex !== undefined) indexes.set(tx, txIndex)
  const signers = new Map(rows.transactions.map(({ tx, from }) => [tx, from]))
  const shared = (row: RowPlace, isPlaced: boolean) => {
    const txIndex = isPlaced ? indexes.get(row.tx) : undefined
    const signer = signers.get(row.tx)
    return {
      chain,
      block: row.block,
      ...(row.blockHash === undefined ? {} : { blockHash: row.blockHash }),
      time: row.time,
      tx: row.tx,
      ...(txIndex === undefined ? {} : { txIndex }),
      ...(signer === undefined ? {} : { signer }),
      flags: [],
    }
  }
  const asset = nativeAsset(chain)
  const coins: Unplaced[] = rows.transactions.flatMap((row) => {
    const leg = { ...shared(row, true), asset }
    const fee = {
      ...leg,
      kind: 'fee' as const,
      ...sides({ ...row, to: undefined }),
      amount: row.fee,
    }
    return row.failed
      ? [fee]
      : [fee, { ...leg, kind: 'native' as const, ...sides(row), amount: row.amount }]
  })
  for (const row of rows.internals) {
    if (row.failed || failed.has(row.tx) || !moving.has(row.type) || row.amount === 0n) continue
    const place = row.position === undefined ? {} : { position: row.position }
    coins.push({
      ...shared(row, row.position !== undefined),
      kind: 'internal',
      asset,
      ...sides(row),
      amount: row.amount,
      ...place,
    })
  }
  const tokens = rows.tokens.flatMap((row): Unplaced[] => {
    if (failed.has(row.tx)) return []
    const place = row.position === undefined ? {} : { position: row.position }
    return [
      {
        ...shared(row, row.position !== undefined),
        kind: 'token',
        asset: tokenAsset(chain, row.contract),
        ...sides(row),
        amount: row.amount,
        ...(row.flags === undefined ? {} : { flags: row.flags }),
        ...place,
      },
    ]
  })
  const destroyed = new Set(
    rows.internals.filter(({ type }) => /suicide|selfdestruct/.test(type)).map(({ tx }) => tx),
  )
  const wraps = coins
    .filter(({ kind, tx }) => kind !== 'fee' && !(kind === 'internal' && destroyed.has(tx)))
    .flatMap((coin) => wrapLeg(coin, isWrapped))
  return placed([...coins, ...withoutListed(wraps, tokens), ...tokens])
}

function sides(row: {
  readonly from?: Account | undefined
  readonly to?: Account | undefined
}): Pick<Transfer, 'from' | 'to'> {
  const from = row.from && counterparty(row.from)
  const to = row.to && counterparty(row.to)
  return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }
}

function wrapLeg(coin: Unplaced, isWrapped: (asset: AssetId) => boolean): Unplaced[] {
  const { from, to, position: _, txIndex: __, ...rest } = coin
  const wrappedAt = (account: Account | undefined): AssetId | undefined => {
    const asset = account && tokenAsset(coin.chain, account.slice(account.lastIndexOf(':') + 1))
    return asset && isWrapped(asset) ? asset : undefined
  }
  const leg = { ...rest, kind: 'token' as const, flags: ['wrap'] }
  const deposited = wrappedAt(to)
  const withdrawn = wrappedAt(from)
  if (coin.amount === 0n) return []
  if (deposited && from) return [{ ...leg, asset: deposited, to: from }]
  if (withdrawn && to) return [{ ...leg, asset: withdrawn, from: to }]
  return []
}

/** Wrapped coins of some chains do emit a Transfer, from or to the zero address. */
function withoutListed(wraps: readonly Unplaced[], tokens: readonly Unplaced[]): Unplaced[] {
  const listed = new Map<string, number>()
  for (const row of tokens) listed.set(rowContent(row), (listed.get(rowContent(row)) ?? 0) + 1)
  return wraps.filter((wrap) => {
    const left = listed.get(rowContent(wrap)) ?? 0
    if (left > 0) listed.set(rowContent(wrap), left - 1)
    return left === 0
  })
}

function placed(rows: readonly Unplaced[]): Transfer[] {
  const ordinals = new Map<string, number>()
  return rows.map((row) => {
    const { position, ...rest } = row
    if (position !== undefined) return { ...rest, position }
    const content = rowContent(row)
    const ordinal = ordinals.get(content) ?? 0
    ordinals.set(content, ordinal + 1)
    return { ...rest, position: contentPosition(rest, ordinal) }
  })
}
