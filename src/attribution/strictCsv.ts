import { splitCsvLine } from '../ledger/csvLine.ts'
import { type ErrorCode, KnownError } from '../ledger/errors.ts'
import { harmlessText } from '../ledger/text.ts'
import { readText } from './readText.ts'

/** Where a row stands, for who complains about it. */
export interface CsvPlace {
  readonly file: string
  /** From 1, the header's. */
  readonly line: number
}

export interface BadRow extends CsvPlace {
  readonly field: string
  readonly value: string
  readonly message: string
}

/** Reads one cell; what the parser throws is told with the cell's name and value. */
export type TakeCell<Column extends string> = <T>(column: Column, parse: (text: string) => T) => T

export interface CsvForm<Column extends string, Row> {
  readonly columns: readonly Column[]
  readonly code: ErrorCode
  /** @throws KnownError for a cell that is not what it should be. */
  readonly row: (take: TakeCell<Column>, place: CsvPlace) => Row
}

/**
 * Rows of CSV files whose header has exactly the columns of a form, in any order: all or none.
 *
 * @param judge - faults that show only between rows.
 * @throws KnownError of the form's code, naming the first bad rows; `file.unreadable`, `file.unknown-format`
 */
export function readStrictCsv<Column extends string, Row>(
  files: readonly string[],
  form: CsvForm<Column, Row>,
  judge: (rows: readonly Row[]) => readonly BadRow[] = () => [],
): Row[] {
  const rows: Row[] = []
  const bad: BadRow[] = []
  for (const file of files) readFile(file, form, { rows, bad })
  const all = bad.length > 0 ? bad : judge(rows)
  if (all.length > 0) throw badRows(all, form.code)
  return rows
}

function readFile<Column extends string, Row>(
  file: string,
  form: CsvForm<Column, Row>,
  { rows, bad }: { readonly rows: Row[]; readonly bad: BadRow[] },
): void {
  const lines = readText(file).split('\n')
  const header = splitCsvLine((lines[0] ?? '').replace(/\r$/, '')) ?? []
  const isForm = header.length === form.columns.length && new Set(header).size === header.length
  if (!isForm || form.columns.some((column) => !header.includes(column))) {
    throw new KnownError('file.unknown-format', `${file} does not have these columns`, {
      facts: { file, found: harmlessText(header.join(',')) },
      hint: `The first line names the columns: ${form.columns.join(',')}.`,
    })
  }
  for (let i = 1; i < lines.length; i++) {
    const line = (lines[i] as string).replace(/\r$/, '')
    if (line === '') continue
    const read = readRow(form, header, { line, place: { file, line: i + 1 } })
    if ('bad' in read) bad.push(read.bad)
    else rows.push(read.row)
  }
}

function readRow<Column extends string, Row>(
  form: CsvForm<Column, Row>,
  header: readonly string[],
  { line, place }: { readonly line: string; readonly place: CsvPlace },
): { readonly row: Row } | { readonly bad: BadRow } {
  const cells = splitCsvLine(line)
  if (cells?.length !== header.length) {
    const message = `the row has ${cells?.length ?? 'unclosed'} cells, the header ${header.length}`
    return { bad: { ...place, field: 'row', value: harmlessText(line.slice(0, 100)), message } }
  }
  let field = ''
  const cell = (column: string): string => cells[header.indexOf(column)] ?? ''
  try {
    const row = form.row((column, parse) => {
      field = column
      return parse(cell(column))
    }, place)
    return { row }
  } catch (error) {
    if (!(error instanceof KnownError)) throw error
    return { bad: { ...place, field, value: harmlessText(cell(field)), message: error.message } }
  }
}

function badRows(bad: readonly BadRow[], code: ErrorCode): KnownError {
  const shown = bad
    .slice(0, 20)
    .map((row) => `${row.file}:${row.line} ${row.field} "${row.value}": ${row.message}`)
  const more = bad.length > shown.length ? `\n… and ${bad.length - shown.length} more` : ''
  const [first] = bad
  return new KnownError(code, `${bad.length} rows are refused:\n${shown.join('\n')}${more}`, {
    facts: {
      rows: bad.length,
      file: first?.file ?? '',
      line: first?.line ?? 0,
      field: first?.field ?? '',
    },
    hint: 'Correct the rows and import again; nothing was stored.',
  })
}
