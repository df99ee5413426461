import { randomUUID } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { type Account, accountChain, accountReference } from '../../ledger/account.ts'
import { KnownError } from '../../ledger/errors.ts'
import { type Flag, flagCollection } from '../flags.ts'
import type { Fence, Store, StoredDocument } from '../store.ts'
import { int, type Neo4jConnection, type Row, type Unit } from './connection.ts'
import { isRemoved } from './faults.ts'
import { compareCodePoints } from './keys.ts'

type Documents = Pick<Store, 'readDocument' | 'writeDocument' | 'deleteDocument' | 'listDocuments'>

/** The versioned documents of a Neo4j store. A flag also shows on the node of its address. */
export function neo4jDocuments(connection: Neo4jConnection): Documents {
  return {
    async readDocument(collection, id) {
      const [document] = await wholeDocuments(() =>
        connection.read((unit) => unit.run('read-document', { collection, id })),
      )
      return document
    },

    async writeDocument(collection, id, expected, value, fence = []) {
      const text = JSON.stringify(value)
      const own = randomUUID()
      let broken: Fence | undefined
      const done = await compared(connection, { collection, id, expected }, async (unit) => {
        broken = await brokenFence(unit, fence)
        if (broken) return isOwnWrite(unit, { collection, id, own })
        const given = { collection, id, content: contentOf(expected + 1, text), unit: own }
        const rows =
          expected === 0
            ? await unit.run('create-document', given)
            : await unit.run('update-document', { ...given, expected: int(expected) })
        if (rows.length === 0 && !(await isOwnWrite(unit, { collection, id, own }))) return false
        if (collection === flagCollection) await showFlag(unit, id, JSON.parse(text) as Flag)
        return true
      })
      if (!done && broken) throw await fenceConflict(connection, broken)
      if (!done) throw await conflict(connection, { collection, id, expected })
      return { collection, id, version: expected + 1, value: JSON.parse(text) as unknown }
    },

    async deleteDocument(collection, id, expected) {
      let attempts = 0
      const done = await compared(connection, { collection, id, expected }, async (unit) => {
        attempts++
        const rows = await unit.run('delete-document', { collection, id, expected: int(expected) })
        if (rows.length === 0) {
          // The first run may have been committed and its reply lost.
          const [known] = await unit.run('read-document', { collection, id })
          return attempts > 1 && known === undefined
        }
        if (collection === flagCollection) await unit.run('hide-flag', { account: id })
        return true
      })
      if (!done) throw await conflict(connection, { collection, id, expected })
    },

    async listDocuments(collection, after = '', limit = 1_000_000) {
      return wholeDocuments(() =>
        connection.read((unit) =>
          unit.run('list-documents', { collection, after, limit: int(limit) }),
        ),
      )
    },
  }
}

/** The first document of a fence that has another version; those that hold are held until the transaction ends. */
export async function brokenFence(unit: Unit, fence: readonly Fence[]): Promise<Fence | undefined> {
  for (const { collection, id, version } of fence) {
    const [row] = await unit.run('hold-document', { collection, id })
    if (Number(row?.['version'] ?? 0) !== version) return { collection, id, version }
  }
  return undefined
}

export function fenceConflict(
  connection: Neo4jConnection,
  { collection, id, version }: Fence,
): Promise<KnownError> {
  return conflict(connection, { collection, id, expected: version })
}

const documentsPerStatement = 5_000

export async function allDocuments(connection: Neo4jConnection): Promise<StoredDocument[]> {
  const documents = await wholeDocuments(() => connection.read((unit) => unit.run('all-documents')))
  return documents.sort(
    (a, b) => compareCodePoints(a.collection, b.collection) || compareCodePoints(a.id, b.id),
  )
}

/** Writes documents with the versions they had elsewhere. */
export async function restoreDocuments(
  connection: Neo4jConnection,
  documents: readonly StoredDocument[],
): Promise<void> {
  for (let i = 0; i < documents.length; i += documentsPerStatement) {
    const part = documents.slice(i, i + documentsPerStatement)
    await connection.write(async (unit) => {
      await unit.run('restore-documents', {
        documents: part.map(({ collection, id, version, value }) => [
          collection,
          id,
          int(version),
          contentOf(version, JSON.stringify(value)),
        ]),
      })
      for (const { collection, id, value } of part)
        if (collection === flagCollection) await showFlag(unit, id, value as Flag)
    })
  }
}

interface Wanted {
  readonly collection: string
  readonly id: string
  readonly expected: number
}

/** Somebody may remove the document while this waits for its lock: then it is another version too. */
async function compared(
  connection: Neo4jConnection,
  _: Wanted,
  work: (unit: Unit) => Promise<boolean>,
): Promise<boolean> {
  try {
    return await connection.write(work)
  } catch (error) {
    if (isRemoved(error)) return false
    throw error
  }
}

/** True when this very write was committed and only the reply was lost. */
async function isOwnWrite(
  unit: Unit,
  { collection, id, own }: { collection: string; id: string; own: string },
): Promise<boolean> {
  const [row] = await unit.run('read-document', { collection, id })
  return row?.['unit'] === own
}

/** Flagged payments and transactions are no addresses. */
async function showFlag(unit: Unit, id: string, flag: Flag): Promise<void> {
  if (flag.payment || flag.transaction) return
  const account = id as Account
  await unit.run('show-flag', {
    account,
    chain: accountChain(account),
    address: accountReference(account),
    reason: flag.reason,
    source: flag.source,
    at: flag.flaggedAt,
    state: flag.state,
  })
}

/** Version, checksum and JSON in one text, so that nobody reads the version of one write with the value of another. */
function contentOf(version: number, json: string): string {
  return `${version} ${crc32(json)} ${json}`
}

/** A text may be read while it is replaced; then its checksum tells. */
function documentOf(row: Row): StoredDocument | undefined {
  const content = String(row['content'])
  const [, version = '', checksum = ''] = /^(\d+) (\d+) /.exec(content) ?? []
  const json = content.slice(version.length + checksum.length + 2)
  if (crc32(json) !== Number(checksum)) return undefined
  return {
    collection: String(row['collection']),
    id: String(row['id']),
    version: Number(version),
    value: JSON.parse(json) as unknown,
  }
}

const mostReadings = 20

/** Reads documents until each is whole. */
async function wholeDocuments(read: () => Promise<Row[]>): Promise<StoredDocument[]> {
  for (let reading = 0; reading < mostReadings; reading++) {
    const rows = await read()
    const documents = rows.map(documentOf).filter((document) => document !== undefined)
    if (documents.length === rows.length) return documents
  }
  throw new KnownError('store.damaged', 'a document is not what was written', {
    hint: 'Somebody changed it by hand: restore the store from a backup.',
  })
}

async function conflict(
  connection: Neo4jConnection,
  { collection, id, expected }: Wanted,
): Promise<KnownError> {
  const [row] = await connection.read((unit) => unit.run('read-document', { collection, id }))
  const found = (row && documentOf(row)?.version) ?? 0
  return new KnownError('document.conflict', `${collection} ${id} was changed by somebody else`, {
    facts: { collection, id, expected, found },
    hint: 'Read it again and repeat the change.',
    retryable: true,
  })
}
