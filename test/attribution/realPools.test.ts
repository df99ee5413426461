import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { createDerivedPools } from '../../src/attribution/createdPools.ts'
import { importTags } from '../../src/attribution/importTags.ts'
import { loadAttribution } from '../../src/attribution/load.ts'
import { parseAccount } from '../../src/ledger/account.ts'
import { assetChain } from '../../src/ledger/asset.ts'
import { knownTokens } from '../../src/ledger/knownTokens.ts'
import { openStore } from '../../src/store/open.ts'
import { realData } from '../realData.ts'

const folder = mkdtempSync(join(tmpdir(), 'jejak-real-pools-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const labels = realData('labels/labels_evm.csv.gz')

describe.skipIf(labels === undefined)('127,085 real labels', () => {
  test('name a hundred of the pools that factories made of shipped tokens, and each as a pool', {
    timeout: 120_000,
  }, async () => {
    const store = await openStore(join(folder, 'store'))
    try {
      await importTags(store, [labels ?? ''])
      const { tags } = await loadAttribution(store)
      const pools = createDerivedPools()
      const tokens = [...knownTokens.keys()]
      const named = new Map<string, string>()
      for (const [i, a] of tokens.entries()) {
        for (const b of tokens.slice(i + 1)) {
          if (assetChain(a) !== assetChain(b)) continue
          for (const address of pools.of(a, b)) {
            const [tag] = tags.of(parseAccount(address, assetChain(a)))
            if (tag) named.set(address, `${tag.category}: ${tag.label}`)
          }
        }
      }
      expect(named.size).toBeGreaterThanOrEqual(100)
      // Lenders take shares of pools as collateral, and label lists then call the pool a lender's.
      const pool = /^(?:dex|defi_dex): |^defi_lending: (?:compound_Pair|maker_UNIV2)/
      expect([...named.values()].filter((label) => !pool.test(label))).toEqual([])
    } finally {
      await store.close()
    }
  })
})
