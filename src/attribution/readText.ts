import { readFileSync } from 'node:fs'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { KnownError } from '../ledger/errors.ts'

const largest = 1 << 30

/**
 * A whole text file, plain, gzip or zstd by its first bytes; a byte-order mark is dropped.
 *
 * @throws KnownError `file.unreadable`
 */
export function readText(file: string): string {
  try {
    const bytes = readFileSync(file)
    const text = decompressed(bytes).toString('utf8')
    return text.startsWith('\ufeff') ? text.slice(1) : text
  } catch (error) {
    throw new KnownError('file.unreadable', `${file} cannot be read`, {
      facts: { file },
      hint: 'Check that it exists, that you may read it, and that it is whole.',
      cause: error,
    })
  }
}

function decompressed(bytes: Buffer): Buffer {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return gunzipSync(bytes, { maxOutputLength: largest })
  if (bytes.length > 4 && bytes.readUInt32LE(0) === 0xfd2fb528) {
    return zstdDecompressSync(bytes, { maxOutputLength: largest })
  }
  return bytes
}
