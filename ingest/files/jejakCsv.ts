import { type Account, isZero, parseAccount } from '../../src/ledger/account.ts'
import { parseAmount } from '../../src/ledger/amount.ts'
import { type AssetId, assetChain, parseAsset } from '../../src/ledger/asset.ts'
import { type ChainId, isEvm, parseChain } from '../../src/ledger/chain.ts'
import { splitCsvLine } from '../../src/ledger/csvLine.ts'
import { KnownError } from '../../src/ledger/errors.ts'
import { jejakCsvColumns, optionalCsvColumns } from '../../src/ledger/jejakCsv.ts'
import { kinds, parseTx } from '../../src/ledger/transfer.ts'
import { readHex, readLimbs, readWhole } from './bytes.ts'
import { readLines } from './readFile.ts'
import { CellFault, type Refusals } from './refusals.ts'
import type { RowSink } from './rowSink.ts'

type Column = (typeof jejakCsvColumns)[number]

export function isJejakCsv(header: string): boolean {
  const names = splitCsvLine(header.trim()) ?? []
  return names.includes('chain') && names.includes('txIndex') && names.includes('asset')
}

export interface ReaderOptions {
  readonly raw?: (bytes: number) => void
}

/**
 * Reads Jejak CSV into a sink. Rows that cannot be read are refused, each with its field and value.
 *
 * @throws KnownError `file.unknown-format` when the header is not one, `file.unreadable`
 */
export async function readJejakCsv(
  file: string,
  sink: RowSink,
  refusals: Refusals,
  options: ReaderOptions = {},
): Promise<void> {
  let reader: JejakRowReader | undefined
  await readLines(
    file,
    (text, start, end, line) => {
      if (start === end) return
      if (reader) reader.read(text, start, end, line)
      else reader = new JejakRowReader(file, text.toString('utf8', start, end), { sink, refusals })
    },
    { afterChunk: () => sink.flush(), ...(options.raw ? { raw: options.raw } : {}) },
  )
}

/** Where each column stands in a row, by the header. */
function columnPlaces(file: string, header: string): Map<Column, number> {
  const names = (splitCsvLine(header) ?? []).map((name) => name.trim())
  const known = jejakCsvColumns as readonly string[]
  const unknown = names.filter((name) => !known.includes(name))
  const missing = known.filter(
    (name) => !names.includes(name) && !optionalCsvColumns.includes(name),
  )
  const repeated = names.filter((name, i) => names.indexOf(name) !== i)
  if (unknown.length + missing.length + repeated.length === 0) {
    return new Map(names.map((name, i) => [name as Column, i]))
  }
  const wrong = [
    ...missing.map((name) => `no column ${name}`),
    ...unknown.map((name) => `unknown column ${name}`),
    ...repeated.map((name) => `column ${name} twice`),
  ]
  throw new KnownError('file.unknown-format', `${file} is not Jejak CSV: ${wrong.join(', ')}`, {
    facts: { file, header: header.slice(0, 300) },
    hint: `The header names, in any order: ${jejakCsvColumns.join(',')}; the last three may be absent.`,
  })
}

const kindNumbers = new Map<string, number>(kinds.map((kind, number) => [kind, number]))

class JejakRowReader {
  readonly #file: string
  readonly #sink: RowSink
  readonly #refusals: Refusals
  readonly #place: ReadonlyMap<Column, number>
  readonly #columns: number
  readonly #starts: Int32Array
  readonly #ends: Int32Array
  readonly #hash = new Uint8Array(32)
  readonly #address = new Uint8Array(20)
  readonly #limbs = new Float64Array(4)
  readonly #chains = new Map<string, ChainId>()
  readonly #assets = new Map<string, AssetId>()
  #text: Buffer = Buffer.alloc(0)

  constructor(
    file: string,
    header: string,
    to: { readonly sink: RowSink; readonly refusals: Refusals },
  ) {
    this.#file = file
    this.#sink = to.sink
    this.#refusals = to.refusals
    this.#place = columnPlaces(file, header)
    this.#columns = this.#place.size
    this.#starts = new Int32Array(this.#columns)
    this.#ends = new Int32Array(this.#columns)
  }

