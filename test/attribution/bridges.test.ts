import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { createBridgeRegistry } from '../../src/attribution/bridgeMatches.ts'
import { importBridges } from '../../src/attribution/importBridges.ts'
import { loadAttribution } from '../../src/attribution/load.ts'
import { openRegistries } from '../../src/attribution/registries.ts'
import { parseAccount } from '../../src/ledger/account.ts'
import { parseAsset } from '../../src/ledger/asset.ts'
import type { BridgeMatch } from '../../src/ledger/bridgeMatch.ts'
import { parseChain } from '../../src/ledger/chain.ts'
import { openStore } from '../../src/store/open.ts'
import type { Store } from '../../src/store/store.ts'

const folder = mkdtempSync(join(tmpdir(), 'jejak-bridges-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let files = 0

const columns =
  'message,fromChain,fromTx,fromAsset,fromAmount,toChain,toTx,toAsset,toAmount,receiver'.split(',')

type Row = Readonly<Record<string, string>>

const hash = (n: number): string => `0x${n.toString(16).padStart(64, '0')}`
const ethereum = parseChain('eip155:1')
const polygon = parseChain('eip155:137')
const coin = parseAsset('eip155:137/slip44:966')

/** Ether goes from Ethereum to Polygon; everything in it tells of `n`. */
function row(n: number, changed: Row = {}): Row {
  return {
    message: `m${n}`,
    fromChain: 'ethereum',
    fromTx: hash(n),
    fromAsset: 'eip155:1/slip44:60',
    fromAmount: `${1000 + n}`,
    toChain: 'eip155:137',
    toTx: hash(100_000 + n),
    toAsset: coin,
    toAmount: `${900 + n}`,
    receiver: '0x00000000000000000000000000000000000000aa',
    ...changed,
  }
}

function file(...rows: readonly Row[]): string {
  const path = join(folder, `bridges-${++files}.csv`)
  const lines = rows.map((one) => columns.map((column) => one[column]).join(','))
  writeFileSync(path, `${[columns.join(','), ...lines].join('\n')}\n`)
  return path
}

async function inStore<T>(work: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStore(join(folder, `store-${++files}`))
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

test('imported matches are found by both of their transactions', async () => {
  await inStore(async (store) => {
    const registries = openRegistries(store)
    const attribution = await loadAttribution(store)
    const before = await registries(attribution)
    expect(before.leaving(ethereum, hash(1))).toEqual([])
    expect(await importBridges(store, [file(row(1), row(2)), file(row(3))])).toEqual({
      rows: 3,
      added: 3,
      repeated: 0,
    })
    const after = await registries(attribution)
    const found = after.leaving(ethereum, hash(1))
    expect(found).toMatchObject([
      { message: 'm1', fromAmount: 1001n, toAmount: 901n, toAsset: coin },
    ])
    expect(after.arriving(polygon, hash(100_001))).toEqual(found)
    expect(after.arriving(ethereum, hash(100_001))).toEqual([])
    expect(after.digest).not.toBe(before.digest)
  })
})

test('the same file again adds nothing, with a further row only that', async () => {
  await inStore(async (store) => {
    await importBridges(store, [file(row(1), row(2))])
    expect(await importBridges(store, [file(row(2), row(1))])).toMatchObject({ added: 0 })
    expect(await store.listDocuments('bridge')).toHaveLength(1)
    expect(await importBridges(store, [file(row(1), row(3))])).toEqual({
      rows: 2,
      added: 1,
      repeated: 1,
    })
  })
})

const thief = '0x00000000000000000000000000000000000000bb'

test.each([
  [
    'a message replayed with another receiver',
    'message',
    row(2, { message: 'm1', receiver: thief }),
  ],
  ['the arriving leg under another message', 'toTx', { ...row(1), message: 'm2', fromTx: hash(2) }],
  ['the leaving leg under another message', 'fromTx', { ...row(1), message: 'm2', toTx: hash(2) }],
])('error: %s is refused, in one file as in two imports', async (_, field, second) => {
  await inStore(async (store) => {
    const path = file(row(1), second)
    await expect(importBridges(store, [path])).rejects.toMatchObject({
      code: 'bridge.invalid',
      facts: { file: path, line: 3, field },
      message: expect.stringContaining(`${path}:2 has the same`),
    })
    expect(await store.listDocuments('bridge')).toEqual([])
    await importBridges(store, [file(row(1))])
    await expect(importBridges(store, [file(second)])).rejects.toMatchObject({
      code: 'bridge.invalid',
      message: expect.stringContaining('a stored match has the same'),
    })
  })
})

test('error: hex in another case is the same message', async () => {
  await inStore(async (store) => {
    const rows = [row(1, { message: '0xABCD' }), row(2, { message: '0xabcd' })]
    await expect(importBridges(store, [file(...rows)])).rejects.toMatchObject({
      code: 'bridge.invalid',
      facts: { field: 'message' },
    })
  })
})

test.each([
  ['message', ''],
  ['message', 'two words'],
  ['message', 'x'.repeat(201)],
  ['fromChain', 'atlantis'],
  ['fromTx', '0x12'],
  ['fromAsset', 'ETH'],
  ['fromAsset', 'eip155:137/slip44:966'],
  ['fromAmount', '0'],
  ['fromAmount', '1.5'],
  ['fromAmount', '-1'],
  ['toAmount', (1n << 256n).toString()],
  ['toAsset', 'eip155:1/slip44:60'],
  ['receiver', '0x0000000000000000000000000000000000000000'],
  ['receiver', 'eip155:1:0x00000000000000000000000000000000000000aa'],
  ['receiver', '0x12'],
])('error: a bad %s "%s" is named with its file and line', async (field, value) => {
  await inStore(async (store) => {
    const path = file(row(1), row(2, { [field]: value }))
    await expect(importBridges(store, [path])).rejects.toMatchObject({
      code: 'bridge.invalid',
      facts: { rows: 1, file: path, line: 3, field },
    })
    expect(await store.listDocuments('bridge')).toEqual([])
  })
})

function match(message: number, leaves: number, arrives: number): BridgeMatch {
  return {
    message: `m${message}`,
    fromChain: ethereum,
    fromTx: hash(leaves),
    fromAsset: parseAsset('eip155:1/slip44:60'),
    fromAmount: 5n,
    toChain: polygon,
    toTx: hash(arrives),
    toAsset: coin,
    toAmount: 5n,
    receiver: parseAccount(thief, polygon),
  }
}

test('what is claimed twice is served to nobody, the rest to everybody', () => {
  const small = fc.integer({ min: 0, max: 5 })
  let served = 0
  let withheld = 0
  fc.assert(
    fc.property(fc.array(fc.tuple(small, small, small), { maxLength: 6 }), (made) => {
      const matches = made.map((one) => match(...one))
      const registry = createBridgeRegistry(matches)
      const isAlone = ([a, b, c]: readonly [number, number, number]): boolean =>
        made.filter(([x, y, z]) => x === a || y === b || z === c).length === 1
      for (const [i, one] of matches.entries()) {
        const isServed = registry.leaving(ethereum, one.fromTx).includes(one)
        expect(isServed).toBe(isAlone(made[i] as (typeof made)[number]))
        expect(registry.arriving(polygon, one.toTx).includes(one)).toBe(isServed)
        if (isServed) served++
        else withheld++
      }
      expect(createBridgeRegistry(matches.toReversed()).digest).toBe(registry.digest)
    }),
  )
  expect(Math.min(served, withheld)).toBeGreaterThan(50)
})
