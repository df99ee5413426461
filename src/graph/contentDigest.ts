import { createHash, type Hash } from 'node:crypto'
import { accountReference } from '../ledger/account.ts'
import { jejakCsvHeader } from '../ledger/jejakCsv.ts'
import { kinds } from '../ledger/transfer.ts'
import { hashOfKey, keyAt } from '../ledger/transferBatch.ts'
import { type RawRows, rawAccount, rawAmount, rawTransaction } from './rawRows.ts'

/**
 * The content digest: SHA-256 over the Jejak CSV of all canonical transfers in ledger order, addresses without
 * checksum. These are the bytes that `jejak export transfers --plain` writes, so anybody can check the digest
 * with a standard tool, and it depends neither on the store nor on how the rows arrived.
 *
 * A chain of digests keeps the state of the hash at every so many rows, so that a ledger that goes on is hashed on
 * from the last of them and not from its beginning.
 */
export interface DigestChain {
  /**
   * Digest of the text that is taken in; `texts` are the lines from a multiple of {@link digestStride} rows on, cut at
   * the multiples. What was there from that row on is forgotten.
   */
  goOn(fromRow: number, texts: Iterable<Uint8Array>): string
}

/** Rows between two kept states of the hash: some tens of milliseconds of hashing. */
export const digestStride = 16_384

export function createDigestChain(): DigestChain {
  /** State before each multiple of the stride. */
  const states = [createHash('sha256').update(`${jejakCsvHeader}\n`)]
  return {
    goOn(fromRow, texts) {
      states.length = fromRow / digestStride + 1
      let hash = stateAt(states, fromRow).copy()
      for (const text of texts) {
        // The last one may stand inside a stride: it is never asked for.
        states.push(hash.update(text))
        hash = hash.copy()
      }
      return hash.digest('hex')
    },
  }
}

function stateAt(states: readonly Hash[], row: number): Hash {
  const state = states[row / digestStride]
  if (!state) throw new RangeError(`the digest has not come to row ${row}`)
  return state
}

/**
 * The text of rows for {@link DigestChain.goOn}: one piece per stride.
 *
 * @param fromRow - place in `order`, a multiple of {@link digestStride}
 */
export function* plainLines(
  raw: RawRows,
  order: Uint32Array,
  fromRow: number,
): Generator<Uint8Array> {
  let chunk = Buffer.allocUnsafe(1 << 22)
  let line = lineWriter(raw, chunk)
  for (let start = fromRow; start < order.length; start += digestStride) {
    let at = 0
    for (const row of order.subarray(start, start + digestStride)) {
      if (at > chunk.length - 16_384) {
        chunk = Buffer.concat([chunk], chunk.length * 2)
        line = lineWriter(raw, chunk)
      }
      at = line(row, at)
    }
    yield chunk.subarray(0, at)
  }
}

const comma = 44
const lineEnd = 10
const hexDigits = Buffer.from('0123456789abcdef', 'latin1')