  read(text: Buffer, start: number, end: number, line: number): void {
    const found = this.#split(text, start, end)
    if (found !== this.#columns) {
      const value = text.toString('utf8', start, Math.min(end, start + 200))
      const message = `the row has ${found < 0 ? 'an unclosed quote' : `${found} cells`}, the header has ${this.#columns}`
      this.#refusals.add({
        file: this.#file,
        line,
        field: 'row',
        value,
        message,
        hint: 'Give every row one cell per column.',
      })
      return
    }
    try {
      this.#row(line)
    } catch (fault) {
      if (!(fault instanceof CellFault)) throw fault
      const row = text.toString('utf8', start, end)
      this.#refusals.refuse(
        { file: this.#file, line, field: fault.field, value: fault.value },
        fault.reason,
        row,
      )
    }
  }

  /** Notes where the cells stand; quoted rows are rare and are laid out anew. Returns the number of cells. */
  #split(text: Buffer, start: number, end: number): number {
    const quote = text.indexOf(34, start)
    if (quote >= 0 && quote < end) {
      const cells = splitCsvLine(text.toString('utf8', start, end))
      if (!cells) return -1
      const plain = Buffer.from(cells.map((cell) => cell.replaceAll(',', ' ')).join(','))
      return this.#split(plain, 0, plain.length)
    }
    this.#text = text
    let count = 0
    let from = start
    for (let at = start; at <= end; at++) {
      if (at < end && text[at] !== 44) continue
      if (count < this.#columns) {
        this.#starts[count] = from
        this.#ends[count] = at
      }
      count++
      from = at + 1
    }
    return count
  }

  #row(line: number): void {
    const { builder } = this.#sink
    const chain = this.#cached('chain', this.#chains, parseChain)
    const chainNumber = builder.chain(chain)
    const block = this.#whole('block')
    const time = this.#whole('time')
    const kind =
      kindNumbers.get(this.#cell('kind')) ??
      this.#fault('kind', `a kind is one of ${kinds.join(', ')}`)
    const position = this.#whole('position')
    if (position > 0xffffffff) this.#fault('position', 'positions go up to 4294967295')
    const asset = this.#cached('asset', this.#assets, parseAsset)
    if (assetChain(asset) !== chain)
      this.#fault('asset', `the asset is not on the row's chain ${chain}`)
    const from = this.#side('from', chain, chainNumber)
    const to = this.#side('to', chain, chainNumber)
    const wide = this.#amount()
    const signer = this.#place.has('signer') ? this.#side('signer', chain, chainNumber) : -1
    const flags = this.#flags()
    const context = builder.context({
      chain: chainNumber,
      transaction: this.#transaction(chain),
      block,
      time,
      blockHash: this.#blockHash(),
      txIndex: this.#isEmpty('txIndex') ? -1 : this.#txIndex(),
      signer,
    })
    const row = builder.row(context, kind, position, builder.asset(asset))
    builder.sides(row, from, to)
    if (wide === undefined) builder.limbs(row, this.#limbs)
    else builder.amount(row, wide)
    if (flags.length > 0) builder.flags(row, flags)
    this.#sink.noted(this.#file, line)
  }

  #cell(name: Column): string {
    const at = this.#place.get(name)
    return at === undefined ? '' : this.#text.toString('latin1', this.#starts[at], this.#ends[at])
  }

  #isEmpty(name: Column): boolean {
    const at = this.#place.get(name)
    return at === undefined || this.#starts[at] === this.#ends[at]
  }

  #fault(field: Column, hint: string): never {
    const value = this.#utf8(field)
    const message = `${field} "${value.slice(0, 100)}" is not valid`
    throw new CellFault(field, value, new KnownError('transfer.invalid', message, { hint }))
  }

  #utf8(name: Column): string {
    const at = this.#place.get(name) ?? 0
    return this.#text.toString('utf8', this.#starts[at], this.#ends[at])
  }

  #parsed<T>(field: Column, parse: (text: string) => T): T {
    const value = this.#utf8(field)
    try {
      return parse(value)
    } catch (error) {
      throw new CellFault(field, value, error)
    }
  }

  #cached<T>(field: Column, known: Map<string, T>, parse: (text: string) => T): T {
    const text = this.#cell(field)
    const found = known.get(text)
    if (found !== undefined) return found
    const made = this.#parsed(field, parse)
    known.set(text, made)
    return made
  }

  #whole(field: Column): number {
    const at = this.#place.get(field) as number
    const value = readWhole(this.#text, this.#starts[at] as number, this.#ends[at] as number)
    return value >= 0 ? value : this.#fault(field, 'give a whole number, digits only')
  }

  #txIndex(): number {
    const index = this.#whole('txIndex')
    return index <= 0x7fffffff ? index : this.#fault('txIndex', 'an index goes up to 2147483647')
  }

  #transaction(chain: ChainId): number {
    const at = this.#place.get('tx') as number
    const { builder } = this.#sink
    if (readHex(this.#text, this.#starts[at] as number, this.#ends[at] as number, this.#hash)) {
      return builder.transactionHash(this.#hash, 0)
    }
    return builder.transactionText(this.#parsed('tx', (text) => parseTx(text, chain)))
  }

  #blockHash(): number {
    if (this.#isEmpty('blockHash')) return -1
    const at = this.#place.get('blockHash') as number
    const { builder } = this.#sink
    if (readHex(this.#text, this.#starts[at] as number, this.#ends[at] as number, this.#hash)) {
      return builder.blockHash(this.#hash, 0)
    }
    const text = this.#cell('blockHash')
    if (!/^[-._:a-zA-Z0-9]{1,128}$/.test(text))
      this.#fault('blockHash', 'give the whole hash: 0x and 64 hex digits')
    return builder.blockHashText(/^0x/i.test(text) ? text.toLowerCase() : text)
  }

  /** Number of an account in the batch, −1 for nobody. */
  #side(field: 'from' | 'to' | 'signer', chain: ChainId, chainNumber: number): number {
    if (this.#isEmpty(field)) return -1
    const at = this.#place.get(field) as number
    const { builder } = this.#sink
    if (
      isEvm(chain) &&
      readHex(this.#text, this.#starts[at] as number, this.#ends[at] as number, this.#address)
    ) {
      return this.#address.some((byte) => byte !== 0)
        ? builder.evmAccount(chainNumber, this.#address, 0)
        : -1
    }
    const account: Account = this.#parsed(field, (text) => parseAccount(text, chain))
    return isZero(account) ? -1 : builder.account(account)
  }

  /** Fills the limbs; an amount beyond 128 bits comes back as a bigint. */
  #amount(): bigint | undefined {
    const at = this.#place.get('amount') as number
    if (readLimbs(this.#text, this.#starts[at] as number, this.#ends[at] as number, this.#limbs))
      return undefined
    return this.#parsed('amount', parseAmount)
  }

  #flags(): readonly string[] {
    if (this.#isEmpty('flags')) return []
    const flags = this.#cell('flags')
      .split(/[ ;]+/)
      .filter((flag) => flag !== '')
    if (flags.length > 16 || flags.some((flag) => !/^[-_a-zA-Z0-9]{1,32}$/.test(flag))) {
      this.#fault('flags', 'give up to 16 words of letters, digits, _ and -, separated by blanks')
    }
    return flags
  }
}
