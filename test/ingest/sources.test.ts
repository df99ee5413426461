import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { importFiles } from '../../ingest/import.ts'
import { runWorker, type WorkerEvent, type WorkerOptions } from '../../ingest/worker.ts'
import { type Account, accountReference, parseAccount } from '../../src/ledger/account.ts'
import { formatDecimal } from '../../src/ledger/amount.ts'
import { type AssetId, tokenAsset, tokenContract } from '../../src/ledger/asset.ts'
import type { ChainId } from '../../src/ledger/chain.ts'
import { nativeAsset } from '../../src/ledger/nativeCoins.ts'
import type { Transfer } from '../../src/ledger/transfer.ts'
import { putFlag } from '../../src/store/flags.ts'
import { openStore } from '../../src/store/open.ts'
import { type Anvil, startAnvil } from '../chain/anvil.ts'
import { canonicalTransfers, nativeBalance, replay, tokenBalance } from '../chain/balanceProof.ts'
import { createScene, type Deployed } from '../chain/scene.ts'
import { type ExplorerServer, startExplorer } from './explorerServer.ts'

const unit = 10n ** 18n
const folder = mkdtempSync(join(tmpdir(), 'jejak-sources-'))
let stores = 0

let anvil: Anvil
let chain: ChainId
let wallet: Account
let token: Deployed
let wrapped: Deployed
let ledger: readonly Transfer[]
let explorer: ExplorerServer
let files: readonly string[]

beforeAll(async () => {
  anvil = await startAnvil()
  chain = `eip155:${Number(await anvil.call('eth_chainId'))}` as ChainId
  const scene = await createScene(anvil)
  const [maker = '', alice = '', bob = ''] = scene.people
  wallet = parseAccount(alice, chain)
  token = await scene.deploy('Token', [10n ** 30n])
  wrapped = await scene.deploy('Wrapped')
  const relay = await scene.deploy('Relay')
  await scene.call(maker, token, 'transfer', [alice, 1000n * unit])
  // Equal movements: in one transaction only a multiset tells how often, and here they are in two.
  for (const _ of [1, 2]) await scene.call(alice, token, 'transfer', [bob, 5n * unit])
  await scene.call(alice, token, 'transfer', [alice, unit])
  await scene.call(alice, token, 'burn', [unit])
  await scene.send(alice, bob, { value: 3n * unit })
  await scene.call(bob, relay, 'split', [alice, alice], 3n * unit)
  await scene.call(alice, relay, 'pass', [bob], unit)
  await scene.call(alice, relay, 'fail', [], unit)
  await scene.call(alice, wrapped, 'deposit', [], 6n * unit)
  await scene.call(alice, wrapped, 'withdraw', [2n * unit])
  await scene.call(bob, wrapped, 'deposit', [], 4n * unit)
  await scene.call(bob, wrapped, 'transfer', [alice, unit])
  ledger = await told(newStore(), [readNode])
  explorer = await startExplorer(ledger, Number(await anvil.call('eth_blockNumber')))
  files = exportsOf(ledger)
}, 120_000)

afterAll(async () => {
  explorer?.close()
  await anvil?.stop()
  rmSync(folder, { recursive: true, force: true })
})

function newStore(): string {
  return join(folder, `store-${++stores}`)
}

type Telling = (location: string) => Promise<unknown>

/** What a store holds after some sources told it of the wallet. */
async function told(location: string, tellings: readonly Telling[]): Promise<Transfer[]> {
  const store = await openStore(location)
  const native = nativeAsset(chain)
  await store.writeDocument('wrapped', tokenAsset(chain, wrapped.address), 0, { native })
  await store.close()
  for (const tell of tellings) await tell(location)
  const after = await openStore(location)
  try {
    expect(await after.findings()).toEqual([])
    expect((await after.check()).damage).toEqual([])
    return await canonicalTransfers(after)
  } finally {
    await after.close()
  }
}

async function read(location: string, rpc: WorkerOptions['rpc']): Promise<readonly WorkerEvent[]> {
  const store = await openStore(location)
  await putFlag(store, { account: wallet, reason: 'test', source: 'test' }, new Date(0))
  await store.close()
  const events: WorkerEvent[] = []
  await runWorker({
    store: location,
    rpc,
    once: true,
    signal: new AbortController().signal,
    tries: 2,
    tell: (event) => events.push(event),
  })
  expect(events.filter(({ event }) => event === 'failed')).toEqual([])
  return events
}

const readNode: Telling = (location) => read(location, anvil.url)

const readExplorer =
  (dialect: 'etherscan' | 'blockscout'): Telling =>
  (location) =>
    read(location, { dialect, url: explorer[dialect], chain, behind: 0, callsPerSecond: 1000 })

const readFiles: Telling = async (location) => {
  const store = await openStore(location)
  const options = {
    files,
    complete: false,
    covers: [],
    blocks: undefined,
    chain,
    onError: 'fail' as const,
    rejects: undefined,
    decimals: 18,
  }
  const report = await importFiles(store, options, { progress() {}, refused() {} })
  await store.close()
  expect(report).toMatchObject({ ok: true })
}

