import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { importTags } from '../../src/attribution/importTags.ts'
import { importTokens } from '../../src/attribution/importTokens.ts'
import { loadAttribution } from '../../src/attribution/load.ts'
import { parseAsset } from '../../src/ledger/asset.ts'
import { openStore } from '../../src/store/open.ts'
import type { Store } from '../../src/store/store.ts'
import { usdt, wallet } from '../ledger.arbitrary.ts'

const folder = mkdtempSync(join(tmpdir(), 'jejak-attribution-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let files = 0

function file(content: string, name = `file-${++files}`): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

function tagFile(...rows: readonly string[]): string {
  return file(`address,chain,label,category,source,confidence\n${rows.join('\n')}\n`)
}

async function inStore<T>(work: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStore(join(folder, `store-${++files}`))
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

const address = wallet(1).slice('eip155:1:'.length)

test('an empty store knows the shipped tokens and no tags', async () => {
  await inStore(async (store) => {
    const { tags, tokens } = await loadAttribution(store)
    expect(tags.size).toBe(0)
    expect(tokens.isTrusted(usdt)).toBe(true)
  })
})

test('golden 36: a pack with full confidence imported with --no-stops neither hides a sanction nor ends a trace', async () => {
  await inStore(async (store) => {
    await importTags(store, [file(JSON.stringify([address]), 'sanctioned_addresses_ETH.json')])
    const pack = tagFile(`${address},ethereum,Fine Exchange,exchange,stranger,100`)
    await importTags(store, [pack], { noStops: true, sourceRank: 0 })
    const { tags } = await loadAttribution(store)
    expect(tags.stop(wallet(1), 1_700_000_000)).toBeUndefined()
    expect(tags.adverse(wallet(1)).map(({ label }) => label)).toEqual(['OFAC SDN'])
    expect(tags.of(wallet(1))).toHaveLength(2)
  })
})

test('golden 21: the better ranked of two imports leads, and both stay in sight', async () => {
  await inStore(async (store) => {
    await importTags(store, [tagFile(`${address},ethereum,Mixer?,mixer,crawl,90`)])
    await importTags(store, [tagFile(`${address},ethereum,Exchange,exchange,desk,40`)], {
      sourceRank: 1,
    })
    const { tags } = await loadAttribution(store)
    expect(tags.stop(wallet(1), 0)).toMatchObject({ outcome: 'service', label: 'Exchange' })
    expect(tags.of(wallet(1)).map(({ label }) => label)).toEqual(['Exchange', 'Mixer?'])
  })
})

test('the digests tell of every import, and a second import of the same changes none', async () => {
  await inStore(async (store) => {
    const before = await loadAttribution(store)
    const tags = tagFile(`${address},ethereum,l,exchange,s,50`)
    const asset = { chainId: 1, address, symbol: 'A', name: 'A', decimals: 0 }
    const list = file(JSON.stringify({ name: 'L', tokens: [asset] }))
    await importTags(store, [tags])
    await importTokens(store, [list])
    const after = await loadAttribution(store)
    expect(after.tags.digest).not.toBe(before.tags.digest)
    expect(after.tokens.digest).not.toBe(before.tokens.digest)
    expect(after.tokens.isTrusted(parseAsset(`eip155:1/erc20:${address}`))).toBe(true)
    expect(before.tags.size).toBe(0)
    await importTags(store, [tags])
    await importTokens(store, [list])
    const again = await loadAttribution(store)
    expect(again.tags.digest).toBe(after.tags.digest)
    expect(again.tokens.digest).toBe(after.tokens.digest)
  })
})

test("an operator's own categories and wrapped coins come from the store", async () => {
  await inStore(async (store) => {
    const wrapped = parseAsset(`eip155:31337/erc20:0x${'77'.repeat(20)}`)
    const coin = parseAsset('eip155:31337/slip44:60')
    await importTags(store, [tagFile(`${address},ethereum,Desk,otc_desk,s,50`)])
    await store.writeDocument('category', 'otc_desk', 0, { outcome: 'service' })
    await store.writeDocument('wrapped', wrapped, 0, { native: coin })
    const { tags, tokens } = await loadAttribution(store)
    expect(tags.stop(wallet(1), 0)).toMatchObject({ outcome: 'service', category: 'otc_desk' })
    expect(tokens.wrappedOf.get(wrapped)).toBe(coin)
  })
})
