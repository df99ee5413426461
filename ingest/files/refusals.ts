import { createWriteStream, existsSync, type WriteStream } from 'node:fs'
import { KnownError } from '../../src/ledger/errors.ts'
import { csvTextCell, harmlessText } from '../../src/ledger/text.ts'

/** A row that is not stored, and why. */
export interface Refusal {
  readonly file: string
  /** From 1, in the decompressed text. */
  readonly line: number
  readonly field: string
  readonly value: string
  readonly message: string
  readonly hint: string
}

/** Collects refused rows: all are counted, the first hundred of each file are told. */
export interface Refusals {
  readonly count: number
  countOf(file: string): number
  add(refusal: Refusal, row?: string): void
  /** A refusal from an error that a parser threw for one field. */
  refuse(
    at: {
      readonly file: string
      readonly line: number
      readonly field: string
      readonly value: string
    },
    error: unknown,
    row?: string,
  ): void
  /** Where refused rows were written; undefined when none were. */
  readonly writtenTo: string | undefined
  close(): Promise<void>
}

const toldPerFile = 100

export function createRefusals(
  tell: (refusal: Refusal) => void,
  rejects: string | undefined,
): Refusals {
  const counts = new Map<string, number>()
  let output: WriteStream | undefined
  let path: string | undefined
  let total = 0

  function write(refusal: Refusal, row: string): void {
    if (rejects === undefined) return
    if (!output) {
      path = freeName(rejects)
      output = createWriteStream(path, { mode: 0o600 })
      output.write('file,line,field,message,row\n')
    }
    const cells = [refusal.file, String(refusal.line), refusal.field, refusal.message, row].map(
      csvTextCell,
    )
    output.write(`${cells.join(',')}\n`)
  }

  const refusals: Refusals = {
    get count() {
      return total
    },
    countOf: (file) => counts.get(file) ?? 0,
    add(refusal, row = refusal.value) {
      total++
      const count = (counts.get(refusal.file) ?? 0) + 1
      counts.set(refusal.file, count)
      if (count <= toldPerFile)
        tell({ ...refusal, value: harmlessText(refusal.value.slice(0, 100)) })
      write(refusal, row)
    },
    refuse(at, error, row) {
      if (!(error instanceof KnownError)) throw error
      refusals.add({ ...at, message: error.message, hint: error.hint ?? '' }, row)
    },
    get writtenTo() {
      return path
    },
    async close() {
      const open = output
      if (open) await new Promise<void>((resolve) => open.end(() => resolve()))
    },
  }
  return refusals
}

/** Never overwrites: a name that is taken gets a number. */
function freeName(wanted: string): string {
  for (let n = 1; ; n++) {
    const name = n === 1 ? wanted : wanted.replace(/(\.[^.]*)?$/, `-${n}$1`)
    if (!existsSync(name)) return name
  }
}

/** Thrown where one cell of a row cannot be read: the row is given up, with the field and the reason. */
export class CellFault extends Error {
  readonly field: string
  readonly value: string
  readonly reason: unknown

  constructor(field: string, value: string, reason: unknown) {
    super(field)
    this.field = field
    this.value = value
    this.reason = reason
  }
}
