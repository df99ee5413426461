import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type ProveEvent,
  type ProveGiven,
  type ProveReport,
  prove,
} from '../../../ingest/proof/prove.ts'
import { createNode } from '../../../ingest/rpc/node.ts'
import { runWorker } from '../../../ingest/worker.ts'
import { wrappedAssets } from '../../../ingest/wrappedAssets.ts'
import { type Account, parseAccount } from '../../../src/ledger/account.ts'
import { type AssetId, tokenAsset } from '../../../src/ledger/asset.ts'
import type { ChainId } from '../../../src/ledger/chain.ts'
import { putFlag } from '../../../src/store/flags.ts'
import { openStore } from '../../../src/store/open.ts'
import type { Store } from '../../../src/store/store.ts'
import { type Anvil, startAnvil } from '../../chain/anvil.ts'
import { type Lie, lyingProxy } from '../../chain/lyingProxy.ts'
import { createScene, type Deployed, type Scene } from '../../chain/scene.ts'

const unit = 10n ** 18n

/** A short chain in which one wallet did everything that can be proven, and its truth as an honest node tells it. */
export interface ProvenChain {
  readonly anvil: Anvil
  readonly scene: Scene
  readonly chain: ChainId
  readonly alice: Account
  readonly token: Deployed
  /** A contract that was paid and paid on. */
  readonly relay: Account
  readonly asset: AssetId
  /** The last final block. */
  readonly last: number
}

/** Every kind of transaction that anvil takes, several to a block, and empty blocks in between. */
export async function buildProvenChain(): Promise<ProvenChain> {
  const anvil = await startAnvil(['--slots-in-an-epoch', '1'])
  const scene = await createScene(anvil)
  const chain = `eip155:${Number(await anvil.call('eth_chainId'))}` as ChainId
  const [maker = '', alice = '', bob = '', carol = ''] = scene.people
  const token = await scene.deploy('Token', [10n ** 30n])
  const wrapped = await scene.deploy('Wrapped')
  const relay = await scene.deploy('Relay')
  await scene.call(maker, token, 'transfer', [alice, 1000n * unit])
  await scene.send(alice, bob, { value: unit })
  await anvil.call('anvil_mine', ['0x1c'])
  await scene.call(alice, token, 'approve', [bob, 500n * unit])
  await scene.call(bob, token, 'transferFrom', [alice, carol, 40n * unit])
  await scene.call(alice, wrapped, 'deposit', [], 6n * unit)
  await scene.call(alice, relay, 'pass', [bob], 2n * unit)
  await scene.call(bob, relay, 'pass', [alice], 3n * unit)
  await scene.call(alice, relay, 'fail', [], 9n * unit)
  await anvil.call('evm_setAutomine', [false])
  const waiting = [
    { from: alice, to: carol, value: '0x5', gasPrice: '0xb2d05e00', type: '0x0' },
    { from: carol, to: alice, value: '0x6', gasPrice: '0xb2d05e00', accessList: [] },
    { from: bob, to: carol, value: '0x7' },
  ]
  for (const transaction of waiting)
    await anvil.call('eth_sendTransaction', [{ gas: '0x5208', ...transaction }])
  const data = token.abi.encodeFunctionData('transfer', [alice, 9n])
  await anvil.call('eth_sendTransaction', [
    { from: carol, to: token.address, data, gas: '0x30000' },
  ])
  await anvil.call('anvil_mine', ['0x1'])
  await anvil.call('evm_setAutomine', [true])
  await anvil.call('anvil_mine', ['0x8'])
  const final = (await anvil.call('eth_getBlockByNumber', ['finalized', false])) as {
    readonly number: string
  }
  return {
    anvil,
    scene,
    chain,
    alice: parseAccount(alice.toLowerCase(), chain),
    token,
    relay: parseAccount(relay.address.toLowerCase(), chain),
    asset: tokenAsset(chain, token.address),
    last: Number(final.number),
  }
}

export interface Place {
  readonly store: Store
  readonly location: string
  close(): Promise<void>
}

export async function emptyStore(): Promise<Place> {
  const location = mkdtempSync(join(tmpdir(), 'jejak-proof-'))
  const store = await openStore(location)
  return {
    store,
    location,
    async close() {
      await store.close()
      rmSync(location, { recursive: true, force: true })
    },
  }
}

/** Reads a wallet as `jejak ingest` does. */
export async function ingest(place: Place, account: Account, rpc: string): Promise<void> {
  await putFlag(place.store, { account, reason: 'test', source: 'test' }, new Date(0))
  const signal = new AbortController().signal
  await runWorker({
    store: place.location,
    rpc,
    once: true,
    signal,
    tries: 2,
    tell: () => undefined,
  })
}

/** Proves with endpoints before the chain, each with its own lie. */
export async function proveWith(
  known: ProvenChain,
  place: Place,
  lies: readonly Lie[],
  more: Partial<ProveGiven> = {},
): Promise<ProveReport & { readonly events: readonly ProveEvent[] }> {
  const proxies = await Promise.all(lies.map((lie) => lyingProxy(known.anvil, lie)))
  const [first, ...others] = proxies.map(({ url }) => createNode(url, { tries: 1 }))
  if (!first) throw new RangeError('no endpoint')
  const wrapped = await wrappedAssets(place.store)
  const events: ProveEvent[] = []
  try {
    const report = await prove({
      store: place.store,
      chain: known.chain,
      endpoints: [first, ...others],
      anchors: [],
      isWrapped: (asset) => wrapped.has(asset),
      isEthereum: false,
      likeEthereum: true,
      kinds: undefined,
      tokens: new Set([known.asset]),
      account: known.alice,
      range: { from: 0, to: known.last },
      transactions: [],
      signal: new AbortController().signal,
      agreesToCost: async () => true,
      tell: (event) => events.push(event),
      ...more,
    })
    return { ...report, events }
  } finally {
    for (const proxy of proxies) proxy.close()
  }
}

export const honest: Lie = () => undefined
