import { type Account, parseAccount } from '../../src/ledger/account.ts'
import { decimalToBaseUnits } from '../../src/ledger/amount.ts'
import { type AssetId, tokenAsset } from '../../src/ledger/asset.ts'
import type { ChainId } from '../../src/ledger/chain.ts'
import { splitCsvLine } from '../../src/ledger/csvLine.ts'
import { KnownError } from '../../src/ledger/errors.ts'
import { nativeAsset } from '../../src/ledger/nativeCoins.ts'
import { counterparty, parseTx, type Transfer } from '../../src/ledger/transfer.ts'
import { contentPosition, rowContent } from '../decode/contentPosition.ts'
import type { FileFormat } from './detect.ts'
import { readLines } from './readFile.ts'
import { CellFault, type Refusals } from './refusals.ts'
import type { RowSink } from './rowSink.ts'

/**
 * CSV exports of Etherscan and its sisters: normal transactions, internal transactions, ERC-20 transfers. They know
 * neither log indexes nor the order inside a block, so positions are made from what a row says: two exports that
 * overlap give a transfer the same id.
 */

type EtherscanKind = 'normal' | 'internal' | 'erc20'

const names = {
  tx: /^(txhash|transaction hash)$/i,
  block: /^block(no|number| number)?$/i,
  time: /^unixtimestamp$/i,
  from: /^from$/i,
  to: /^(to|txto)$/i,
  contract: /^contractaddress$/i,
  valueIn: /^value_in\(/i,
  valueOut: /^value_out\(/i,
  fee: /^txnfee\((?!usd)/i,
  status: /^status$/i,
  error: /^errcode$/i,
  tokenValue: /^(tokenvalue|value)$/i,
  tokenSymbol: /^tokensymbol$/i,
  parentTo: /^parenttxto$/i,
} as const
type Name = keyof typeof names

/** Which export a header belongs to; undefined when to none. NFT exports carry no value and are not read. */
export function etherscanKind(header: readonly string[]): EtherscanKind | undefined {
  const has = (name: Name): boolean => header.some((cell) => names[name].test(cell))
  if (!has('tx') || !has('from') || !has('time')) return undefined
  if (header.some((cell) => /^tokenid$/i.test(cell))) return undefined
  if (has('tokenValue') && has('tokenSymbol')) return 'erc20'
  if (!has('valueIn')) return undefined
  return has('parentTo') || header.some((cell) => /^parenttxfrom$/i.test(cell))
    ? 'internal'
    : 'normal'
}

export interface EtherscanContext {
  readonly sink: RowSink
  readonly refusals: Refusals
  readonly chain: ChainId
  readonly raw: (bytes: number) => void
  readonly notes: string[]
  readonly decimalsOf: (asset: AssetId) => number | undefined
}

interface Row {
  readonly file: string
  readonly line: number
  readonly transfer: Omit<Transfer, 'position'>
}

/** Reads all exports of a command: older ERC-20 exports name no block, which the others may know. */
export async function readEtherscan(
  files: readonly { readonly file: string; readonly format: FileFormat }[],
  context: EtherscanContext,
): Promise<void> {
  const rows: Row[] = []
  const blocks = new Map<string, number>()
  const order: Readonly<Record<EtherscanKind, number>> = { normal: 0, internal: 1, erc20: 2 }
  const sorted = [...files].sort((a, b) => order[kindOf(a.format)] - order[kindOf(b.format)])
  for (const { file, format } of sorted) {
    await readExport(file, kindOf(format), { ...context, rows, blocks })
  }
  for (const { file, line, transfer } of withPositions(rows)) context.sink.add(transfer, file, line)
  await context.sink.flush()
}

function kindOf(format: FileFormat): EtherscanKind {
  return format.family === 'etherscan' ? format.kind : 'normal'
}

type ExportContext = EtherscanContext & {
  readonly rows: Row[]
  readonly blocks: Map<string, number>
}

async function readExport(
  file: string,
  kind: EtherscanKind,
  context: ExportContext,
): Promise<void> {
  let header: string[] | undefined
  await readLines(
    file,
    (text, start, end, line) => {
      if (start === end) return
      const row = text.toString('utf8', start, end)
      const cells = splitCsvLine(row)
      if (!header) {
        header = (cells ?? []).map((cell) => cell.trim())
        return
      }
      if (cells?.length !== header.length) {
        const message = `the row has ${cells?.length ?? 'unclosed'} cells, the header has ${header.length}`
        context.refusals.add({
          file,
          line,
          field: 'row',
          value: row.slice(0, 200),
          message,
          hint: 'Export the file again.',
        })
        return
      }
      try {
        for (const transfer of transfersOf(new Cells(header, cells, context), kind))
          context.rows.push({ file, line, transfer })
      } catch (fault) {
        if (!(fault instanceof CellFault)) throw fault
        context.refusals.refuse(
          { file, line, field: fault.field, value: fault.value },
          fault.reason,
          row,
        )
      }
    },
    { raw: context.raw },
  )
}

class Cells {
  readonly #header: readonly string[]
  readonly #cells: readonly string[]
  readonly context: ExportContext

  constructor(header: readonly string[], cells: readonly string[], context: ExportContext) {
    this.#header = header
    this.#cells = cells
    this.context = context
  }

  text(name: Name): string {
    const at = this.#header.findIndex((cell) => names[name].test(cell))
    return this.#cells[at]?.trim() ?? ''
  }

  parsed<T>(name: Name, parse: (text: string) => T): T {
    try {
      return parse(this.text(name))
    } catch (error) {
      throw new CellFault(this.column(name), this.text(name), error)
    }
  }

  column(name: Name): string {
    return this.#header.find((cell) => names[name].test(cell)) ?? name
  }

  fault(name: Name, hint: string): never {
    const value = this.text(name)
    const message = `${this.column(name)} "${value.slice(0, 100)}" is not valid`
    throw new CellFault(
      this.column(name),
      value,
      new KnownError('transfer.invalid', message, { hint }),
    )
  }

  whole(name: Name): number {
    const text = this.text(name)
    return /^\d{1,15}$/.test(text) ? Number(text) : this.fault(name, 'give a whole number')
  }

  account(name: Name): Account | undefined {
    if (this.text(name) === '') return undefined
    return this.parsed(name, (text) => counterparty(parseAccount(text, this.context.chain)))
  }

  amount(name: Name, decimals: number): bigint {
    return (
      decimalToBaseUnits(this.text(name), decimals) ??
      this.fault(name, `give a decimal number of at most ${decimals} places`)
    )
  }
}

type Unplaced = Omit<Transfer, 'position'>

function transfersOf(cells: Cells, kind: EtherscanKind): Unplaced[] {
  const { chain, blocks } = cells.context
  const tx = cells.parsed('tx', (text) => parseTx(text, chain))
  const known = blocks.get(tx)
  const block = cells.text('block') === '' && known !== undefined ? known : cells.whole('block')
  blocks.set(tx, block)
  const shared = { chain, block, time: cells.whole('time'), tx, flags: [] }
  if (kind === 'erc20') return [tokenLeg(cells, shared)]
  const from = cells.account('from')
  const to = cells.account('to') ?? cells.account('contract')
  const asset = nativeAsset(chain)
  const amount = cells.amount('valueIn', 18) + cells.amount('valueOut', 18)
  const leg = { ...shared, asset, amount, ...sides(from, to) }
  if (kind === 'internal') {
    return cells.text('status') === '0' || cells.text('status') === ''
      ? [{ ...leg, kind: 'internal' }]
      : []
  }
  const signed = { ...leg, ...(from === undefined ? {} : { signer: from }) }
  const fee = cells.text('fee') === '' ? [] : [feeLeg(cells, signed)]
  const failed = /error/i.test(cells.text('status')) || /error|fail/i.test(cells.text('error'))
  return failed ? fee : [...fee, { ...signed, kind: 'native' }]
}

function feeLeg(cells: Cells, leg: Omit<Unplaced, 'kind'>): Unplaced {
  const { to: _, ...rest } = leg
  return { ...rest, kind: 'fee', amount: cells.amount('fee', 18) }
}

function tokenLeg(cells: Cells, shared: Omit<Unplaced, 'kind' | 'asset' | 'amount'>): Unplaced {
  const { chain, decimalsOf } = cells.context
  const contract = cells.parsed('contract', (text) => parseAccount(text, chain))
  const asset = tokenAsset(chain, contract.slice(contract.lastIndexOf(':') + 1))
  const decimals = decimalsOf(asset)
  if (decimals === undefined) {
    cells.fault(
      'contract',
      'the decimals of this token are not known: run `jejak tokens import` with a list that has it, or give --decimals',
    )
  }
  const amount = cells.amount('tokenValue', decimals)
  return {
    ...shared,
    kind: 'token',
    asset,
    amount,
    ...sides(cells.account('from'), cells.account('to')),
  }
}

function sides(from: Account | undefined, to: Account | undefined): Pick<Transfer, 'from' | 'to'> {
  return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }
}

/** Identity from content: equal rows of a transaction are numbered, different ones hashed. */
function withPositions(
  rows: readonly Row[],
): (Omit<Row, 'transfer'> & { readonly transfer: Transfer })[] {
  const seen = new Map<string, number>()
  const perFile = new Map<string, number>()
  const placed: (Omit<Row, 'transfer'> & { readonly transfer: Transfer })[] = []
  for (const row of rows) {
    const { transfer } = row
    const content = rowContent(transfer)
    const inFile = `${row.file} ${content}`
    const ordinal = perFile.get(inFile) ?? 0
    perFile.set(inFile, ordinal + 1)
    // A row that another file of this command told already is the same row.
    if (ordinal < (seen.get(content) ?? 0)) continue
    seen.set(content, ordinal + 1)
    placed.push({
      ...row,
      transfer: { ...transfer, position: contentPosition(transfer, ordinal) },
    })
  }
  return placed
}
