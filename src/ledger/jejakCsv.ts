import { type Account, accountReference, formatReference } from './account.ts'
import { type AssetId, formatAsset } from './asset.ts'
import type { Transfer } from './transfer.ts'

/**
 * Jejak CSV: UTF-8, LF, a header with these names in any order, the last three optional. An empty `txIndex` says
 * that the order inside the block and its transactions is unknown; an empty `from` or `to` is an issue, or a burn
 * or fee. Export writes all columns, in ledger order, so the same content always gives the same bytes.
 */
export const jejakCsvColumns = [
  'chain',
  'block',
  'time',
  'tx',
  'txIndex',
  'kind',
  'position',
  'asset',
  'from',
  'to',
  'amount',
  'signer',
  'blockHash',
  'flags',
] as const

export const optionalCsvColumns: readonly string[] = ['signer', 'blockHash', 'flags']

export const jejakCsvHeader: string = jejakCsvColumns.join(',')

/** One line without its line end. No cell can need quotes: every field's form excludes commas and quotes. */
export function formatCsvRow(transfer: Transfer): string {
  return rowText(transfer, formatReference, formatAsset)
}

/** The same without checksums: the form over which the content digest is taken. */
export function formatPlainCsvRow(transfer: Transfer): string {
  return rowText(transfer, accountReference, (asset) => asset)
}

function rowText(
  transfer: Transfer,
  reference: (account: Account) => string,
  asset: (asset: AssetId) => string,
): string {
  const side = (account: Account | undefined): string =>
    account === undefined ? '' : reference(account)
  return [
    transfer.chain,
    transfer.block,
    transfer.time,
    transfer.tx,
    transfer.txIndex ?? '',
    transfer.kind,
    transfer.position,
    asset(transfer.asset),
    side(transfer.from),
    side(transfer.to),
    transfer.amount,
    side(transfer.signer),
    transfer.blockHash ?? '',
    transfer.flags.join(' '),
  ].join(',')
}
