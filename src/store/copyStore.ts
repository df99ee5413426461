import { createHash, type Hash } from 'node:crypto'
import { encodeBatch } from '../ledger/batchCodec.ts'
import { KnownError } from '../ledger/errors.ts'
import { isForMany } from './coverageTable.ts'
import { encodeTombstones, lengthOf } from './segments.ts'
import type { LogEntry, Store, StorePart } from './store.ts'

/** How far a copy is: sequence numbers of the log, of so many. */
export interface CopyProgress {
  readonly step: 'comparing' | 'copying' | 'verifying'
  readonly done: number
  readonly total: number
}

export interface CopyReport {
  /** Log rows and tombstones that were copied now. */
  readonly copied: number
  /** Those that an interrupted copy had brought before. */
  readonly found: number
  /** SHA-256 over everything, equal for both stores. */
  readonly digest: string
}

export interface CopyOptions {
  readonly progress?: (progress: CopyProgress) => void
  readonly signal?: AbortSignal
}

/**
 * Brings everything from one store into another: the log as it is, coverage, tags, documents, findings. A copy that
 * was interrupted goes on where it was. At the end both stores are read and their digests compared.
 *
 * @throws KnownError `store.not-empty` when the target holds something else, `store.damaged` when the digests differ
 */
export async function copyStore(
  from: Store,
  to: Store,
  { progress = () => undefined, signal }: CopyOptions = {},
): Promise<CopyReport> {
  const { sequence: total } = await from.state()
  const found = (await to.state()).sequence
  await refuseOthers(from, to)
  await sameBeginning(from, to, { through: found, total, progress, signal })
  for await (const part of from.dump(found)) {
    signal?.throwIfAborted()
    await to.restore(part)
    if (part.type === 'log') progress({ step: 'copying', done: lastOf(part), total })
  }
  const digests: string[] = []
  for (const store of [from, to])
    digests.push(await storeDigest(store, { total, progress, signal }))
  const [expected = '', digest = ''] = digests
  if (expected !== digest) throw differs(expected, digest)
  return { copied: total - found, found, digest }
}

interface Reading {
  readonly total: number
  readonly progress: (progress: CopyProgress) => void
  readonly signal: AbortSignal | undefined
}

/** SHA-256 over all that a store holds. Cost: one reading of the whole store. */
async function storeDigest(store: Store, { total, progress, signal }: Reading): Promise<string> {
  const hash = createHash('sha256')
  for await (const part of store.dump(0)) {
    signal?.throwIfAborted()
    addPart(hash, part)
    if (part.type === 'log') progress({ step: 'verifying', done: lastOf(part), total })
  }
  return hash.digest('hex')
}

function addPart(hash: Hash, part: StorePart): void {
  if (part.type === 'log') {
    for (const entry of part.entries) addEntry(hash, entry)
  } else if (part.type === 'coverage')
    hash.update(JSON.stringify(part.claims.map(claimText).sort()))
  else if (part.type === 'tags') hash.update(JSON.stringify(part.tags))
  else if (part.type === 'documents') hash.update(JSON.stringify(part.documents))
  else hash.update(JSON.stringify(part.findings))
}

function claimText(claim: Extract<StorePart, { type: 'coverage' }>['claims'][number]): string {
  if (!isForMany(claim)) return JSON.stringify(claim)
  return JSON.stringify({
    ...claim,
    accounts: [...claim.accounts].sort(),
    kinds: [...claim.kinds].sort(),
  })
}

function addEntry(hash: Hash, entry: LogEntry): void {
  if (entry.type === 'tombstones') {
    hash.update(`${entry.firstSequence} ${entry.reason}\n`).update(encodeTombstones(entry))
    return
  }
  const { firstSequence, source, assurance } = entry
  hash.update(`${firstSequence} ${assurance} ${source}\n`).update(encodeBatch(entry.batch))
}

/** An interrupted copy holds the beginning of the same log, and nothing that the original does not have. */
async function sameBeginning(
  from: Store,
  to: Store,
  { through, total, progress, signal }: Reading & { readonly through: number },
): Promise<void> {
  if (through === 0) return
  if (through > total) throw notEmpty(`its log is longer: ${through} against ${total}`)
  const theirs = to.readLog(0)[Symbol.asyncIterator]()
  for await (const entry of from.readLog(0)) {
    signal?.throwIfAborted()
    if (entry.firstSequence > through) break
    const other = await theirs.next()
    if (other.done || entryDigest(other.value) !== entryDigest(entry))
      throw notEmpty(`its log differs at ${entry.firstSequence}`)
    const done = entry.firstSequence + lengthOf(entry) - 1
    progress({ step: 'comparing', done, total: through })
  }
}

function entryDigest(entry: LogEntry): string {
  const hash = createHash('sha256')
  addEntry(hash, entry)
  return hash.digest('hex')
}

/** Tags, documents or claims of the target that the original does not have would survive the copy. */
async function refuseOthers(from: Store, to: Store): Promise<void> {
  const after = Number.MAX_SAFE_INTEGER
  const original = new Set<string>()
  for await (const part of from.dump(after)) for (const text of itemTexts(part)) original.add(text)
  for await (const part of to.dump(after))
    for (const text of itemTexts(part))
      if (!original.has(text)) throw notEmpty(`it holds ${text.slice(0, 200)}`)
}

function itemTexts(part: StorePart): string[] {
  if (part.type === 'tags') return part.tags.map((tag) => `the tag ${JSON.stringify(tag)}`)
  if (part.type === 'documents')
    return part.documents.map(({ collection, id }) => `the document ${collection} ${id}`)
  if (part.type === 'coverage') return part.claims.map((claim) => `the claim ${claimText(claim)}`)
  return []
}

function lastOf({ entries }: Extract<StorePart, { type: 'log' }>): number {
  const last = entries.at(-1)
  return last ? last.firstSequence + lengthOf(last) - 1 : 0
}

function notEmpty(why: string): KnownError {
  return new KnownError('store.not-empty', `the target store holds something else: ${why}`, {
    hint: 'Copy into an empty store, or into one that a copy of the same store began.',
  })
}

function differs(expected: string, digest: string): KnownError {
  return new KnownError('store.damaged', 'the copy is not the same as the original', {
    facts: { original: expected, copy: digest },
    hint: 'Somebody may have written meanwhile: stop workers and servers and run the copy again.',
  })
}
