import { KnownError } from '../ledger/errors.ts'
import type { Connection, Row } from './sqliteFile.ts'
import type { Fence, Store, StoredDocument } from './store.ts'

type Documents = Pick<Store, 'readDocument' | 'writeDocument' | 'deleteDocument' | 'listDocuments'>
type Transact = <T>(work: (connection: Connection) => Promise<T>) => Promise<T>

/** The versioned documents of an embedded store. */
export function documentTable(read: Connection, transact: Transact): Documents {
  return {
    async readDocument(collection, id) {
      const row = read.get('read-document', { collection, id })
      return row && documentOf(row)
    },

    writeDocument(collection, id, expected, value, fence = []) {
      return transact(async (write) => {
        checkFence(write, fence)
        const text = JSON.stringify(value)
        const changed =
          expected === 0
            ? write.run('create-document', { collection, id, value: text })
            : write.run('update-document', { collection, id, expected, value: text })
        if (changed === 0) throw conflict(write, { collection, id, expected })
        return { collection, id, version: expected + 1, value: JSON.parse(text) as unknown }
      })
    },

    async deleteDocument(collection, id, expected) {
      await transact(async (write) => {
        const changed = write.run('delete-document', { collection, id, expected })
        if (changed === 0) throw conflict(write, { collection, id, expected })
      })
    },

    async listDocuments(collection, after = '', limit = 1_000_000) {
      return read.all('list-documents', { collection, after, limit }).map(documentOf)
    },
  }
}

/** Writes documents with the versions they had elsewhere, inside the caller's transaction. */
export function restoreDocuments(
  connection: Connection,
  documents: readonly StoredDocument[],
): void {
  for (const { collection, id, version, value } of documents)
    connection.run('restore-document', { collection, id, version, value: JSON.stringify(value) })
}

export function documentOf(row: Row): StoredDocument {
  return {
    collection: String(row['collection']),
    id: String(row['id']),
    version: Number(row['version']),
    value: JSON.parse(String(row['value'])) as unknown,
  }
}

/**
 * Inside the caller's transaction.
 *
 * @throws KnownError `document.conflict` when a document has another version
 */
export function checkFence(connection: Connection, fence: readonly Fence[]): void {
  for (const { collection, id, version } of fence) {
    const found = Number(connection.get('read-document', { collection, id })?.['version'] ?? 0)
    if (found !== version) throw conflict(connection, { collection, id, expected: version })
  }
}

function conflict(
  connection: Connection,
  wanted: { readonly collection: string; readonly id: string; readonly expected: number },
): KnownError {
  const { collection, id, expected } = wanted
  const found = Number(connection.get('read-document', { collection, id })?.['version'] ?? 0)
  return new KnownError('document.conflict', `${collection} ${id} was changed by somebody else`, {
    facts: { collection, id, expected, found },
    hint: 'Read it again and repeat the change.',
    retryable: true,
  })
}
