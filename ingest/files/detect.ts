import { splitCsvLine } from '../../src/ledger/csvLine.ts'
import { KnownError } from '../../src/ledger/errors.ts'
import { harmlessText } from '../../src/ledger/text.ts'
import { etherscanKind } from './etherscan.ts'
import { isJejakCsv } from './jejakCsv.ts'
import { firstLine } from './readFile.ts'

export type EtlTable =
  | 'blocks'
  | 'transactions'
  | 'receipts'
  | 'logs'
  | 'token_transfers'
  | 'traces'

/** What a file is. NDJSON of ethereum-etl may hold several tables, one object a line. */
export type FileFormat =
  | { readonly family: 'jejak'; readonly name: 'jejak-csv' }
  | {
      readonly family: 'ethereum-etl'
      readonly name: string
      readonly table: EtlTable | 'mixed'
      readonly form: 'csv' | 'ndjson'
    }
  | {
      readonly family: 'etherscan'
      readonly name: string
      readonly kind: 'normal' | 'internal' | 'erc20'
    }

/** Columns that only one table of ethereum-etl has. */
const marks: Readonly<Record<EtlTable, readonly string[]>> = {
  token_transfers: ['token_address', 'from_address', 'to_address', 'value', 'log_index'],
  logs: ['log_index', 'topics', 'data', 'address'],
  traces: ['trace_type', 'trace_address', 'from_address'],
  transactions: ['hash', 'from_address', 'to_address', 'value', 'block_number'],
  receipts: ['transaction_hash', 'gas_used', 'cumulative_gas_used'],
  blocks: ['number', 'hash', 'timestamp'],
}

/**
 * Says what a file is by its first line.
 *
 * @throws KnownError `file.unknown-format` naming what would be understood
 */
export async function detectFormat(file: string): Promise<FileFormat> {
  const line = await firstLine(file)
  if (isJejakCsv(line)) return { family: 'jejak', name: 'jejak-csv' }
  if (line.startsWith('{')) {
    const table = tableOfObject(line)
    if (table)
      return { family: 'ethereum-etl', name: `ethereum-etl ${table} ndjson`, table, form: 'ndjson' }
  }
  const names = (splitCsvLine(line) ?? []).map((name) => name.trim())
  const table = tableOf(names)
  if (table)
    return { family: 'ethereum-etl', name: `ethereum-etl ${table} csv`, table, form: 'csv' }
  const kind = etherscanKind(names)
  if (kind) return { family: 'etherscan', name: `etherscan ${kind} csv`, kind }
  throw new KnownError('file.unknown-format', `${file} begins with no header that is known`, {
    facts: { file, found: harmlessText(line.slice(0, 160)) },
    hint: 'Give Jejak CSV, ethereum-etl CSV or NDJSON (blocks, transactions, receipts, logs, token_transfers, traces) or an Etherscan export (normal, internal, ERC-20).',
  })
}

function tableOf(names: readonly string[]): EtlTable | undefined {
  return (Object.keys(marks) as EtlTable[]).find((table) =>
    marks[table].every((name) => names.includes(name)),
  )
}

function tableOfObject(line: string): EtlTable | 'mixed' | undefined {
  try {
    const value = JSON.parse(line) as Readonly<Record<string, unknown>>
    if (typeof value['type'] === 'string' && value['type'] in typeNames) return 'mixed'
    return tableOf(Object.keys(value))
  } catch {
    // Not JSON after all: the caller says what would be understood.
    return undefined
  }
}

/** The `type` of ethereum-etl's streamed objects. */
export const typeNames: Readonly<Record<string, EtlTable>> = {
  block: 'blocks',
  transaction: 'transactions',
  receipt: 'receipts',
  log: 'logs',
  token_transfer: 'token_transfers',
  trace: 'traces',
}
