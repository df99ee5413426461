import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore } from '../../src/store/open.ts'
import { describeStore } from './contract.ts'

describeStore('embedded store', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'jejak-store-'))
  const store = await openStore(folder)
  return {
    store,
    another: () => openStore(folder),
    async destroy() {
      await store.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
})
