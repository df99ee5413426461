import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { pairSwapTopic } from '../../ingest/decode/poolSwap.ts'
import { runWorker } from '../../ingest/worker.ts'
import { loadAttribution } from '../../src/attribution/load.ts'
import { openRegistries } from '../../src/attribution/registries.ts'
import { parseAccount } from '../../src/ledger/account.ts'
import { tokenAsset } from '../../src/ledger/asset.ts'
import type { ChainId } from '../../src/ledger/chain.ts'
import { putFlag } from '../../src/store/flags.ts'
import { openStore } from '../../src/store/open.ts'
import { type Anvil, startAnvil } from '../chain/anvil.ts'
import { createScene, type Deployed, type Scene } from '../chain/scene.ts'

const folder = mkdtempSync(join(tmpdir(), 'jejak-worker-'))
let anvil: Anvil
let scene: Scene
let chain: ChainId
let token: Deployed
/** Pays what its caller names, token, receiver and amount, and emits the Swap of a Uniswap V2 pair. */
let pool: string
let swapped: string

const word = (hex: string | bigint): string =>
  (typeof hex === 'bigint' ? hex.toString(16) : hex.slice(2)).padStart(64, '0')

/** `call(calldata[0]).transfer(calldata[1], calldata[2])`, then the event with calldata[2] as the second amount out. */
const code = [
  '63a9059cbb60e01b600052', // memory[0] = selector of transfer
  '6040602060043760006000604460006000600035', // its arguments from calldata; no value, no answer
  '5af150',
  '60403561016052', // memory[0x160] = the amount, behind three words of zeros
  `602035337f${pairSwapTopic.slice(2)}6080610100a3`, // topics: Swap, caller, receiver
  '00',
].join('')

beforeAll(async () => {
  anvil = await startAnvil()
  scene = await createScene(anvil)
  chain = `eip155:${Number(await anvil.call('eth_chainId'))}` as ChainId
  const [maker = '', payer = '', receiver = ''] = scene.people
  token = await scene.deploy('Token', [1000n])
  const length = (code.length / 2).toString(16).padStart(4, '0')
  const made = await scene.send(maker, null, { data: `0x61${length}80600c6000396000f3${code}` })
  const receipt = (await anvil.call('eth_getTransactionReceipt', [made])) as {
    readonly contractAddress: string
  }
  pool = receipt.contractAddress.toLowerCase()
  await scene.call(maker, token, 'transfer', [pool, 500n])
  const data = `0x${word(token.address)}${word(receiver)}${word(40n)}`
  swapped = await scene.send(payer, pool, { data })
}, 60_000)

afterAll(async () => {
  await anvil.stop()
  rmSync(folder, { recursive: true, force: true })
})

test('a worker keeps who was paid by a pool, once, and a trace is told of it', async () => {
  const place = join(folder, 'store')
  const [, payer = '', receiver = ''] = scene.people.map((one) => one.toLowerCase())
  const store = await openStore(place)
  try {
    for (const address of [payer, receiver]) {
      const account = parseAccount(address, chain)
      await putFlag(store, { account, reason: 'test', source: 'test' }, new Date(0))
    }
    const signal = new AbortController().signal
    await runWorker({ store: place, rpc: anvil.url, once: true, signal, tell: () => undefined })
    const stored = await store.listDocuments('conversion')
    expect(stored).toHaveLength(1)
    const registries = await openRegistries(store)(await loadAttribution(store))
    expect(registries.recordsOf(chain, swapped)).toMatchObject([
      {
        pool: parseAccount(pool, chain),
        recipient: parseAccount(receiver, chain),
        gets: tokenAsset(chain, token.address),
      },
    ])
    const transfers = await store.transfersOfTransaction(chain, swapped)
    expect(transfers.map(({ kind, amount }) => [kind, amount])).toContainEqual(['token', 40n])
  } finally {
    await store.close()
  }
}, 60_000)
