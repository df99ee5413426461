import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'vitest'
import { openStore } from '../../src/store/open.ts'
import { comparedWithPlainList } from './model.ts'

test('after any history of sources, cuts and rollbacks the store holds what a plain list does', () =>
  comparedWithPlainList(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'jejak-model-'))
    const stores = [await openStore(folder), await openStore(folder)] as const
    return {
      stores,
      async destroy() {
        for (const store of stores) await store.close()
        rmSync(folder, { recursive: true, force: true })
      },
    }
  }, 150))
