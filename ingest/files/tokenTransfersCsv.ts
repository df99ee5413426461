import { parseAmount } from '../../src/ledger/amount.ts'
import { type AssetId, tokenAsset } from '../../src/ledger/asset.ts'
import type { ChainId } from '../../src/ledger/chain.ts'
import { KnownError } from '../../src/ledger/errors.ts'
import { kinds } from '../../src/ledger/transfer.ts'
import { readHex, readLimbs, readWhole } from './bytes.ts'
import type { BlockInfo } from './ethereumEtl.ts'
import { readLines } from './readFile.ts'
import type { Refusals } from './refusals.ts'
import type { RowSink } from './rowSink.ts'

const columns = [
  'token_address',
  'from_address',
  'to_address',
  'value',
  'transaction_hash',
  'log_index',
  'block_number',
] as const
type Column = (typeof columns)[number]

interface Context {
  readonly sink: RowSink
  readonly refusals: Refusals
  readonly chain: ChainId
  readonly raw: (bytes: number) => void
  readonly blocks: ReadonlyMap<number, BlockInfo>
}

const token = kinds.indexOf('token')

/**
 * ethereum-etl's token_transfers.csv in columns, without an object per row: hundreds of millions of rows are usual.
 * Nothing but a blocks file beside it: the order inside blocks is then unknown.
 */
export async function readTokenTransfersCsv(file: string, context: Context): Promise<void> {
  let reader: Reader | undefined
  await readLines(
    file,
    (text, start, end, line) => {
      if (start === end) return
      if (reader) reader.read(text, start, end, line)
      else reader = new Reader(file, text.toString('utf8', start, end), context)
    },
    { afterChunk: () => context.sink.flush(), raw: context.raw },
  )
}

class Reader {
  readonly #file: string
  readonly #context: Context
  readonly #cells: number
  readonly #at: Readonly<Record<Column, number>>
  readonly #starts: Int32Array
  readonly #ends: Int32Array
  readonly #hash = new Uint8Array(32)
  readonly #from = new Uint8Array(20)
  readonly #to = new Uint8Array(20)
  readonly #contract = new Uint8Array(20)
  readonly #limbs = new Float64Array(4)
  readonly #assets = new Map<string, AssetId>()
  #lastBlock = -1
  #lastInfo: BlockInfo | undefined

  constructor(file: string, header: string, context: Context) {
    const names = header.split(',').map((name) => name.trim())
    this.#file = file
    this.#context = context
    this.#cells = names.length
    this.#at = Object.fromEntries(columns.map((name) => [name, names.indexOf(name)])) as Record<
      Column,
      number
    >
    this.#starts = new Int32Array(names.length)
    this.#ends = new Int32Array(names.length)
  }

  read(text: Buffer, start: number, end: number, line: number): void {
    let count = 0
    let from = start
    for (let at = start; at <= end; at++) {
      if (at < end && text[at] !== 44) continue
      if (count < this.#cells) {
        this.#starts[count] = from
        this.#ends[count] = at
      }
      count++
      from = at + 1
    }
    if (count !== this.#cells)
      this.#refuse(text, line, { field: 'row', hint: `Give every row ${this.#cells} cells.` })
    else this.#row(text, line)
  }

  #row(text: Buffer, line: number): void {
    const { builder } = this.#context.sink
    const block = this.#whole(text, 'block_number')
    const position = this.#whole(text, 'log_index')
    const info = block === this.#lastBlock ? this.#lastInfo : this.#context.blocks.get(block)
    if (block < 0)
      return this.#refuse(text, line, { field: 'block_number', hint: 'Give a whole number.' })
    if (position < 0)
      return this.#refuse(text, line, { field: 'log_index', hint: 'Give a whole number.' })
    if (!info) {
      const hint = `The time of block ${block} is not known: add the blocks file (blocks.csv) to the same command.`
      return this.#refuse(text, line, { field: 'block_number', hint })
    }
    this.#lastBlock = block
    this.#lastInfo = info
    for (const [field, into] of [
      ['transaction_hash', this.#hash],
      ['from_address', this.#from],
      ['to_address', this.#to],
      ['token_address', this.#contract],
    ] as const) {
      if (!this.#hex(text, field, into)) {
        return this.#refuse(text, line, {
          field,
          hint: `Give 0x and ${into.length * 2} lower-case hex digits.`,
        })
      }
    }
    const wide = this.#amount(text)
    if (wide === null)
      return this.#refuse(text, line, {
        field: 'value',
        hint: 'Give a whole number of base units below 2^256.',
      })
    const chain = builder.chain(this.#context.chain)
    const context = builder.context({
      chain,
      transaction: builder.transactionHash(this.#hash, 0),
      block,
      time: info.time,
      blockHash: info.hash === undefined ? -1 : builder.blockHashText(info.hash),
      txIndex: -1,
      signer: -1,
    })
    const row = builder.row(context, token, position, builder.asset(this.#asset(text)))
    builder.sides(row, this.#side(this.#from, chain), this.#side(this.#to, chain))
    if (wide === undefined) builder.limbs(row, this.#limbs)
    else builder.amount(row, wide)
    this.#context.sink.noted(this.#file, line)
  }

  #side(address: Uint8Array, chain: number): number {
    for (let i = 0; i < 20; i++)
      if (address[i] !== 0) return this.#context.sink.builder.evmAccount(chain, address, 0)
    return -1
  }

  #whole(text: Buffer, field: Column): number {
    const at = this.#at[field]
    return readWhole(text, this.#starts[at] as number, this.#ends[at] as number)
  }

  #hex(text: Buffer, field: Column, into: Uint8Array): boolean {
    const at = this.#at[field]
    return readHex(text, this.#starts[at] as number, this.#ends[at] as number, into)
  }

  /** Undefined: the limbs hold it. A bigint: it is wider. Null: it is none. */
  #amount(text: Buffer): bigint | undefined | null {
    const at = this.#at.value
    const start = this.#starts[at] as number
    const end = this.#ends[at] as number
    if (readLimbs(text, start, end, this.#limbs)) return undefined
    try {
      return parseAmount(text.toString('latin1', start, end))
    } catch (error) {
      if (error instanceof KnownError) return null
      throw error
    }
  }

  #asset(text: Buffer): AssetId {
    const at = this.#at.token_address
    const contract = text.toString('latin1', this.#starts[at], this.#ends[at])
    const known = this.#assets.get(contract)
    if (known !== undefined) return known
    const made = tokenAsset(this.#context.chain, contract)
    this.#assets.set(contract, made)
    return made
  }

  #refuse(
    text: Buffer,
    line: number,
    why: { readonly field: Column | 'row'; readonly hint: string },
  ): void {
    const at = why.field === 'row' ? 0 : this.#at[why.field]
    const value = text.toString('utf8', this.#starts[at], this.#ends[at])
    const message = `${why.field} "${value.slice(0, 100)}" is not valid`
    this.#context.refusals.add({
      file: this.#file,
      line,
      field: why.field,
      value,
      message,
      hint: why.hint,
    })
  }
}