/** Writes one row as a line of text at a place of the buffer; returns where it ends. */
function lineWriter(raw: RawRows, buffer: Buffer): (row: number, at: number) => number {
  const text = (value: string, at: number): number => {
    const length = value.length
    for (let i = 0; i < length; i++) buffer[at + i] = value.charCodeAt(i)
    return at + length
  }
  const hex = (bytes: Uint8Array, start: number, end: number, at: number): number => {
    buffer[at] = 48
    buffer[at + 1] = 120
    let to = at + 2
    for (let i = start; i < end; i++) {
      const byte = bytes[i] as number
      buffer[to++] = hexDigits[byte >> 4] as number
      buffer[to++] = hexDigits[byte & 15] as number
    }
    return to
  }
  const pool = raw.addresses
  const evm = raw.chains.map((chain) => chain.startsWith('eip155:'))
  const address = (number: number, at: number): number => {
    if (number < 0) return at
    const start = number === 0 ? 0 : (pool.ends[number - 1] as number)
    if (evm[pool.pool[start] as number]) return hex(pool.pool, start + 1, start + 21, at)
    return text(accountReference(rawAccount(raw, number)), at)
  }
  const hashes = raw.blockHashes
  const blockHashText = (number: number, at: number): number => {
    const start = number === 0 ? 0 : (hashes.ends[number - 1] as number)
    const end = hashes.ends[number] as number
    if (hashes.pool[start] === 0) return hex(hashes.pool, start + 1, end, at)
    return text(hashOfKey(keyAt(hashes, number)), at)
  }
  const head = contextHeads(raw, { text, hex })
  return (row, start) => {
    const context = raw.context[row] as number
    let at = head(context, start)
    at = text(kinds[raw.kind[row] as number] as string, at)
    buffer[at++] = comma
    at = writeWhole(raw.position[row] as number, buffer, at)
    buffer[at++] = comma
    at = text(raw.assets[raw.asset[row] as number] as string, at)
    buffer[at++] = comma
    at = address(raw.from[row] as number, at)
    buffer[at++] = comma
    at = address(raw.to[row] as number, at)
    buffer[at++] = comma
    at = writeAmount(raw, row, buffer, at)
    buffer[at++] = comma
    at = address(raw.contextSigner[context] as number, at)
    buffer[at++] = comma
    const blockHash = raw.contextBlockHash[context] as number
    if (blockHash >= 0) at = blockHashText(blockHash, at)
    buffer[at++] = comma
    at = text(raw.flagSets[raw.flags[row] as number] as string, at)
    buffer[at++] = lineEnd
    return at
  }
}

interface Writers {
  readonly text: (value: string, at: number) => number
  readonly hex: (bytes: Uint8Array, start: number, end: number, at: number) => number
}

/** The columns that all rows of a context share: chain, block, time, transaction, index, each with its comma. */
function contextHeads(raw: RawRows, write: Writers): (context: number, at: number) => number {
  let lastBlock = -1
  let blockText = ''
  return (context, start) => {
    const block = raw.contextBlock[context] as number
    if (block !== lastBlock) {
      const chain = raw.chains[raw.blocks.chain[block] as number]
      blockText = `${chain},${raw.blocks.number[block]},${raw.blocks.time[block]},`
      lastBlock = block
    }
    let at = write.text(blockText, start)
    const isText = raw.contextText.size > 0 && raw.contextText.has(context)
    at = isText
      ? write.text(rawTransaction(raw, context), at)
      : write.hex(raw.contextHash, context * 32, context * 32 + 32, at)
    const index = raw.contextIndex[context] as number
    return write.text(index < 0 ? ',,' : `,${index},`, at)
  }
}

/** Writes the digits of an amount; a bigint is only made beyond 53 bits. */
function writeAmount(raw: RawRows, row: number, buffer: Buffer, at: number): number {
  const limb = row * 4
  const high = raw.amount[limb + 1] as number
  if (high < 0x200000 && raw.amount[limb + 2] === 0 && raw.amount[limb + 3] === 0) {
    return writeWhole(high * 0x100000000 + (raw.amount[limb] as number), buffer, at)
  }
  const text = rawAmount(raw, row).toString()
  for (let i = 0; i < text.length; i++) buffer[at + i] = text.charCodeAt(i)
  return at + text.length
}

function writeWhole(value: number, buffer: Buffer, at: number): number {
  if (value < 10) {
    buffer[at] = 48 + value
    return at + 1
  }
  let end = at
  for (let rest = value; rest > 0; rest = Math.floor(rest / 10)) end++
  // Two halves of at most nine digits keep the divisions in whole 32-bit numbers.
  const high = Math.floor(value / 1_000_000_000)
  let low = value - high * 1_000_000_000
  let to = end
  const lowEnd = high > 0 ? end - 9 : at
  while (to > lowEnd) {
    const tenth = (low / 10) | 0
    buffer[--to] = 48 + low - tenth * 10
    low = tenth
  }
  let left = high
  while (to > at) {
    const tenth = Math.floor(left / 10)
    buffer[--to] = 48 + left - tenth * 10
    left = tenth
  }
  return end
}
