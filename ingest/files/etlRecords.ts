import { parseAmount } from '../../src/ledger/amount.ts'
import type { ChainId } from '../../src/ledger/chain.ts'
import { splitCsvLine } from '../../src/ledger/csvLine.ts'
import { KnownError } from '../../src/ledger/errors.ts'
import { parseTx } from '../../src/ledger/transfer.ts'
import { type EtlTable, type FileFormat, typeNames } from './detect.ts'
import { readLines } from './readFile.ts'
import { CellFault, type Refusals } from './refusals.ts'
import type { RowSink } from './rowSink.ts'

/** One record of an export, CSV row or JSON object alike. Its readers refuse what they cannot read. */
export interface RecordCells {
  readonly file: string
  readonly line: number
  readonly table: EtlTable
  /** True when the field is there and not empty. */
  has(field: string): boolean
  text(field: string): string
  whole(field: string): number
  /** Seconds since 1970, from a number or from the timestamp text of warehouses. */
  seconds(field: string): number
  amount(field: string): bigint
  list(field: string): readonly string[]
  transaction(field: string): string
  parsed<T>(field: string, parse: (text: string) => T): T
  fault(field: string, hint: string): never
}

interface Reading {
  readonly sink: RowSink
  readonly refusals: Refusals
  readonly chain: ChainId
  readonly raw: (bytes: number) => void
  readonly visit: (cells: RecordCells) => unknown
}

/** Calls `visit` for every record of a file; records that cannot be read are refused. */
export async function readRecords(
  file: string,
  format: FileFormat,
  reading: Reading,
): Promise<void> {
  if (format.family !== 'ethereum-etl') return
  let header: string[] | undefined
  const refuse = (line: number, row: string, fault: unknown): void => {
    if (!(fault instanceof CellFault)) throw fault
    reading.refusals.refuse(
      { file, line, field: fault.field, value: fault.value },
      fault.reason,
      row,
    )
  }
  await readLines(
    file,
    (text, start, end, line) => {
      if (start === end) return
      const row = text.toString('utf8', start, end)
      if (format.form === 'csv' && !header) {
        header = (splitCsvLine(row) ?? []).map((name) => name.trim())
        return
      }
      try {
        const cells = format.form === 'csv' ? csvCells(row, header ?? []) : jsonCells(row)
        const table = format.table === 'mixed' ? typeNames[cells.get('type') ?? ''] : format.table
        if (table) reading.visit(recordOf(cells, { file, line, table, chain: reading.chain }))
      } catch (fault) {
        refuse(line, row, fault)
      }
    },
    { afterChunk: () => reading.sink.flush(), raw: reading.raw },
  )
}

function csvCells(row: string, header: readonly string[]): Map<string, string> {
  const cells = splitCsvLine(row)
  if (cells?.length !== header.length) {
    const message = `the row has ${cells?.length ?? 'unclosed'} cells, the header has ${header.length}`
    throw new CellFault(
      'row',
      row.slice(0, 200),
      new KnownError('transfer.invalid', message, { hint: 'Export the file again.' }),
    )
  }
  return new Map(header.map((name, i) => [name, cells[i] as string]))
}

/** Numbers keep their digits: amounts do not fit a JSON number. */
function jsonCells(row: string): Map<string, string> {
  try {
    const exact = (_: string, value: unknown, context?: { readonly source?: string }): unknown =>
      typeof value === 'number' ? (context?.source ?? String(value)) : value
    const object = JSON.parse(row, exact) as Readonly<Record<string, unknown>>
    return new Map(Object.entries(object).map(([name, value]) => [name, textOf(value)]))
  } catch (error) {
    const message = 'the line is not a JSON object'
    throw new CellFault(
      'row',
      row.slice(0, 200),
      new KnownError('transfer.invalid', message, {
        hint: 'Give one JSON object a line.',
        cause: error,
      }),
    )
  }
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (!Array.isArray(value))
    return typeof value === 'object' ? JSON.stringify(value) : String(value)
  return value.some((item) => typeof item === 'object') ? JSON.stringify(value) : value.join(',')
}

function recordOf(
  cells: ReadonlyMap<string, string>,
  at: {
    readonly file: string
    readonly line: number
    readonly table: EtlTable
    readonly chain: ChainId
  },
): RecordCells {
  const text = (field: string): string => cells.get(field) ?? ''
  const fault = (field: string, hint: string): never => {
    const message = `${field} "${text(field).slice(0, 100)}" is not valid`
    throw new CellFault(field, text(field), new KnownError('transfer.invalid', message, { hint }))
  }
  const parsed = <T>(field: string, parse: (value: string) => T): T => {
    try {
      return parse(text(field))
    } catch (error) {
      if (error instanceof KnownError) throw new CellFault(field, text(field), error)
      return fault(field, 'this cannot be read')
    }
  }
  const whole = (field: string): number => {
    const value = text(field)
    return /^\d{1,15}$/.test(value) ? Number(value) : fault(field, 'give a whole number')
  }
  return {
    ...at,
    has: (field) => text(field) !== '',
    text,
    whole,
    seconds(field) {
      const value = text(field)
      if (/^\d{1,15}$/.test(value)) return Number(value)
      const time = Date.parse(value.replace(' UTC', 'Z').replace(' ', 'T'))
      return Number.isNaN(time)
        ? fault(field, 'give seconds since 1970 or a UTC timestamp')
        : Math.floor(time / 1000)
    },
    amount: (field) => parsed(field, (value) => parseAmount(value.replace(/\.0+$/, ''))),
    list: (field) =>
      text(field) === ''
        ? []
        : text(field)
            .replace(/^[[{]|[\]}]$/g, '')
            .split(',')
            .map((part) => part.trim()),
    transaction: (field) => parsed(field, (value) => parseTx(value, at.chain)),
    parsed,
    fault,
  }
}
