import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { decodeBatch, encodeBatch } from '../ledger/batchCodec.ts'
import type { Transfer } from '../ledger/transfer.ts'
import { type TransferBatch, TransferBatchBuilder } from '../ledger/transferBatch.ts'

/** Rows on their way from the log to their order, in files of their own: more than memory holds. */
export interface Spill {
  add(part: number, transfer: Transfer): void
  rows(part: number): number
  /** The rows of a part, as they came. */
  read(part: number): Iterable<TransferBatch>
  /** Removes the files. */
  close(): void
}

/** Rows that are written at once; each part holds up to so many in memory. */
const rowsAtOnce = 2_048

interface Part {
  readonly file: number
  readonly builder: TransferBatchBuilder
  /** Length of each batch in the file, bytes. */
  readonly lengths: number[]
  rows: number
}

/** @param folder - where there is room; the files are only for this process and gone at the end. */
export function createSpill(folder: string, parts: number): Spill {
  const own = mkdtempSync(join(folder, 'sorting-'))
  const all = Array.from({ length: parts }, (_, number): Part => {
    const file = openSync(join(own, String(number)), 'wx+', 0o600)
    return { file, builder: new TransferBatchBuilder(), lengths: [], rows: 0 }
  })
  // Where the system lets open files be removed they go by themselves, however the process ends.
  const removed = remove(own)
  const partAt = (number: number): Part => {
    const part = all[number]
    if (!part) throw new RangeError(`there is no part ${number}`)
    return part
  }
  return {
    add(number, transfer) {
      const part = partAt(number)
      part.builder.add(transfer)
      part.rows++
      if (part.builder.length >= rowsAtOnce) flush(part)
    },
    rows: (number) => partAt(number).rows,
    *read(number) {
      const part = partAt(number)
      flush(part)
      let at = 0
      for (const length of part.lengths) {
        const bytes = Buffer.alloc(length)
        for (let got = 0; got < length; ) {
          const read = readSync(part.file, bytes, got, length - got, at + got)
          if (read === 0) throw new RangeError('a file of rows ends too early')
          got += read
        }
        at += length
        yield decodeBatch(new Uint8Array(bytes.buffer, bytes.byteOffset, length))
      }
    },
    close() {
      for (const { file } of all) closeSync(file)
      if (!removed) remove(own)
    },
  }
}

function remove(folder: string): boolean {
  try {
    rmSync(folder, { recursive: true, force: true })
    return true
  } catch {
    return false
  }
}

function flush(part: Part): void {
  if (part.builder.length === 0) return
  const bytes = encodeBatch(part.builder.build())
  part.builder.reset()
  for (let at = 0; at < bytes.length; ) at += writeSync(part.file, bytes, at)
  part.lengths.push(bytes.length)
}