/** The wallet's rows in the form of an explorer's CSV exports. */
function exportsOf(rows: readonly Transfer[]): string[] {
  const own = rows.filter((t) => t.from === wallet || t.to === wallet)
  const signed = new Set(own.filter(({ kind }) => kind === 'fee').map(({ tx }) => tx))
  const address = (account: Account | undefined): string =>
    account === undefined ? `0x${'0'.repeat(40)}` : accountReference(account)
  const value = (t: Transfer): string =>
    t.to === wallet ? `${formatDecimal(t.amount, 18)},0` : `0,${formatDecimal(t.amount, 18)}`
  const start = (t: Transfer): string => `${t.tx},${t.block},${t.time},2026-01-01 00:00:00`
  const normal = rows
    .filter((t) => t.kind === 'fee' && (signed.has(t.tx) || own.some((o) => isValueOf(o, t))))
    .map((fee) => {
      const native = rows.find((t) => isValueOf(t, fee))
      const values = native ? value(native) : '0,1'
      const state = native ? ',' : 'Error(0),execution reverted'
      return `${start(fee)},${address(fee.from)},${address(native?.to)},,${values},1,${formatDecimal(fee.amount, 18)},0,1,${state}`
    })
  const internal = own
    .filter(({ kind }) => kind === 'internal')
    .map((t) => `${start(t)},0x,0x,0,${address(t.from)},${address(t.to)},,${value(t)},1,1,0,,call`)
  const erc20 = own
    .filter(({ kind, flags }) => kind === 'token' && !flags.includes('wrap'))
    .map(
      (t) =>
        `${start(t)},${address(t.from)},${address(t.to)},${formatDecimal(t.amount, 18)},0,${tokenContract(t.asset)},Token,TOK`,
    )
  const head = 'Transaction Hash,Blockno,UnixTimestamp,DateTime (UTC)'
  const texts = {
    normal: `${head},From,To,ContractAddress,Value_IN(ETH),Value_OUT(ETH),CurrentValue/Eth,TxnFee(ETH),TxnFee(USD),Historical $Price/Eth,Status,ErrCode`,
    internal: `${head},ParentTxFrom,ParentTxTo,ParentTxETH_Value,From,TxTo,ContractAddress,Value_IN(ETH),Value_OUT(ETH),CurrentValue/Eth,Historical $Price/Eth,Status,ErrCode,Type`,
    erc20: `${head},From,To,TokenValue,USDValueDayOfTx,ContractAddress,TokenName,TokenSymbol`,
  }
  const lines = { normal, internal, erc20 }
  return (['normal', 'internal', 'erc20'] as const).map((name) => {
    expect(lines[name].length).toBeGreaterThan(0)
    const file = join(folder, `${name}.csv`)
    writeFileSync(file, `${[texts[name], ...lines[name]].join('\n')}\n`)
    return file
  })
}

function isValueOf(native: Transfer, fee: Transfer): boolean {
  return native.kind === 'native' && native.tx === fee.tx
}

async function expectBalances(rows: readonly Transfer[]): Promise<void> {
  const address = accountReference(wallet)
  const balances = replay(rows)
  const of = (asset: AssetId): bigint => balances.get(`${address} ${asset}`) ?? 0n
  const opening = await nativeBalance(anvil, address, '0x0')
  expect(opening + of(nativeAsset(chain))).toBe(await nativeBalance(anvil, address))
  for (const contract of [token, wrapped])
    expect(of(tokenAsset(chain, contract.address))).toBe(
      await tokenBalance(anvil, contract, address),
    )
}

const own = (rows: readonly Transfer[]): readonly string[] =>
  rows
    .filter(({ from, to }) => from === wallet || to === wallet)
    .map((t) => `${t.tx} ${t.kind} ${t.asset} ${t.from} ${t.to} ${t.amount}`)
    .sort()

const tellings: Readonly<Record<string, Telling>> = {
  node: readNode,
  etherscan: readExplorer('etherscan'),
  blockscout: readExplorer('blockscout'),
  csv: readFiles,
}

describe('golden 35: one wallet from several sources', () => {
  test.each([
    ['node, etherscan, csv'],
    ['etherscan, csv, node'],
    ['csv, node, etherscan'],
    ['csv, blockscout, node'],
    ['node, csv, blockscout'],
    ['blockscout, node, csv'],
    ['etherscan, blockscout, csv'],
    ['blockscout'],
    ['etherscan'],
  ])("in the order %s: the node's balance, no amount doubled", async (order) => {
    const rows = await told(
      newStore(),
      order.split(', ').map((name) => tellings[name] as Telling),
    )
    await expectBalances(rows)
    expect(own(rows)).toEqual(own(ledger))
    if (order.includes('node')) expect(rows.every((t) => t.blockHash !== undefined)).toBe(true)
  })
})

test('an explorer claims its rows with assurance 0, a node reads the same blocks again with 1', async () => {
  const location = newStore()
  const claims = async () => {
    const store = await openStore(location)
    const found = await store.coverage(new Set([wallet]))
    await store.close()
    return found.map(({ kind, assurance, source }) => `${kind} A${assurance} ${source.slice(0, 5)}`)
  }
  await told(location, [readExplorer('etherscan')])
  expect(await claims()).toEqual(
    ['fee', 'internal', 'native', 'token'].map((kind) => `${kind} A0 ether`),
  )
  const before = explorer.asked.length
  await readExplorer('etherscan')(location)
  // The head, twice, and nothing else: what is covered is not read again.
  expect(explorer.asked.length - before).toBe(2)
  await readNode(location)
  expect(await claims()).toHaveLength(8)
})
