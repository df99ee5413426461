import { createHash } from 'node:crypto'
import {
  closeSync,
  createReadStream,
  existsSync,
  globSync,
  openSync,
  readdirSync,
  readSync,
  statSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { KnownError } from '../../src/ledger/errors.ts'

const chunkBytes = 1 << 20
/** Longest line that is read; a longer one is refused, so that no file can fill the memory. */
const longestLine = 16 << 20

/** The files that arguments stand for: files, folders with all below them, globs; sorted, each once. */
export function expandFiles(patterns: readonly string[]): string[] {
  const found = patterns.flatMap((pattern) => {
    if (existsSync(pattern))
      return statSync(pattern).isDirectory() ? filesBelow(pattern) : [pattern]
    const matches = /[*?[{]/.test(pattern) ? globSync(pattern) : []
    if (matches.length > 0)
      return matches.flatMap((match) =>
        statSync(match).isDirectory() ? filesBelow(match) : [match],
      )
    throw new KnownError('file.unreadable', `there is no file ${pattern}`, {
      facts: { file: pattern },
      hint: 'Give a file, a folder or a pattern that matches something.',
    })
  })
  return [...new Set(found)].sort()
}

function filesBelow(folder: string): string[] {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true })
  return names
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map((entry) => join(entry.parentPath, entry.name))
}

/** Bytes of a file, decompressed by what its first bytes say it is. */
export function openBytes(file: string, raw?: (bytes: number) => void): Readable {
  const source = createReadStream(file, { highWaterMark: chunkBytes })
  if (raw) source.on('data', (chunk) => raw(chunk.length))
  const start = firstBytes(file)
  if (start[0] === 0x1f && start[1] === 0x8b)
    return piped(source, createGunzip({ chunkSize: chunkBytes }))
  if (start.readUInt32LE(0) === 0xfd2fb528)
    return piped(source, createZstdDecompress({ chunkSize: chunkBytes }))
  return source
}

function piped(
  source: Readable,
  through: ReturnType<typeof createGunzip> | ReturnType<typeof createZstdDecompress>,
): Readable {
  source.on('error', (error) => through.destroy(error))
  return source.pipe(through)
}

function firstBytes(file: string): Buffer {
  const bytes = Buffer.alloc(4)
  const handle = openSync(file, 'r')
  readSync(handle, bytes, 0, 4, 0)
  closeSync(handle)
  return bytes
}

export type LineReader = (text: Buffer, start: number, end: number, line: number) => void

/**
 * Calls `onLine` for every line, without its line end; CR before LF and a byte-order mark are dropped. After each
 * chunk `afterChunk` may wait, for example until a batch is stored.
 *
 * @throws KnownError `file.unreadable` when the bytes cannot be read or a line is longer than 16 MiB
 */
export async function readLines(
  file: string,
  onLine: LineReader,
  options: {
    readonly afterChunk?: () => Promise<void> | undefined
    readonly raw?: (bytes: number) => void
  } = {},
): Promise<void> {
  let rest: Buffer = Buffer.alloc(0)
  let line = 0
  try {
    for await (const chunk of openBytes(file, options.raw) as AsyncIterable<Buffer>) {
      const text = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      let start = line === 0 && text[0] === 0xef && text[1] === 0xbb && text[2] === 0xbf ? 3 : 0
      for (let end = text.indexOf(10, start); end >= 0; end = text.indexOf(10, start)) {
        onLine(text, start, text[end - 1] === 13 && end > start ? end - 1 : end, ++line)
        start = end + 1
      }
      rest = text.subarray(start)
      if (rest.length > longestLine) throw new RangeError(`line ${line + 1} is longer than 16 MiB`)
      await options.afterChunk?.()
    }
  } catch (error) {
    if (error instanceof KnownError) throw error
    throw new KnownError(
      'file.unreadable',
      `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      {
        facts: { file },
        hint: 'Check that the file is whole and that you may read it.',
        cause: error,
      },
    )
  }
  if (rest.length > 0)
    onLine(rest, 0, rest[rest.length - 1] === 13 ? rest.length - 1 : rest.length, ++line)
  await options.afterChunk?.()
}

/** First line that is not empty, at most 64 KiB of it. */
export async function firstLine(file: string): Promise<string> {
  try {
    let text = ''
    for await (const chunk of openBytes(file) as AsyncIterable<Buffer>) {
      text += chunk
        .subarray(0, 65_536)
        .toString('utf8')
        .replace(/^\ufeff/, '')
      const line = text.split(/\r?\n/).find((candidate) => candidate.trim() !== '')
      if (line !== undefined && (text.includes('\n') || text.length >= 65_536)) return line
    }
    return text.trim()
  } catch (error) {
    throw new KnownError('file.unreadable', `${file} cannot be read`, {
      facts: { file },
      cause: error,
      hint: 'Check that the file is whole.',
    })
  }
}

/** SHA-256 of a file's decompressed bytes: the same for a renamed or re-compressed file. */
export async function contentHash(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of openBytes(file) as AsyncIterable<Buffer>) hash.update(chunk)
  return hash.digest('hex')
}
