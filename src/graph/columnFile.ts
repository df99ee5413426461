import {
  closeSync,
  fsyncSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { ColumnArrays, ColumnMeta, Columns } from './columns.ts'

/**
 * A generation as a file beside the store, so that the next start reads columns instead of the log. It is only a
 * copy: a file that is missing, cut, damaged, of another format, store or moment is passed over, and the log is
 * read instead.
 *
 * Layout: magic, length of a JSON head, the head (meta, and for each array name, length and checksum), the arrays.
 */
const magic = 'JEJAKCOL3\n'
const fileName = 'generation.columns'
const chunkBytes = 1 << 26

const constructors = { Uint8Array, Uint32Array, Int32Array, Float64Array }

interface ArrayHead {
  readonly name: string
  readonly type: keyof typeof constructors
  readonly length: number
  readonly checksum: number
}

interface Head {
  readonly meta: ColumnMeta
  readonly arrays: readonly ArrayHead[]
}

/** Writes the generation of a store's folder; the old file stays until the new one is whole. */
export function saveColumns(folder: string, columns: Columns): void {
  const arrays = Object.entries(columns.arrays) as [string, ColumnArrays[keyof ColumnArrays]][]
  const heads = arrays.map(([name, array]): ArrayHead => {
    const type = array.constructor.name as ArrayHead['type']
    return { name, type, length: array.length, checksum: checksum(bytesOf(array)) }
  })
  const head = Buffer.from(JSON.stringify({ meta: columns.meta, arrays: heads } satisfies Head))
  const partial = join(folder, `${fileName}.${process.pid}.part`)
  const file = openSync(partial, 'w', 0o600)
  try {
    const length = Buffer.alloc(8)
    length.writeBigUInt64LE(BigInt(head.length))
    for (const bytes of [Buffer.from(magic), length, head]) writeAll(file, bytes)
    for (const [, array] of arrays) writeAll(file, bytesOf(array))
    fsyncSync(file)
  } catch (error) {
    closeSync(file)
    rmSync(partial, { force: true })
    throw error
  }
  closeSync(file)
  renameSync(partial, join(folder, fileName))
}

/** Length of the column file of a folder; 0 where there is none. */
export function columnFileBytes(folder: string): number {
  return statSync(join(folder, fileName), { throwIfNoEntry: false })?.size ?? 0
}

/**
 * Reads the generation of a store's folder.
 *
 * @returns undefined unless the file is whole and of exactly this store and log sequence.
 */
export function loadColumns(
  folder: string,
  wanted: { readonly storeId: string; readonly sequence: number },
): Columns | undefined {
  const path = join(folder, fileName)
  try {
    const file = openSync(path, 'r')
    try {
      return readColumns(file, statSync(path).size, wanted)
    } finally {
      closeSync(file)
    }
  } catch {
    // Whatever is wrong with a copy, the log has the original.
    return undefined
  }
}

function readColumns(
  file: number,
  size: number,
  wanted: { readonly storeId: string; readonly sequence: number },
): Columns | undefined {
  const start = Buffer.alloc(magic.length + 8)
  readAll(file, start, 0)
  if (start.toString('latin1', 0, magic.length) !== magic) return undefined
  const length = Number(start.readBigUInt64LE(magic.length))
  if (length > size) return undefined
  const text = Buffer.alloc(length)
  readAll(file, text, start.length)
  const head = JSON.parse(text.toString()) as Head
  if (head.meta.storeId !== wanted.storeId || head.meta.sequence !== wanted.sequence)
    return undefined
  let at = start.length + length
  const arrays: Record<string, unknown> = {}
  for (const { name, type, length: count, checksum: expected } of head.arrays) {
    const make = constructors[type]
    const buffer = new SharedArrayBuffer(count * make.BYTES_PER_ELEMENT)
    const bytes = new Uint8Array(buffer)
    readAll(file, bytes, at)
    if (checksum(bytes) !== expected) return undefined
    at += bytes.length
    arrays[name] = view(type, buffer)
  }
  return { meta: head.meta, arrays: arrays as unknown as ColumnArrays }
}

function view(
  type: ArrayHead['type'],
  buffer: SharedArrayBuffer,
): ColumnArrays[keyof ColumnArrays] {
  const make: new (buffer: SharedArrayBuffer) => ColumnArrays[keyof ColumnArrays] =
    constructors[type]
  return new make(buffer)
}

function bytesOf(array: ColumnArrays[keyof ColumnArrays]): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
}

function checksum(bytes: Uint8Array): number {
  let sum = 0
  for (let at = 0; at < bytes.length; at += chunkBytes)
    sum = crc32(bytes.subarray(at, at + chunkBytes), sum)
  return sum
}

function writeAll(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; )
    at += writeSync(file, bytes, at, Math.min(chunkBytes, bytes.length - at))
}

function readAll(file: number, bytes: Uint8Array, position: number): void {
  for (let at = 0; at < bytes.length; ) {
    const read = readSync(file, bytes, at, Math.min(chunkBytes, bytes.length - at), position + at)
    if (read === 0) throw new RangeError('the file ends too early')
    at += read
  }
}
