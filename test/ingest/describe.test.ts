import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AbiCoder, encodeBytes32String, toUtf8Bytes } from 'ethers'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { decimalsOf, tokenText } from '../../ingest/decode/tokenText.ts'
import { openDescriptions } from '../../ingest/describe.ts'
import { type ContractReader, createContractReader } from '../../ingest/rpc/contracts.ts'
import { RpcRefusal } from '../../ingest/rpc/node.ts'
import { runWorker } from '../../ingest/worker.ts'
import { accountCard } from '../../src/api/accountCard.ts'
import { openKnowledge } from '../../src/api/knowledge.ts'
import { type Account, parseAccount } from '../../src/ledger/account.ts'
import { type AssetId, formatAsset, tokenAsset } from '../../src/ledger/asset.ts'
import type { ChainId } from '../../src/ledger/chain.ts'
import { documentsAfter } from '../../src/store/documentLog.ts'
import { putFlag } from '../../src/store/flags.ts'
import { openStore } from '../../src/store/open.ts'
import { readTokenMetadata } from '../../src/store/tokenMetadata.ts'
import { type Anvil, startAnvil } from '../chain/anvil.ts'
import { createScene, type Deployed, type Scene } from '../chain/scene.ts'
import { chain as ethereum, hash, ledgerOf, usd, usdt, wallet, weth } from '../ledger.arbitrary.ts'

const folder = mkdtempSync(join(tmpdir(), 'jejak-describe-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const abi = AbiCoder.defaultAbiCoder()
const text = (value: string): string => abi.encode(['string'], [value])
const word = (value: bigint): string => abi.encode(['uint256'], [value])
/** Bytes as a string, whether they are text or not. */
const bytes = (hex: string): string => abi.encode(['bytes'], [hex])

describe('what a token says of itself', () => {
  test.each<[string, string, string | null]>([
    ['a string', text('Tether USD'), 'Tether USD'],
    ['32 bytes of the old kind (MKR)', encodeBytes32String('MKR'), 'MKR'],
    ['nothing', '0x', null],
    ['an empty string', text(''), null],
    ['32 zeros', word(0n), null],
    ['a string that is cut short', text('Tether USD').slice(0, 140), null],
    ['a length beyond all bytes', `${text('x').slice(0, 66)}${'f'.repeat(64)}`, null],
    ['an offset beyond all bytes', `0x${'f'.repeat(64)}${'0'.repeat(64)}`, null],
    ['bytes that are no UTF-8', bytes('0xff41fe'), '\ufffdA\ufffd'],
    ['what is no hexadecimal', 'USDT', null],
    ['a bidirectional mark, kept as given', text('US\u202eTD'), 'US\u202eTD'],
    ['a name without end', text('x'.repeat(100_000)), 'x'.repeat(120)],
  ])('%s', (_, answer, expected) => {
    expect(tokenText(answer)).toBe(expected)
  })

  test.each<[string, string, number | null]>([
    ['6', word(6n), 6],
    ['0', word(0n), 0],
    ['77', word(77n), 77],
    ['78, of which no amount is left', word(78n), null],
    ['1000, which is 232 as uint8', word(1000n), null],
    ['the largest number', word(2n ** 256n - 1n), null],
    ['nothing', '0x', null],
    ['one byte', '0x06', null],
  ])('%s decimals', (_, answer, expected) => {
    expect(decimalsOf(answer)).toBe(expected)
  })

  test('any string comes back as it was, cut at the limit, and any bytes are taken', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }), (value) => {
        const same = new TextDecoder().decode(toUtf8Bytes(value))
        expect(tokenText(text(value))).toBe(same.slice(0, 120).toWellFormed())
      }),
      { numRuns: 300 },
    )
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (raw) => {
        const answer = `0x${Buffer.from(raw).toString('hex')}`
        const read = tokenText(answer)
        expect(read === null || read.length > 0).toBe(true)
        expect(decimalsOf(answer) ?? 0).toBeLessThanOrEqual(77)
      }),
      { numRuns: 300 },
    )
  })
})

