import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connectChain, type NodeReader } from '../../ingest/rpc/chainReader.ts'
import { createNode, type RpcNode, RpcRefusal } from '../../ingest/rpc/node.ts'
import { parseAccount } from '../../src/ledger/account.ts'
import { tokenAsset } from '../../src/ledger/asset.ts'
import type { ChainId } from '../../src/ledger/chain.ts'
import { nativeAsset } from '../../src/ledger/nativeCoins.ts'
import type { Transfer } from '../../src/ledger/transfer.ts'
import { type Anvil, startAnvil } from '../chain/anvil.ts'
import { nativeBalance, replay, tokenBalance } from '../chain/balanceProof.ts'
import { createScene, type Deployed } from '../chain/scene.ts'

/**
 * Wallets that are read together hide what is missed of each: what one does not find, another brings. Here each
 * is read alone, by a reader that knows nothing of the others.
 */
const ether = 10n ** 18n
const fresh = (n: number): string => `0x${n.toString(16).padStart(40, 'e')}`
const heir = fresh(1)
const payee = fresh(2)
const never = fresh(3)
const holder = fresh(4)

let anvil: Anvil
let chain: ChainId
let token: Deployed
let wrapped: Deployed
/** Every address that took part, by what it is. */
let parts: Readonly<Record<string, string>>

beforeAll(async () => {
  anvil = await startAnvil()
  chain = `eip155:${Number(await anvil.call('eth_chainId'))}` as ChainId
  const scene = await createScene(anvil)
  const [, payer = '', spender = '', loser = '', wrapper = ''] = scene.people
  token = await scene.deploy('Token', [1_000n])
  wrapped = await scene.deploy('Wrapped')
  const relay = await scene.deploy('Relay')
  const paidAtBirth = await scene.deploy('Safebox', [], 7n * ether)
  const destroyed = await scene.deploy('Safebox', [], 5n * ether)
  const maker = scene.people[0] ?? ''
  await scene.call(payer, destroyed, 'destroy', [heir])
  await scene.call(payer, relay, 'endow', [heir], 3n * ether)
  await scene.call(payer, relay, 'pass', [payee], 2n * ether)
  await scene.call(payer, relay, 'tryAndKeep', [never], ether)
  await scene.call(loser, relay, 'fail', [], 9n * ether)
  await scene.call(loser, relay, 'viaDelegate', [never], ether)
  await scene.call(maker, token, 'transfer', [holder, 600n])
  await scene.call(maker, token, 'transfer', [loser, 100n])
  await scene.call(loser, token, 'approve', [spender, 70n])
  await scene.call(spender, token, 'transferFrom', [loser, payee, 70n])
  await scene.call(wrapper, wrapped, 'deposit', [], 6n * ether)
  await scene.call(wrapper, wrapped, 'transfer', [holder, 2n * ether])
  await scene.call(wrapper, wrapped, 'withdraw', [ether])
  parts = {
    payer,
    spender,
    loser,
    wrapper,
    heir,
    payee,
    never,
    holder,
    'a contract paid at its birth': paidAtBirth.address,
    'a contract that destroyed itself': destroyed.address,
    'a contract that passes on': relay.address,
    'the wrapped coin': wrapped.address,
  }
}, 60_000)

afterAll(async () => {
  await anvil.stop()
})

/** The node without some of its methods. */
function lacking(refused: RegExp): RpcNode {
  const node = createNode(anvil.url, { tries: 2 })
  return {
    name: node.name,
    calls: node.calls,
    async call(method, params) {
      if (refused.test(method)) throw new RpcRefusal(-32601, `the method ${method} does not exist`)
      return node.call(method, params)
    },
  }
}

function connect(refused: RegExp): Promise<NodeReader> {
  const asset = tokenAsset(chain, wrapped.address)
  return connectChain(lacking(refused), (candidate) => candidate === asset)
}

/** Where the transfers and the node disagree about one address. */
async function differences(address: string, transfers: readonly Transfer[]): Promise<string[]> {
  const balances = replay(transfers)
  const key = address.toLowerCase()
  const wrong: string[] = []
  const compare = (asset: string, opening: bigint, actual: bigint): void => {
    const replayed = opening + (balances.get(`${key} ${asset}`) ?? 0n)
    if (replayed !== actual) wrong.push(`${asset}: replayed ${replayed}, the node says ${actual}`)
  }
  const opening = await nativeBalance(anvil, address, '0x0')
  compare(nativeAsset(chain), opening, await nativeBalance(anvil, address))
  for (const coin of [token, wrapped])
    compare(tokenAsset(chain, coin.address), 0n, await tokenBalance(anvil, coin, address))
  return wrong
}

const identity = ({ tx, kind, position, from, to, asset, amount }: Transfer): string =>
  `${tx} ${kind} ${position} ${from} ${to} ${asset} ${amount}`

describe.each([
  ['trace_filter', /^never$/],
  ['trace_block', /^trace_filter$/],
  ['debug_traceBlock', /^trace_/],
] as const)('with %s', (method, refused) => {
  test('each wallet read alone replays its own balances to the wei', async () => {
    const reader = await connect(refused)
    expect(reader.traces).toBe(method)
    const head = await reader.head()
    const wrong: Record<string, string[]> = {}
    for (const [name, address] of Object.entries(parts)) {
      const { transfers } = await reader.read([parseAccount(address, chain)], { from: 0, to: head })
      const found = await differences(address, transfers)
      if (found.length > 0) wrong[name] = found
    }
    expect(wrong).toEqual({})
  })

  test('a wallet comes with all transfers of its transactions, the same by every method', async () => {
    const filtered = await connect(/^never$/)
    const reader = await connect(refused)
    const range = { from: 0, to: await reader.head() }
    for (const address of [payee, heir, parts['loser'] ?? '']) {
      const account = parseAccount(address, chain)
      const mine = (await reader.read([account], range)).transfers.map(identity).sort()
      expect(mine).toEqual((await filtered.read([account], range)).transfers.map(identity).sort())
      expect(mine.length).toBeGreaterThan(1)
    }
  })
})

test('without traces a wallet that no contract pays is whole, and internal is not claimed', async () => {
  const reader = await connect(/^(trace|debug)_/)
  expect(reader.complete).not.toContain('internal')
  const head = await reader.head()
  for (const name of ['spender', 'loser', 'holder']) {
    const address = parts[name] ?? ''
    const { transfers } = await reader.read([parseAccount(address, chain)], { from: 0, to: head })
    expect(await differences(address, transfers)).toEqual([])
  }
})
