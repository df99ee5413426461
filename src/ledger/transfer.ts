import { type Account, isZero } from './account.ts'
import type { AssetId } from './asset.ts'
import { type ChainId, isEvm, parseChain } from './chain.ts'
import { KnownError } from './errors.ts'

export const kinds = ['fee', 'native', 'internal', 'token', 'reward', 'withdrawal'] as const

/**
 * How the chain reported a movement: `native` is a transaction's own value, `internal` a call frame's,
 * `token` a contract's Transfer log, `fee` what the signer paid, `reward` and `withdrawal` come from the block.
 */
export type Kind = (typeof kinds)[number]

declare const brand: unique symbol

/** `<chain>:<tx>:<kind>:<position>`. Equal ids mean the same movement of value. */
export type TransferId = string & { readonly [brand]: 'TransferId' }

/** One movement of one asset from one address to another, as the chain recorded it. */
export interface Transfer {
  readonly chain: ChainId
  readonly block: number
  /** Absent where the source did not give it. */
  readonly blockHash?: string
  /** Block time, seconds since 1970-01-01T00:00:00Z. */
  readonly time: number
  /** Transaction hash in lower case; `reward:<block>` and `withdrawal:<index>` where no transaction moved it. */
  readonly tx: string
  /** Absent: the source does not know the order inside this block and its transactions. */
  readonly txIndex?: number
  /** Who signed the transaction (`tx.from`), where known. */
  readonly signer?: Account
  readonly kind: Kind
  /** Trace order or log index: identity inside the transaction and kind. */
  readonly position: number
  readonly asset: AssetId
  /** Absent: issued. The zero address is never stored as a counterparty. */
  readonly from?: Account
  /** Absent: burned, or a fee. */
  readonly to?: Account
  /** Smallest indivisible units of the asset (wei for ether), 0 to 2^256 − 1. Never a decimal, never a float. */
  readonly amount: bigint
  /** Labels for readers, sorted, for example `wrap`. They never change what a transfer does. */
  readonly flags: readonly string[]
}

export function transferId(at: Pick<Transfer, 'chain' | 'tx' | 'kind' | 'position'>): TransferId {
  return `${at.chain}:${at.tx}:${at.kind}:${at.position}` as TransferId
}

const idText = /^([-a-z0-9]{3,8}:[-_a-zA-Z0-9]{1,32}):(.+):([a-z]+):(\d{1,15})$/

/**
 * Reads a transfer id back into its parts.
 *
 * @throws KnownError `transfer.invalid`
 */
export function parseTransferId(
  text: string,
): Pick<Transfer, 'chain' | 'tx' | 'kind' | 'position'> {
  const [, chain = '', tx = '', kind = '', position = ''] = idText.exec(text) ?? []
  if (!isKind(kind)) {
    throw new KnownError('transfer.invalid', `"${text.slice(0, 200)}" is not a transfer id`, {
      facts: { value: text.slice(0, 200) },
      hint: 'Write <chain>:<transaction>:<kind>:<position>, for example eip155:1:0x…:token:17.',
    })
  }
  const named = parseChain(chain)
  return { chain: named, tx: parseTx(tx, named), kind, position: Number(position) }
}

export function isKind(text: string): text is Kind {
  return (kinds as readonly string[]).includes(text)
}

const txText = /^[-._%:a-zA-Z0-9]{1,128}$/

/**
 * A transaction hash in lower case; an id of another form (`reward:17000000`, a file's own numbering) is
 * kept as it is. A hash cut short, as spreadsheets do, is refused.
 *
 * @throws KnownError `transfer.invalid`
 */
export function parseTx(text: string, chain: ChainId): string {
  const hex = /^0x/i.test(text)
  if (hex && /^0x[0-9a-f]{64}$/i.test(text)) return text.toLowerCase()
  if (!(hex && isEvm(chain)) && txText.test(text)) return text
  throw new KnownError('transfer.invalid', `"${text.slice(0, 140)}" is not a transaction hash`, {
    facts: { value: text.slice(0, 140) },
    hint: 'Give the whole hash: 0x and 64 hex digits.',
  })
}

/**
 * An account as one side of a transfer: the zero address is nobody, since what it sends is issued and what it
 * gets is burned.
 */
export function counterparty(account: Account): Account | undefined {
  return isZero(account) ? undefined : account
}

/** Zero amounts and transfers to oneself are stored, but move no value. */
export function movesValue(transfer: Pick<Transfer, 'from' | 'to' | 'amount'>): boolean {
  return transfer.amount > 0n && (transfer.from !== transfer.to || transfer.from === undefined)
}