describe('on a chain', () => {
  let anvil: Anvil
  let scene: Scene
  let chain: ChainId
  let [odd, plain]: Deployed[] = []
  let reader: ContractReader

  beforeAll(async () => {
    anvil = await startAnvil()
    scene = await createScene(anvil)
    chain = `eip155:${Number(await anvil.call('eth_chainId'))}` as ChainId
    const name = text('Evil <script>alert(1)</script> \u202e\u200b')
    odd = await scene.deploy('Oddity', [name, text('=cmd|A1'), word(2n ** 200n)])
    plain = await scene.deploy('Token', [1_000n])
    reader = createContractReader(anvil)
  }, 60_000)

  afterAll(async () => anvil?.stop())

  const assetOf = (contract: Deployed | undefined): AssetId =>
    tokenAsset(chain, contract?.address ?? '')

  test('a hostile token, one that says nothing, and an address without a contract', async () => {
    const block = Number(await anvil.call('eth_blockNumber'))
    expect(await reader.claims(assetOf(odd), block)).toEqual({
      name: 'Evil <script>alert(1)</script> \u202e\u200b',
      symbol: '=cmd|A1',
      decimals: null,
    })
    const nothing = { name: null, symbol: null, decimals: null }
    expect(await reader.claims(assetOf(plain), block)).toEqual(nothing)
    expect(await reader.claims(tokenAsset(chain, scene.people[3] ?? ''), block)).toEqual(nothing)
  })

  test('code at a block: a contract has it, before it was made not, a wallet never', async () => {
    const contract = parseAccount(odd?.address ?? '', chain)
    const block = Number(await anvil.call('eth_blockNumber'))
    expect(await reader.hasCode(contract, block)).toBe(true)
    expect(await reader.hasCode(contract, 0)).toBe(false)
    const person = scene.people[4] ?? ''
    expect(await reader.hasCode(parseAccount(person, chain), block)).toBe(false)
    // A wallet that lends itself a contract's code (EIP-7702) is no contract.
    await anvil.call('anvil_setCode', [person, `0xef0100${(odd?.address ?? '').slice(2)}`])
    expect(await reader.hasCode(parseAccount(person, chain), block)).toBe(false)
  })

  test('a worker asks once, and who looks at the wallet sees the claim made harmless', async () => {
    const [, alice = '', bob = ''] = scene.people
    await scene.call(alice, odd as Deployed, 'pay', [bob, 7n])
    const location = join(folder, 'worker')
    const account = parseAccount(bob, chain)
    const store = await openStore(location)
    await putFlag(store, { account, reason: 'test', source: 'test' }, new Date(0))
    await store.close()
    const signal = new AbortController().signal
    const work = () =>
      runWorker({ store: location, rpc: anvil.url, once: true, signal, tries: 2, tell() {} })
    await work()
    const knowledge = await openKnowledge(location)
    const card = await accountCard(knowledge, account)
    const known = await readTokenMetadata(knowledge.store, assetOf(odd))
    await knowledge.close()
    expect(known).toMatchObject({ symbol: '=cmd|A1', decimals: null })
    expect(known?.block).toBeGreaterThan(0)
    const balance = card.balances.find(({ asset }) => asset === formatAsset(assetOf(odd)))
    expect(balance).toMatchObject({
      carriesValue: null,
      claims: { name: 'Evil <script>alert(1)</script> [U+202E][U+200B]', symbol: '=cmd|A1' },
    })
  })
})

describe('descriptions', () => {
  const token = (n: number): AssetId =>
    tokenAsset(ethereum, `0x${n.toString(16).padStart(40, 'e')}`)
  const [a, b, pool, router] = [wallet(1), wallet(2), wallet(8), wallet(9)]

  /** Counts what it is asked. */
  function contracts(code: readonly Account[], fault?: Error) {
    const asked: string[] = []
    const given: ContractReader = {
      async claims(asset) {
        asked.push(asset)
        if (fault) throw fault
        return { name: null, symbol: 'TOK', decimals: 18 }
      },
      async hasCode(account) {
        asked.push(account)
        return code.includes(account)
      },
    }
    return { given, asked }
  }

  const swap = ledgerOf([
    [
      { from: a, to: pool, amount: 5n, asset: usdt },
      { from: pool, to: a, amount: 2n, asset: weth },
      { from: a, amount: 1n, kind: 'fee', asset: usd },
    ],
    [{ from: b, to: router, amount: 5n, asset: usdt }],
  ]).map((leg) => ({ ...leg, signer: leg.tx === hash(1) ? a : b }))

  test('who exchanges is asked for code once, for all workers, and whoever only pays is not', async () => {
    const store = await openStore(join(folder, 'code'))
    const { given, asked } = contracts([pool])
    await openDescriptions(store).note(given, a, { transfers: swap, block: 500 })
    expect(asked).toEqual([pool])
    await openDescriptions(store).note(given, a, { transfers: swap, block: 501 })
    expect(asked).toEqual([pool])
    expect((await documentsAfter(store, 'code', 0)).map(({ value }) => value)).toEqual([
      { accounts: [pool], block: 500 },
    ])
    await store.close()
  })

  test('a wallet that is sent hundreds of tokens does not hold up the rest', async () => {
    const store = await openStore(join(folder, 'spam'))
    const spam = ledgerOf(
      Array.from({ length: 100 }, (_, n) => [{ from: b, to: a, amount: 1n, asset: token(n) }]),
    )
    const { given, asked } = contracts([])
    const descriptions = openDescriptions(store)
    await descriptions.note(given, a, { transfers: spam, block: 1 })
    expect(asked).toHaveLength(40)
    for (const _ of [1, 2, 3]) await descriptions.note(given, a, { transfers: spam, block: 1 })
    expect(new Set(asked).size).toBe(100)
    expect(asked).toHaveLength(100)
    await store.close()
  })

  test('what a node does not offer stays unknown; one that does not answer is told', async () => {
    const store = await openStore(join(folder, 'faults'))
    const transfers = ledgerOf([[{ from: b, to: a, amount: 1n, asset: token(1) }]])
    const refused = contracts([], new RpcRefusal(-32601, 'the method does not exist'))
    await openDescriptions(store).note(refused.given, a, { transfers, block: 1 })
    expect(await readTokenMetadata(store, token(1))).toBeUndefined()
    const away = contracts([], new Error('away'))
    await expect(
      openDescriptions(store).note(away.given, a, { transfers, block: 1 }),
    ).rejects.toThrow('away')
    await store.close()
  })
})
